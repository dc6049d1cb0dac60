/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/duration.h"
#include "tools/align/show.h"

#include "middlebox/record/put.h"

#include <errno.h>

static const char *seconds(char buf[SHOW_TIME], mtime_t t)
{
    *put_seconds(buf, t) = '\0';
    return buf;
}

static const char *whose(const struct row *row, enum flow_side side)
{
    if (side != row->connection.here && row->proxied)
        return "the proxy";
    return flow_side_name(side);
}

/* `(60 + 1 * 10) * 9/8 + 0.001 = 78.8s` */
static void rule(FILE *to, const struct row *row)
{
    const struct verdict *v = &row->verdict;
    const struct end *end = &row->connection.end[v->side];
    mtime_t interval = end->interval.high == MTIME_NEVER ? end->idle.high : end->interval.high;
    char a[SHOW_TIME], b[SHOW_TIME], c[SHOW_TIME], d[SHOW_TIME];

    fprintf(to, "(%s + 1 * %s) * 9/8 + %s = %s", seconds(a, end->idle.high), seconds(b, interval),
            seconds(c, row->connection.rtt), show_time(d, v->silence_lost));
}

static void after(FILE *to, struct bounds b)
{
    char low[SHOW_TIME], high[SHOW_TIME];

    if (b.low == b.high)
        fprintf(to, "%s after the last packet", show_time(low, b.low));
    else if (b.high == MTIME_NEVER)
        fprintf(to, "%s or later after the last packet", show_time(low, b.low));
    else
        fprintf(to, "%s to %s after the last packet", show_time(low, b.low),
                show_time(high, b.high));
}

static void on_write(FILE *to, enum sight sight)
{
    switch (sight) {
    case SEES_NOTHING:
        fputs(", and is let through when it writes", to);
        return;
    case SEES_ECONNRESET:
    case SEES_EHOSTUNREACH:
        fprintf(to, " until it writes, then %s", sight_name(sight));
        return;
    case SEES_ETIMEDOUT:
        fputs(" until it writes, then ETIMEDOUT (on Linux a quarter of an hour later)", to);
        return;
    case SEES_CLOSE:
        fputs(" until it writes, then ECONNRESET", to);
        return;
    case SEES_UNKNOWN:
        fputs("; what it gets when it writes is not known", to);
    }
}

static void outcome(FILE *to, const struct row *row, enum flow_side side)
{
    const struct end_outcome *o = &row->verdict.outcome[side];
    bool known = row->connection.end[side].keepalive != KEEPALIVE_UNKNOWN;

    fprintf(to, " %c%s%s ", whose(row, side)[0] - 'a' + 'A', whose(row, side) + 1,
            side == row->connection.here ? " (here)" : "");
    if (o->sight == SEES_NOTHING) {
        fprintf(to, "%shears nothing", known ? "" : "probably ");
        on_write(to, o->on_write);
    } else if (o->sight == SEES_UNKNOWN) {
        fputs("learns of it in a way that is not known", to);
    } else {
        fprintf(to, "gets %s ",
                o->sight == SEES_CLOSE ? "end of file or ECONNRESET" : sight_name(o->sight));
        after(to, o->after);
    }
    fputc('.', to);
}

static void outcomes(FILE *to, const struct row *row)
{
    enum flow_side here = row->connection.here;

    outcome(to, row, here);
    outcome(to, row, here == FLOW_CLIENT ? FLOW_SERVER : FLOW_CLIENT);
}

/* Both hang alike, which needs one sentence only. */
static void hang(FILE *to, const struct row *row)
{
    switch (row->verdict.outcome[row->connection.here].on_write) {
    case SEES_NOTHING:
        fputs(" Nothing is lost: who writes is let through.", to);
        return;
    case SEES_ECONNRESET:
    case SEES_CLOSE:
        fputs(" Who writes then gets ECONNRESET; who only reads waits for ever.", to);
        return;
    case SEES_EHOSTUNREACH:
        fputs(" Who writes then gets EHOSTUNREACH; who only reads waits for ever.", to);
        return;
    case SEES_ETIMEDOUT:
        fputs(" Who writes then gets ETIMEDOUT, on Linux a quarter of an hour later; who only "
              "reads waits for ever.",
              to);
        return;
    case SEES_UNKNOWN:
        fputs(" Who only reads waits for ever.", to);
    }
}

static void safe(FILE *to, const struct row *row, const char *limit)
{
    const struct verdict *v = &row->verdict;
    const char *name = v->limit.hop ? v->limit.hop->name : "";
    char buf[SHOW_TIME];

    switch (v->why) {
    case WHY_NO_LIMIT:
        fprintf(to, "Nothing on its way forgets it.");
        return;
    case WHY_HEARTBEAT:
        fprintf(to, "%s sends by itself every %s, if set up as shipped; %s forgets after %s.",
                row->software[v->side] ? row->software[v->side]->name : flow_side_name(v->side),
                show_time(buf, v->heartbeat), name, limit);
        return;
    case WHY_CLOSES_FIRST:
        fprintf(to, "%s closes it itself after %s, before %s forgets it after %s.",
                row->software[v->side] ? row->software[v->side]->name : flow_side_name(v->side),
                show_time(buf, v->heartbeat), name, limit);
        return;
    case WHY_ADOPTED:
        fprintf(to,
                "%s forgets it after %s, but takes its next packet for a new flow (on-late adopt).",
                name, limit);
        return;
    case WHY_ASKED:
        fprintf(to, "After %s %s asks both ends itself (dcd), and keeps it if they answer.", limit,
                name);
        return;
    default:
        fprintf(to, "With one probe of the %s lost: ", whose(row, v->side));
        rule(to, row);
        fprintf(to, ", less than %s.", limit);
    }
}

static void at_risk(FILE *to, const struct row *row, const char *limit)
{
    const struct verdict *v = &row->verdict;
    const struct end *end = &row->connection.end[v->side];
    const char *name = v->limit.hop->name;
    char a[SHOW_TIME];

    switch (v->why) {
    case WHY_LOST_PROBE:
        fputs("One lost probe and it is forgotten: ", to);
        rule(to, row);
        fprintf(to, ", not less than %s.", limit);
        return;
    case WHY_LATENESS:
        fprintf(to,
                "The first probe is due after %s, but a kernel may send it an eighth late (%s): "
                "%s forgets after %s.",
                show_time(a, end->idle.high), show_time((char[SHOW_TIME]){0}, v->silence), name,
                limit);
        return;
    case WHY_ONE_PROBE:
        fputs("Its count is 1: one lost probe, and its own kernel ends it (ETIMEDOUT).", to);
        return;
    case WHY_FIGURES_UNKNOWN:
        fprintf(to,
                "Keepalive is on, but how soon is not known: %s forgets after %s. As root, or with "
                "--watch, more is seen.",
                name, limit);
        return;
    case WHY_FIGURES_ASSUMED:
        fprintf(to,
                "Keepalive is on; its figures are not seen, the host's are assumed, and %s forgets "
                "after %s. As root, or with --watch, more is seen.",
                name, limit);
        return;
    case WHY_LIMIT_ASSUMED:
        fprintf(to,
                "Keepalive would do, but the limit of %s is assumed: its documents are silent. "
                "`idlewall probe` measures it.",
                name);
        return;
    case WHY_ADOPTION_ASSUMED:
        fprintf(to,
                "%s forgets it after %s; that it takes the next packet for a new flow is assumed: "
                "its documents are silent.",
                name, limit);
        return;
    default:
        fprintf(to,
                "Whether keepalive is on is not known; %s forgets after %s. `ss -o` or root shows "
                "it.",
                name, limit);
    }
}

static void breaks(FILE *to, const struct row *row, const char *limit)
{
    const struct verdict *v = &row->verdict;
    const struct end *here = &row->connection.end[row->connection.here];
    const char *name = v->limit.hop->name;
    char a[SHOW_TIME];

    switch (v->why) {
    case WHY_PAYLOAD:
        fprintf(to, "%s %s after %s without payload, and keepalive probes carry none.", name,
                v->limit.hop->profile.kind == KIND_PROXY ? "closes it" : "forgets it", limit);
        break;
    case WHY_ABSOLUTE:
        fprintf(to, "%s ends it %s after %s, whatever is sent.", name, limit,
                v->limit.which == TIMEOUT_ACTIVE ? "its opening" : "its last change of state");
        break;
    case WHY_OFF_AND_TOLD:
        fprintf(to, "Keepalive is off: after %s without %s %s ends it.", limit,
                v->limit.payload ? "payload" : "a packet", name);
        break;
    default:
        if (here->keepalive == KEEPALIVE_ON)
            fprintf(to, "The first probe comes after %s%s, but %s forgets after %s.",
                    show_time(a, here->idle.low),
                    here->idle.low == here->idle.high ? "" : " or later", name, limit);
        else
            fprintf(to, "The other end's first probe comes after %s forgets (%s).", name, limit);
    }
    outcomes(to, row);
}

static void fix(FILE *to, const struct row *row)
{
    enum flow_side side;
    const struct template *software = advice_target(row, &side);

    fprintf(to, " Fix: %s, %s.", software->name,
            side == row->connection.here ? "here" : "at the other end");
}

int show_reason(FILE *to, const struct row *row)
{
    const struct verdict *v = &row->verdict;
    char limit[SHOW_TIME];

    show_time(limit, v->limit.timeout);
    switch (v->kind) {
    case VERDICT_SAFE:
        safe(to, row, limit);
        break;
    case VERDICT_AT_RISK:
        at_risk(to, row, limit);
        break;
    case VERDICT_WILL_BREAK:
        breaks(to, row, limit);
        break;
    case VERDICT_NEVER_NOTICED:
        fprintf(to, "Keepalive is off: after %s without %s %s forgets it, and nobody is told.",
                limit, v->limit.payload ? "payload" : "a packet", v->limit.hop->name);
        hang(to, row);
    }
    if (advice_is_needed(row))
        fix(to, row);
    return ferror(to) ? -ENOMEM : 0;
}
