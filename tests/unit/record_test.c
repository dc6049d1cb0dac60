/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/put.h"
#include "middlebox/record/write.h"
#include "policy/duration.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The linker sends the writers' realloc() here. */
static bool no_memory;
void *__wrap_realloc(void *old, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size)
{
    return no_memory ? NULL : __real_realloc(old, size);
}

#define S MTIME_SEC

static struct policy_profile profiles[] = {{.name = (char *)"aws-nat-gateway"},
                                           {.name = (char *)"a \"quoted\", \\ \xc3\xa9 \xff\n"}};
static struct policy_rule rules[] = {{.name = (char *)"oracle", .profile = 1},
                                     {.name = (char *)"default", .profile = 0}};
static struct policy policy = {
    .profiles = profiles, .n_profiles = 2, .rules = rules, .n_rules = 2, .references = 1};
static const struct record_clock clock_ = {
    .now = 1000 * S + 500 * MTIME_MSEC,
    .start = 900 * S,
    .wall_start_ns = 1760000000 * S + 123,
    .speed = 1,
};

static struct flow flow_of(uint64_t id, uint8_t proto, const char *client, uint16_t client_port,
                           const char *server, uint16_t server_port)
{
    struct flow flow = {
        .id = id,
        .family = strchr(client, ':') ? 6 : 4,
        .proto = proto,
        .port = {client_port, server_port},
        .opened = 910 * S,
        .rule = 1,
        .policy = &policy,
    };
    int family = flow.family == 4 ? AF_INET : AF_INET6;

    assert_int_equal(inet_pton(family, client, flow.addr[FLOW_CLIENT]), 1);
    assert_int_equal(inet_pton(family, server, flow.addr[FLOW_SERVER]), 1);
    return flow;
}

static void timed(struct flow *flow, enum flow_state state, enum policy_timeout name, mtime_t last,
                  mtime_t timeout)
{
    flow->state = state;
    flow->timeout_name = name;
    flow->last = last;
    flow->timeout = timeout;
    flow->deadline = mtime_add(last, timeout);
}

#define FLOWS 7
static void make_flows(struct flow *f)
{
    f[0] = flow_of(7, IPPROTO_TCP, "192.0.2.2", 40000, "198.51.100.2", 5432);
    timed(&f[0], FLOW_ESTABLISHED, TIMEOUT_TCP_ESTABLISHED, 988 * S, 350 * S);
    f[0].packets[0] = 5, f[0].bytes[0] = 300, f[0].packets[1] = 4, f[0].bytes[1] = 280;
    f[0].assured = true;
    f[0].longest_idle = 1200 * MTIME_MSEC;
    f[0].keepalive[FLOW_SERVER] =
        (struct flow_keepalive){.seen = 4, .answered = 3, .interval = 7200 * S, .length = 1};
    f[0].keepalive[FLOW_CLIENT] =
        (struct flow_keepalive){.seen = 2, .answered = 2, .interval = 120 * S + 300 * MTIME_MSEC};

    f[1] = flow_of(8, IPPROTO_TCP, "2001:db8:1::2", 40001, "2001:db8:2::2", 22);
    timed(&f[1], FLOW_ESTABLISHED, TIMEOUT_TCP_ESTABLISHED, 1000 * S, MTIME_NEVER);
    f[1].assured = f[1].guessed = true;
    f[1].packets[0] = 12345678, f[1].bytes[0] = 9876543210, f[1].packets[1] = 65536;
    f[1].bytes[1] = 10000;
    f[1].rule = 0;
    f[1].blocked[FLOW_CLIENT] = true;

    /* Every figure as large as it can be, every text as long. */
    f[2] = flow_of(UINT64_MAX, 255, "2001:db8:1111:2222:3333:4444:5555:6666", 65535,
                   "ffff:eeee:dddd:cccc:bbbb:aaaa:9999:8888", 65535);
    timed(&f[2], FLOW_UNREPLIED, TIMEOUT_GENERIC, 0, MTIME_NEVER - 1);
    f[2].opened = 0;
    f[2].packets[0] = f[2].packets[1] = f[2].bytes[0] = f[2].bytes[1] = UINT64_MAX;
    f[2].longest_idle = MTIME_NEVER - 1;
    f[2].mark = UINT32_MAX;
    f[2].probing = true;
    f[2].keepalive[0].seen = f[2].keepalive[1].seen = UINT32_MAX;
    f[2].keepalive[0].answered = f[2].keepalive[1].answered = UINT32_MAX;
    f[2].keepalive[0].interval = f[2].keepalive[1].interval = MTIME_NEVER - 1;
    f[2].blocked[FLOW_CLIENT] = f[2].blocked[FLOW_SERVER] = f[2].guessed = true;

    f[3] = flow_of(9, IPPROTO_UDP, "192.0.2.3", 5353, "198.51.100.53", 53);
    timed(&f[3], FLOW_UNREPLIED, TIMEOUT_UDP, 1000 * S, 30 * S);
    f[3].packets[0] = 1, f[3].bytes[0] = 60;
    f[3].blocked[FLOW_SERVER] = true;

    f[4] = flow_of(10, IPPROTO_ICMP, "192.0.2.2", 77, "198.51.100.2", 77);
    timed(&f[4], FLOW_REPLIED, TIMEOUT_ICMP, 1000 * S + 499 * MTIME_MSEC, 30 * S);
    f[4].icmp_type = 8;
    f[4].packets[0] = f[4].packets[1] = 1, f[4].bytes[0] = f[4].bytes[1] = 84;
    f[4].assured = true;

    f[5] = flow_of(11, IPPROTO_GRE, "203.0.113.1", 0, "203.0.113.2", 0);
    timed(&f[5], FLOW_REPLIED, TIMEOUT_GENERIC, 1000 * S, 600 * S);
    f[5].packets[0] = f[5].packets[1] = 9999, f[5].bytes[0] = f[5].bytes[1] = 10000;

    /* Due already, activity ahead of the clock, a rule that is not there. */
    f[6] = flow_of(12, IPPROTO_TCP, "192.0.2.2", 1, "198.51.100.2", 65535);
    timed(&f[6], FLOW_SYN_SENT2, TIMEOUT_TCP_SYN_SENT, 1001 * S, 2 * S);
    f[6].deadline = 999 * S;
    f[6].rule = 2;
}

#define EVENTS 9
static void make_events(struct event *e)
{
    struct flow f[FLOWS];

    make_flows(f);
    e[0] = (struct event){.kind = EVENT_NEW, .time = 900 * S + 1, .flow = f[3]};
    e[1] = (struct event){.kind = EVENT_NEW, .time = 901 * S, .flow = f[1], .side = FLOW_SERVER};
    e[2] = (struct event){.kind = EVENT_UPDATE, .time = 988 * S, .flow = f[0], .side = FLOW_SERVER};
    e[3] = (struct event){.kind = EVENT_EXPIRED,
                          .time = 1338 * S,
                          .flow = f[0],
                          .reason = FLOW_END_IDLE,
                          .action = ACTED_RESET_BOTH};
    e[4] = (struct event){
        .kind = EVENT_EXPIRED, .time = 1000 * S, .flow = f[5], .reason = FLOW_END_ACTIVE};
    e[5] = (struct event){.kind = EVENT_LATE,
                          .time = 1349 * S + 200 * MTIME_MSEC,
                          .flow = f[0],
                          .action = ACTED_RESET_CLIENT,
                          .remembered = true,
                          .side = FLOW_CLIENT,
                          .expired_at = 1338 * S,
                          .was = FLOW_END_IDLE,
                          .tcp_flags = TCP_PSH | TCP_ACK,
                          .seq = UINT32_MAX,
                          .ack = 2,
                          .payload_len = 100};
    e[6] = e[5];
    e[6].was = FLOW_END_FORCED;
    e[6].action = ACTED_RATE_LIMITED;
    e[7] =
        (struct event){.kind = EVENT_LATE, .time = 1000 * S, .flow = f[4], .action = ACTED_DROPPED};
    e[7].flow.id = 0;
    e[7].flow.policy = NULL;
    e[8] = (struct event){.kind = EVENT_ENDED,
                          .time = 1000 * S,
                          .flow = f[1],
                          .reason = FLOW_END_FORCED,
                          .action = ACTED_RESET_BOTH};
}

static struct record_status make_status(void)
{
    struct record_status status = {
        .version = "0.1.0",
        .profile = "aws-nat-gateway",
        .policy = "/etc/idlewall/\x1b[31m.conf",
        .hook = "forward",
        .metrics = "127.0.0.1:9180",
        .queue_first = 40,
        .queues = 2,
        .uptime = 12000 * S,
        .queue_dropped = 3,
        .injected = UINT64_MAX,
        .largest_batch = 64,
        .backlog_max = 2 * MTIME_MSEC,
        .reloads = 1,
        .rss_bytes = 12345678,
    };

    status.engine.flows = 812;
    status.engine.max_flows = UINT32_MAX;
    status.engine.by_state[FLOW_ESTABLISHED] = 800;
    status.engine.by_state[FLOW_UNREPLIED] = 12;
    status.engine.packets[REASON_FLOW] = 1000;
    status.engine.packets[REASON_LATE] = 5;
    status.engine.accepted = 1000;
    status.engine.dropped = 5;
    status.engine.segments[SEGMENT_RESET] = 7;
    return status;
}

static void check_golden(const char *name, struct record_buf *buf)
{
    char path[4096];
    char *want;
    size_t len;
    FILE *file;

    snprintf(path, sizeof(path), "%s/record.%s", getenv("GOLDEN"), name);
    if (getenv("GOLDEN_WRITE")) {
        file = fopen(path, "w");
        assert_non_null(file);
        assert_int_equal(fwrite(buf->data, 1, buf->len, file), buf->len);
        fclose(file);
    }
    file = fopen(path, "r");
    assert_non_null(file);
    want = malloc(1 << 16);
    assert_non_null(want);
    len = fread(want, 1, (1 << 16) - 1, file);
    fclose(file);
    want[len] = '\0';
    assert_int_equal(record_flow_header(buf, RECORD_JSON), 0);
    buf->data[buf->len] = '\0'; /* there is room: a line was reserved */
    assert_string_equal(buf->data, want);
    free(want);
    free(buf->data);
    *buf = (struct record_buf){0};
}

static void flows_are_as_agreed(void **state)
{
    static const char *const names[] = {"text", "json", "csv", "conntrack"};
    struct flow flows[FLOWS];

    (void)state;
    make_flows(flows);
    for (int format = RECORD_TEXT; format <= RECORD_CONNTRACK; format++) {
        struct record_buf buf = {0};

        assert_int_equal(record_flow_header(&buf, (enum record_format)format), 0);
        for (int i = 0; i < FLOWS; i++)
            assert_int_equal(record_flow(&buf, (enum record_format)format, &clock_, &flows[i]), 0);
        check_golden(names[format], &buf);
    }
}

static void events_are_as_agreed(void **state)
{
    static const char *const names[] = {"events.text", "events.json"};
    struct event events[EVENTS];

    (void)state;
    make_events(events);
    for (int format = RECORD_TEXT; format <= RECORD_JSON; format++) {
        struct record_buf buf = {0};

        for (int i = 0; i < EVENTS; i++)
            assert_int_equal(record_event(&buf, (enum record_format)format, &clock_, &events[i]),
                             0);
        assert_int_equal(record_lost(&buf, (enum record_format)format, 1), 0);
        assert_int_equal(record_lost(&buf, (enum record_format)format, UINT64_MAX), 0);
        check_golden(names[format], &buf);
    }
}

static void status_is_as_agreed(void **state)
{
    struct record_status status = make_status();
    struct record_clock fast = clock_;
    struct record_buf buf = {0};

    (void)state;
    fast.speed = 60;
    assert_int_equal(record_status(&buf, RECORD_TEXT, &fast, &status), 0);
    check_golden("status.text", &buf);
    status.policy = NULL;
    assert_int_equal(record_status(&buf, RECORD_JSON, &fast, &status), 0);
    check_golden("status.json", &buf);
}

/* The line that starts at *at, as JSON; moves *at behind it. */
static json_t *next_json(const struct record_buf *buf, size_t *at)
{
    const char *end = memchr(buf->data + *at, '\n', buf->len - *at);
    json_error_t error;
    json_t *json;

    assert_non_null(end);
    json = json_loadb(buf->data + *at, (size_t)(end - buf->data) - *at, JSON_REJECT_DUPLICATES,
                      &error);
    if (!json)
        fail_msg("%s in %.*s", error.text, (int)(end - buf->data - (long)*at), buf->data + *at);
    *at = (size_t)(end - buf->data) + 1;
    return json;
}

static void a_flow_in_json_says_what_it_is(void **state)
{
    struct record_buf buf = {0};
    struct flow flows[FLOWS];
    size_t at = 0;
    json_t *json;

    (void)state;
    make_flows(flows);
    assert_int_equal(record_flow(&buf, RECORD_JSON, &clock_, &flows[0]), 0);
    assert_int_equal(record_flow(&buf, RECORD_JSON, &clock_, &flows[1]), 0);
    json = next_json(&buf, &at);
    assert_string_equal(json_string_value(json_object_get(json, "type")), "flow");
    assert_int_equal(json_integer_value(json_object_get(json, "v")), 1);
    assert_int_equal(json_integer_value(json_object_get(json, "client_port")), 40000);
    assert_float_equal(json_number_value(json_object_get(json, "idle_s")), 12.5, 1e-9);
    assert_float_equal(json_number_value(json_object_get(json, "remaining_s")), 337.5, 1e-9);
    assert_float_equal(json_number_value(json_object_get(json, "longest_idle_s")), 1.2, 1e-9);
    assert_true(json_is_false(json_object_get(json, "guessed")));
    assert_int_equal(json_object_size(json), 34);
    assert_int_equal(json_integer_value(json_object_get(json, "client_keepalives")), 2);
    assert_float_equal(json_number_value(json_object_get(json, "server_keepalive_margin_s")), -6850,
                       1e-9);
    json_decref(json);

    json = next_json(&buf, &at);
    assert_true(json_is_null(json_object_get(json, "timeout_s")));
    assert_true(json_is_null(json_object_get(json, "remaining_s")));
    assert_true(json_is_true(json_object_get(json, "blocked_client")));
    assert_string_equal(json_string_value(json_object_get(json, "profile")),
                        "a \"quoted\", \\ \xc3\xa9 \xef\xbf\xbd\n");
    assert_string_equal(json_string_value(json_object_get(json, "server")), "2001:db8:2::2");
    json_decref(json);
    assert_int_equal(at, buf.len);
    free(buf.data);
}

static void a_late_event_says_how_late(void **state)
{
    struct record_buf buf = {0};
    struct record_clock fast = clock_;
    struct event events[EVENTS];
    size_t at = 0;
    json_t *json;

    (void)state;
    fast.speed = 60;
    make_events(events);
    assert_int_equal(record_event(&buf, RECORD_JSON, &fast, &events[5]), 0);
    assert_int_equal(record_event(&buf, RECORD_JSON, &fast, &events[7]), 0);
    json = next_json(&buf, &at);
    assert_string_equal(json_string_value(json_object_get(json, "kind")), "late");
    assert_float_equal(json_number_value(json_object_get(json, "t_s")), 449.2, 1e-9);
    assert_float_equal(json_number_value(json_object_get(json, "wall_s")), 1760000000 + 449.2 / 60,
                       1e-6);
    assert_float_equal(json_number_value(json_object_get(json, "late_by_s")), 11.2, 1e-9);
    assert_float_equal(json_number_value(json_object_get(json, "expired_t_s")), 438, 1e-9);
    assert_string_equal(json_string_value(json_object_get(json, "flags")), "P.");
    assert_int_equal(json_integer_value(json_object_get(json, "reason")), 1);
    json_decref(json);

    json = next_json(&buf, &at);
    assert_true(json_is_false(json_object_get(json, "remembered")));
    assert_null(json_object_get(json, "reason"));
    assert_null(json_object_get(json, "flags"));
    assert_true(json_is_null(json_object_get(json, "rule")));
    json_decref(json);
    free(buf.data);
}

static void all_json_is_json(void **state)
{
    struct record_status status = make_status();
    struct record_buf buf = {0};
    struct event events[EVENTS];
    struct flow flows[FLOWS];
    int lines = 0;

    (void)state;
    make_flows(flows);
    make_events(events);
    for (int i = 0; i < FLOWS; i++)
        if (flows[i].id != UINT64_MAX) /* more than jansson's integers hold, not more than JSON's */
            assert_int_equal(record_flow(&buf, RECORD_JSON, &clock_, &flows[i]), 0);
    for (int i = 0; i < EVENTS; i++)
        assert_int_equal(record_event(&buf, RECORD_JSON, &clock_, &events[i]), 0);
    status.injected = INT64_MAX;
    assert_int_equal(record_status(&buf, RECORD_JSON, &clock_, &status), 0);
    assert_int_equal(record_lost(&buf, RECORD_JSON, 5), 0);
    for (size_t at = 0; at < buf.len; lines++)
        json_decref(next_json(&buf, &at));
    assert_int_equal(lines, FLOWS - 1 + EVENTS + 2);
    free(buf.data);
}

static void every_byte_makes_valid_json(void **state)
{
    char text[4] = "";
    struct record_status status = make_status();

    (void)state;
    status.injected = 0;
    status.profile = text;
    for (unsigned n = 0; n < 1 << 16; n++) {
        struct record_buf buf = {0};
        size_t at = 0;

        text[0] = (char)(n >> 8);
        text[1] = (char)n;
        text[2] = (char)(n * 7 | 0x80);
        if (n % 256 != 0 && n % 5 != 0)
            continue;
        assert_int_equal(record_status(&buf, RECORD_JSON, &clock_, &status), 0);
        json_decref(next_json(&buf, &at));
        free(buf.data);
    }
}

static void the_buffer_grows(void **state)
{
    struct record_buf one = {0}, all = {0};
    struct flow flows[FLOWS];

    (void)state;
    make_flows(flows);
    for (int i = 0; i < FLOWS; i++)
        assert_int_equal(record_flow(&one, RECORD_JSON, &clock_, &flows[i]), 0);
    for (int round = 0; round < 1000; round++)
        for (int i = 0; i < FLOWS; i++)
            assert_int_equal(record_flow(&all, RECORD_JSON, &clock_, &flows[i]), 0);
    assert_int_equal(all.len, 1000 * one.len);
    for (size_t round = 0; round < 1000; round++)
        assert_memory_equal(all.data + round * one.len, one.data, one.len);
    assert_true(all.cap >= all.len);
    free(one.data);
    free(all.data);
}

static void names_of_any_length_have_room(void **state)
{
    struct policy_profile long_profile = {0};
    struct policy_rule rule = {0};
    struct policy long_policy = {
        .profiles = &long_profile, .n_profiles = 1, .rules = &rule, .n_rules = 1};
    struct flow flows[FLOWS];
    char *name = malloc(100001);

    (void)state;
    assert_non_null(name);
    make_flows(flows);
    memset(name, '\x01', 100000);
    name[100000] = '\0';
    long_profile.name = rule.name = name;
    flows[2].rule = 0;
    flows[2].policy = &long_policy;
    for (int format = RECORD_TEXT; format <= RECORD_CONNTRACK; format++) {
        struct record_buf buf = {0};

        assert_int_equal(record_flow(&buf, (enum record_format)format, &clock_, &flows[2]), 0);
        if (format == RECORD_JSON)
            assert_true(buf.len > 1200000);
        free(buf.data);
    }
    free(name);
}

static void without_memory_nothing_is_written(void **state)
{
    struct record_status status = make_status();
    struct record_buf buf = {0};
    struct event events[EVENTS];
    size_t len;

    (void)state;
    make_events(events);
    assert_int_equal(record_event(&buf, RECORD_TEXT, &clock_, &events[0]), 0);
    len = buf.cap = buf.len;
    no_memory = true;
    assert_int_equal(record_event(&buf, RECORD_JSON, &clock_, &events[0]), -ENOMEM);
    assert_int_equal(record_flow(&buf, RECORD_TEXT, &clock_, &events[0].flow), -ENOMEM);
    assert_int_equal(record_flow_header(&buf, RECORD_TEXT), -ENOMEM);
    assert_int_equal(record_status(&buf, RECORD_JSON, &clock_, &status), -ENOMEM);
    assert_int_equal(record_lost(&buf, RECORD_JSON, 1), -ENOMEM);
    no_memory = false;
    assert_int_equal(buf.len, len);
    free(buf.data);
}

static void forms_that_do_not_exist_are_refused(void **state)
{
    struct record_status status = make_status();
    struct record_buf buf = {0};
    struct event events[EVENTS];

    (void)state;
    make_events(events);
    assert_int_equal(record_event(&buf, RECORD_CSV, &clock_, &events[0]), -EINVAL);
    assert_int_equal(record_status(&buf, RECORD_CONNTRACK, &clock_, &status), -EINVAL);
    assert_int_equal(record_lost(&buf, RECORD_CSV, 1), -EINVAL);
    assert_null(buf.data);
}

static void addresses_are_as_the_c_library_writes_them(void **state)
{
    uint64_t random = 42;

    (void)state;
    for (int i = 0; i < 100000; i++) {
        char ours[64], theirs[INET6_ADDRSTRLEN];
        uint8_t address[16];

        for (int byte = 0; byte < 16; byte++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            /* Mostly zeros, so that runs of every length and place come. */
            address[byte] = random >> 60 < 11 ? 0 : (uint8_t)(random >> 40);
        }
        if (address[0] == 0 && address[1] == 0)
            address[0] = 0x20; /* ::1.2.3.4 is the library's own notation, RFC 5952 has none */
        *put_address(ours, 6, address) = '\0';
        assert_string_equal(ours, inet_ntop(AF_INET6, address, theirs, sizeof(theirs)));
        *put_address(ours, 4, address) = '\0';
        assert_string_equal(ours, inet_ntop(AF_INET, address, theirs, sizeof(theirs)));
    }
}

static void special_addresses(void **state)
{
    static const char *const texts[] = {
        "::", "::1", "::ffff:192.0.2.1", "1::", "::2:3", "2001:db8::1:0:0:1", "1:0:2:0:3:0:4:0"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        uint8_t address[16];
        char ours[64];

        assert_int_equal(inet_pton(AF_INET6, texts[i], address), 1);
        *put_address(ours, 6, address) = '\0';
        assert_string_equal(ours, texts[i]);
    }
}

static void durations_for_people(void **state)
{
    static const struct {
        mtime_t duration;
        const char *text;
    } cases[] = {
        {0, "0s"},
        {MTIME_MSEC - 1, "0s"},
        {999 * MTIME_MSEC, "999ms"},
        {12 * S + 599 * MTIME_MSEC, "12.5s"},
        {60 * S - 1, "59.9s"},
        {350 * S, "350s"},
        {120 * S, "2min"},
        {120 * S + 1, "120s"},
        {600 * S - 1, "599s"},
        {905 * S, "15min5s"},
        {7200 * S, "2h"},
        {7440 * S, "2h4min"},
        {5 * 86400 * S, "5d"},
        {MTIME_NEVER - 1, "106751d23h"},
        {MTIME_NEVER, "never"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *why;
        char text[64];
        mtime_t again;

        *put_duration(text, cases[i].duration) = '\0';
        assert_string_equal(text, cases[i].text);
        if (strcmp(text, "0s") != 0) {
            assert_int_equal(duration_parse(text, &again, &why), 0);
            assert_true(again <= cases[i].duration);
        }
    }
}

static void seconds_are_exact(void **state)
{
    static const struct {
        mtime_t time;
        const char *text, *millis;
    } cases[] = {
        {0, "0", "0.000"},
        {1, "0.000000001", "0.000"},
        {-1, "-0.000000001", "0.000"},
        {350 * S, "350", "350.000"},
        {361200 * MTIME_MSEC, "361.2", "361.200"},
        {S + 1099999999, "2.099999999", "2.099"},
        {INT64_MAX - 1, "9223372036.854775806", "9223372036.854"},
        {MTIME_NEVER, "null", "never"},
        {INT64_MIN, "-9223372036.854775808", "0.000"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[64];

        *put_seconds(text, cases[i].time) = '\0';
        assert_string_equal(text, cases[i].text);
        *put_millis(text, cases[i].time) = '\0';
        assert_string_equal(text, cases[i].millis);
    }
}

static void numbers(void **state)
{
    static const uint64_t edges[] = {0, 9, 10, 99, 100, 101, 999, 1000, 12345, UINT64_MAX};
    char text[64], want[64];

    (void)state;
    for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
        *put_u64(text, edges[i]) = '\0';
        snprintf(want, sizeof(want), "%llu", (unsigned long long)edges[i]);
        assert_string_equal(text, want);
    }
    *put_amount(text, 9999) = '\0';
    assert_string_equal(text, "9999");
    *put_amount(text, 65536) = '\0';
    assert_string_equal(text, "65.5K");
    *put_amount(text, 999999) = '\0';
    assert_string_equal(text, "999K");
    *put_amount(text, UINT64_MAX) = '\0';
    assert_string_equal(text, "18.4E");
}

static void names_and_back(void **state)
{
    (void)state;
    for (int i = 0; i < FLOW_STATES; i++)
        assert_int_equal(flow_state_parse(flow_state_name((enum flow_state)i)), i);
    for (int i = 0; i < EVENT_KINDS; i++)
        assert_int_equal(event_kind_parse(event_kind_name((enum event_kind)i)), i);
    assert_int_equal(flow_state_parse("established"), -1);
    assert_int_equal(event_kind_parse(""), -1);
    assert_null(flow_state_name((enum flow_state)FLOW_STATES));
    assert_null(flow_end_name((enum flow_end)6));
    assert_null(event_kind_name((enum event_kind)EVENT_KINDS));
    assert_null(event_action_name((enum event_action)(ACTED_RATE_LIMITED + 1)));
    assert_null(flow_side_name((enum flow_side)2));
    for (int i = 0; i <= ACTED_RATE_LIMITED; i++)
        assert_non_null(event_action_name((enum event_action)i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_back),
        cmocka_unit_test(numbers),
        cmocka_unit_test(seconds_are_exact),
        cmocka_unit_test(durations_for_people),
        cmocka_unit_test(special_addresses),
        cmocka_unit_test(addresses_are_as_the_c_library_writes_them),
        cmocka_unit_test(flows_are_as_agreed),
        cmocka_unit_test(events_are_as_agreed),
        cmocka_unit_test(status_is_as_agreed),
        cmocka_unit_test(a_flow_in_json_says_what_it_is),
        cmocka_unit_test(a_late_event_says_how_late),
        cmocka_unit_test(all_json_is_json),
        cmocka_unit_test(every_byte_makes_valid_json),
        cmocka_unit_test(the_buffer_grows),
        cmocka_unit_test(names_of_any_length_have_room),
        cmocka_unit_test(without_memory_nothing_is_written),
        cmocka_unit_test(forms_that_do_not_exist_are_refused),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
