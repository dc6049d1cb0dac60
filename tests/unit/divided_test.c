/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A story at `--speed N`: what is N times shorter, what stays, and its times told back. */

#include "timeline_story.h"

#include "tools/verify/divided.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define TEXT                                                                                       \
    "title \"Divided\"\n"                                                                          \
    "seed 99\n"                                                                                    \
    "client linux fin-timeout 30s heartbeat 40s timeout 50s read-timeout 80s reconnect 60s\n"      \
    "firewall linux-nf-conntrack tcp-established 1h on-late reset dcd-interval 40s dcd-before "    \
    "30s\n"                                                                                        \
    "server linux keepalive 100 20 5 user-timeout 90s idle-close 70s rto-max 8s time-wait 20s "    \
    "answer 10 after 25s\n"                                                                        \
    "at 10s client connect\n"                                                                      \
    "at 60s server set keepalive 200 30 4\n"                                                       \
    "at 70s server set user-timeout 110s\n"                                                        \
    "until 1000s\n"

static void scenario(struct scenario **out, const char *text)
{
    story_need(scenario_parse(out, "divided", text, strlen(text), NULL, story_fault, NULL));
}

static void both(struct scenario **original, struct scenario **divided, const char *text,
                 unsigned speed)
{
    scenario(original, text);
    assert_int_equal(scenario_divided(divided, *original, speed), 0);
}

static void finish(struct scenario *a, struct scenario *b)
{
    scenario_destroy(a);
    scenario_destroy(b);
}

static void what_the_scenario_says_is_shorter(void **state)
{
    struct scenario *s, *d;

    (void)state;
    both(&s, &d, TEXT, 10);
    assert_true(d->until == 100 * SEC);
    assert_true(d->deeds[0].at == SEC);
    assert_true(d->deeds[1].at == 6 * SEC);
    assert_true(d->deeds[1].times.idle == 20 * SEC);
    assert_true(d->deeds[1].times.interval == 3 * SEC);
    assert_int_equal(d->deeds[1].times.count, 4);
    assert_true(d->deeds[2].duration == 11 * SEC);
    assert_true(d->host[FLOW_SERVER].times.idle == 10 * SEC);
    assert_true(d->host[FLOW_SERVER].times.interval == 2 * SEC);
    assert_int_equal(d->host[FLOW_SERVER].times.count, 5);
    assert_true(d->host[FLOW_SERVER].user_timeout == 9 * SEC);
    assert_true(d->host[FLOW_SERVER].behaviour.idle_close == 7 * SEC);
    assert_true(d->host[FLOW_CLIENT].system.fin_timeout == 3 * SEC);
    assert_true(d->host[FLOW_CLIENT].behaviour.heartbeat == 4 * SEC);
    assert_true(d->host[FLOW_CLIENT].behaviour.heartbeat_timeout == 5 * SEC);
    assert_true(d->host[FLOW_CLIENT].behaviour.read_timeout == 8 * SEC);
    assert_true(d->host[FLOW_CLIENT].behaviour.reconnect == 6 * SEC);
    assert_true(d->host[FLOW_SERVER].behaviour.answer_after == 2500 * MS);
    /* Of a socket that asks for no times of its own. */
    assert_true(d->host[FLOW_CLIENT].system.keepalive.idle == 720 * SEC);
    assert_true(d->host[FLOW_CLIENT].system.keepalive.interval == 7500 * MS);
    finish(s, d);
}

/* Every duration of a policy that idlewalld divides. */
static void the_firewall_is_faster(void **state)
{
    struct scenario *s, *d;
    const struct policy *was, *is;

    (void)state;
    both(&s, &d, TEXT, 10);
    was = s->firewall[0].policy;
    is = d->firewall[0].policy;
    assert_true(is != was);
    assert_int_equal(is->n_profiles, was->n_profiles);
    assert_true(is->late_memory == was->late_memory / 10);
    assert_true(is->adopt_at_start == was->adopt_at_start / 10);
    for (size_t i = 0; i < is->n_profiles; i++)
        for (size_t k = 0; k < POLICY_TIMEOUTS; k++) {
            mtime_t t = was->profiles[i].timeout[k];

            assert_true(is->profiles[i].timeout[k] == (t == MTIME_NEVER ? t : t / 10));
        }
    assert_true(was->profiles[0].dcd_interval > 0);
    for (size_t i = 0; i < is->n_profiles; i++) {
        assert_true(is->profiles[i].dcd_interval == was->profiles[i].dcd_interval / 10);
        assert_true(is->profiles[i].dcd_before == was->profiles[i].dcd_before / 10);
    }
    assert_true(is->profiles[is->rules[is->n_rules - 1].profile].timeout[TIMEOUT_TCP_ESTABLISHED] ==
                360 * SEC);
    finish(s, d);
}

static void the_kernels_own_stays(void **state)
{
    struct scenario *s, *d;
    struct system was, is;

    (void)state;
    both(&s, &d, TEXT, 10);
    for (unsigned side = 0; side < 2; side++) {
        was = s->host[side].system;
        is = d->host[side].system;
        assert_true(is.rto_initial == was.rto_initial);
        assert_true(is.rto_min == was.rto_min);
        assert_true(is.rto_max == was.rto_max);
        assert_true(is.delayed_ack == was.delayed_ack);
        assert_true(is.time_wait == was.time_wait);
        assert_true(is.persist_min == was.persist_min);
        assert_true(is.persist_max == was.persist_max);
        assert_true(is.challenge_interval == was.challenge_interval);
        assert_int_equal(is.retries, was.retries);
    }
    assert_true(d->host[FLOW_SERVER].system.rto_max == 8 * SEC);
    assert_true(d->host[FLOW_SERVER].system.time_wait == 20 * SEC);
    assert_int_equal(d->seed, 99);
    finish(s, d);
}

static void the_original_is_left_alone(void **state)
{
    struct scenario *s, *d;

    (void)state;
    both(&s, &d, TEXT, 10);
    assert_true(s->until == 1000 * SEC);
    assert_true(s->deeds[0].at == 10 * SEC);
    assert_true(s->host[FLOW_SERVER].times.idle == 100 * SEC);
    assert_true(s->host[FLOW_CLIENT].system.fin_timeout == 30 * SEC);
    finish(s, d);
}

/* A seed and a jiffy rate that others set after parsing hold for the copy as well. */
static void what_was_set_later_is_taken_over(void **state)
{
    struct scenario *s, *d;

    (void)state;
    scenario(&s, TEXT);
    s->seed = 12345;
    s->host[FLOW_SERVER].system.hz = 250;
    assert_int_equal(scenario_divided(&d, s, 10), 0);
    assert_int_equal(d->seed, 12345);
    assert_int_equal(d->host[FLOW_SERVER].system.hz, 250);
    finish(s, d);
}

static void off_stays_off_and_nothing_becomes_nothing(void **state)
{
    struct scenario *s, *d;

    (void)state;
    both(&s, &d, "client linux read-timeout 1ms\nserver linux\nat 0s client connect\nuntil 1s\n",
         2000000);
    assert_true(d->host[FLOW_CLIENT].behaviour.read_timeout == 1); /* 0 would mean none */
    assert_true(d->host[FLOW_SERVER].behaviour.read_timeout == 0);
    assert_true(d->host[FLOW_SERVER].user_timeout == 0);
    finish(s, d);
}

static void speed_1_changes_nothing(void **state)
{
    struct scenario *s, *d;

    (void)state;
    both(&s, &d, TEXT, 1);
    assert_true(d->until == s->until);
    assert_true(d->host[FLOW_SERVER].times.idle == s->host[FLOW_SERVER].times.idle);
    assert_true(d->host[FLOW_CLIENT].system.fin_timeout == s->host[FLOW_CLIENT].system.fin_timeout);
    assert_true(d->deeds[2].at == s->deeds[2].at);
    finish(s, d);
}

static void times_are_told_in_the_scenarios_own(void **state)
{
    struct scenario *original;
    struct story s;
    const struct timeline_event *e;

    (void)state;
    story_make(&s, "");
    scenario(&original, STORY_HEAD "until 40h\n");
    timeline_multiply(s.timeline, original, 10);
    assert_true(s.timeline->scenario == original);
    assert_true(s.timeline->end == 40 * HOUR);
    for (size_t i = 0; i < s.timeline->n_events; i++) {
        e = &s.timeline->events[i];
        if (e->kind == TIMELINE_DEED && e->deed == &original->deeds[1])
            assert_true(e->t == 10 * SEC);
        if (e->kind == TIMELINE_DEED)
            assert_true(e->deed >= original->deeds &&
                        e->deed < original->deeds + original->n_deeds);
        if (e->kind == TIMELINE_SOCKET && e->socket.timer == TIMER_KEEPALIVE &&
            e->socket.probes == 0)
            assert_true(e->socket.expires == 20 * HOUR + 10 * MS);
        if (e->kind == TIMELINE_SOCKET && e->socket.state == SOCKET_GONE)
            assert_true(e->socket.expires == MTIME_NEVER);
        if (e->kind == TIMELINE_FLOW)
            assert_true(e->flow.time == e->t &&
                        e->flow.flow.policy == original->firewall[0].policy);
        if (e->kind == TIMELINE_FLOW && e->flow.kind == EVENT_EXPIRED) {
            assert_true(e->t == 10 * (HOUR + SEC + 750 * US));
            assert_true(e->flow.flow.last == 10 * (SEC + 750 * US));
            assert_true(e->flow.flow.timeout == 10 * HOUR);
            assert_true(e->flow.flow.deadline == 10 * (HOUR + MS + 250 * US));
            assert_true(e->flow.flow.longest_idle == 10 * (SEC - MS));
        }
        if (e->kind == TIMELINE_FLOW && e->flow.kind == EVENT_LATE)
            assert_true(e->flow.expired_at == 10 * (HOUR + SEC + 750 * US));
    }
    story_finish(&s);
    scenario_destroy(original);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_scenario_says_is_shorter),
        cmocka_unit_test(the_firewall_is_faster),
        cmocka_unit_test(the_kernels_own_stays),
        cmocka_unit_test(the_original_is_left_alone),
        cmocka_unit_test(what_was_set_later_is_taken_over),
        cmocka_unit_test(off_stays_off_and_nothing_becomes_nothing),
        cmocka_unit_test(speed_1_changes_nothing),
        cmocka_unit_test(times_are_told_in_the_scenarios_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
