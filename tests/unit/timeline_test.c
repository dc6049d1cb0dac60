/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of what was seen, and how it is written for people and programs. Golden files are made
 * anew with GOLDEN_WRITE=1. */
#include "timeline_story.h"

#include "tools/timeline/outcome.h"
#include "tools/timeline/tally.h"
#include "tools/timeline/timeline_write.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void packets_are_copied(void **state)
{
    uint8_t bytes[4] = {1, 2, 3, 4};
    struct timeline_event event = {
        .kind = TIMELINE_PACKET, .connection = 7, .packet = {.id = 1, .data = bytes, .caplen = 4}};
    struct story s;

    (void)state;
    story_init(&s, STORY_HEAD STORY_TAIL);
    for (int i = 0; i < 100000; i++) /* more than one block of the pool */
        story_add(&s, event);
    bytes[0] = 9;
    story_add(&s, event);
    assert_memory_equal(s.timeline->events[0].packet.data, "\1\2\3\4", 4);
    assert_memory_equal(s.timeline->events[99999].packet.data, "\1\2\3\4", 4);
    assert_memory_equal(s.timeline->events[100000].packet.data, "\11\2\3\4", 4);
    assert_int_equal(timeline_connections(s.timeline), 7);
    story_finish(&s);
}

static void too_many_are_counted(void **state)
{
    struct story s;
    size_t n;

    (void)state;
    story_make(&s, "");
    n = s.timeline->n_events;
    s.timeline->n_events = TIMELINE_EVENTS_MAX;
    story_add(&s, (struct timeline_event){.kind = TIMELINE_APP});
    story_add(&s, (struct timeline_event){.kind = TIMELINE_APP});
    assert_int_equal(s.timeline->dropped_events, 2);
    assert_int_equal(s.timeline->n_events, TIMELINE_EVENTS_MAX);
    s.timeline->n_events = n;
    story_finish(&s);
}

static void sockets_are_found_by_time(void **state)
{
    struct socket_view view;
    struct story s;

    (void)state;
    story_make(&s, "");
    assert_false(timeline_socket_at(s.timeline, 2, 1, MS, &view));
    assert_true(timeline_socket_at(s.timeline, 2, 1, MS + 500 * US, &view));
    assert_int_equal(view.state, SOCKET_ESTABLISHED);
    assert_int_equal(view.probes, 0);
    assert_true(timeline_socket_at(s.timeline, 2, 1, 2 * HOUR + 40 * SEC - 1, &view));
    assert_int_equal(view.probes, 0);
    assert_true(timeline_socket_at(s.timeline, 2, 1, 2 * HOUR + 40 * SEC, &view));
    assert_int_equal(view.probes, 1);
    assert_true(timeline_socket_at(s.timeline, 2, 1, 4 * HOUR, &view));
    assert_int_equal(view.state, SOCKET_GONE);
    assert_true(timeline_socket_at(s.timeline, 0, 1, 4 * HOUR, &view));
    assert_int_equal(view.state, SOCKET_ESTABLISHED);
    assert_false(timeline_socket_at(s.timeline, 1, 1, 4 * HOUR, &view));
    assert_false(timeline_socket_at(s.timeline, 0, 2, 4 * HOUR, &view));
    story_finish(&s);
}

static void every_name_is_there(void **state)
{
    (void)state;
    for (int act = APP_CONNECT; act <= APP_ENDED; act++)
        assert_true(strlen(app_act_name((enum app_act)act)) > 0);
    assert_string_equal(app_call_name(CALL_READ), "read");
    assert_string_equal(app_call_name(CALL_POLL), "poll");
}

typedef int writer(FILE *to, const struct timeline *timeline);

/* *text is the caller's to free. */
static void write_to(char **text, writer *write, const struct timeline *timeline)
{
    size_t len = 0;
    FILE *to = open_memstream(text, &len);

    assert_non_null(to);
    assert_int_equal(write(to, timeline), 0);
    assert_int_equal(fclose(to), 0);
}

static int write_all_text(FILE *to, const struct timeline *timeline)
{
    int r = timeline_write_text(to, timeline);

    fputc('\n', to);
    return r < 0 ? r : story_outcome_text(to, timeline, 100);
}

static int write_all_json(FILE *to, const struct timeline *timeline)
{
    int r = timeline_write_json(to, timeline);

    return r < 0 ? r : story_outcome_json(to, timeline);
}

static void golden(writer *write, const char *name)
{
    char path[4096];
    char *expected = NULL, *text;
    size_t size = 0;
    struct story s;
    FILE *file;

    story_make(&s, "remedy \"a longer limit\"\n");
    write_to(&text, write, s.timeline);
    snprintf(path, sizeof(path), "%s/timeline/%s", getenv("GOLDEN"), name);
    if (getenv("GOLDEN_WRITE")) {
        file = fopen(path, "w");
        assert_non_null(file);
        fputs(text, file);
        assert_int_equal(fclose(file), 0);
    }
    file = fopen(path, "r");
    assert_non_null(file);
    assert_true(getdelim(&expected, &size, '\0', file) > 0);
    fclose(file);
    assert_string_equal(text, expected);
    free(expected);
    free(text);
    story_finish(&s);
}

static void text_is_as_golden(void **state)
{
    (void)state;
    golden(write_all_text, "hour.text");
}

static void json_is_as_golden(void **state)
{
    (void)state;
    golden(write_all_json, "hour.json");
}

/* Not so wide that a terminal of 140 columns breaks it. */
static void text_lines_are_short(void **state)
{
    struct story s;
    char *text, *save = NULL;

    (void)state;
    story_make(&s, "");
    write_to(&text, timeline_write_text, s.timeline);
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        assert_true(strlen(line) <= 140);
    free(text);
    story_finish(&s);
}

static bool text_or_null(const json_t *value)
{
    return json_is_string(value) || json_is_null(value);
}

static void check_event(const json_t *object, bool live)
{
    const json_t *connection = json_object_get(object, "connection");

    assert_true(json_is_number(json_object_get(object, "t_s")));
    assert_int_equal(json_is_null(json_object_get(object, "wall_s")), !live);
    assert_true(json_is_string(json_object_get(object, "place")));
    assert_true(json_is_integer(connection) || json_is_null(connection));
    assert_true(json_is_string(json_object_get(object, "kind")));
    assert_true(text_or_null(json_object_get(object, "side")));
}

static void check_json(struct story *s, bool live)
{
    char *save = NULL, *text;
    size_t lines = 0, events = 0;
    const char *last = "";
    json_t *object = NULL;

    write_to(&text, write_all_json, s->timeline);
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        const char *type;

        json_decref(object);
        object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(object);
        assert_int_equal(json_integer_value(json_object_get(object, "v")), 1);
        type = json_string_value(json_object_get(object, "type"));
        assert_non_null(type);
        last = type;
        if (lines++ == 0) {
            assert_string_equal(type, "story");
            continue;
        }
        if (strcmp(type, "outcome") == 0)
            continue;
        events++;
        check_event(object, live);
    }
    assert_string_equal(last, "outcome");
    assert_int_equal(events, s->timeline->n_events);
    json_decref(object);
    free(text);
}

static void json_of_a_virtual_story_has_no_date(void **state)
{
    struct story s;

    (void)state;
    story_make(&s, "");
    check_json(&s, false);
    story_finish(&s);
}

static void json_of_a_live_story_has_wall_times(void **state)
{
    struct story s;
    json_t *object;
    char *text, *line;

    (void)state;
    story_make(&s, "");
    s.timeline->live = true;
    s.timeline->wall_ns = UINT64_C(1700000000) * UINT64_C(1000000000);
    s.timeline->speed = 60;
    check_json(&s, true);
    write_to(&text, timeline_write_json, s.timeline);
    line = strstr(text, "\"kind\":\"expired\"");
    assert_non_null(line);
    while (line > text && line[-1] != '\n')
        line--;
    *strchr(line, '\n') = '\0';
    object = json_loads(line, 0, NULL);
    assert_non_null(object);
    /* 3601 s of the story are 60 s and a bit of the wall. */
    assert_int_equal((int)(json_number_value(json_object_get(object, "wall_s")) - 1700000000.0),
                     60);
    assert_int_equal((int)json_number_value(json_object_get(object, "t_s")), 3601);
    json_decref(object);
    free(text);
    story_finish(&s);
}

static void titles_may_hold_anything(void **state)
{
    char title[2000];
    struct story s;
    char *text;
    json_t *object;

    (void)state;
    story_make(&s, "");
    free(s.scenario->title);
    /* Longer than a piece, and every piece boundary inside a character. */
    memset(title, 0, sizeof(title));
    for (size_t i = 0; i + 3 < sizeof(title); i += 3)
        memcpy(title + i, "\xe2\x82\xac", 3);
    s.scenario->title = strdup(title);
    write_to(&text, timeline_write_json, s.timeline);
    *strchr(text, '\n') = '\0';
    object = json_loads(text, 0, NULL);
    assert_non_null(object);
    assert_string_equal(json_string_value(json_object_get(object, "title")), title);
    json_decref(object);
    free(text);
    free(s.scenario->title);
    s.scenario->title = strdup("\"\\\xff\n\x01");
    write_to(&text, timeline_write_json, s.timeline);
    *strchr(text, '\n') = '\0';
    object = json_loads(text, 0, NULL);
    assert_non_null(object);
    assert_string_equal(json_string_value(json_object_get(object, "title")),
                        "\"\\\xef\xbf\xbd\n\x01");
    json_decref(object);
    free(text);
    story_finish(&s);
}

static void a_full_disk_is_told(void **state)
{
    static writer *const writers[] = {write_all_text, write_all_json, timeline_write_text,
                                      timeline_write_json, story_outcome_json};
    struct story s;

    (void)state;
    story_make(&s, "");
    for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
        FILE *full = fopen("/dev/full", "w");

        assert_non_null(full);
        assert_int_equal(writers[i](full, s.timeline), -ENOSPC);
        fclose(full);
    }
    {
        FILE *full = fopen("/dev/full", "w");

        assert_int_equal(story_outcome_text(full, s.timeline, 80), -ENOSPC);
        fclose(full);
    }
    story_finish(&s);
}

static void an_empty_story_can_be_told(void **state)
{
    struct story s;
    char *text;

    (void)state;
    story_init(&s, STORY_HEAD STORY_TAIL);
    write_to(&text, write_all_text, s.timeline);
    assert_non_null(strstr(text, "Nobody connected."));
    free(text);
    write_to(&text, write_all_json, s.timeline);
    assert_non_null(strstr(text, "\"outcomes\":[]"));
    free(text);
    story_finish(&s);
}

static void a_tally_is_emptied(void **state)
{
    struct tally tally = {.samples = calloc(3, sizeof(struct tally_sample)), .n_samples = 3};

    (void)state;
    tally_finish(&tally);
    assert_null(tally.samples);
    assert_int_equal(tally.n_samples, 0);
    tally_finish(&tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_are_copied),
        cmocka_unit_test(too_many_are_counted),
        cmocka_unit_test(sockets_are_found_by_time),
        cmocka_unit_test(every_name_is_there),
        cmocka_unit_test(text_is_as_golden),
        cmocka_unit_test(json_is_as_golden),
        cmocka_unit_test(text_lines_are_short),
        cmocka_unit_test(json_of_a_virtual_story_has_no_date),
        cmocka_unit_test(json_of_a_live_story_has_wall_times),
        cmocka_unit_test(titles_may_hold_anything),
        cmocka_unit_test(a_full_disk_is_told),
        cmocka_unit_test(an_empty_story_can_be_told),
        cmocka_unit_test(a_tally_is_emptied),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
