/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Stories as text, played: every deed does what it says, and the same story is the same again. */

#include "tools/scenario/scenario_parse.h"
#include "tools/simulate/world.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct story {
    struct scenario *scenario;
    struct timeline *timeline;
    struct tally tally;
};

static void complain(void *arg, const char *message)
{
    (void)arg;
    fprintf(stderr, "%s\n", message);
}

static void play(struct story *s, const char *text)
{
    *s = (struct story){0};
    assert_int_equal(
        scenario_parse(&s->scenario, "story", text, strlen(text), NULL, complain, NULL), 0);
    assert_int_equal(timeline_create(&s->timeline, s->scenario), 0);
    assert_int_equal(world_play(s->scenario, s->timeline, &s->tally, NULL), 0);
    for (size_t i = 1; i < s->timeline->n_events; i++)
        assert_true(s->timeline->events[i - 1].t <= s->timeline->events[i].t);
}

static void end(struct story *s)
{
    tally_finish(&s->tally);
    s->timeline = timeline_destroy(s->timeline);
    s->scenario = scenario_destroy(s->scenario);
}

/* The first application event of that kind at a place from a moment on; NULL. */
static const struct timeline_event *app(const struct story *s, unsigned place, enum app_act act,
                                        mtime_t from)
{
    for (size_t i = 0; i < s->timeline->n_events; i++) {
        const struct timeline_event *e = &s->timeline->events[i];

        if (e->kind == TIMELINE_APP && e->place == place && e->app.act == act && e->t >= from)
            return e;
    }
    return NULL;
}

static void expect_error(const struct story *s, unsigned place, enum app_call call, int error,
                         mtime_t from, mtime_t to)
{
    const struct timeline_event *e = app(s, place, APP_ERROR, 0);

    assert_non_null(e);
    assert_int_equal(e->app.error, error);
    assert_int_equal(e->app.call, call);
    assert_in_range(e->t, from, to);
}

/* How many packets passed a place that way, in somebody's name, within a time. */
static unsigned passed(const struct story *s, unsigned place, enum passage passage,
                       enum flow_side from, mtime_t since, mtime_t until)
{
    unsigned n = 0;

    for (size_t i = 0; i < s->timeline->n_events; i++) {
        const struct timeline_event *e = &s->timeline->events[i];

        n += e->kind == TIMELINE_PACKET && e->place == place && e->packet.passage == passage &&
             e->packet.from == from && e->t >= since && e->t <= until;
    }
    return n;
}

static enum socket_state state_at(const struct story *s, unsigned place, mtime_t t)
{
    struct socket_view view;

    if (!timeline_socket_at(s->timeline, place, timeline_connections(s->timeline), t, &view))
        return SOCKET_GONE;
    return view.state;
}

static const struct timeline_event *flow(const struct story *s, enum event_kind kind, mtime_t from)
{
    for (size_t i = 0; i < s->timeline->n_events; i++) {
        const struct timeline_event *e = &s->timeline->events[i];

        if (e->kind == TIMELINE_FLOW && e->flow.kind == kind && e->t >= from)
            return e;
    }
    return NULL;
}

#define S MTIME_SEC
#define MS MTIME_MSEC
#define HOUR (3600 * S)
#define TALK "at 0s client connect\nat 1s client send 100\nat 2s server send 200\n"

static void connect_send_close(void **state)
{
    struct story s;

    (void)state;
    play(&s,
         "client linux\nlink delay 10ms\nserver linux\n" TALK "at 5s client close\nuntil 2min\n");
    assert_int_equal(app(&s, 0, APP_CONNECT, 0)->t, 0);
    assert_int_equal(app(&s, 0, APP_CONNECTED, 0)->t, 20 * MS);
    assert_int_equal(app(&s, 1, APP_ACCEPTED, 0)->t, 30 * MS);
    assert_int_equal(app(&s, 1, APP_READ, 0)->t, S + 10 * MS);
    assert_int_equal(app(&s, 1, APP_READ, 0)->app.bytes, 100);
    assert_int_equal(app(&s, 0, APP_READ, 0)->t, 2 * S + 10 * MS);
    assert_int_equal(app(&s, 0, APP_READ, 0)->app.bytes, 200);
    assert_int_equal(app(&s, 1, APP_EOF, 0)->t, 5 * S + 10 * MS);
    assert_int_equal(state_at(&s, 0, 6 * S), SOCKET_TIME_WAIT);
    assert_int_equal(state_at(&s, 1, 6 * S), SOCKET_GONE);
    assert_int_equal(state_at(&s, 0, 120 * S), SOCKET_GONE);
    assert_null(app(&s, 0, APP_ERROR, 0));
    assert_int_equal(s.tally.connections, 1);
    assert_int_equal(s.tally.completed, 1);
    assert_int_equal(s.tally.broken, 0);
    assert_int_equal(s.tally.sockets_peak[0], 1);
    assert_int_equal(s.tally.sockets_end[0] + s.tally.sockets_end[1], 0);
    end(&s);
}

static void relative_numbers_and_bytes(void **state)
{
    struct story s;
    unsigned seen = 0;

    (void)state;
    play(&s, "client linux\nfirewall cisco-asa\nserver linux\n" TALK "until 10s\n");
    for (size_t i = 0; i < s.timeline->n_events; i++) {
        const struct timeline_event *e = &s.timeline->events[i];
        struct packet p = {.checksum_ready = true};

        if (e->kind != TIMELINE_PACKET || e->packet.passage != PASSAGE_SENT)
            continue;
        assert_int_equal(e->connection, 1);
        p.data = e->packet.data;
        p.caplen = e->packet.caplen;
        p.len = e->packet.wire_len;
        packet_decode(&p);
        assert_int_equal(p.kind, PACKET_TCP);
        assert_int_equal(p.seq, e->packet.seq);
        assert_true(packet_checksum_ok(&p));
        if (e->packet.len == 0)
            continue;
        seen++;
        assert_int_equal(e->packet.rel_seq, 1);
        assert_int_equal(e->packet.rel_ack, e->packet.from == FLOW_CLIENT ? 1 : 101);
    }
    assert_int_equal(seen, 2);
    end(&s);
}

/* Silence: the server finds out by its own keepalive, and nobody sends ICMP. */
static void crash_is_silence(void **state)
{
    struct story s;

    (void)state;
    play(&s, "client linux\nfirewall\nserver linux keepalive 60 6 10\n" TALK
             "at 10s client crash\nuntil 5min\n");
    expect_error(&s, 2, CALL_READ, ETIMEDOUT, 120 * S, 140 * S);
    assert_int_equal(state_at(&s, 0, 11 * S), SOCKET_GONE);
    assert_int_equal(passed(&s, 0, PASSAGE_SENT, FLOW_CLIENT, 10 * S, 300 * S), 0);
    assert_int_equal(passed(&s, 0, PASSAGE_RECEIVED, FLOW_SERVER, 10 * S, 300 * S), 0);
    assert_int_equal(passed(&s, 1, PASSAGE_INJECTED, FLOW_CLIENT, 0, 300 * S), 0);
    assert_true(passed(&s, 0, PASSAGE_LOST, FLOW_SERVER, 60 * S, 300 * S) >= 10);
    assert_int_equal(s.tally.probes[1], 10);
    assert_int_equal(s.tally.broken, 1);
    assert_int_equal(s.tally.error[1], ETIMEDOUT);
    end(&s);
}

static void leaked(void **state)
{
    struct story s;

    (void)state;
    play(&s, "client linux\nserver linux\n" TALK "at 10s client crash\nuntil 1d\nsample 1h\n");
    assert_int_equal(state_at(&s, 1, 86400 * S), SOCKET_ESTABLISHED);
    assert_int_equal(s.tally.leaked_end[1], 1);
    assert_int_equal(s.tally.broken, 1);
    assert_int_equal(s.tally.n_samples, 25);
    assert_int_equal(s.tally.samples[0].sockets[1], 0);
    assert_int_equal(s.tally.samples[24].t, 86400 * S);
    assert_int_equal(s.tally.samples[24].leaked[1], 1);
    assert_true(s.tally.sockets_mean[1] > 0.999 && s.tally.sockets_mean[1] <= 1);
    assert_true(s.tally.sockets_mean[0] < 0.001);
    end(&s);
}

static void reboot_answers_with_a_reset(void **state)
{
    struct story s;

    (void)state;
    play(&s, "client linux\nserver linux\n" TALK
             "at 10s server reboot\nat 20s client send 10\nat 30s client connect\nuntil 1min\n");
    expect_error(&s, 0, CALL_READ, ECONNRESET, 20 * S, 20 * S + 2 * MS);
    assert_non_null(app(&s, 1, APP_ACCEPTED, 30 * S)); /* it listens again */
    end(&s);
}

static void link_down_and_up(void **state)
{
    struct story s;

    (void)state;
    play(&s, "client linux\nserver linux\n" TALK
             "at 10s client link down\nat 11s server send 10\nat 12s client link up\nuntil 1min\n");
    assert_null(app(&s, 1, APP_ERROR, 0));
    assert_in_range(app(&s, 0, APP_READ, 10 * S)->t, 12 * S, 16 * S);
    assert_int_equal(passed(&s, 0, PASSAGE_RECEIVED, FLOW_SERVER, 10 * S, 12 * S - 1), 0);
    assert_true(s.tally.retransmits[1] >= 3);
    end(&s);
}

/* What is sent while it is down is lost, also when it would have arrived later. */
static void link_down_for_a_moment(void **state)
{
    struct story s;

    (void)state;
    play(&s, "client linux\nlink delay 1s\nserver linux\nat 0s client connect\n"
             "at 10s client link down\nat 10100ms client send 10\nat 10200ms client link up\n"
             "until 1min\n");
    assert_int_equal(passed(&s, 0, PASSAGE_LOST, FLOW_CLIENT, 10 * S, 11 * S), 1);
    assert_non_null(app(&s, 1, APP_READ, 12 * S));
    end(&s);
}

/* A deed comes before a packet of the same instant. */
static void deeds_come_first(void **state)
{
    struct story s;

    (void)state;
    play(&s, "client linux\nlink delay 10ms\nserver linux\nat 0s client connect\n"
             "at 10ms server crash\nuntil 500ms\n");
    assert_int_equal(passed(&s, 1, PASSAGE_SENT, FLOW_SERVER, 0, S), 0);
    end(&s);
}

/* The old socket stays bound to the address that is gone. */
static void another_address(void **state)
{
    struct story s;

    (void)state;
    play(&s, "client linux\nserver linux\n" TALK
             "at 10s client link down\nat 11s client link up with new address\n"
             "at 12s client send 10\nat 13s client connect\nat 14s client send 7\nuntil 15s\n");
    assert_int_equal(timeline_connections(s.timeline), 2);
    assert_int_equal(app(&s, 1, APP_READ, 12 * S)->app.bytes, 7); /* nothing leaves the old one */
    assert_int_equal(app(&s, 1, APP_READ, 12 * S)->connection, 2);
    for (size_t i = 0; i < s.timeline->n_events; i++) {
        const struct timeline_event *e = &s.timeline->events[i];

        if (e->kind == TIMELINE_PACKET && e->packet.passage == PASSAGE_SENT && e->place == 0)
            assert_int_equal(e->packet.data[15], e->connection == 1 ? 2 : 3);
        if (e->kind == TIMELINE_PACKET && e->packet.passage == PASSAGE_RECEIVED && e->place == 0)
            assert_true(e->connection == 2 || e->t < 10 * S);
    }
    end(&s);
}

static void blocks_one_way_at_a_host(void **state)
{
    struct story s;

    (void)state;
    play(&s, "client linux\nserver linux keepalive 60 6 10\n" TALK
             "at 30s block from client at server\nuntil 4min\n");
    expect_error(&s, 1, CALL_READ, ETIMEDOUT, 120 * S, 140 * S);
    /* the probes do reach the client, which answers; and the reset at the end too */
    assert_int_equal(passed(&s, 0, PASSAGE_RECEIVED, FLOW_SERVER, 30 * S, 240 * S), 11);
    assert_int_equal(passed(&s, 1, PASSAGE_LOST, FLOW_CLIENT, 30 * S, 240 * S), 10);
    expect_error(&s, 0, CALL_READ, ECONNRESET, 120 * S, 140 * S);
    end(&s);
}

static void blocks_at_the_firewall(void **state)
{
    struct story s;

    (void)state;
    play(&s, "client linux\nfirewall\nserver linux\n" TALK
             "at 5s block from client\nat 6s client send 10\nat 20s unblock\nuntil 1min\n");
    assert_in_range(app(&s, 2, APP_READ, 5 * S)->t, 20 * S, 40 * S);
    assert_true(passed(&s, 1, PASSAGE_DROPPED, FLOW_CLIENT, 5 * S, 20 * S) >= 3);
    assert_int_equal(passed(&s, 1, PASSAGE_INJECTED, FLOW_SERVER, 0, 60 * S), 0);
    end(&s);
}

static void loses(void **state)
{
    struct story s;

    (void)state;
    play(&s, "client linux\nlink lose client 1\nserver linux\n" TALK
             "at 10s lose 1 from server\nat 10s server send 5\nuntil 1min\n");
    assert_in_range(app(&s, 0, APP_CONNECTED, 0)->t, S, 2 * S); /* the SYN again */
    assert_int_equal(passed(&s, 0, PASSAGE_LOST, FLOW_CLIENT, 0, 60 * S), 1);
    assert_int_equal(passed(&s, 1, PASSAGE_LOST, FLOW_SERVER, 0, 60 * S), 1);
    assert_in_range(app(&s, 0, APP_READ, 10 * S)->t, 10 * S + 10 * MS, 12 * S);
    end(&s);
    play(&s, "client linux\nlink lose client 1 lose client 3\nserver linux\n" TALK "until 1min\n");
    assert_int_equal(passed(&s, 0, PASSAGE_LOST, FLOW_CLIENT, 0, 60 * S), 2);
    end(&s);
    play(&s, "client linux\nlink loss 30%\nserver linux\n" TALK "until 1h\n");
    assert_true(passed(&s, 0, PASSAGE_LOST, FLOW_CLIENT, 0, HOUR) +
                    passed(&s, 1, PASSAGE_LOST, FLOW_SERVER, 0, HOUR) >
                0);
    end(&s);
}

static void prohibited_and_unreachable(void **state)
{
    struct story s;

    (void)state;
    play(&s, "client linux\nfirewall\nserver linux\n"
             "at 0s prohibit from client\nat 1s client connect\nuntil 1min\n");
    expect_error(&s, 0, CALL_CONNECT, EHOSTUNREACH, S, S + 2 * MS);
    assert_int_equal(passed(&s, 1, PASSAGE_INJECTED, FLOW_SERVER, 0, 60 * S), 1);
    end(&s);
    play(&s, "client linux\nfirewall\nserver linux\n"
             "at 0s server unreachable\nat 1s client connect\nuntil 1min\n");
    expect_error(&s, 0, CALL_CONNECT, EHOSTUNREACH, S, S + 2 * MS);
    end(&s);
    play(&s, "client linux\nserver linux\n"
             "at 0s server unreachable\nat 1s client connect\nuntil 1min\n");
    expect_error(&s, 0, CALL_CONNECT, EHOSTUNREACH, S, S + 2 * MS);
    end(&s);
    /* by the host's own packet filter */
    play(&s, "client linux\nserver linux\n"
             "at 0s prohibit at client\nat 1s client connect\nuntil 1min\n");
    expect_error(&s, 0, CALL_CONNECT, EHOSTUNREACH, S, S);
    end(&s);
    play(&s, "client linux\nserver linux\n"
             "at 0s prohibit from client at server\nat 1s client connect\nuntil 1min\n");
    expect_error(&s, 0, CALL_CONNECT, EHOSTUNREACH, S, S + MS);
    end(&s);
}

static void kill_makes_the_kernel_close(void **state)
{
    struct story s;

    (void)state;
    play(&s, "client linux\nserver linux\n" TALK
             "at 10s client kill\nat 20s server kill\nat 30s client connect\nuntil 1min\n");
    assert_int_equal(app(&s, 0, APP_ENDED, 0)->t, 10 * S);
    assert_in_range(app(&s, 1, APP_EOF, 0)->t, 10 * S, 10 * S + MS);
    expect_error(&s, 0, CALL_CONNECT, ECONNREFUSED, 30 * S, 30 * S + MS); /* nobody listens */
    end(&s);
    /* with unread data: RST */
    play(&s, "client linux\nserver linux reads-not\n" TALK "at 10s server kill\nuntil 1min\n");
    expect_error(&s, 0, CALL_READ, ECONNRESET, 10 * S, 10 * S + MS);
    end(&s);
}

/* Exactly at the deadline: last packet plus timeout. */
static void expires_at_the_deadline(void **state)
{
    struct story s;
    const struct timeline_event *e;
    mtime_t last = 0;

    (void)state;
    play(&s, "client linux\nfirewall linux-nf-conntrack tcp-established 5min on-late drop\n"
             "server linux\n" TALK "at 10min server send 1\nuntil 11min\n");
    for (size_t i = 0; i < s.timeline->n_events; i++) {
        e = &s.timeline->events[i];
        if (e->kind == TIMELINE_PACKET && e->packet.passage == PASSAGE_FORWARDED)
            last = e->t;
    }
    e = flow(&s, EVENT_EXPIRED, 0);
    assert_non_null(e);
    assert_int_equal(e->t, last + 300 * S);
    assert_int_equal(e->flow.time, e->t);
    assert_int_equal(e->flow.flow.last, last);
    assert_int_equal(e->flow.flow.deadline, e->t);
    assert_in_range(e->flow.flow.opened, 0, S);
    assert_int_equal(e->connection, 1);
    assert_int_equal(e->place, 1);
    e = flow(&s, EVENT_LATE, 0);
    assert_non_null(e);
    assert_in_range(e->t, 600 * S, 601 * S);
    assert_true(e->flow.remembered);
    assert_int_equal(e->flow.expired_at, last + 300 * S);
    assert_int_equal(s.tally.firewall[0].opened, 1);
    assert_int_equal(s.tally.firewall[0].expired, 1);
    assert_int_equal(s.tally.firewall[0].flows_end, 0);
    assert_int_equal(s.tally.firewall[0].flows_peak, 1);
    assert_true(s.tally.firewall[0].flows_mean > 0.45 && s.tally.firewall[0].flows_mean < 0.46);
    end(&s);
}

static void forget_kill_expire_restart(void **state)
{
    static const char *const reset = "client linux\nfirewall linux-nf-conntrack on-late reset\n"
                                     "server linux\n" TALK "at 10s firewall %s\n"
                                     "at 20s client send 10\nuntil 30s\n";
    struct story s;
    char text[512];

    (void)state;
    snprintf(text, sizeof(text), reset, "forget");
    play(&s, text);
    assert_int_equal(flow(&s, EVENT_ENDED, 0)->t, 10 * S);
    expect_error(&s, 0, CALL_READ, ECONNRESET, 20 * S, 20 * S + MS);
    assert_null(app(&s, 2, APP_ERROR, 0));
    end(&s);
    snprintf(text, sizeof(text), reset, "kill");
    play(&s, text);
    expect_error(&s, 0, CALL_READ, ECONNRESET, 10 * S, 10 * S + MS);
    expect_error(&s, 2, CALL_READ, ECONNRESET, 10 * S, 10 * S + MS);
    assert_int_equal(app(&s, 0, APP_ERROR, 20 * S)->app.error, EPIPE); /* and then it writes */
    assert_true(s.tally.firewall[0].resets >= 2);
    end(&s);
    snprintf(text, sizeof(text), reset, "expire");
    play(&s, text);
    assert_int_equal(flow(&s, EVENT_EXPIRED, 0)->t, 10 * S);
    end(&s);
    snprintf(text, sizeof(text), reset, "restart");
    play(&s, text);
    assert_int_equal(s.tally.firewall[0].flows_end, 0);
    assert_int_equal(s.tally.firewall[0].opened, 1);
    expect_error(&s, 0, CALL_READ, ECONNRESET, 20 * S, 20 * S + MS);
    end(&s);
    play(&s, "client linux\nfirewall linux-nf-conntrack on-late reset adopt-at-start 1min\n"
             "server linux\n" TALK "at 2h firewall restart\nafter 5s client send 10\nuntil 3h\n");
    assert_null(app(&s, 0, APP_ERROR, 0));
    assert_int_equal(app(&s, 2, APP_READ, 2 * HOUR)->app.bytes, 10);
    assert_true(flow(&s, EVENT_NEW, 2 * HOUR)->flow.flow.id > flow(&s, EVENT_NEW, 0)->flow.flow.id);
    end(&s);
}

/* The probes are the firewall's own, and reach both ends. */
static void dead_connection_detection(void **state)
{
    struct story s;

    (void)state;
    play(&s, "client linux\nfirewall cisco-asa tcp-established 5min on-expiry dcd dcd-to both "
             "dcd-interval 15s dcd-count 3\nserver linux\n" TALK "until 7min\n");
    assert_int_equal(passed(&s, 1, PASSAGE_INJECTED, FLOW_CLIENT, 0, 420 * S), 1);
    assert_int_equal(passed(&s, 1, PASSAGE_INJECTED, FLOW_SERVER, 0, 420 * S), 1);
    assert_null(flow(&s, EVENT_EXPIRED, 0));
    assert_null(flow(&s, EVENT_ENDED, 0));
    end(&s);
}

static void stop_reading(void **state)
{
    struct story s;

    (void)state;
    play(&s, "client linux\nserver linux\nat 0s client connect\nat 1s client stop reading\n"
             "at 2s server send 100\nat 3s server close\nat 10s client read\nuntil 1min\n");
    assert_int_equal(app(&s, 0, APP_READ, 0)->t, 10 * S);
    assert_int_equal(app(&s, 0, APP_READ, 0)->app.bytes, 100);
    assert_int_equal(app(&s, 0, APP_EOF, 0)->t, 10 * S);
    assert_int_equal(state_at(&s, 0, 5 * S), SOCKET_CLOSE_WAIT);
    end(&s);
}

static void shutdown_and_abort(void **state)
{
    struct story s;

    (void)state;
    play(&s, "client linux\nserver linux ignores-eof\n" TALK
             "at 5s client shutdown\nat 6s server send 50\nat 10s server abort\nuntil 1min\n");
    assert_int_equal(app(&s, 0, APP_READ, 6 * S)->app.bytes, 50);
    assert_int_equal(state_at(&s, 1, 9 * S), SOCKET_CLOSE_WAIT);
    assert_int_equal(state_at(&s, 0, 9 * S), SOCKET_FIN_WAIT_2);
    expect_error(&s, 0, CALL_READ, ECONNRESET, 10 * S, 10 * S + MS);
    end(&s);
}

static void set_keepalive(void **state)
{
    struct story s;

    (void)state;
    play(&s, "client linux\nserver linux\n" TALK
             "at 10s server set keepalive 60 6 10\nat 20s client crash\nuntil 4min\n");
    expect_error(&s, 1, CALL_READ, ETIMEDOUT, 120 * S, 145 * S);
    end(&s);
    play(&s, "client linux\nserver linux\n" TALK
             "at 10s server set user-timeout 30s\nat 20s client crash\nat 21s server send 5\n"
             "until 4min\n");
    expect_error(&s, 1, CALL_READ, ETIMEDOUT, 50 * S, 60 * S);
    end(&s);
}

/* What applications do by themselves. */
static void behaviours(void **state)
{
    struct story s;

    (void)state;
    play(&s, "client linux read-timeout 10s\nserver linux answer 50 after 30s\n"
             "at 0s client connect\nat 1s client send 5\nuntil 2min\n");
    assert_int_equal(app(&s, 0, APP_READ_TIMEOUT, 0)->t, 11 * S);
    assert_int_equal(app(&s, 0, APP_CLOSE, 0)->t, 11 * S);
    end(&s);
    /* from the first question on that nobody answers */
    play(&s, "client linux read-timeout 10s\nserver linux\nat 0s client connect\n"
             "at 1s client send 5\nat 6s client send 5\nuntil 2min\n");
    assert_int_equal(app(&s, 0, APP_READ_TIMEOUT, 0)->t, 11 * S);
    end(&s);
    play(&s, "client linux read-timeout 10s\nserver linux answer 50 after 5s\n"
             "at 0s client connect\nat 1s client send 5\nuntil 2min\n");
    assert_null(app(&s, 0, APP_READ_TIMEOUT, 0));
    assert_in_range(app(&s, 0, APP_READ, 0)->t, 6 * S, 6 * S + MS);
    end(&s);
    play(&s, "client linux heartbeat 10s bytes 7\nserver linux heartbeat 10s timeout 25s\n"
             "at 0s client connect\nat 35s client crash\nuntil 2min\n");
    assert_in_range(app(&s, 0, APP_SEND, 0)->t, 10 * S, 11 * S);
    assert_int_equal(app(&s, 0, APP_SEND, 0)->app.bytes, 7);
    assert_in_range(app(&s, 1, APP_HEARTBEAT_TIMEOUT, 0)->t, 55 * S, 56 * S);
    assert_null(app(&s, 0, APP_ERROR, 0)); /* nor does a program run on without its host */
    assert_null(app(&s, 0, APP_SEND, 35 * S));
    end(&s);
    play(&s, "client linux\nserver linux idle-close 1min\n" TALK "until 5min\n");
    assert_in_range(app(&s, 1, APP_IDLE_CLOSE, 0)->t, 62 * S, 63 * S);
    assert_non_null(app(&s, 0, APP_EOF, 60 * S));
    assert_int_equal(s.tally.completed, 1);
    end(&s);
    play(&s, "client linux reconnect 5s\nserver linux\n" TALK "at 10s server close\nuntil 1min\n");
    assert_int_equal(timeline_connections(s.timeline), 2);
    assert_in_range(app(&s, 0, APP_CONNECT, 10 * S)->t, 15 * S, 15 * S + 2 * MS);
    assert_int_equal(s.tally.connections, 2);
    end(&s);
}

static void several_firewalls(void **state)
{
    struct story s;

    (void)state;
    play(&s, "client linux\nfirewall linux-nf-conntrack named far tcp-established 1h\n"
             "firewall linux-nf-conntrack named near tcp-established 5min on-late reset\n"
             "server linux\n" TALK "at 10min client send 1\nuntil 11min\n");
    assert_int_equal(flow(&s, EVENT_EXPIRED, 0)->place, 2);
    expect_error(&s, 0, CALL_READ, ECONNRESET, 600 * S, 601 * S);
    /* what the second one injects passes the first, and the server hears nothing */
    assert_int_equal(passed(&s, 2, PASSAGE_INJECTED, FLOW_SERVER, 600 * S, 660 * S), 1);
    assert_int_equal(passed(&s, 1, PASSAGE_FORWARDED, FLOW_SERVER, 600 * S, 660 * S), 1);
    assert_int_equal(passed(&s, 3, PASSAGE_RECEIVED, FLOW_CLIENT, 600 * S, 660 * S), 0);
    end(&s);
}

#define WORKLOAD                                                                                   \
    "client linux\nfirewall linux-nf-conntrack tcp-established 30min on-late reset\n"              \
    "server linux keepalive 3600 75 9\n"                                                           \
    "repeat 2000 clients over 6h arrivals random idle exponential 10min requests 2..4 "            \
    "request 100 answer 2000 after 50ms vanish 10%\nuntil 12h\nseed 7\n"

static void workload(void **state)
{
    struct story s;
    size_t n;

    (void)state;
    play(&s, WORKLOAD);
    assert_int_equal(s.tally.connections, 2000);
    assert_int_equal(timeline_connections(s.timeline), 2000);
    assert_int_equal(s.tally.firewall[0].opened, 2000);
    assert_true(s.tally.completed + s.tally.broken <= 2000);
    assert_in_range(s.tally.completed, 1400, 1800);
    assert_in_range(s.tally.broken, 200, 600);
    assert_int_equal(s.tally.sockets_end[0], 0);
    assert_int_equal(s.tally.leaked_end[1], 0); /* keepalive has cleared them */
    n = s.tally.n_samples;
    assert_true(n > 100);
    assert_true(s.tally.samples[n / 4].sockets[1] > 50);
    end(&s);
}

/* They leave no host behind that would answer with a reset. */
static void clients_vanish(void **state)
{
    struct story s;

    (void)state;
    play(&s, "client linux\nserver linux keepalive 60 6 10\n"
             "repeat 50 clients over 1h arrivals regular idle exponential 1min requests 1..1 "
             "request 100 answer 200 vanish 100%\nuntil 1d\nsample 1h\n");
    assert_int_equal(s.tally.error[1], ETIMEDOUT);
    assert_int_equal(s.tally.broken, 50);
    assert_in_range(s.tally.probes[1], 50 * 10, 50 * 11); /* one or another came before the end */
    end(&s);
}

static void same_tally(const struct tally *a, const struct tally *b)
{
    assert_int_equal(a->connections, b->connections);
    assert_int_equal(a->completed, b->completed);
    assert_int_equal(a->broken, b->broken);
    assert_memory_equal(a->packets, b->packets, sizeof(a->packets));
    assert_memory_equal(a->probes, b->probes, sizeof(a->probes));
    assert_memory_equal(a->retransmits, b->retransmits, sizeof(a->retransmits));
    assert_memory_equal(a->noticed, b->noticed, sizeof(a->noticed));
    assert_true(a->sockets_mean[1] == b->sockets_mean[1]);
    assert_int_equal(a->n_samples, b->n_samples);
    for (size_t i = 0; i < a->n_samples; i++) {
        assert_int_equal(a->samples[i].packets, b->samples[i].packets);
        assert_int_equal(a->samples[i].flows[0], b->samples[i].flows[0]);
    }
}

static void *in_a_thread(void *arg)
{
    struct story *s = arg;
    intptr_t r = world_play(s->scenario, NULL, &s->tally, NULL);

    return (void *)r;
}

/* Again, beside each other, and without a timeline: the same story. */
static void the_same_again(void **state)
{
    struct story a, b[2];
    pthread_t threads[2];
    void *r;

    (void)state;
    play(&a, WORKLOAD);
    for (unsigned i = 0; i < 2; i++) {
        b[i] = (struct story){0};
        assert_int_equal(scenario_parse(&b[i].scenario, "story", WORKLOAD, strlen(WORKLOAD), NULL,
                                        complain, NULL),
                         0);
        assert_int_equal(pthread_create(&threads[i], NULL, in_a_thread, &b[i]), 0);
    }
    for (unsigned i = 0; i < 2; i++) {
        pthread_join(threads[i], &r);
        assert_null(r);
        same_tally(&a.tally, &b[i].tally);
        end(&b[i]);
    }
    play(&b[0], WORKLOAD);
    assert_int_equal(a.timeline->n_events, b[0].timeline->n_events);
    for (size_t i = 0; i < a.timeline->n_events; i++) {
        const struct timeline_event *x = &a.timeline->events[i], *y = &b[0].timeline->events[i];

        assert_true(x->t == y->t && x->kind == y->kind && x->place == y->place &&
                    x->connection == y->connection);
        if (x->kind == TIMELINE_PACKET) {
            assert_int_equal(x->packet.caplen, y->packet.caplen);
            assert_memory_equal(x->packet.data, y->packet.data, x->packet.caplen);
        }
    }
    end(&b[0]);
    end(&a);
}

static bool stop_at_noon(void *arg, mtime_t reached, mtime_t until)
{
    *(mtime_t *)arg = reached;
    return reached < until / 2;
}

static void can_be_stopped(void **state)
{
    struct story s = {0};
    mtime_t reached = 0;
    struct world_watch watch = {stop_at_noon, &reached};

    (void)state;
    assert_int_equal(
        scenario_parse(&s.scenario, "story", WORKLOAD, strlen(WORKLOAD), NULL, complain, NULL), 0);
    assert_int_equal(world_play(s.scenario, NULL, &s.tally, &watch), -ECANCELED);
    assert_true(reached >= s.scenario->until / 2);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connect_send_close),
        cmocka_unit_test(relative_numbers_and_bytes),
        cmocka_unit_test(crash_is_silence),
        cmocka_unit_test(leaked),
        cmocka_unit_test(reboot_answers_with_a_reset),
        cmocka_unit_test(link_down_and_up),
        cmocka_unit_test(link_down_for_a_moment),
        cmocka_unit_test(deeds_come_first),
        cmocka_unit_test(another_address),
        cmocka_unit_test(blocks_one_way_at_a_host),
        cmocka_unit_test(blocks_at_the_firewall),
        cmocka_unit_test(loses),
        cmocka_unit_test(prohibited_and_unreachable),
        cmocka_unit_test(kill_makes_the_kernel_close),
        cmocka_unit_test(expires_at_the_deadline),
        cmocka_unit_test(forget_kill_expire_restart),
        cmocka_unit_test(dead_connection_detection),
        cmocka_unit_test(stop_reading),
        cmocka_unit_test(shutdown_and_abort),
        cmocka_unit_test(set_keepalive),
        cmocka_unit_test(behaviours),
        cmocka_unit_test(several_firewalls),
        cmocka_unit_test(workload),
        cmocka_unit_test(clients_vanish),
        cmocka_unit_test(the_same_again),
        cmocka_unit_test(can_be_stopped),
    };

    return cmocka_run_group_tests_name("world", tests, NULL, NULL);
}
