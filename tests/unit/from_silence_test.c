/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Two programs that say different things before they are silent, and the same after it. */

#include "timeline_story.h"

#include "tools/verify/compare.h"
#include "tools/verify/from_silence.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void travel(struct story *s, mtime_t t, enum flow_side from, uint8_t flags, uint32_t seq,
                   uint32_t ack, uint32_t len)
{
    story_travel(s, t, story_packet(s, from, flags, seq, ack, len));
}

/* Logs in with so many bytes in so many pieces, is silent for three seconds, and is probed. */
static void logs_in(struct story *s, uint32_t bytes, unsigned pieces)
{
    const struct socket_view idle = {
        .state = SOCKET_ESTABLISHED, .timer = TIMER_KEEPALIVE, .expires = 4 * SEC};
    mtime_t t = 100 * MS;

    story_init(s, STORY_HEAD STORY_TAIL);
    travel(s, 0, FLOW_CLIENT, TCP_SYN, 0, 0, 0);
    travel(s, MS, FLOW_SERVER, TCP_SYN | TCP_ACK, 0, 1, 0);
    travel(s, 2 * MS, FLOW_CLIENT, TCP_ACK, 1, 1, 0);
    for (unsigned i = 0; i < pieces; i++, t += 10 * MS) {
        story_app(s, t, FLOW_CLIENT, (struct timeline_app){.act = APP_SEND, .bytes = bytes});
        travel(s, t, FLOW_CLIENT, TCP_PSH | TCP_ACK, 1 + i * bytes, 1, bytes);
        travel(s, t + MS, FLOW_SERVER, TCP_ACK, 1, 1 + (i + 1) * bytes, 0);
    }
    story_socket(s, t, FLOW_CLIENT, idle);
    travel(s, 4 * SEC, FLOW_CLIENT, TCP_ACK, pieces * bytes, 1, 0); /* one below what it sent */
    travel(s, 4 * SEC + MS, FLOW_SERVER, TCP_ACK, 1, 1 + pieces * bytes, 0);
    travel(s, 5 * SEC, FLOW_CLIENT, TCP_PSH | TCP_ACK, 1 + pieces * bytes, 1, 30 + bytes);
    story_sort(s);
}

static void silent(struct timeline *out, const struct story *s)
{
    assert_int_equal(timeline_from_silence(out, s->timeline, SILENCE), 0);
}

static size_t packets(const struct timeline *t)
{
    size_t n = 0;

    for (size_t i = 0; i < t->n_events; i++)
        n += t->events[i].kind == TIMELINE_PACKET && t->events[i].packet.passage == PASSAGE_SENT;
    return n;
}

static const struct timeline_packet *sent(const struct timeline *t, size_t nth)
{
    for (size_t i = 0; i < t->n_events; i++)
        if (t->events[i].kind == TIMELINE_PACKET && t->events[i].packet.passage == PASSAGE_SENT &&
            nth-- == 0)
            return &t->events[i].packet;
    fail_msg("not so many packets");
    return NULL;
}

static void what_was_said_before_is_left_out(void **state)
{
    struct story s;
    struct timeline t;

    (void)state;
    logs_in(&s, 77, 3);
    silent(&t, &s);
    assert_int_equal(packets(&t), 3); /* probe, answer, data */
    for (size_t i = 0; i < t.n_events; i++)
        assert_int_not_equal(t.events[i].kind, TIMELINE_APP);
    assert_true(t.events != s.timeline->events);
    free(t.events);
    story_finish(&s);
}

static void numbers_count_from_there(void **state)
{
    struct story s;
    struct timeline t;

    (void)state;
    logs_in(&s, 77, 3);
    silent(&t, &s);
    assert_int_equal((int32_t)sent(&t, 0)->rel_seq, -1);
    assert_int_equal(sent(&t, 0)->rel_ack, 0);
    assert_int_equal(sent(&t, 0)->len, 0);
    assert_int_equal(sent(&t, 1)->rel_seq, 0);
    assert_int_equal(sent(&t, 1)->rel_ack, 0);
    assert_int_equal(sent(&t, 2)->rel_seq, 0);
    assert_int_equal(sent(&t, 2)->len, 2); /* some payload */
    /* At every place it passes, and in the original nothing has changed. */
    for (size_t i = 0; i < t.n_events; i++)
        if (t.events[i].kind == TIMELINE_PACKET && t.events[i].packet.id == sent(&t, 0)->id)
            assert_int_equal((int32_t)t.events[i].packet.rel_seq, -1);
    assert_int_equal(sent(s.timeline, 0)->rel_seq, 0);
    assert_int_equal(sent(s.timeline, packets(s.timeline) - 1)->len, 107);
    free(t.events);
    story_finish(&s);
}

static size_t differences(const struct story *a, const struct story *b)
{
    struct timeline x, y;
    struct compare c;
    size_t n;

    silent(&x, a);
    silent(&y, b);
    assert_int_equal(compare_timelines(&c, &x, &y, 1), 0);
    n = c.differences;
    compare_finish(&c);
    free(x.events);
    free(y.events);
    return n;
}

static struct timeline_packet *last_sent(const struct story *s)
{
    size_t i = s->timeline->n_events;

    while (i-- > 0)
        if (s->timeline->events[i].kind == TIMELINE_PACKET &&
            s->timeline->events[i].packet.passage == PASSAGE_SENT)
            return &s->timeline->events[i].packet;
    return NULL;
}

static void two_that_talk_differently_are_alike(void **state)
{
    struct story brief, wordy;
    struct compare c;

    (void)state;
    logs_in(&brief, 10, 1);
    logs_in(&wordy, 500, 20);
    assert_int_equal(compare_timelines(&c, brief.timeline, wordy.timeline, 1), 0);
    assert_true(c.differences > 0);
    compare_finish(&c);
    assert_int_equal(differences(&brief, &wordy), 0);
    /* But not if one of them does something else after the silence. */
    last_sent(&wordy)->flags = TCP_FIN | TCP_ACK;
    assert_true(differences(&brief, &wordy) > 0);
    story_finish(&brief);
    story_finish(&wordy);
}

static void a_probe_above_its_number_is_noticed(void **state)
{
    struct story a, b;

    (void)state;
    logs_in(&a, 10, 1);
    logs_in(&b, 10, 1);
    for (size_t i = 0; i < b.timeline->n_events; i++) {
        struct timeline_event *e = &b.timeline->events[i];

        if (e->kind == TIMELINE_PACKET && e->packet.from == FLOW_CLIENT &&
            e->packet.rel_seq == 10 && e->packet.len == 0)
            e->packet.rel_seq++;
    }
    assert_true(differences(&a, &b) > 0);
    story_finish(&a);
    story_finish(&b);
}

/* Just as long as a silence must be, and a nanosecond less. */
static void a_pause_is_no_silence(void **state)
{
    (void)state;
    for (mtime_t less = 0; less < 2; less++) {
        struct story s;
        struct timeline t;

        story_init(&s, STORY_HEAD STORY_TAIL);
        travel(&s, 0, FLOW_CLIENT, TCP_SYN, 0, 0, 0);
        travel(&s, SILENCE - less, FLOW_CLIENT, TCP_SYN, 0, 0, 0);
        silent(&t, &s);
        assert_int_equal(packets(&t), less ? 0 : 1);
        free(t.events);
        story_finish(&s);
    }
}

/* How a socket stands when the silence begins counts; when it came to stand so does not. */
static void sockets_of_before(void **state)
{
    struct story s;
    struct timeline t;
    bool seen = false;

    (void)state;
    logs_in(&s, 10, 1);
    silent(&t, &s);
    for (size_t i = 0; i < t.n_events; i++)
        if (t.events[i].kind == TIMELINE_SOCKET) {
            seen = true;
            assert_true(t.events[i].t == 0);
            assert_int_equal(t.events[i].socket.timer, TIMER_KEEPALIVE);
        }
    assert_true(seen);
    free(t.events);
    story_finish(&s);
}

static void each_connection_has_its_own(void **state)
{
    struct story s;
    struct timeline t;

    (void)state;
    logs_in(&s, 10, 1);
    /* Another one talks through the first one's silence. */
    for (mtime_t at = 2 * SEC; at < 7 * SEC; at += SEC)
        story_add(
            &s, (struct timeline_event){.t = at,
                                        .kind = TIMELINE_PACKET,
                                        .place = SCENARIO_CLIENT,
                                        .connection = 2,
                                        .packet = story_packet(&s, FLOW_CLIENT, TCP_ACK, 1, 1, 5)});
    story_sort(&s);
    silent(&t, &s);
    assert_int_equal(packets(&t), 3);
    for (size_t i = 0; i < t.n_events; i++)
        assert_int_equal(t.events[i].connection, 1);
    free(t.events);
    story_finish(&s);
}

static struct story beginning(void)
{
    struct story s;

    story_init(&s, STORY_HEAD STORY_TAIL);
    travel(&s, 0, FLOW_CLIENT, TCP_SYN, 0, 0, 0);
    travel(&s, MS, FLOW_SERVER, TCP_SYN | TCP_ACK, 0, 1, 0);
    travel(&s, 2 * MS, FLOW_CLIENT, TCP_ACK, 1, 1, 0);
    travel(&s, 10 * MS, FLOW_CLIENT, TCP_PSH | TCP_ACK, 1, 1, 10);
    return s;
}

/* What was sent again covers as much as it likes; that it was sent again counts. */
static void sent_again(void **state)
{
    struct story a = beginning(), b = beginning(), other = beginning();

    (void)state;
    travel(&a, 5 * SEC, FLOW_CLIENT, TCP_PSH | TCP_ACK, 1, 1, 10);
    travel(&b, 5 * SEC, FLOW_CLIENT, TCP_PSH | TCP_ACK, 6, 1, 5);
    travel(&other, 5 * SEC, FLOW_CLIENT, TCP_PSH | TCP_ACK, 11, 1, 5);
    assert_int_equal(differences(&a, &b), 0);
    assert_true(differences(&a, &other) > 0);
    story_finish(&a);
    story_finish(&b);
    story_finish(&other);
}

/* A FIN is one number, too; its acknowledgement is then for all. */
static void a_fin_counts(void **state)
{
    struct story s = beginning();
    struct timeline t;

    (void)state;
    travel(&s, 5 * SEC, FLOW_CLIENT, TCP_FIN | TCP_ACK, 11, 1, 0);
    travel(&s, 5 * SEC + MS, FLOW_SERVER, TCP_ACK, 1, 12, 0);
    silent(&t, &s);
    assert_int_equal(sent(&t, 0)->rel_seq, 0);
    assert_int_equal(sent(&t, 1)->rel_ack, 0);
    free(t.events);
    story_finish(&s);
}

/* Neither a reset nor what a firewall makes says how far its sender has come. */
static void what_is_nobodys_data(void **state)
{
    struct story s = beginning();
    struct timeline t;

    (void)state;
    travel(&s, 20 * MS, FLOW_CLIENT, TCP_RST, 5000, 0, 0);
    story_pass(&s, 30 * MS, 1, PASSAGE_INJECTED,
               story_packet(&s, FLOW_CLIENT, TCP_ACK, 6000, 1, 1));
    travel(&s, 5 * SEC, FLOW_CLIENT, TCP_ACK, 11, 1, 1);
    silent(&t, &s);
    assert_int_equal(sent(&t, 0)->rel_seq, 0);
    free(t.events);
    story_finish(&s);
}

static void flows_of_before(void **state)
{
    struct story s = beginning();
    struct timeline t;
    size_t flows = 0;

    (void)state;
    story_flow_state(&s, 10 * MS, FLOW_ESTABLISHED, TIMEOUT_TCP_ESTABLISHED, HOUR, FLOW_CLIENT);
    travel(&s, 5 * SEC, FLOW_CLIENT, TCP_ACK, 11, 1, 1);
    story_flow_state(&s, 5 * SEC, FLOW_FIN_WAIT, TIMEOUT_TCP_FIN_WAIT, HOUR, FLOW_CLIENT);
    story_sort(&s);
    silent(&t, &s);
    for (size_t i = 0; i < t.n_events; i++)
        if (t.events[i].kind == TIMELINE_FLOW) {
            flows++;
            assert_int_equal(t.events[i].flow.flow.state, FLOW_FIN_WAIT);
        }
    assert_int_equal(flows, 1);
    free(t.events);
    story_finish(&s);
}

static void the_first_silence_is_meant(void **state)
{
    struct story s = beginning();
    struct timeline t;

    (void)state;
    travel(&s, 5 * SEC, FLOW_CLIENT, TCP_ACK, 10, 1, 0);
    travel(&s, 9 * SEC, FLOW_CLIENT, TCP_ACK, 10, 1, 0);
    silent(&t, &s);
    assert_int_equal(packets(&t), 2);
    free(t.events);
    story_finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_said_before_is_left_out),
        cmocka_unit_test(numbers_count_from_there),
        cmocka_unit_test(two_that_talk_differently_are_alike),
        cmocka_unit_test(a_probe_above_its_number_is_noticed),
        cmocka_unit_test(a_pause_is_no_silence),
        cmocka_unit_test(sockets_of_before),
        cmocka_unit_test(each_connection_has_its_own),
        cmocka_unit_test(sent_again),
        cmocka_unit_test(a_fin_counts),
        cmocka_unit_test(what_is_nobodys_data),
        cmocka_unit_test(flows_of_before),
        cmocka_unit_test(the_first_silence_is_meant),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
