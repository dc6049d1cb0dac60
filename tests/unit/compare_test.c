/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Two timelines of one story: which differences are found, which are none, and what memory that
 * runs out does. The story is made by hand (timeline_story.h), and again with one thing changed. */

#include "timeline_story.h"

#include "tools/verify/compare.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* One event of the story, and one change to it. */
typedef bool (*is_one)(const struct timeline_event *e);
typedef void (*change_one)(struct timeline_event *e);

static long left = -1; /* allocations until one fails; -1: none does */

void *__real_calloc(size_t n, size_t size);
void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);

static bool fails(void)
{
    return left >= 0 && left-- == 0;
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
    return fails() ? NULL : __real_reallocarray(p, n, size);
}

/* What the story of timeline_story.h does not have: an ICMP error, and probes that are counted. */
static void make(struct story *s)
{
    struct timeline_packet icmp = {.id = 1000,
                                   .from = FLOW_SERVER,
                                   .icmp_type = 3,
                                   .icmp_code = 13,
                                   .len = 20,
                                   .wire_len = 60,
                                   .passage = PASSAGE_RECEIVED};
    const struct socket_view probing = {.state = SOCKET_ESTABLISHED,
                                        .timer = TIMER_KEEPALIVE,
                                        .expires = 100 * SEC,
                                        .retransmits = 1,
                                        .probes = 2};

    story_make(s, "");
    story_add(s, (struct timeline_event){.t = 3 * HOUR + SEC,
                                         .kind = TIMELINE_PACKET,
                                         .place = SCENARIO_CLIENT,
                                         .connection = 1,
                                         .packet = icmp});
    story_socket(s, 3 * HOUR + 2 * SEC, FLOW_CLIENT, probing);
    story_sort(s);
}

static struct timeline_event *find(const struct story *s, is_one wanted)
{
    for (size_t i = 0; i < s->timeline->n_events; i++)
        if (wanted(&s->timeline->events[i]))
            return &s->timeline->events[i];
    fail_msg("the story has no such event");
    return NULL;
}

static void compared(struct compare *c, const struct story *live, const struct story *virtual,
                     unsigned speed)
{
    assert_int_equal(compare_timelines(c, live->timeline, virtual->timeline, speed), 0);
}

static size_t differences(const struct story *live, const struct story *virtual)
{
    struct compare c;
    size_t n;

    compared(&c, live, virtual, 1);
    n = c.differences;
    compare_finish(&c);
    return n;
}

static const char *why(const struct compare *c)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->pairs[i].differs)
            return c->pairs[i].why;
    return "nothing differs";
}

static void two(struct story *a, struct story *b)
{
    make(a);
    make(b);
}

static void finish(struct story *a, struct story *b)
{
    story_finish(a);
    story_finish(b);
}

static void the_same_is_alike(void **state)
{
    struct story a, b;
    struct compare c;

    (void)state;
    two(&a, &b);
    compared(&c, &a, &b, 1);
    assert_int_equal(c.differences, 0);
    assert_true(c.n > 30);
    for (size_t i = 0; i < c.n; i++) {
        assert_non_null(c.pairs[i].live);
        assert_non_null(c.pairs[i].virtual);
        assert_true(i == 0 || c.pairs[i - 1].live->t <= c.pairs[i].live->t);
    }
    compare_finish(&c);
    finish(&a, &b);
}

static void nothing_is_alike_to_nothing(void **state)
{
    struct story a, b;

    (void)state;
    story_init(&a, STORY_HEAD STORY_TAIL);
    make(&b);
    assert_int_equal(differences(&a, &a), 0);
    assert_true(differences(&a, &b) > 30);
    assert_int_equal(differences(&a, &b), differences(&b, &a));
    finish(&a, &b);
}

static bool data(const struct timeline_event *e)
{
    return e->kind == TIMELINE_PACKET && e->packet.len == 100;
}

static bool dropped(const struct timeline_event *e)
{
    return e->kind == TIMELINE_PACKET && e->packet.passage == PASSAGE_DROPPED;
}

static bool icmp(const struct timeline_event *e)
{
    return e->kind == TIMELINE_PACKET && !e->packet.tcp;
}

static bool syn(const struct timeline_event *e)
{
    return e->kind == TIMELINE_PACKET && e->packet.flags == TCP_SYN;
}

static bool probing(const struct timeline_event *e)
{
    return e->kind == TIMELINE_SOCKET && e->socket.probes == 2;
}

static bool server_socket(const struct timeline_event *e)
{
    return e->kind == TIMELINE_SOCKET && e->place == 2 && e->socket.timer == TIMER_KEEPALIVE;
}

static bool socket_gone(const struct timeline_event *e)
{
    return e->kind == TIMELINE_SOCKET && e->socket.state == SOCKET_GONE;
}

static bool app_reads(const struct timeline_event *e)
{
    return e->kind == TIMELINE_APP && e->app.act == APP_READ;
}

static bool app_error(const struct timeline_event *e)
{
    return e->kind == TIMELINE_APP && e->app.act == APP_ERROR;
}

static bool flow_expired(const struct timeline_event *e)
{
    return e->kind == TIMELINE_FLOW && e->flow.kind == EVENT_EXPIRED;
}

static bool flow_late(const struct timeline_event *e)
{
    return e->kind == TIMELINE_FLOW && e->flow.kind == EVENT_LATE;
}

static bool deed(const struct timeline_event *e)
{
    return e->kind == TIMELINE_DEED;
}

#define CHANGE(name, what)                                                                         \
    static void name(struct timeline_event *e)                                                     \
    {                                                                                              \
        e->what;                                                                                   \
    }

CHANGE(set_passage, packet.passage = PASSAGE_INJECTED)
CHANGE(set_from, packet.from = FLOW_SERVER)
CHANGE(set_icmp, packet.tcp = false)
CHANGE(set_icmp_type, packet.icmp_type = 11)
CHANGE(set_icmp_code, packet.icmp_code = 1)
CHANGE(set_reason, packet.reason = REASON_INVALID)
CHANGE(set_flags, packet.flags = TCP_ACK)
CHANGE(set_seq, packet.rel_seq++)
CHANGE(set_ack, packet.rel_ack--)
CHANGE(set_len, packet.len--)
CHANGE(set_state, socket.state = SOCKET_CLOSE_WAIT)
CHANGE(set_timer, socket.timer = TIMER_PERSIST)
CHANGE(set_retransmits, socket.retransmits++)
CHANGE(set_probes, socket.probes++)
CHANGE(set_act, app.act = APP_EOF)
CHANGE(set_bytes, app.bytes++)
CHANGE(set_error, app.error = ETIMEDOUT)
CHANGE(set_call, app.call = CALL_WRITE)
CHANGE(set_event, flow.kind = EVENT_ENDED)
CHANGE(set_end, flow.reason = FLOW_END_ACTIVE)
CHANGE(set_flow_state, flow.flow.state = FLOW_FIN_WAIT)
CHANGE(set_action, flow.action = ACTED_DROPPED)
CHANGE(set_deed, deed++)
CHANGE(set_place, place = 1)
CHANGE(set_connection, connection = 2)

/* What may differ, or is another every time. */
CHANGE(set_id, packet.id += 5000)
CHANGE(set_absolute, packet.seq += 77)
CHANGE(set_window, packet.window -= 1)
CHANGE(set_note, packet.note = NOTE_RETRANSMIT)
CHANGE(set_bytes_seen, packet.data = NULL)
CHANGE(set_passed_as, packet.reason = REASON_INVALID)
CHANGE(set_syn_ack, packet.rel_ack = 9)
CHANGE(set_expires, socket.expires += SEC)
CHANGE(set_queue, socket.send_queue += 9)
CHANGE(set_timer_left, socket.timer = TIMER_ON)
CHANGE(set_other_error, app.error = ETIMEDOUT)

static const struct {
    is_one which;
    change_one how;
    const char *why; /* NULL: that is no difference */
} changes[] = {
    {data, set_passage, "made by the firewall, not sent"},
    {data, set_from, "from the server, not client"},
    {data, set_icmp, "ICMP, not TCP"},
    {icmp, set_icmp_type, "ICMP type 11, not 3"},
    {icmp, set_icmp_code, "ICMP code 1, not 13"},
    {dropped, set_reason, "dropped as "},
    {data, set_flags, "flags 16, not 24"},
    {data, set_seq, "seq 2, not 1"},
    {data, set_ack, "ack 0, not 1"},
    {data, set_len, "length 99, not 100"},
    {server_socket, set_state, "state CLOSE_WAIT, not ESTABLISHED"},
    {server_socket, set_timer, "timer persist, not keepalive"},
    {probing, set_retransmits, "retransmissions 2, not 1"},
    {probing, set_probes, "probes 3, not 2"},
    {app_reads, set_act, ", not "},
    {app_reads, set_bytes, "bytes 101, not 100"},
    {app_error, set_error, "ETIMEDOUT, not ECONNRESET"},
    {app_error, set_call, "from write, not read"},
    {flow_expired, set_event, "ended, not expired"},
    {flow_expired, set_flow_state, "state "},
    {flow_expired, set_end, "reason "},
    {flow_late, set_action, "action dropped, not reset sender"},
    {deed, set_deed, "line "},
    {data, set_place, "only "},
    {data, set_connection, "only "},
    {data, set_id, NULL},
    {data, set_absolute, NULL},
    {data, set_window, NULL},
    {data, set_note, NULL},
    {data, set_bytes_seen, NULL},
    {data, set_passed_as, NULL},
    {syn, set_syn_ack, NULL}, /* a SYN acknowledges nothing, whatever the field holds */
    {server_socket, set_expires, NULL},
    {server_socket, set_queue, NULL},
    {socket_gone, set_timer_left, NULL},
    {app_reads, set_other_error, NULL},
};

static void each_field_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct story live, virtual;
        struct compare c;

        two(&live, &virtual);
        changes[i].how(find(&live, changes[i].which));
        compared(&c, &live, &virtual, 1);
        if (!!changes[i].why != (c.differences > 0) ||
            (changes[i].why && !strstr(why(&c), changes[i].why)))
            fail_msg("change %zu: %zu differences; %s", i, c.differences, why(&c));
        compare_finish(&c);
        /* Whoever of both has it. */
        assert_true(!!changes[i].why == (differences(&virtual, &live) > 0));
        finish(&live, &virtual);
    }
}

static void take_out(struct story *s, const struct timeline_event *e)
{
    struct timeline *t = s->timeline;
    size_t i = (size_t)(e - t->events);

    memmove(&t->events[i], &t->events[i + 1], (t->n_events - i - 1) * sizeof(*e));
    t->n_events--;
}

/* Exactly that one, and all others are found again behind it. */
static void missing_and_additional(void **state)
{
    static const is_one which[] = {data,      dropped,   icmp,        probing,
                                   app_reads, app_error, flow_expired};

    (void)state;
    for (size_t i = 0; i < sizeof(which) / sizeof(which[0]); i++) {
        struct story shorter, whole;
        struct compare c;

        two(&shorter, &whole);
        take_out(&shorter, find(&shorter, which[i]));
        compared(&c, &shorter, &whole, 1);
        assert_int_equal(c.differences, 1);
        assert_string_equal(why(&c), "only simulated");
        compare_finish(&c);
        compared(&c, &whole, &shorter, 1);
        assert_int_equal(c.differences, 1);
        assert_string_equal(why(&c), "only live");
        compare_finish(&c);
        finish(&shorter, &whole);
    }
}

/* Where a lost packet got lost is not known live; that it did not arrive is. */
static void where_a_packet_was_lost(void **state)
{
    struct story a, b;
    struct timeline_packet p;

    (void)state;
    two(&a, &b);
    p = find(&a, data)->packet;
    story_pass(&a, 2 * SEC, 1, PASSAGE_LOST, p);
    story_sort(&a);
    assert_int_equal(differences(&a, &b), 0);
    finish(&a, &b);
}

/* A story of its own: a client that does one thing after another, at these times. */
static void acts(struct story *s, const enum app_act *what, const mtime_t *when, size_t n)
{
    story_init(s, STORY_HEAD STORY_TAIL);
    for (size_t i = 0; i < n; i++)
        story_app(s, when[i], FLOW_CLIENT, (struct timeline_app){.act = what[i]});
    story_sort(s);
}

static void order_counts(void **state)
{
    static const enum app_act what[] = {APP_CONNECT, APP_SEND, APP_READ, APP_CLOSE};
    static const enum app_act other[] = {APP_CONNECT, APP_READ, APP_SEND, APP_CLOSE};
    static const mtime_t when[] = {0, SEC, SEC, SEC};
    struct story a, b;

    (void)state;
    acts(&a, what, when, 4);
    acts(&b, other, when, 4);
    assert_int_equal(differences(&a, &a), 0);
    assert_int_equal(differences(&a, &b), 2);
    finish(&a, &b);
}

/* Of what happens at two places at once, nobody knows which was first. */
static void order_at_different_places_does_not(void **state)
{
    struct story a, b;

    (void)state;
    story_init(&a, STORY_HEAD STORY_TAIL);
    story_init(&b, STORY_HEAD STORY_TAIL);
    story_app(&a, SEC, FLOW_CLIENT, (struct timeline_app){.act = APP_SEND});
    story_app(&a, SEC + MS, FLOW_SERVER, (struct timeline_app){.act = APP_READ});
    story_app(&b, SEC, FLOW_SERVER, (struct timeline_app){.act = APP_READ});
    story_app(&b, SEC + MS, FLOW_CLIENT, (struct timeline_app){.act = APP_SEND});
    assert_int_equal(differences(&a, &b), 0);
    finish(&a, &b);
}

/* How many differ when the last of those comes `off` later than simulated. */
static size_t with_last_moved(const mtime_t *when, size_t n, mtime_t off, unsigned speed,
                              const char *expected)
{
    static const enum app_act what[] = {APP_CONNECT, APP_CONNECTED, APP_EOF, APP_CLOSE};
    struct story live, virtual;
    struct compare c;
    size_t found;

    acts(&live, what, when, n);
    acts(&virtual, what, when, n);
    live.timeline->events[n - 1].t += off;
    compared(&c, &live, &virtual, speed);
    found = c.differences;
    if (found > 0)
        assert_string_equal(why(&c), expected);
    compare_finish(&c);
    finish(&live, &virtual);
    return found;
}

static void an_eighth_and_50_ms(void **state)
{
    static const mtime_t when[] = {0, SEC, 9 * SEC}; /* 8 s waited */
    const mtime_t least = SEC + 50 * MS;

    (void)state;
    assert_int_equal(with_last_moved(when, 3, least, 1, NULL), 0);
    assert_int_equal(with_last_moved(when, 3, least + 1, 1, "1s late"), 1);
    assert_int_equal(with_last_moved(when, 3, -least, 1, NULL), 0);
    assert_int_equal(with_last_moved(when, 3, -least - 1, 1, "1s early"), 1);
    /* The 50 ms are of the wall, an eighth is of the story. */
    assert_int_equal(with_last_moved(when, 3, SEC + 500 * MS, 10, NULL), 0);
    assert_int_equal(with_last_moved(when, 3, SEC + 500 * MS + 1, 10, "1.5s late"), 1);
}

static void waiting_begins_with_what_went_before(void **state)
{
    static const mtime_t at_once[] = {0, 7 * HOUR, 7 * HOUR}; /* late, but nothing waited for */

    (void)state;
    assert_int_equal(with_last_moved(at_once, 3, 50 * MS, 1, NULL), 0);
    assert_int_equal(with_last_moved(at_once, 3, 50 * MS + 1, 1, "50ms late"), 1);
}

/* What is heard of the other side is no beginning of this one's waiting. */
static void each_place_waits_by_itself(void **state)
{
    static const enum app_act what[] = {APP_CONNECT, APP_CLOSE};
    static const mtime_t live_at[] = {0, 9 * SEC + 1100 * MS};
    static const mtime_t virtual_at[] = {0, 9 * SEC};
    struct story live, virtual;

    (void)state;
    acts(&live, what, live_at, 2);
    acts(&virtual, what, virtual_at, 2);
    story_app(&live, 9 * SEC - MS, FLOW_SERVER, (struct timeline_app){.act = APP_SEND});
    story_app(&virtual, 9 * SEC - MS, FLOW_SERVER, (struct timeline_app){.act = APP_SEND});
    story_sort(&live);
    story_sort(&virtual);
    assert_int_equal(differences(&live, &virtual), 0);
    finish(&live, &virtual);
}

/* Late here is late here, by however much less it is elsewhere meanwhile. */
static void lateness_stays_where_it_is(void **state)
{
    static const enum app_act what[] = {APP_CONNECT, APP_CONNECTED, APP_CLOSE};
    static const mtime_t live_at[] = {0, 10 * SEC, 10 * SEC + 500 * MS};
    static const mtime_t virtual_at[] = {0, 9 * SEC, 9 * SEC + 500 * MS};
    struct story live, virtual;

    (void)state;
    acts(&live, what, live_at, 3);
    acts(&virtual, what, virtual_at, 3);
    story_app(&live, 10 * SEC + 100 * MS, FLOW_SERVER, (struct timeline_app){.act = APP_SEND});
    story_app(&virtual, 9 * SEC + 450 * MS, FLOW_SERVER, (struct timeline_app){.act = APP_SEND});
    story_sort(&live);
    story_sort(&virtual);
    assert_int_equal(differences(&live, &virtual), 0);
    finish(&live, &virtual);
}

/* One that is late by what it may be moves what follows from it, and that is no further fault. */
static void lateness_is_inherited(void **state)
{
    static const enum app_act what[] = {APP_CONNECT, APP_CONNECTED, APP_EOF, APP_CLOSE};
    static const mtime_t live_at[] = {0, 9 * SEC, 10 * SEC, 11 * SEC};
    static const mtime_t virtual_at[] = {0, 8 * SEC, 9 * SEC, 10 * SEC};
    static const mtime_t too_late[] = {0, 9 * SEC, 10 * SEC + 200 * MS, 11 * SEC + 200 * MS};
    struct story live, virtual, late;

    (void)state;
    acts(&live, what, live_at, 4);
    acts(&virtual, what, virtual_at, 4);
    acts(&late, what, too_late, 4);
    assert_int_equal(differences(&live, &virtual), 0);
    assert_int_equal(differences(&late, &virtual), 1);
    story_finish(&late);
    finish(&live, &virtual);
}

/* A timer of the client is late by what it may be; the server had something to do shortly before,
 * on time. What comes from the client is as late there, and no later. */
static void lateness_goes_to_the_other_place(void **state)
{
    static const struct {
        mtime_t client, server;
        size_t wrong;
    } late[] = {{SEC, SEC, 0}, {0, SEC, 1}, {SEC, SEC + 50 * MS, 0}, {SEC, SEC + 50 * MS + 1, 1}};

    (void)state;
    for (size_t i = 0; i < sizeof(late) / sizeof(late[0]); i++) {
        struct story live, virtual;

        story_init(&live, STORY_HEAD STORY_TAIL);
        story_init(&virtual, STORY_HEAD STORY_TAIL);
        for (unsigned k = 0; k < 2; k++) {
            struct story *s = k == 0 ? &live : &virtual;

            story_app(s, 0, FLOW_CLIENT, (struct timeline_app){.act = APP_CONNECTED});
            story_app(s, 7 * SEC, FLOW_SERVER, (struct timeline_app){.act = APP_ACCEPTED});
            story_app(s, 8 * SEC + (k == 0 ? late[i].client : 0), FLOW_CLIENT,
                      (struct timeline_app){.act = APP_SEND});
            story_app(s, 8 * SEC + (k == 0 ? late[i].server : 0), FLOW_SERVER,
                      (struct timeline_app){.act = APP_READ});
            story_sort(s);
        }
        assert_int_equal(differences(&live, &virtual), late[i].wrong);
        finish(&live, &virtual);
    }
}

/* On a busy machine the story's deeds are done late: never their fault, nor that of what they do.
 */
static void a_late_deed_moves_what_it_does(void **state)
{
    struct story live, virtual;

    (void)state;
    story_init(&live, STORY_HEAD STORY_TAIL);
    story_init(&virtual, STORY_HEAD STORY_TAIL);
    story_deed(&live, 1);
    story_deed(&virtual, 1);
    live.timeline->events[0].t += 400 * MS;
    story_app(&live, SEC + 400 * MS, FLOW_CLIENT, (struct timeline_app){.act = APP_SEND});
    story_app(&virtual, SEC, FLOW_CLIENT, (struct timeline_app){.act = APP_SEND});
    assert_int_equal(differences(&live, &virtual), 0);
    live.timeline->events[1].t += 200 * MS;
    assert_int_equal(differences(&live, &virtual), 1);
    finish(&live, &virtual);
}

/* A socket's story: ESTABLISHED, something else for a while, ESTABLISHED again. */
static void shown_for(struct story *s, mtime_t brief, bool at_all)
{
    const struct socket_view open = {.state = SOCKET_ESTABLISHED, .expires = MTIME_NEVER};
    struct socket_view sending = open;

    sending.timer = TIMER_ON;
    story_init(s, STORY_HEAD STORY_TAIL);
    story_socket(s, 0, FLOW_CLIENT, open);
    if (at_all) {
        story_socket(s, SEC, FLOW_CLIENT, sending);
        story_socket(s, SEC + brief, FLOW_CLIENT, open);
    }
}

static void what_a_socket_shows_for_a_moment(void **state)
{
    struct story shown, not_shown;
    struct compare c;

    (void)state;
    shown_for(&not_shown, 0, false);
    shown_for(&shown, 100 * MS - 1, true);
    assert_int_equal(differences(&shown, &not_shown), 0);
    assert_int_equal(differences(&not_shown, &shown), 0);
    story_finish(&shown);
    shown_for(&shown, 100 * MS, true);
    assert_int_equal(differences(&shown, &not_shown), 2);
    /* It is looked at every so often of the wall's time. */
    compared(&c, &shown, &not_shown, 2);
    assert_int_equal(c.differences, 0);
    compare_finish(&c);
    finish(&shown, &not_shown);
}

/* What begins and ends between two looks was never there for who looks. */
static void a_socket_that_is_gone_at_once(void **state)
{
    struct story brief, never;

    (void)state;
    story_init(&never, STORY_HEAD STORY_TAIL);
    story_init(&brief, STORY_HEAD STORY_TAIL);
    story_socket(&brief, SEC, FLOW_CLIENT,
                 (struct socket_view){.state = SOCKET_ESTABLISHED, .expires = MTIME_NEVER});
    story_socket(&brief, SEC + 50 * MS, FLOW_CLIENT,
                 (struct socket_view){.state = SOCKET_GONE, .expires = MTIME_NEVER});
    assert_int_equal(differences(&brief, &never), 0);
    assert_int_equal(differences(&never, &brief), 0);
    finish(&brief, &never);
}

/* Too long to be aligned exactly: in order, and still nothing is overlooked. */
static void long_ones(void **state)
{
    struct story a, b;

    (void)state;
    story_init(&a, STORY_HEAD STORY_TAIL);
    story_init(&b, STORY_HEAD STORY_TAIL);
    for (uint32_t i = 0; i < 6100; i++) {
        struct timeline_app app = {.act = APP_SEND, .bytes = i};

        story_app(&a, i * MS, FLOW_CLIENT, app);
        if (i != 4000)
            story_app(&b, i * MS, FLOW_CLIENT, app);
    }
    assert_int_equal(differences(&a, &a), 0);
    assert_int_equal(differences(&b, &b), 0);
    assert_true(differences(&a, &b) > 0);
    finish(&a, &b);
}

static char *written(const struct story *live, const struct story *virtual)
{
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);
    struct compare c;

    assert_non_null(to);
    compared(&c, live, virtual, 1);
    assert_int_equal(compare_write(to, &c, live->scenario), 0);
    assert_int_equal(fclose(to), 0);
    compare_finish(&c);
    return text;
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;

    for (; (text = strstr(text, what)); text++)
        n++;
    return n;
}

static void side_by_side(void **state)
{
    struct story a, b;
    char *text;

    (void)state;
    two(&a, &b);
    text = written(&a, &b);
    assert_non_null(strstr(text, "          LIVE     SIMULATED  WHERE       WHAT\n"));
    assert_non_null(strstr(text, "    2:00:40.000   2:00:40.000  server"));
    assert_non_null(strstr(text, " events, live and simulated alike\n"));
    assert_int_equal(count(text, "\n!"), 0);
    free(text);
    find(&a, data)->packet.len = 99;
    take_out(&b, find(&b, app_error));
    text = written(&a, &b);
    assert_non_null(strstr(text, " events, 2 of them differ\n"));
    assert_non_null(strstr(text, "length 99, not 100\n"));
    assert_non_null(strstr(text, "simulated: sends Flags [P.], seq 1:101, ack 1"));
    assert_non_null(strstr(text, "only live\n"));
    assert_non_null(strstr(text, "2:00:40.000             -  server"));
    assert_int_equal(count(text, "\n!"), 5);
    free(text);
    finish(&a, &b);
}

/* At every single allocation: an error, or the comparison that needed no more. */
static void memory_that_runs_out(void **state)
{
    struct story a, b;
    int r = -ENOMEM;

    (void)state;
    two(&a, &b);
    find(&a, data)->packet.len = 99;
    left = -1;
    for (long n = 0; left < 0; n++) {
        struct compare c;

        assert_true(n < 1000);
        left = n;
        r = compare_timelines(&c, a.timeline, b.timeline, 1);
        assert_true(r == 0 || r == -ENOMEM);
        assert_true(r != 0 || c.differences > 0);
        compare_finish(&c);
    }
    left = -1;
    assert_int_equal(r, 0);
    finish(&a, &b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_is_alike),
        cmocka_unit_test(nothing_is_alike_to_nothing),
        cmocka_unit_test(each_field_alone),
        cmocka_unit_test(missing_and_additional),
        cmocka_unit_test(where_a_packet_was_lost),
        cmocka_unit_test(order_counts),
        cmocka_unit_test(order_at_different_places_does_not),
        cmocka_unit_test(an_eighth_and_50_ms),
        cmocka_unit_test(waiting_begins_with_what_went_before),
        cmocka_unit_test(each_place_waits_by_itself),
        cmocka_unit_test(lateness_stays_where_it_is),
        cmocka_unit_test(lateness_is_inherited),
        cmocka_unit_test(lateness_goes_to_the_other_place),
        cmocka_unit_test(a_late_deed_moves_what_it_does),
        cmocka_unit_test(what_a_socket_shows_for_a_moment),
        cmocka_unit_test(a_socket_that_is_gone_at_once),
        cmocka_unit_test(long_ones),
        cmocka_unit_test(side_by_side),
        cmocka_unit_test(memory_that_runs_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
