/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What came of it, told in one paragraph. */
#include "tools/timeline/outcome_private.h"
#include "tools/timeline/story_clock.h"
#include "tools/timeline/written.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *outcome_end(unsigned side)
{
    return side == FLOW_CLIENT ? "client" : "server";
}

static const char *action_text(enum event_action action)
{
    switch (action) {
    case ACTED_RESET_SENDER:
        return "and was answered with a reset in the other end's name";
    case ACTED_RESET_CLIENT:
        return "and the client got a reset";
    case ACTED_RESET_SERVER:
        return "and the server got a reset";
    case ACTED_RESET_BOTH:
        return "and both ends got a reset";
    case ACTED_ICMP:
        return "and was answered with an ICMP error";
    case ACTED_ADOPTED:
        return "and was taken for a new one";
    case ACTED_NONE:
    case ACTED_DROPPED:
    case ACTED_PROBED:
    case ACTED_RATE_LIMITED:
        return "and was dropped silently";
    }
    return "";
}

static const char *told_whom(enum event_action action)
{
    switch (action) {
    case ACTED_RESET_CLIENT:
        return "told the client with a reset";
    case ACTED_RESET_SERVER:
        return "told the server with a reset";
    case ACTED_RESET_SENDER:
    case ACTED_RESET_BOTH:
        return "told both ends with a reset";
    case ACTED_NONE:
    case ACTED_DROPPED:
    case ACTED_ICMP:
    case ACTED_ADOPTED:
    case ACTED_PROBED:
    case ACTED_RATE_LIMITED:
        return "told nobody";
    }
    return "";
}

static void forgot(FILE *to, const struct timeline *timeline, const struct outcome_connection *o)
{
    char at[STORY_TEXT], after[STORY_TEXT];
    const char *name;

    if (o->forgotten_by < 0 || outcome_was_told(timeline, o))
        return;
    name = scenario_place_name(timeline->scenario, (unsigned)o->forgotten_by);
    fprintf(to, "%s%s forgot the connection at %s",
            strcmp(name, "firewall") == 0 ? "The " : "Firewall ", name,
            story_clock(o->forgotten_at, at));
    if (o->forgotten_after > 0)
        fprintf(to, " after %s %s (its %s)", story_span(o->forgotten_after, after),
                o->forgotten_timeout == TIMEOUT_ACTIVE ? "of life" : "without a packet that counts",
                policy_timeout_name(o->forgotten_timeout));
    fprintf(to, ", and %s. ", told_whom(o->forgotten_action));
}

static void came_late(FILE *to, const struct outcome_connection *o)
{
    char at[STORY_TEXT];

    if (o->late)
        fprintf(to, "The next packet came too late, at %s, %s. ", story_clock(o->late_at, at),
                action_text(o->late_action));
}

/* How it ended for the application. */
static void end_met(FILE *to, const struct outcome_connection *o, unsigned side)
{
    const struct outcome_side *one = &o->side[side];
    char at[STORY_TEXT];

    story_clock(one->noticed, at);
    if (one->closed && (one->noticed == MTIME_NEVER || one->closed_at < one->noticed))
        fprintf(to, "closed at %s", story_clock(one->closed_at, at));
    else if (one->error)
        fprintf(to, "was told at %s: %s (%s)", at, errno_name(one->error), strerror(one->error));
    else if (one->exited)
        fprintf(to, "ended its program at %s", at);
    else if (one->gave_up)
        fprintf(to, "gave up by its own timeout at %s", at);
    else
        fprintf(to, "read the end of the connection at %s", at);
}

static void why_alone(FILE *to, const struct outcome_connection *o, unsigned side)
{
    const struct outcome_side *other = &o->side[!side];
    char at[STORY_TEXT];

    if (other->vanished && other->state != SOCKET_GONE)
        fprintf(to, ", though the %s is out of reach", outcome_end(!side));
    else if (other->ended != MTIME_NEVER)
        fprintf(to, ", though the %s's has been gone since %s", outcome_end(!side),
                story_clock(other->ended, at));
    else
        fprintf(to, ", though the %s has none", outcome_end(!side));
}

/* How it stands at the end of the story. */
static void end_stands(FILE *to, const struct timeline *timeline,
                       const struct outcome_connection *o, unsigned side)
{
    const struct outcome_side *one = &o->side[side], *other = &o->side[!side];
    char text[STORY_TEXT];

    if (one->believes || (one->state == SOCKET_ESTABLISHED && other->vanished)) {
        fprintf(to, "still believes: after %s its socket is %s",
                story_duration(timeline->end, text), socket_state_name(one->state));
        why_alone(to, o, side);
    } else if (one->state == SOCKET_ESTABLISHED && one->view.timer == TIMER_PERSIST) {
        fprintf(to, "waits with %u bytes that the %s does not take", one->view.send_queue,
                outcome_end(!side));
    } else if (one->state == SOCKET_ESTABLISHED && one->vanished) {
        fprintf(to, "still has its socket, but no way to the %s any more", outcome_end(!side));
    } else if (one->state == SOCKET_ESTABLISHED) {
        fputs("is still connected, and rightly so", to);
    } else if (one->state != SOCKET_GONE) {
        fprintf(to, "was told nothing; its socket is in %s", socket_state_name(one->state));
    } else if (one->crashed_at != MTIME_NEVER) {
        fprintf(to, "%s", one->crashed ? "stays down" : "knows nothing of it any more");
    } else if (one->ended != MTIME_NEVER) {
        fprintf(to, "lost its socket at %s; its application has not looked since",
                story_clock(one->ended, text));
    } else {
        fputs("never had a socket for it", to);
    }
}

static bool met(const struct outcome_side *one)
{
    return one->error || one->gave_up || one->exited || one->eof || one->closed;
}

static void end_said(FILE *to, const struct timeline *timeline, const struct outcome_connection *o,
                     unsigned side)
{
    const struct outcome_side *one = &o->side[side];

    fprintf(to, "The %s ", outcome_end(side));
    if (met(one))
        end_met(to, o, side);
    else
        end_stands(to, timeline, o, side);
    if (met(one) && one->state != SOCKET_GONE && one->state != SOCKET_TIME_WAIT) {
        fprintf(to, "; its socket is still in %s", socket_state_name(one->state));
        if (one->believes)
            why_alone(to, o, side);
    }
    if (one->probes)
        fprintf(to, " (%u keepalive probe%s sent)", one->probes, one->probes == 1 ? "" : "s");
    fputs(". ", to);
}

static mtime_t when(const struct outcome_side *side)
{
    return side->closed_at < side->noticed ? side->closed_at : side->noticed;
}

static void one_connection(FILE *to, const struct timeline *timeline,
                           const struct outcome_connection *o)
{
    unsigned first =
        when(&o->side[FLOW_SERVER]) < when(&o->side[FLOW_CLIENT]) ? FLOW_SERVER : FLOW_CLIENT;

    outcome_causes(to, timeline, o, 0, o->forgotten_at);
    forgot(to, timeline, o);
    outcome_causes(to, timeline, o, o->forgotten_at, o->late_at);
    came_late(to, o);
    outcome_causes(to, timeline, o, o->late_at > o->forgotten_at ? o->late_at : o->forgotten_at,
                   MTIME_NEVER);
    end_said(to, timeline, o, first);
    end_said(to, timeline, o, !first);
    outcome_remedy(to, timeline, o);
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
                        outcome_end(side));
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
    r = written_status(to);
out:
    free(text);
    free(all);
    return r;
}
