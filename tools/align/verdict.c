/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/align/verdict.h"

static mtime_t larger(mtime_t a, mtime_t b)
{
    return a > b ? a : b;
}

static mtime_t times(mtime_t t, unsigned n)
{
    return n > 0 && t > MTIME_NEVER / (mtime_t)n ? MTIME_NEVER : t * (mtime_t)n;
}

mtime_t verdict_late(mtime_t t)
{
    return mtime_add(t, t == MTIME_NEVER ? 0 : t / 8);
}

mtime_t verdict_silence(mtime_t idle, mtime_t interval, unsigned lost, mtime_t rtt)
{
    return mtime_add(verdict_late(mtime_add(idle, times(interval, lost))), rtt);
}

/* Between two answered probes passes the longer of the two: after an answer the timer is set to
 * interval, and only then to what is left of idle (tcp_keepalive_timer()). What is inferred speaks
 * of the longer already. */
static mtime_t least_silence(const struct end *end)
{
    return larger(end->idle.low, end->interval.low);
}

static mtime_t most_silence(const struct end *end)
{
    return end->figures == FIGURES_INFERRED || end->interval.high == MTIME_NEVER
               ? end->idle.high
               : larger(end->idle.high, end->interval.high);
}

/* How well an end's keepalive keeps a limit from running out; the best first. */
enum level { LEVEL_SAFE, LEVEL_ONE_PROBE, LEVEL_LOST, LEVEL_LATE, LEVEL_UNKNOWN, LEVEL_NOT };

static enum level level_of(const struct end *end, mtime_t timeout, mtime_t rtt, mtime_t *silence,
                           mtime_t *lost)
{
    mtime_t most = most_silence(end);
    /* Where only the longer of the two is known, interval is at most that. */
    mtime_t interval = end->interval.high == MTIME_NEVER ? most : end->interval.high;

    *silence = *lost = MTIME_NEVER;
    if (end->keepalive == KEEPALIVE_OFF)
        return LEVEL_NOT;
    if (end->keepalive == KEEPALIVE_UNKNOWN)
        return LEVEL_UNKNOWN;
    *silence = verdict_silence(most, interval, 0, rtt);
    *lost = verdict_silence(most, interval, 1, rtt);
    if (*lost < timeout)
        return end->count == 1 ? LEVEL_ONE_PROBE : LEVEL_SAFE;
    if (*silence < timeout)
        return LEVEL_LOST;
    if (least_silence(end) >= timeout)
        return LEVEL_NOT;
    return most < timeout ? LEVEL_LATE : LEVEL_UNKNOWN;
}

static bool resets(const struct limit *limit, enum flow_side side)
{
    enum policy_on_late late = limit->hop->profile.on_late;

    return late == ON_LATE_RESET ||
           late == (side == FLOW_CLIENT ? ON_LATE_RESET_CLIENT : ON_LATE_RESET_SERVER);
}

/* What an end that sends data too late gets. */
static enum sight on_write(const struct limit *limit, enum flow_side side)
{
    const struct policy_profile *profile = &limit->hop->profile;

    if (limit->hop->behaviour_unknown)
        return SEES_UNKNOWN;
    if (profile->kind == KIND_PROXY)
        return SEES_CLOSE;
    if (resets(limit, side))
        return SEES_ECONNRESET;
    if (profile->on_late == ON_LATE_ADOPT)
        return SEES_NOTHING;
    return profile->on_late == ON_LATE_ICMP ? SEES_EHOSTUNREACH : SEES_ETIMEDOUT;
}

/* Is this end told when the time is over? */
static bool told(const struct limit *limit, enum flow_side side)
{
    const struct policy_profile *profile = &limit->hop->profile;
    enum policy_on_expiry expiry =
        profile->on_expiry == ON_EXPIRY_DCD ? profile->dcd_then : profile->on_expiry;

    return !limit->hop->behaviour_unknown &&
           (expiry == ON_EXPIRY_RESET_BOTH ||
            expiry == (side == FLOW_CLIENT ? ON_EXPIRY_RESET_CLIENT : ON_EXPIRY_RESET_SERVER));
}

/* From the first probe that nobody answers to the end: count intervals; or, with TCP_USER_TIMEOUT,
 * the first timer that finds the silence longer than that (tcp_keepalive_timer()). */
static mtime_t probing(mtime_t idle, mtime_t interval, unsigned count, mtime_t user_timeout)
{
    if (user_timeout > 0) {
        if (interval <= 0)
            return MTIME_NEVER;
        count = 1;
        if (user_timeout > mtime_add(idle, interval))
            count = (unsigned)((user_timeout - idle + interval - 1) / interval);
    }
    return count == 0 ? MTIME_NEVER : times(interval, count);
}

static struct bounds given_up(const struct end *end)
{
    mtime_t idle_high = most_silence(end), low = least_silence(end);
    struct bounds after = {low, MTIME_NEVER};

    if (end->count > 0 || end->user_timeout > 0)
        after.low = mtime_add(low, probing(low, end->interval.low, end->count, end->user_timeout));
    if (after.low == MTIME_NEVER)
        after.low = low;
    if (end->interval.high < MTIME_NEVER && idle_high < MTIME_NEVER)
        after.high = verdict_late(mtime_add(
            idle_high, probing(idle_high, end->interval.high, end->count, end->user_timeout)));
    return after;
}

static struct end_outcome outcome_of(const struct end *end, const struct limit *limit,
                                     enum flow_side side)
{
    bool proxy = limit->hop->profile.kind == KIND_PROXY;
    struct end_outcome outcome = {
        .sight = SEES_NOTHING, .after = BOUNDS_UNKNOWN, .on_write = on_write(limit, side)};

    if (told(limit, side)) {
        outcome.sight = proxy ? SEES_CLOSE : SEES_ECONNRESET;
        outcome.after = (struct bounds){limit->timeout, limit->timeout};
        return outcome;
    }
    if (end->keepalive != KEEPALIVE_ON)
        return outcome;
    if (limit->hop->behaviour_unknown || proxy) {
        outcome.sight = SEES_UNKNOWN;
        return outcome;
    }
    if (limit->hop->profile.on_late == ON_LATE_ADOPT)
        return outcome;
    if (resets(limit, side)) {
        outcome.sight = SEES_ECONNRESET;
        outcome.after = (struct bounds){least_silence(end), verdict_late(most_silence(end))};
    } else {
        outcome.sight = SEES_ETIMEDOUT; /* Linux ignores ICMP errors about a probe */
        outcome.after = given_up(end);
    }
    if (limit->absolute) { /* whatever was sent last */
        outcome.after.low = limit->timeout;
        outcome.after.high = mtime_add(outcome.after.high, limit->timeout);
    }
    return outcome;
}

static mtime_t due_in(const struct connection *c, const struct limit *limit)
{
    mtime_t gone = limit->absolute ? c->age : c->quiet;

    if (limit->left < MTIME_NEVER)
        return limit->left;
    if (gone == MTIME_NEVER)
        return limit->timeout;
    return gone < limit->timeout ? limit->timeout - gone : 0;
}

/* Something else than keepalive that keeps the limit from running out, or from hurting. */
static bool safe_anyway(const struct connection *c, const struct limit *limit, struct verdict *v)
{
    for (unsigned side = 0; side < 2 && !limit->absolute; side++) {
        const struct end *end = &c->end[side];
        bool beats =
            end->heartbeat > 0 && verdict_silence(end->heartbeat, 0, 0, c->rtt) < limit->timeout;
        bool closes =
            end->idle_close > 0 && verdict_silence(end->idle_close, 0, 0, c->rtt) < limit->timeout;

        if (!beats && !closes)
            continue;
        v->side = (enum flow_side)side;
        v->why = beats ? WHY_HEARTBEAT : WHY_CLOSES_FIRST;
        v->heartbeat = beats ? end->heartbeat : end->idle_close;
        return true;
    }
    if (limit_asks(limit)) {
        v->why = WHY_ASKED;
        return true;
    }
    if (!limit_adopts(limit) ||
        (!limit->hop->fact && limit->hop->profile.origin[SETTING_ON_LATE] == ORIGIN_ASSUMED))
        return false;
    v->why = WHY_ADOPTED;
    return true;
}

/* Nothing keeps it from running out. */
static void break_or_hang(const struct connection *c, const struct limit *limit, struct verdict *v)
{
    const struct end *here = &c->end[c->here];
    bool on = here->keepalive == KEEPALIVE_ON || c->end[!c->here].keepalive == KEEPALIVE_ON;
    bool seen = on;

    for (unsigned side = 0; side < 2; side++)
        seen = seen || told(limit, (enum flow_side)side);
    if (limit->absolute) {
        v->kind = VERDICT_WILL_BREAK;
        v->why = WHY_ABSOLUTE;
    } else if (!seen) {
        v->kind = VERDICT_NEVER_NOTICED;
        v->why = WHY_OFF;
    } else {
        v->kind = VERDICT_WILL_BREAK;
        v->why = limit->payload ? WHY_PAYLOAD : on ? WHY_TOO_LATE : WHY_OFF_AND_TOLD;
    }
}

/* Then it is neither a promise nor a threat. */
static bool is_guess(const struct end *end, const struct limit *limit)
{
    return end->keepalive == KEEPALIVE_ON && end->figures == FIGURES_DEFAULT && !limit->absolute &&
           !limit->payload && end->at_least < limit->timeout;
}

static void by_level(const struct connection *c, enum level level, struct verdict *v)
{
    v->kind = VERDICT_AT_RISK;
    if (is_guess(&c->end[v->side], &v->limit)) {
        v->why = WHY_FIGURES_ASSUMED;
        return;
    }
    switch (level) {
    case LEVEL_SAFE:
        v->kind = v->limit.origin == ORIGIN_ASSUMED ? VERDICT_AT_RISK : VERDICT_SAFE;
        v->why = v->limit.origin == ORIGIN_ASSUMED ? WHY_LIMIT_ASSUMED : WHY_REFRESHED;
        return;
    case LEVEL_ONE_PROBE:
        v->why = WHY_ONE_PROBE;
        return;
    case LEVEL_LOST:
        v->why = WHY_LOST_PROBE;
        return;
    case LEVEL_LATE:
        v->why = WHY_LATENESS;
        return;
    case LEVEL_UNKNOWN:
        v->why = c->end[v->side].keepalive == KEEPALIVE_UNKNOWN ? WHY_KEEPALIVE_UNKNOWN
                                                                : WHY_FIGURES_UNKNOWN;
        return;
    case LEVEL_NOT:
        break_or_hang(c, &v->limit, v);
    }
}

/* The better of the two ends' keepalive. That nothing is known of the other end is no hope. */
static enum level best_level(const struct connection *c, const struct limit *limit,
                             struct verdict *v)
{
    mtime_t silence, lost;
    enum level best, other;
    enum flow_side there = c->here == FLOW_CLIENT ? FLOW_SERVER : FLOW_CLIENT;

    v->side = c->here;
    best = level_of(&c->end[c->here], limit->timeout, c->rtt, &v->silence, &v->silence_lost);
    other = level_of(&c->end[there], limit->timeout, c->rtt, &silence, &lost);
    if (c->end[there].keepalive == KEEPALIVE_ON && other < best) {
        v->side = there;
        v->silence = silence;
        v->silence_lost = lost;
        best = other;
    }
    return best;
}

struct verdict verdict_of(const struct connection *c, const struct limit *limit)
{
    struct verdict v = {.kind = VERDICT_SAFE, .limit = *limit, .due = MTIME_NEVER};
    enum level level = LEVEL_NOT;

    v.silence = v.silence_lost = MTIME_NEVER;
    if (limit->timeout == MTIME_NEVER) {
        v.why = WHY_NO_LIMIT;
        return v;
    }
    for (unsigned side = 0; side < 2; side++)
        v.outcome[side] = outcome_of(&c->end[side], limit, (enum flow_side)side);
    if (!limit->absolute && !limit->payload)
        level = best_level(c, limit, &v);
    if (level == LEVEL_SAFE || !safe_anyway(c, limit, &v)) {
        if (level != LEVEL_SAFE && limit_adopts(limit)) {
            v.kind = VERDICT_AT_RISK;
            v.why = WHY_ADOPTION_ASSUMED;
        } else {
            by_level(c, level, &v);
        }
    }
    if (v.kind != VERDICT_SAFE)
        v.due = due_in(c, limit);
    return v;
}

struct verdict verdict_of_all(const struct connection *c, const struct limit *limits, size_t n)
{
    struct verdict worst = {.kind = VERDICT_SAFE,
                            .why = WHY_NO_LIMIT,
                            .limit.timeout = MTIME_NEVER,
                            .due = MTIME_NEVER,
                            .silence = MTIME_NEVER,
                            .silence_lost = MTIME_NEVER};

    for (size_t i = 0; i < n; i++) {
        struct verdict v = verdict_of(c, &limits[i]);

        if (i == 0 || v.kind < worst.kind ||
            (v.kind == worst.kind && v.limit.timeout < worst.limit.timeout))
            worst = v;
    }
    return worst;
}

const char *verdict_name(enum verdict_kind kind)
{
    static const char *const names[] = {
        [VERDICT_WILL_BREAK] = "will break",
        [VERDICT_NEVER_NOTICED] = "never noticed",
        [VERDICT_AT_RISK] = "at risk",
        [VERDICT_SAFE] = "safe",
    };

    return names[kind];
}

const char *verdict_why_name(enum verdict_why why)
{
    static const char *const names[] = {
        [WHY_NO_LIMIT] = "no-limit",
        [WHY_REFRESHED] = "refreshed",
        [WHY_HEARTBEAT] = "heartbeat",
        [WHY_CLOSES_FIRST] = "closes-first",
        [WHY_ADOPTED] = "adopted",
        [WHY_ASKED] = "asked",
        [WHY_LOST_PROBE] = "lost-probe",
        [WHY_LATENESS] = "lateness",
        [WHY_ONE_PROBE] = "one-probe",
        [WHY_FIGURES_UNKNOWN] = "figures-unknown",
        [WHY_FIGURES_ASSUMED] = "figures-assumed",
        [WHY_KEEPALIVE_UNKNOWN] = "keepalive-unknown",
        [WHY_LIMIT_ASSUMED] = "limit-assumed",
        [WHY_ADOPTION_ASSUMED] = "adoption-assumed",
        [WHY_TOO_LATE] = "too-late",
        [WHY_PAYLOAD] = "payload-only",
        [WHY_ABSOLUTE] = "absolute",
        [WHY_OFF_AND_TOLD] = "off-and-told",
        [WHY_OFF] = "off",
    };

    return names[why];
}

const char *sight_name(enum sight sight)
{
    static const char *const names[] = {
        [SEES_NOTHING] = "nothing",     [SEES_ECONNRESET] = "ECONNRESET",
        [SEES_ETIMEDOUT] = "ETIMEDOUT", [SEES_EHOSTUNREACH] = "EHOSTUNREACH",
        [SEES_CLOSE] = "a close",       [SEES_UNKNOWN] = "unknown",
    };

    return names[sight];
}
