/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A long write is one packet, one acknowledgement and one read, however it went; and nothing else
 * is. */

#include "timeline_story.h"

#include "tools/verify/compare.h"
#include "tools/verify/long_write.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define LONG 4000

static void begin(struct story *s)
{
    story_init(s, STORY_HEAD STORY_TAIL);
    story_travel(s, 0, story_packet(s, FLOW_CLIENT, TCP_SYN, 0, 0, 0));
    story_travel(s, MS, story_packet(s, FLOW_SERVER, TCP_SYN | TCP_ACK, 0, 1, 0));
    story_travel(s, 2 * MS, story_packet(s, FLOW_CLIENT, TCP_ACK, 1, 1, 0));
}

static void writes(struct story *s, mtime_t t, uint32_t bytes)
{
    story_app(s, t, FLOW_CLIENT,
              (struct timeline_app){.act = APP_SEND, .call = CALL_WRITE, .bytes = bytes});
}

static void data(struct story *s, mtime_t t, uint8_t flags, uint32_t seq, uint32_t len)
{
    story_travel(s, t, story_packet(s, FLOW_CLIENT, TCP_ACK | flags, seq, 1, len));
}

static void acks(struct story *s, mtime_t t, uint32_t ack)
{
    story_travel(s, t, story_packet(s, FLOW_SERVER, TCP_ACK, 1, ack, 0));
}

static void reads(struct story *s, mtime_t t, uint32_t bytes)
{
    story_app(s, t, FLOW_SERVER,
              (struct timeline_app){.act = APP_READ, .call = CALL_READ, .bytes = bytes});
}

/* As a kernel may do it, and as a simulator does. */
static void one_way(struct story *s)
{
    begin(s);
    writes(s, SEC, LONG);
    data(s, SEC, 0, 1, 1448);
    data(s, SEC, TCP_PSH, 1449, 1448);
    data(s, SEC, TCP_PSH, 2897, 1104);
    acks(s, SEC + MS, LONG + 1);
    reads(s, SEC + MS, LONG);
    acks(s, SEC + 2 * MS, LONG + 1); /* now that it has been read */
    story_sort(s);
}

static void another_way(struct story *s)
{
    begin(s);
    writes(s, SEC, LONG);
    data(s, SEC, 0, 1, 1448);
    reads(s, SEC + MS, 1448);
    acks(s, SEC + MS, 1449);
    data(s, SEC + MS, 0, 1449, 1448);
    data(s, SEC + MS, 0, 2897, 52);
    acks(s, SEC + 2 * MS, 2897);
    reads(s, SEC + 2 * MS, 1500);
    data(s, SEC + 2 * MS, TCP_PSH, 2949, 1052);
    acks(s, SEC + 3 * MS, LONG + 1);
    reads(s, SEC + 3 * MS, 1052);
    story_sort(s);
}

static size_t differences(const struct story *a, const struct story *b)
{
    struct compare c;
    size_t n;

    assert_int_equal(compare_timelines(&c, a->timeline, b->timeline, 1), 0);
    n = c.differences;
    compare_finish(&c);
    return n;
}

static size_t differ_both_ways(struct story *a, struct story *b)
{
    size_t n = differences(a, b), m = differences(b, a);

    assert_int_equal(n > 0, m > 0);
    story_finish(a);
    story_finish(b);
    return n;
}

static void joined(struct timeline *out, const struct story *s)
{
    assert_int_equal(timeline_long_writes(out, s->timeline, 50 * MS), 0);
}

static size_t count(const struct timeline *t, enum timeline_kind kind, uint32_t amount)
{
    size_t n = 0;

    for (size_t i = 0; i < t->n_events; i++)
        if (t->events[i].kind == kind)
            n += kind == TIMELINE_PACKET ? t->events[i].packet.len == amount
                                         : t->events[i].app.bytes == amount;
    return n;
}

static void however_it_went(void **state)
{
    struct story a, b;

    (void)state;
    one_way(&a);
    another_way(&b);
    assert_int_equal(differ_both_ways(&a, &b), 0);
}

static void one_packet_with_all_its_bytes(void **state)
{
    struct story s;
    struct timeline t;

    (void)state;
    another_way(&s);
    joined(&t, &s);
    assert_int_equal(count(&t, TIMELINE_PACKET, LONG), 3); /* sent, passed on, received */
    assert_int_equal(count(&t, TIMELINE_PACKET, 1448), 0);
    assert_int_equal(count(&t, TIMELINE_APP, LONG), 2); /* written and read */
    assert_int_equal(count(&t, TIMELINE_PACKET, 0), 4 * 3);
    for (size_t i = 1; i < t.n_events; i++)
        assert_true(t.events[i - 1].t <= t.events[i].t);
    free(t.events);
    story_finish(&s);
}

/* Just as long as a segment, it is one anyway, and stays what it is. */
static void a_segment_is_not_long(void **state)
{
    struct story a, b;

    (void)state;
    begin(&a);
    begin(&b);
    writes(&a, SEC, 1448);
    writes(&b, SEC, 1448);
    data(&a, SEC, TCP_PSH, 1, 1448);
    data(&b, SEC, TCP_PSH, 1, 1000);
    data(&b, SEC, TCP_PSH, 1001, 448);
    assert_true(differ_both_ways(&a, &b) > 0);
    begin(&a);
    begin(&b);
    writes(&a, SEC, 1449);
    writes(&b, SEC, 1449);
    data(&a, SEC, TCP_PSH, 1, 1449);
    data(&b, SEC, TCP_PSH, 1, 1000);
    data(&b, SEC, TCP_PSH, 1001, 449);
    assert_int_equal(differ_both_ways(&a, &b), 0);
}

typedef void (*change)(struct story *s);

static void bytes_missing_at_the_server(struct story *s)
{
    struct timeline *t = s->timeline;

    for (size_t i = 0; i < t->n_events; i++)
        if (t->events[i].kind == TIMELINE_PACKET && t->events[i].packet.rel_seq == 2897 &&
            t->events[i].packet.passage == PASSAGE_RECEIVED)
            t->events[i].packet.passage = PASSAGE_LOST;
}

static void sent_again(struct story *s)
{
    struct timeline_packet p = story_packet(s, FLOW_CLIENT, TCP_ACK, 1449, 1, 1448);

    p.note = NOTE_RETRANSMIT;
    story_travel(s, SEC + 200 * MS, p);
}

static void closes_its_window(struct story *s)
{
    struct timeline_packet p = story_packet(s, FLOW_SERVER, TCP_ACK, 1, 1449, 0);

    p.window = 0;
    story_travel(s, SEC + 4 * MS, p);
}

static void answers_a_probe(struct story *s)
{
    struct timeline_packet p = story_packet(s, FLOW_SERVER, TCP_ACK, 1, 1449, 0);

    p.note = NOTE_WINDOW_ANSWER;
    story_travel(s, SEC + 4 * MS, p);
}

static void acknowledged_once_more_later(struct story *s)
{
    acks(s, SEC + 300 * MS, LONG + 1);
}

static void ends_with_it(struct story *s)
{
    story_travel(s, SEC + 3 * MS, story_packet(s, FLOW_CLIENT, TCP_FIN | TCP_ACK, 2897, 1, 1104));
}

static void is_reset(struct story *s)
{
    struct timeline_packet p = story_packet(s, FLOW_SERVER, TCP_RST | TCP_ACK, 1, 2897, 0);

    p.window = 1;
    story_travel(s, SEC + 3 * MS, p);
}

static void writes_more(struct story *s)
{
    writes(s, 2 * SEC, 10);
    data(s, 2 * SEC, TCP_PSH, LONG + 1, 10);
}

static void read_too_little(struct story *s)
{
    for (size_t i = 0; i < s->timeline->n_events; i++)
        if (s->timeline->events[i].kind == TIMELINE_APP &&
            s->timeline->events[i].app.act == APP_READ)
            s->timeline->events[i].app.bytes--;
}

static void came_a_minute_late(struct story *s)
{
    for (size_t i = 0; i < s->timeline->n_events; i++)
        if (s->timeline->events[i].t > 900 * MS)
            s->timeline->events[i].t += 60 * SEC;
}

static void all_else_is_found(void **state)
{
    static const change changes[] = {bytes_missing_at_the_server,
                                     sent_again,
                                     closes_its_window,
                                     answers_a_probe,
                                     acknowledged_once_more_later,
                                     ends_with_it,
                                     is_reset,
                                     writes_more,
                                     read_too_little,
                                     came_a_minute_late};

    (void)state;
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct story a, b;

        one_way(&a);
        another_way(&b);
        changes[i](&a);
        story_sort(&a);
        if (differ_both_ways(&a, &b) == 0)
            fail_msg("change %zu is not found", i);
    }
}

static void again(struct story *s, uint32_t seq, uint32_t len)
{
    struct timeline_packet p = story_packet(s, FLOW_CLIENT, TCP_ACK, seq, 1, len);

    p.note = NOTE_RETRANSMIT;
    story_travel(s, SEC + 200 * MS, p);
}

/* Two that send as many bytes again, but not the same. */
static void what_is_sent_again_is_not_added_up(void **state)
{
    struct story a, b;

    (void)state;
    one_way(&a);
    another_way(&b);
    again(&a, 1, 1448);
    again(&b, 1449, 1448);
    assert_true(differ_both_ways(&a, &b) > 0);
}

/* It says more than its bytes. */
static void a_fin_stays(void **state)
{
    struct story s;
    struct timeline t;
    size_t fins = 0;

    (void)state;
    begin(&s);
    writes(&s, SEC, LONG);
    data(&s, SEC, 0, 1, 2000);
    data(&s, SEC, TCP_FIN, 2001, 2000);
    joined(&t, &s);
    for (size_t i = 0; i < t.n_events; i++)
        fins += t.events[i].kind == TIMELINE_PACKET && t.events[i].packet.flags & TCP_FIN;
    assert_int_equal(fins, 3);
    free(t.events);
    story_finish(&s);
}

/* One after the other, and both ways: each for itself. */
static void several(void **state)
{
    struct story s;
    struct timeline t;
    struct timeline_packet p;

    (void)state;
    begin(&s);
    writes(&s, SEC, LONG);
    writes(&s, 2 * SEC, 2 * LONG);
    story_app(&s, 3 * SEC, FLOW_SERVER, (struct timeline_app){.act = APP_SEND, .bytes = 3 * LONG});
    data(&s, SEC, 0, 1, LONG / 2);
    data(&s, SEC, 0, 1 + LONG / 2, LONG / 2);
    data(&s, 2 * SEC, 0, 1 + LONG, LONG);
    data(&s, 2 * SEC, 0, 1 + 2 * LONG, LONG);
    for (uint32_t i = 0; i < 3; i++)
        story_travel(&s, 3 * SEC,
                     story_packet(&s, FLOW_SERVER, TCP_ACK, 1 + i * LONG, 1 + 3 * LONG, LONG));
    /* Another connection with the same numbers wrote nothing long. */
    p = story_packet(&s, FLOW_CLIENT, TCP_ACK, 1, 1, 777);
    for (unsigned i = 0; i < 2; i++)
        story_add(&s, (struct timeline_event){
                          .t = 4 * SEC, .kind = TIMELINE_PACKET, .connection = 2, .packet = p});
    joined(&t, &s);
    for (uint32_t i = 1; i <= 3; i++)
        assert_int_equal(count(&t, TIMELINE_PACKET, i * LONG), 3);
    assert_int_equal(count(&t, TIMELINE_PACKET, 777), 2);
    free(t.events);
    story_finish(&s);
}

/* Two firewalls pass it on: it stays one packet at each. */
static void at_every_firewall(void **state)
{
    struct story s;
    struct timeline t;
    size_t n = 0;

    (void)state;
    begin(&s);
    writes(&s, SEC, LONG);
    for (unsigned i = 0; i < 2; i++)
        for (unsigned place = 1; place < 3; place++)
            story_pass(&s, SEC, place, PASSAGE_FORWARDED,
                       story_packet(&s, FLOW_CLIENT, TCP_ACK, 1 + i * LONG / 2, 1, LONG / 2));
    joined(&t, &s);
    for (size_t i = 0; i < t.n_events; i++)
        n += t.events[i].kind == TIMELINE_PACKET && t.events[i].packet.len == LONG;
    assert_int_equal(n, 2);
    free(t.events);
    story_finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(however_it_went),
        cmocka_unit_test(one_packet_with_all_its_bytes),
        cmocka_unit_test(a_segment_is_not_long),
        cmocka_unit_test(all_else_is_found),
        cmocka_unit_test(what_is_sent_again_is_not_added_up),
        cmocka_unit_test(a_fin_stays),
        cmocka_unit_test(several),
        cmocka_unit_test(at_every_firewall),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
