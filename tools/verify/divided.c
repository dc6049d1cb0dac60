/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/verify/divided.h"

#include "tools/scenario/scenario_parse.h"

#include <errno.h>
#include <string.h>

static void divide(mtime_t *t, unsigned speed)
{
    if (*t > 0 && *t < MTIME_NEVER)
        *t = *t >= (mtime_t)speed ? *t / (mtime_t)speed : 1;
}

static void divide_policy(struct policy *policy, unsigned speed)
{
    divide(&policy->adopt_at_start, speed);
    divide(&policy->late_memory, speed);
    for (size_t i = 0; i < policy->n_profiles; i++) {
        struct policy_profile *profile = &policy->profiles[i];

        for (size_t k = 0; k < POLICY_TIMEOUTS; k++)
            divide(&profile->timeout[k], speed);
        divide(&profile->dcd_interval, speed);
        divide(&profile->dcd_before, speed);
    }
}

/* What the lab passes on to sysctls and socket options, or to its own programs. */
static void divide_host(struct scenario_host *host, unsigned speed)
{
    struct behaviour *b = &host->behaviour;
    mtime_t *times[] = {&host->system.keepalive.idle,
                        &host->system.keepalive.interval,
                        &host->system.fin_timeout,
                        &host->times.idle,
                        &host->times.interval,
                        &host->user_timeout,
                        &b->read_timeout,
                        &b->heartbeat,
                        &b->heartbeat_timeout,
                        &b->idle_close,
                        &b->reconnect,
                        &b->answer_after};

    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        divide(times[i], speed);
}

static void no_fault(void *arg, const char *message)
{
    (void)arg;
    (void)message;
}

int scenario_divided(struct scenario **out, const struct scenario *scenario, unsigned speed)
{
    int r = scenario_parse(out, scenario->name, scenario->text, strlen(scenario->text),
                           scenario->directory, no_fault, NULL);
    struct scenario *s = *out;

    if (r < 0)
        return r;
    s->seed = scenario->seed;
    for (unsigned side = 0; side < 2; side++) {
        s->host[side].system.hz = scenario->host[side].system.hz;
        divide_host(&s->host[side], speed);
    }
    for (size_t i = 0; i < s->n_firewalls; i++)
        divide_policy(s->firewall[i].policy, speed);
    for (size_t i = 0; i < s->n_deeds; i++) {
        struct deed *deed = &s->deeds[i];

        deed->at /= (mtime_t)speed;
        divide(&deed->times.idle, speed);
        divide(&deed->times.interval, speed);
        divide(&deed->duration, speed);
    }
    s->until /= (mtime_t)speed;
    return 0;
}

static void multiply(mtime_t *t, unsigned speed)
{
    if (*t < MTIME_NEVER / (mtime_t)speed)
        *t *= (mtime_t)speed;
}

static void multiply_flow(struct event *event, const struct scenario *original, unsigned place,
                          unsigned speed)
{
    mtime_t *times[] = {
        &event->time,         &event->expired_at,    &event->flow.opened,      &event->flow.last,
        &event->flow.timeout, &event->flow.deadline, &event->flow.longest_idle};

    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        multiply(times[i], speed);
    event->flow.policy = original->firewall[place - 1].policy;
}

void timeline_multiply(struct timeline *timeline, const struct scenario *original, unsigned speed)
{
    for (size_t i = 0; i < timeline->n_events; i++) {
        struct timeline_event *e = &timeline->events[i];

        multiply(&e->t, speed);
        if (e->kind == TIMELINE_SOCKET)
            multiply(&e->socket.expires, speed);
        else if (e->kind == TIMELINE_FLOW)
            multiply_flow(&e->flow, original, e->place, speed);
        else if (e->kind == TIMELINE_DEED)
            e->deed = &original->deeds[e->deed - timeline->scenario->deeds];
    }
    timeline->end = original->until;
    timeline->scenario = original;
}
