/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/timeline/outcome_private.h"
#include "tools/timeline/story_clock.h"

#include <errno.h>
#include <string.h>

/* Linux timers come late by up to an eighth (kernel/time/timer.c, the wheel's coarser levels): nine
 * eighths of an idle time must be below the limit. */
static mtime_t kept_below(mtime_t limit)
{
    return limit / 9 * 8 / MTIME_SEC * MTIME_SEC;
}

bool outcome_keepalive(const struct timeline *timeline, unsigned side,
                       struct keepalive_times *times)
{
    const struct scenario *scenario = timeline->scenario;
    const struct scenario_host *host = &scenario->host[side];
    unsigned place = side == FLOW_CLIENT ? SCENARIO_CLIENT : scenario_server(scenario);
    bool on = host->keepalive == SOFTWARE_KEEPALIVE_ON ||
              (host->keepalive == SOFTWARE_KEEPALIVE_UNSET && host->system.keepalive_always);

    *times = host->times;
    for (size_t i = 0; i < scenario->n_deeds; i++) {
        const struct deed *deed = &scenario->deeds[i];

        if (deed->verb != DEED_KEEPALIVE || deed->place != place)
            continue;
        on = deed->keepalive == SOFTWARE_KEEPALIVE_ON;
        times->idle = deed->times.idle ? deed->times.idle : times->idle;
        times->interval = deed->times.interval ? deed->times.interval : times->interval;
        times->count = deed->times.count ? deed->times.count : times->count;
    }
    return on;
}

static void what_was(FILE *to, const struct timeline *timeline)
{
    for (unsigned side = 0; side < 2; side++) {
        struct keepalive_times times;
        char idle[STORY_TEXT];

        fprintf(to, "%s%s", side == 0 ? "; here the " : " and the ", outcome_end(side));
        if (outcome_keepalive(timeline, side, &times))
            fprintf(to, "'s was %s", story_span(times.idle, idle));
        else
            fputs("'s keepalive was off", to);
    }
    fputs(". ", to);
}

static const struct policy_profile *profile_of(const struct timeline *timeline,
                                               const struct outcome_connection *o)
{
    const struct policy *policy = timeline->scenario->firewall[o->forgotten_by - 1].policy;
    size_t rule = o->forgotten_rule < policy->n_rules ? o->forgotten_rule : policy->n_rules - 1;

    return &policy->profiles[policy->rules[rule].profile];
}

/* Another firewall of the path that would have forgotten it even sooner than a probe that pleases
 * the first. */
static mtime_t shortest_limit(const struct timeline *timeline, mtime_t limit)
{
    const struct scenario *scenario = timeline->scenario;

    for (size_t i = 0; i < scenario->n_firewalls; i++) {
        const struct policy *policy = scenario->firewall[i].policy;
        const struct policy_rule *rule = &policy->rules[policy->n_rules - 1];
        mtime_t own = policy->profiles[rule->profile].timeout[TIMEOUT_TCP_ESTABLISHED];

        limit = own > 0 && own < limit ? own : limit;
    }
    return limit;
}

static void against_forgetting(FILE *to, const struct timeline *timeline,
                               const struct outcome_connection *o)
{
    const struct policy_profile *profile = profile_of(timeline, o);
    const char *name = scenario_place_name(timeline->scenario, (unsigned)o->forgotten_by);
    char text[STORY_TEXT], below[STORY_TEXT];
    mtime_t limit = o->forgotten_after;

    if (o->forgotten_timeout == TIMEOUT_ACTIVE || profile->refresh == REFRESH_NONE) {
        fprintf(to,
                "No keepalive would have helped: this limit counts from the start, and no packet "
                "restarts it; only a longer one, or closing and connecting anew within %s. ",
                story_span(limit, text));
        return;
    }
    if (o->forgotten_timeout == TIMEOUT_TCP_ESTABLISHED)
        limit = shortest_limit(timeline, limit);
    if (profile->refresh_by == REFRESH_BY_PAYLOAD) {
        fprintf(to,
                "Keepalive probes do not count for %s (refresh-by payload): a heartbeat of the "
                "application below %s would have kept the flow. ",
                name, story_span(limit, text));
        return;
    }
    fprintf(to,
            "A keepalive idle time of at most %s on either end (%s less a ninth, as Linux timers "
            "come up to an eighth late) would have kept the flow",
            story_span(kept_below(limit), below), story_span(limit, text));
    what_was(to, timeline);
    if (o->longest_idle > limit)
        fprintf(to, "The longest silence was %s: a limit beyond that would have done as well. ",
                story_span(o->longest_idle, text));
}

/* An end that waits for nobody, and how it would have known. */
static void against_waiting(FILE *to, const struct timeline *timeline,
                            const struct outcome_connection *o, unsigned side)
{
    const struct outcome_side *one = &o->side[side];
    struct keepalive_times times;
    char text[STORY_TEXT];

    if (one->state == SOCKET_CLOSE_WAIT) {
        fprintf(to,
                "Only the application on the %s can end this: it has read the end of the "
                "connection and does not close. ",
                outcome_end(side));
        return;
    }
    if (outcome_keepalive(timeline, side, &times)) {
        if (one->probes == 0)
            fprintf(to, "Its keepalive (first probe after %s) would tell the %s later. ",
                    story_span(times.idle, text), outcome_end(side));
        return;
    }
    fprintf(to, "Keepalive on the %s's socket was off; with it ", outcome_end(side));
    fprintf(to,
            "(%lld s idle, then %u probes every %lld s) it would have known after %s. A read "
            "timeout or a heartbeat of the application does it, too. ",
            (long long)(times.idle / MTIME_SEC), times.count,
            (long long)(times.interval / MTIME_SEC),
            story_span(times.idle + (mtime_t)times.count * times.interval, text));
}

static bool left_waiting(const struct outcome_connection *o, unsigned side)
{
    const struct outcome_side *one = &o->side[side];

    return one->believes || (one->state == SOCKET_ESTABLISHED && o->side[!side].vanished);
}

/* It went wrong, and was noticed: what it owes that to. */
static void how_noticed(FILE *to, const struct timeline *timeline,
                        const struct outcome_connection *o, unsigned side)
{
    const struct outcome_side *one = &o->side[side];
    const struct outcome_side *other = &o->side[!side];

    if (one->error == ETIMEDOUT && one->probing)
        fprintf(to, "It is keepalive that told the %s: without it, it would have waited for ever. ",
                outcome_end(side));
    else if (one->error == ETIMEDOUT && one->retransmits > 0 &&
             timeline->scenario->host[side].user_timeout == 0 &&
             (side == FLOW_CLIENT || other->error != ETIMEDOUT || other->retransmits == 0))
        fprintf(to,
                "The %s had data under way, which suspends keepalive: TCP_USER_TIMEOUT bounds how "
                "long it is sent again. ",
                outcome_end(side));
    else if (one->gave_up && other->crashed_at == MTIME_NEVER && !other->vanished)
        fprintf(to,
                "Nobody was gone: the %s's timeout was shorter than the slowest honest answer. ",
                outcome_end(side));
}

static void against_stuck(FILE *to, const struct outcome_connection *o)
{
    for (unsigned side = 0; side < 2; side++) {
        const struct outcome_side *one = &o->side[side];

        if (one->state == SOCKET_CLOSE_WAIT)
            fprintf(to,
                    "Only the application on the %s can end this, by closing; keepalive finds both "
                    "kernels well. ",
                    outcome_end(side));
        else if (one->state == SOCKET_ESTABLISHED && one->view.timer == TIMER_PERSIST)
            fprintf(to,
                    "The %s keeps asking for a window as long as it is told zero: only the "
                    "application on the %s can end this, by reading or closing. ",
                    outcome_end(side), outcome_end(!side));
    }
}

void outcome_remedy(FILE *to, const struct timeline *timeline, const struct outcome_connection *o)
{
    if (o->broken && o->forgotten_by >= 0 && o->forgotten_after > 0 &&
        !outcome_was_told(timeline, o))
        against_forgetting(to, timeline, o);
    else
        for (unsigned side = 0; side < 2 && o->broken; side++) {
            how_noticed(to, timeline, o, side);
            if (left_waiting(o, side))
                against_waiting(to, timeline, o, side);
        }
    if (o->stuck)
        against_stuck(to, o);
    if ((o->broken || o->stuck) && timeline->scenario->remedy)
        fprintf(to, "Remedy: %s%s ", timeline->scenario->remedy,
                timeline->scenario->remedy[strcspn(timeline->scenario->remedy, ".!?")] ? "" : ".");
    else if (!o->broken && !o->stuck)
        fputs("Nobody lost anything. ", to);
}
