/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/profiles/measure.h"

#include "policy/duration.h"

#include <stdarg.h>
#include <stdio.h>

struct measurement {
    const struct expect *expect;
    struct policy *policy;
    char *why;
    size_t size;
};

/* For `never`, and for what must not end. */
#define DECADES (30 * 365 * 86400 * MTIME_SEC)

static bool differs(struct measurement *m, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static bool differs(struct measurement *m, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(m->why, m->size, format, args);
    va_end(args);
    return false;
}

/* How long after its limit a flow still waits for answers to probes. */
static mtime_t grace(const struct expect *expect, enum scene scene)
{
    const struct expect_probes *p = expect->probes;

    if (!p || p->before_s > 0 || scene != SCENE_ESTABLISHED)
        return 0;
    return p->interval_s * p->count * MTIME_SEC;
}

/* Just before, at, and just after: by a packet, and by looking. */
static bool figure(struct measurement *m, enum scene scene, mtime_t figure)
{
    bool never = figure == MTIME_NEVER;
    mtime_t end = never ? DECADES : figure + grace(m->expect, scene);
    char buf[DURATION_TEXT] = "0";

    if (figure > 0)
        duration_format(figure, buf, sizeof(buf));
    for (int off = figure == 0 ? 0 : -1; off <= 1; off++) {
        for (unsigned by_packet = 0; by_packet < 2; by_packet++) {
            struct play play;
            bool lives;

            play_open(&play, m->policy, scene);
            lives = by_packet ? play_known(&play, scene < SCENE_UDP_FIRST, play.silent + end + off)
                              : play_lives(&play, play.silent + end + off);
            play_close(&play);
            if (lives != (off < 0 || never))
                return differs(m, "%s: it %s %s%s%s", scene_name(scene),
                               lives ? "lives" : "is forgotten",
                               off < 0   ? "1 ns before "
                               : off > 0 ? "1 ns after "
                                         : "at ",
                               buf, by_packet ? ", says a packet" : "");
        }
    }
    return true;
}

static bool figures(struct measurement *m)
{
    for (unsigned scene = 0; scene < SCENES; scene++)
        if (m->expect->figure[scene] != EXPECT_NONE &&
            !figure(m, (enum scene)scene, m->expect->figure[scene]))
            return false;
    return true;
}

static bool expiry(struct measurement *m)
{
    mtime_t limit = m->expect->figure[SCENE_ESTABLISHED];
    unsigned resets = m->expect->expiry == EXPIRY_RESETS, client, server;
    struct play play;
    bool lives;

    /* Without a figure, or with `never`, nothing of the survey's expires. */
    if (limit == EXPECT_NONE || limit == MTIME_NEVER || m->expect->expiry == EXPIRY_UNSAID ||
        m->expect->expiry == EXPIRY_PROBES)
        return true;
    play_open(&play, m->policy, SCENE_ESTABLISHED);
    lives = play_lives(&play, play.silent + limit);
    client = play_sent(&play, SEGMENT_RESET, FLOW_CLIENT);
    server = play_sent(&play, SEGMENT_RESET, FLOW_SERVER);
    play_close(&play);
    if (lives || (client > 0) != resets || (server > 0) != resets)
        return differs(m, "at expiry %u resets go to the client, %u to the server", client, server);
    return true;
}

static bool late_packet(struct measurement *m, struct play *play, unsigned side, mtime_t at)
{
    static const bool resets[][2] = {
        [LATE_RESET] = {true, true},
        [LATE_RESET_INSIDE] = {true, false},
        [LATE_RESET_OUTSIDE] = {false, true},
        [LATE_LOOSE] = {false, false},
    };
    struct judgement j = play_packet(play, side, PLAY_DATA, at);
    unsigned sent = play_sent(play, SEGMENT_RESET, side);

    if ((j.reason == REASON_ADOPTED) != (m->expect->late == LATE_LOOSE))
        return differs(m, "a late packet of the %s: %s", flow_side_name((enum flow_side)side),
                       reason_name((enum reason)j.reason));
    if ((sent == 1) != resets[m->expect->late][side] || play->out.n_segments != sent)
        return differs(m, "a late packet of the %s is answered by %u resets",
                       flow_side_name((enum flow_side)side), sent);
    return true;
}

static bool late(struct measurement *m)
{
    mtime_t limit = m->expect->figure[SCENE_ESTABLISHED];
    bool fine = true;

    if (m->expect->late == LATE_UNSAID)
        return true;
    for (unsigned side = 0; side < 2 && fine; side++) {
        struct play play;

        /* Late for a flow that was forgotten; and one that was never seen: the UDP is another. */
        if (limit != EXPECT_NONE) {
            play_open(&play, m->policy, SCENE_ESTABLISHED);
            play_lives(&play, play.silent + limit);
            fine = late_packet(m, &play, side,
                               play.silent + limit + grace(m->expect, SCENE_ESTABLISHED) + 1);
            play_close(&play);
        }
        if (fine) {
            play_open(&play, m->policy, SCENE_UDP_FIRST);
            play.scene = SCENE_ESTABLISHED;
            fine = late_packet(m, &play, side, play.silent + MTIME_SEC);
            play_close(&play);
        }
    }
    return fine;
}

/* Half of the limit later come packets of these sides (bits): does that begin the time again? */
static bool refreshed_by(struct measurement *m, enum scene scene, unsigned sides,
                         enum play_packet what)
{
    mtime_t limit = m->expect->figure[scene], half = limit / 2;
    struct play play;
    bool lives;

    play_open(&play, m->policy, scene);
    for (unsigned side = 0; side < 2; side++)
        if (sides >> side & 1)
            play_packet(&play, side, what, play.silent + half);
    lives = play_lives(&play, play.silent + limit + grace(m->expect, scene));
    if (lives && play_lives(&play, play.silent + half + limit + grace(m->expect, scene)))
        lives = false; /* for longer than it should */
    play_close(&play);
    return lives;
}

static bool refresh_of(struct measurement *m, enum scene scene, enum expect_refresh expected)
{
    /* By the client, by the server, by both. */
    static const bool by[][3] = {
        [REFRESH_IS_BOTH] = {true, true, true},
        [REFRESH_IS_EACH] = {false, false, true},
        [REFRESH_IS_CLIENT] = {true, false, true},
        [REFRESH_IS_PAYLOAD] = {false, false, false},
        [REFRESH_IS_IN_ESTABLISHED] = {true, true, true},
    };
    mtime_t limit = m->expect->figure[scene];

    if (expected == REFRESH_IS_UNSAID || limit == EXPECT_NONE || limit == MTIME_NEVER)
        return true;
    for (unsigned sides = 1; sides < 4; sides++) {
        for (unsigned probe = 0; probe < 2; probe++)
            if (refreshed_by(m, scene, sides, probe ? PLAY_PROBE : PLAY_ACK) !=
                by[expected][sides - 1])
                return differs(m, "%s: %s of %s count otherwise", scene_name(scene),
                               probe ? "probes" : "packets",
                               sides == 1   ? "the client"
                               : sides == 2 ? "the server"
                                            : "both");
        if (expected == REFRESH_IS_PAYLOAD && !refreshed_by(m, scene, sides, PLAY_DATA))
            return differs(m, "%s: data do not count", scene_name(scene));
    }
    return true;
}

static bool refresh(struct measurement *m)
{
    static const enum scene absolute[] = {SCENE_CLOSE_WAIT, SCENE_TIME_WAIT};

    if (!refresh_of(m, SCENE_ESTABLISHED, m->expect->tcp) ||
        !refresh_of(m, SCENE_UDP_STREAM, m->expect->udp))
        return false;
    for (size_t i = 0; m->expect->tcp == REFRESH_IS_IN_ESTABLISHED && i < 2; i++)
        for (unsigned side = 0; side < 2; side++)
            if (refreshed_by(m, absolute[i], 1u << side, PLAY_ACK))
                return differs(m, "%s: packets count", scene_name(absolute[i]));
    return true;
}

static bool probe_count(struct measurement *m, struct play *play, unsigned k, unsigned asked[2])
{
    asked[0] = play_sent(play, SEGMENT_PROBE, FLOW_CLIENT);
    asked[1] = play_sent(play, SEGMENT_PROBE, FLOW_SERVER);
    if (asked[0] > 1 || asked[1] > 1 || asked[0] + asked[1] == 0 ||
        asked[0] + asked[1] != play->out.n_segments ||
        (m->expect->probes->to_both && !(asked[0] && asked[1])))
        return differs(m, "probe %u: %u to the client, %u to the server", k + 1, asked[0],
                       asked[1]);
    return true;
}

/* Nobody answers. */
static bool probes_unanswered(struct measurement *m, struct play *play, mtime_t first, mtime_t end)
{
    const struct expect_probes *p = m->expect->probes;
    unsigned asked[2];

    if (!play_lives(play, first - 1) || play->out.n_segments > 0)
        return differs(m, "it does not wait for the idle limit before it probes");
    for (unsigned k = 0; k < p->count; k++) {
        mtime_t at = first + k * p->interval_s * MTIME_SEC;

        if (k > 0 && (!play_lives(play, at - 1) || play->out.n_segments > 0))
            return differs(m, "probe %u comes early", k + 1);
        if (!play_lives(play, at) || !probe_count(m, play, k, asked))
            return m->why[0] ? false : differs(m, "it is forgotten at probe %u", k + 1);
    }
    if (!play_lives(play, end - 1) || play->out.n_segments > 0)
        return differs(m, "after the last probe it does not wait until the end");
    if (play_lives(play, end) || play->out.n_segments > 0)
        return differs(m, "unanswered, it is not forgotten silently");
    return true;
}

/* All that are asked answer the first probe, or only one of two. */
static bool probes_answered(struct measurement *m, struct play *play, mtime_t first, mtime_t end,
                            bool all)
{
    mtime_t limit = m->expect->figure[SCENE_ESTABLISHED], answer = first + MTIME_SEC;
    mtime_t until = answer + (end - play->silent);
    unsigned asked[2];

    m->why[0] = '\0';
    play_lives(play, first);
    if (!probe_count(m, play, 0, asked))
        return false;
    for (unsigned side = 0; side < (all ? 2u : 1u); side++)
        if (asked[side])
            play_packet(play, side, PLAY_ACK, answer);
    if (!all)
        return !play_lives(play, end) || differs(m, "one answer of two is enough");
    if (!play_lives(play, answer + limit - m->expect->probes->before_s * MTIME_SEC - 1) ||
        play->out.n_segments > 0)
        return differs(m, "answers do not begin the idle time again");
    if (!play_lives(play, until - 1) || play_lives(play, until))
        return differs(m, "after answers the idle time is another");
    return true;
}

static bool probing(struct measurement *m)
{
    const struct expect_probes *p = m->expect->probes;
    mtime_t limit = m->expect->figure[SCENE_ESTABLISHED];
    bool fine = true;

    /* Unanswered; answered; answered by one where both must. */
    for (unsigned run = 0; p && fine && run < (p->to_both ? 3u : 2u); run++) {
        struct play play;
        mtime_t first, end;

        play_open(&play, m->policy, SCENE_ESTABLISHED);
        first = play.silent + limit - p->before_s * MTIME_SEC;
        end = play.silent + limit + grace(m->expect, SCENE_ESTABLISHED);
        fine = run == 0 ? probes_unanswered(m, &play, first, end)
                        : probes_answered(m, &play, first, end, run == 1);
        play_close(&play);
    }
    return fine;
}

bool measure(const struct expect *expect, struct policy *policy, char *why, size_t size)
{
    struct measurement m = {expect, policy, why, size};

    why[0] = '\0';
    return figures(&m) && expiry(&m) && late(&m) && refresh(&m) && probing(&m);
}
