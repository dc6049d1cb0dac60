/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What came of it, told in one paragraph. */
#include "tools/timeline/outcome.h"
#include "tools/timeline/story_clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Linux keepalive comes late by up to an eighth: a limit must be that much longer. */
static mtime_t kept_below(mtime_t limit)
{
    return limit / 9 * 8 / MTIME_SEC * MTIME_SEC;
}

static const char *end_name(unsigned side)
{
    return side == FLOW_CLIENT ? "client" : "server";
}

static bool keepalive_on(const struct timeline *timeline, unsigned side)
{
    const struct scenario_host *host = &timeline->scenario->host[side];

    return host->keepalive == SOFTWARE_KEEPALIVE_ON ||
           (host->keepalive == SOFTWARE_KEEPALIVE_UNSET && host->system.keepalive_always);
}

static void forgot(FILE *to, const struct timeline *timeline, const struct outcome_connection *o)
{
    char at[STORY_TEXT], after[STORY_TEXT];

    if (o->forgotten_by < 0)
        return;
    fprintf(to, "%s forgot the connection at %s",
            scenario_place_name(timeline->scenario, (unsigned)o->forgotten_by),
            story_clock(o->forgotten_at, at));
    if (o->forgotten_after > 0)
        fprintf(to, ", after %s without a packet that counts (its %s)",
                story_duration(o->forgotten_after, after),
                policy_timeout_name(o->forgotten_timeout));
    fputs(". ", to);
}

static void came_late(FILE *to, const struct outcome_connection *o)
{
    char at[STORY_TEXT];
    const char *then = "";

    if (!o->late)
        return;
    switch (o->late_action) {
    case ACTED_RESET_SENDER:
        then = "and was answered with a reset in the other end's name";
        break;
    case ACTED_RESET_CLIENT:
        then = "and the client got a reset";
        break;
    case ACTED_RESET_SERVER:
        then = "and the server got a reset";
        break;
    case ACTED_RESET_BOTH:
        then = "and both ends got a reset";
        break;
    case ACTED_ICMP:
        then = "and was answered with an ICMP error";
        break;
    case ACTED_NONE:
    case ACTED_DROPPED:
    case ACTED_ADOPTED:
    case ACTED_PROBED:
    case ACTED_RATE_LIMITED:
        then = "and was dropped silently";
        break;
    }
    fprintf(to, "The next packet came too late, at %s, %s. ", story_clock(o->late_at, at), then);
}

static void end_said(FILE *to, const struct timeline *timeline, const struct outcome_connection *o,
                     unsigned side)
{
    const struct outcome_side *one = &o->side[side];
    char at[STORY_TEXT];

    fprintf(to, "The %s ", end_name(side));
    story_clock(one->noticed, at);
    if (one->error)
        fprintf(to, "was told at %s: %s (%s)", at, errno_name(one->error), strerror(one->error));
    else if (one->gave_up)
        fprintf(to, "gave up by its own timeout at %s", at);
    else if (one->eof)
        fprintf(to, "read the end of the connection at %s", at);
    else if (one->crashed)
        fputs("had crashed", to);
    else if (one->closed)
        fputs("closed it itself", to);
    else if (one->believes)
        fprintf(to,
                "was never told: at the end of the story, after %s, its socket is still %s and "
                "nobody is at the other end",
                story_clock(timeline->end, at), socket_state_name(one->state));
    else if (one->state == SOCKET_ESTABLISHED)
        fputs("is still connected, and rightly so", to);
    else if (one->state == SOCKET_GONE)
        fputs("lost its socket without an application to tell", to);
    else
        fprintf(to, "was told nothing; its socket is in %s", socket_state_name(one->state));
    if ((one->error || one->gave_up || one->eof || one->closed) && one->state != SOCKET_GONE &&
        one->state != SOCKET_TIME_WAIT)
        fprintf(to, ", but its socket hangs in %s", socket_state_name(one->state));
    if (one->probes)
        fprintf(to, " (%u keepalive probe%s sent)", one->probes, one->probes == 1 ? "" : "s");
    fputs(". ", to);
}

/* The shortest limit for an idle established connection on the path. */
static mtime_t shortest(const struct timeline *timeline, size_t *which)
{
    mtime_t least = MTIME_NEVER;

    for (size_t i = 0; i < timeline->scenario->n_firewalls; i++) {
        const struct policy *policy = timeline->scenario->firewall[i].policy;
        const struct policy_rule *rule = &policy->rules[policy->n_rules - 1];
        mtime_t limit = policy->profiles[rule->profile].timeout[TIMEOUT_TCP_ESTABLISHED];

        if (limit < least) {
            least = limit;
            *which = i;
        }
    }
    return least;
}

static void keepalives(FILE *to, const struct timeline *timeline)
{
    char idle[STORY_TEXT];

    for (unsigned side = 0; side < 2; side++) {
        if (!keepalive_on(timeline, side))
            fprintf(to, "%s keepalive is off", side == 0 ? "the client's" : "; the server's");
        else
            fprintf(to, "%s first probe is due after %s",
                    side == 0 ? "the client's" : "; the server's",
                    story_duration(timeline->scenario->host[side].times.idle, idle));
    }
}

static void prevented(FILE *to, const struct timeline *timeline, const struct outcome_connection *o)
{
    char limit[STORY_TEXT], below[STORY_TEXT];
    size_t which = 0;
    mtime_t least = shortest(timeline, &which);

    if (timeline->scenario->remedy) {
        fprintf(to, "What would have prevented it: %s", timeline->scenario->remedy);
        return;
    }
    if (o->forgotten_by >= 0 && o->forgotten_after > 0 && least != MTIME_NEVER) {
        fprintf(to,
                "What would have prevented it: a keepalive idle time below %s on either end, which "
                "stays under the limit of %s (%s) even when a timer comes an eighth late; here ",
                story_duration(kept_below(least), below), story_duration(least, limit),
                scenario_place_name(timeline->scenario, (unsigned)which + 1));
        keepalives(to, timeline);
        fputs(".", to);
        return;
    }
    for (unsigned side = 0; side < 2; side++) {
        const struct outcome_side *one = &o->side[side];

        if (one->believes && one->state == SOCKET_CLOSE_WAIT)
            fprintf(to,
                    "What would have ended it: only the %s's application can; it does not react to "
                    "the end of the connection.",
                    end_name(side));
        else if (one->believes && !keepalive_on(timeline, side))
            fprintf(
                to,
                "What would have told the %s: keepalive on its socket (it is off), a read timeout, "
                "or a heartbeat of the application.",
                end_name(side));
    }
}

static void one_connection(FILE *to, const struct timeline *timeline,
                           const struct outcome_connection *o)
{
    forgot(to, timeline, o);
    came_late(to, o);
    end_said(to, timeline, o, FLOW_CLIENT);
    end_said(to, timeline, o, FLOW_SERVER);
    if (o->broken)
        prevented(to, timeline, o);
    else
        fputs("Nobody lost anything.", to);
}

/* The one to tell about: the first that broke, else the last. */
static void story(FILE *to, const struct timeline *timeline, const struct outcome_connection *all,
                  uint32_t n)
{
    const struct outcome_connection *told = NULL;
    uint32_t broken = 0, believers[2] = {0};

    for (uint32_t i = 0; i < n; i++) {
        const struct outcome_connection *o = &all[i];

        told = o->broken && broken == 0 ? o : told;
        broken += o->broken;
        believers[0] += o->side[0].believes;
        believers[1] += o->side[1].believes;
    }
    if (n == 0) {
        fputs("Nobody connected.", to);
        return;
    }
    if (n > 1) {
        fprintf(to, "%u connections, %u of them broken", n, broken);
        for (unsigned side = 0; side < 2; side++)
            if (believers[side])
                fprintf(to, "; in %u the %s still believes at the end", believers[side],
                        end_name(side));
        fprintf(to, ". %s: ", broken ? "The first that broke" : "The last");
    }
    one_connection(to, timeline, told ? told : &all[n - 1]);
}

static void wrapped(FILE *to, const char *text, unsigned width)
{
    unsigned column = 0;

    while (*text) {
        size_t len = strcspn(text, " ");
        size_t shown = 0;

        for (size_t i = 0; i < len; i++)
            shown += ((unsigned char)text[i] & 0xc0) != 0x80;
        if (column > 0 && column + 1 + shown > width) {
            fputc('\n', to);
            column = 0;
        } else if (column > 0) {
            fputc(' ', to);
            column++;
        }
        fwrite(text, 1, len, to);
        column += (unsigned)shown;
        text += len;
        text += strspn(text, " ");
    }
    fputc('\n', to);
}

int story_outcome_text(FILE *to, const struct timeline *timeline, unsigned width)
{
    struct outcome_connection *all = NULL;
    char *text = NULL;
    size_t len = 0;
    uint32_t n = 0;
    FILE *paragraph;
    int r = story_outcomes(timeline, &all, &n);

    if (r < 0)
        return r;
    r = -ENOMEM;
    paragraph = open_memstream(&text, &len);
    if (!paragraph)
        goto out;
    story(paragraph, timeline, all, n);
    if (fclose(paragraph) != 0)
        goto out;
    wrapped(to, text, width);
    r = ferror(to) ? -EIO : 0;
out:
    free(text);
    free(all);
    return r;
}
