/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/tcp_state.h"

#include <string.h>

/* Beside the states a transition can be "ignored" and "invalid". */
enum { IGNORED = FLOW_STATES, INVALID };

enum tcp_kind tcp_kind_of(uint8_t flags)
{
    if (flags & TCP_RST)
        return TCP_KIND_RST;
    if (flags & TCP_SYN)
        return flags & TCP_ACK ? TCP_KIND_SYNACK : TCP_KIND_SYN;
    if (flags & TCP_FIN)
        return TCP_KIND_FIN;
    return flags & TCP_ACK ? TCP_KIND_ACK : TCP_KIND_NONE;
}

bool tcp_flags_valid(uint8_t flags)
{
    switch (flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK | TCP_URG)) {
    case TCP_SYN:
    case TCP_SYN | TCP_URG:
    case TCP_SYN | TCP_ACK:
    case TCP_RST:
    case TCP_RST | TCP_ACK:
    case TCP_FIN | TCP_ACK:
    case TCP_FIN | TCP_ACK | TCP_URG:
    case TCP_ACK:
    case TCP_ACK | TCP_URG:
        return true;
    }
    return false;
}

enum flow_state tcp_state_open(const struct packet *p)
{
    switch (tcp_kind_of(p->flags)) {
    case TCP_KIND_SYN:
        return FLOW_SYN_SENT;
    case TCP_KIND_ACK:
        return FLOW_ESTABLISHED;
    case TCP_KIND_SYNACK:
    case TCP_KIND_FIN:
    case TCP_KIND_RST:
    case TCP_KIND_NONE:
        break;
    }
    return FLOW_NONE;
}

/* A FIN or an ACK means the same whoever sent it, but for the handshake. */
static unsigned after_fin(enum flow_state s)
{
    switch (s) {
    case FLOW_SYN_RECV:
    case FLOW_ESTABLISHED:
        return FLOW_FIN_WAIT;
    case FLOW_FIN_WAIT:
    case FLOW_CLOSE_WAIT:
    case FLOW_LAST_ACK:
        return FLOW_LAST_ACK;
    case FLOW_TIME_WAIT:
    case FLOW_CLOSE:
        return s;
    case FLOW_NONE:
    case FLOW_SYN_SENT:
    case FLOW_SYN_SENT2:
    case FLOW_UNREPLIED:
    case FLOW_REPLIED:
        break;
    }
    return INVALID;
}

static unsigned after_ack(enum flow_state s, unsigned dir)
{
    switch (s) {
    case FLOW_SYN_SENT:
    case FLOW_SYN_SENT2:
        /* From the server: it may hold half of an older connection (RFC 9293 3.5.1). */
        return dir ? IGNORED : INVALID;
    case FLOW_SYN_RECV:
        return dir ? FLOW_SYN_RECV : FLOW_ESTABLISHED;
    case FLOW_ESTABLISHED:
        return FLOW_ESTABLISHED;
    case FLOW_FIN_WAIT:
    case FLOW_CLOSE_WAIT:
        return FLOW_CLOSE_WAIT;
    case FLOW_LAST_ACK:
    case FLOW_TIME_WAIT:
        return FLOW_TIME_WAIT;
    case FLOW_CLOSE:
        return FLOW_CLOSE;
    case FLOW_NONE:
    case FLOW_UNREPLIED:
    case FLOW_REPLIED:
        break;
    }
    return INVALID;
}

static unsigned after_syn(enum flow_state s, unsigned dir)
{
    switch (s) {
    case FLOW_SYN_SENT:
        return dir ? FLOW_SYN_SENT2 : FLOW_SYN_SENT;
    case FLOW_SYN_SENT2:
        return FLOW_SYN_SENT2;
    case FLOW_TIME_WAIT:
        return FLOW_SYN_SENT;
    case FLOW_CLOSE:
        return dir ? INVALID : FLOW_SYN_SENT;
    case FLOW_SYN_RECV:
    case FLOW_ESTABLISHED:
    case FLOW_FIN_WAIT:
    case FLOW_CLOSE_WAIT:
    case FLOW_LAST_ACK:
        return dir ? INVALID : IGNORED;
    case FLOW_NONE:
    case FLOW_UNREPLIED:
    case FLOW_REPLIED:
        break;
    }
    return INVALID;
}

static unsigned after_synack(enum flow_state s, unsigned dir)
{
    switch (s) {
    case FLOW_SYN_SENT:
        return dir ? FLOW_SYN_RECV : INVALID;
    case FLOW_SYN_SENT2:
        return FLOW_SYN_RECV;
    case FLOW_SYN_RECV:
        return dir ? IGNORED : FLOW_SYN_RECV;
    case FLOW_ESTABLISHED:
    case FLOW_FIN_WAIT:
    case FLOW_CLOSE_WAIT:
    case FLOW_LAST_ACK:
    case FLOW_TIME_WAIT:
    case FLOW_CLOSE:
        return dir ? IGNORED : INVALID;
    case FLOW_NONE:
    case FLOW_UNREPLIED:
    case FLOW_REPLIED:
        break;
    }
    return INVALID;
}

static unsigned after(enum flow_state s, unsigned dir, enum tcp_kind kind)
{
    switch (kind) {
    case TCP_KIND_SYN:
        return after_syn(s, dir);
    case TCP_KIND_SYNACK:
        return after_synack(s, dir);
    case TCP_KIND_FIN:
        return after_fin(s);
    case TCP_KIND_ACK:
        return after_ack(s, dir);
    case TCP_KIND_RST:
        return FLOW_CLOSE;
    case TCP_KIND_NONE:
        break;
    }
    return INVALID;
}

static bool is_closing(enum flow_state s)
{
    return s == FLOW_FIN_WAIT || s == FLOW_LAST_ACK || s == FLOW_TIME_WAIT || s == FLOW_CLOSE ||
           s == FLOW_CLOSE_WAIT;
}

/* We let a SYN pass that made no sense to us; the server accepts it: the ends are right, we were
 * out of step. */
static void resync(struct tcp_track *t, unsigned dir)
{
    unsigned c = t->last_dir;

    t->end[c] = t->maxend[c] = t->last_end;
    t->maxwin[c] = t->last_win ? t->last_win : 1;
    t->scale[c] = t->last_wscale;
    t->flags[c] = (uint8_t)((t->last_flags & TCP_LAST_SCALES ? TCP_SIDE_SCALES : 0) |
                            (t->last_flags & TCP_LAST_SACK ? TCP_SIDE_SACK : 0));
    t->last_flags &= (uint8_t)~TCP_LAST_CHALLENGE & 0xf;
    t->end[dir] = t->maxend[dir] = t->maxwin[dir] = t->maxack[dir] = 0;
    t->scale[dir] = 0;
    t->flags[dir] &= TCP_SIDE_LIBERAL;
}

static void note_ignored(struct tcp_track *t, enum flow_state state, unsigned dir,
                         enum tcp_kind kind, const struct packet *p)
{
    t->last_kind = kind & 0xf;
    t->last_dir = dir & 1;
    t->last_seq = p->seq;
    t->last_end = tcp_segment_end(p);
    t->last_win = p->window;
    /* It may challenge the SYN (RFC 5961 4.2), and the RST that follows has this number. */
    if (state == FLOW_SYN_SENT && kind == TCP_KIND_ACK && dir == 1)
        t->last_ack = p->ack;
    if (kind != TCP_KIND_SYN || dir != 0)
        return;
    t->last_wscale = p->has_wscale ? p->wscale & 0xf : 0;
    t->last_flags =
        (uint8_t)((p->has_wscale ? TCP_LAST_SCALES : 0) | (p->sack_permitted ? TCP_LAST_SACK : 0) |
                  /* RFC 5961 4: what comes back may be a challenge, not the last ACK. */
                  (state == FLOW_LAST_ACK ? TCP_LAST_CHALLENGE : 0)) &
        0xf;
}

/* How a RST is judged (RFC 5961 3.2 seen from the middle). *next may go back to the flow's own
 * state: a RST that is not exact will be challenged by its receiver, so the flow may live on. */
enum rst_effect { RST_WINDOW, RST_UNCHECKED, RST_INVALID };

static enum rst_effect judge_rst(const struct tcp_flow *f, unsigned dir, const struct packet *p,
                                 unsigned *next)
{
    const struct tcp_track *t = f->track;
    unsigned other = !dir;
    bool established =
        f->state == FLOW_ESTABLISHED && f->assured; /* nf_conntrack_tcp_established() */

    /* The ports may be in use again already: nothing we know is worth checking against. */
    if (is_closing(f->state))
        return RST_UNCHECKED;
    if (t->flags[other] & TCP_SIDE_MAXACK && t->last_kind != TCP_KIND_SYN) {
        if (p->seq == 0 && !established)
            return RST_WINDOW;
        if (seq_before(p->seq, t->maxack[other]))
            return RST_INVALID;
        if (!established || p->seq == t->maxack[other])
            return RST_WINDOW;
        /* Right behind data from the same side: part of the same train. */
        if (t->last_kind == TCP_KIND_ACK && t->last_dir == dir && p->seq == t->last_end)
            return RST_WINDOW;
        *next = f->state;
    }
    /* The answer to a SYN or an ACK that we had let pass unchecked. */
    if (((f->reply && t->last_kind == TCP_KIND_SYN && t->last_dir != dir) ||
         (!f->assured && t->last_kind == TCP_KIND_ACK)) &&
        p->ack_field == t->last_end)
        return RST_UNCHECKED;
    /* The answer to a challenge ACK (RFC 5961 4.2). */
    if (f->state == FLOW_SYN_SENT && t->last_kind == TCP_KIND_ACK && t->last_dir == 1 &&
        p->seq == t->last_ack)
        return RST_UNCHECKED;
    return RST_WINDOW;
}

static enum tcp_outcome finish(struct tcp_flow *f, unsigned dir, enum tcp_kind kind,
                               unsigned new_state)
{
    struct tcp_track *t = f->track;
    enum flow_state old = f->state;

    t->last_kind = kind & 0xf;
    t->last_dir = dir & 1;
    f->state = (enum flow_state)new_state;
    if (old != f->state && f->state == FLOW_FIN_WAIT)
        t->flags[dir] |= TCP_SIDE_CLOSE_INIT;

    if (!f->reply) {
        if (kind == TCP_KIND_RST)
            return TCP_GONE;
        if (kind == TCP_KIND_SYN && old == FLOW_SYN_SENT)
            return TCP_KEEP;
    } else if (!f->assured && (old == FLOW_SYN_RECV || old == FLOW_ESTABLISHED) &&
               f->state == FLOW_ESTABLISHED) {
        f->assured = true;
    }
    return TCP_REFRESH;
}

/* nf_tcp_handle_invalid(): a FIN or RST out of window is noted, and one from the other side as well
 * means that we are out of step with a connection that ends. */
static enum tcp_outcome note_invalid(struct tcp_flow *f, unsigned dir, enum tcp_kind kind)
{
    struct tcp_track *t = f->track;

    if (!f->assured || (kind != TCP_KIND_RST && kind != TCP_KIND_FIN))
        return TCP_INVALID;
    if (t->last_dir != dir && (t->last_kind == TCP_KIND_FIN || t->last_kind == TCP_KIND_RST))
        return TCP_DOUBT;
    t->last_kind = kind & 0xf;
    t->last_dir = dir & 1;
    return TCP_INVALID;
}

static bool ignored_syn_answered(const struct tcp_track *t, unsigned dir, enum tcp_kind kind,
                                 const struct packet *p)
{
    return kind == TCP_KIND_SYNACK && t->last_kind == TCP_KIND_SYN && t->last_dir != dir &&
           p->ack == t->last_end;
}

enum tcp_outcome tcp_state_segment(struct tcp_flow *f, unsigned dir, const struct packet *p)
{
    struct tcp_track *t = f->track;
    enum tcp_kind kind = tcp_kind_of(p->flags);
    unsigned next = after(f->state, dir, kind);

    if (next == INVALID)
        return TCP_INVALID;

    if (next == FLOW_SYN_SENT && (f->state == FLOW_TIME_WAIT || f->state == FLOW_CLOSE)) {
        /* RFC 9293 3.6.1 and aborted connections: closed by FIN, or by this side's RST. */
        if ((t->flags[0] | t->flags[1]) & TCP_SIDE_CLOSE_INIT ||
            (t->last_dir == dir && t->last_kind == TCP_KIND_RST))
            return TCP_REOPEN;
        next = IGNORED;
    }
    if (next == IGNORED) {
        if (!ignored_syn_answered(t, dir, kind, p)) {
            note_ignored(t, f->state, dir, kind, p);
            return TCP_IGNORE;
        }
        resync(t, dir);
        f->state = FLOW_SYN_SENT;
        next = FLOW_SYN_RECV;
    }
    if (next == FLOW_TIME_WAIT && f->state == FLOW_LAST_ACK && kind == TCP_KIND_ACK &&
        t->last_dir != dir && t->last_kind == TCP_KIND_SYN && t->last_flags & TCP_LAST_CHALLENGE) {
        t->last_flags &= (uint8_t)~TCP_LAST_CHALLENGE & 0xf;
        return TCP_IGNORE;
    }
    if (next == FLOW_SYN_SENT2)
        t->last_flags |= TCP_LAST_SIMULTANEOUS;
    if (next == FLOW_SYN_RECV && dir == 1 && kind == TCP_KIND_ACK &&
        t->last_flags & TCP_LAST_SIMULTANEOUS)
        next = FLOW_ESTABLISHED;

    if (kind == TCP_KIND_RST) {
        switch (judge_rst(f, dir, p, &next)) {
        case RST_INVALID:
            return TCP_INVALID;
        case RST_UNCHECKED:
            return finish(f, dir, kind, next);
        case RST_WINDOW:
            break;
        }
    }
    switch (tcp_window_segment(t, dir, kind, f->state, p)) {
    case TCP_WINDOW_DELAYED:
        return TCP_IGNORE;
    case TCP_WINDOW_OUT:
        return note_invalid(f, dir, kind);
    case TCP_WINDOW_IN:
        break;
    }
    return finish(f, dir, kind, next);
}

static enum policy_timeout timeout_of_state(enum flow_state state,
                                            const struct policy_profile *profile)
{
    if (profile->half_close == HALF_CLOSE_BOTH_FINS &&
        (state == FLOW_FIN_WAIT || state == FLOW_CLOSE_WAIT))
        return TIMEOUT_TCP_ESTABLISHED;
    switch (state) {
    case FLOW_NONE:
    case FLOW_SYN_SENT:
    case FLOW_SYN_SENT2:
    case FLOW_UNREPLIED:
    case FLOW_REPLIED:
        return TIMEOUT_TCP_SYN_SENT;
    case FLOW_SYN_RECV:
        return TIMEOUT_TCP_SYN_RECV;
    case FLOW_ESTABLISHED:
        return TIMEOUT_TCP_ESTABLISHED;
    case FLOW_FIN_WAIT:
        return TIMEOUT_TCP_FIN_WAIT;
    case FLOW_CLOSE_WAIT:
        return TIMEOUT_TCP_CLOSE_WAIT;
    case FLOW_LAST_ACK:
        return TIMEOUT_TCP_LAST_ACK;
    case FLOW_TIME_WAIT:
        return TIMEOUT_TCP_TIME_WAIT;
    case FLOW_CLOSE:
        return TIMEOUT_TCP_CLOSE;
    }
    return TIMEOUT_TCP_SYN_SENT;
}

static bool is_opening(enum flow_state s)
{
    return s == FLOW_SYN_SENT || s == FLOW_SYN_SENT2 || s == FLOW_SYN_RECV;
}

unsigned tcp_state_choice(const struct tcp_flow *f, const struct policy_profile *profile,
                          enum tcp_kind kind)
{
    const struct tcp_track *t = f->track;
    unsigned choice = f->state;

    if (t->retrans >= profile->max_retrans)
        choice |= CHOICE_RETRANS;
    if (kind == TCP_KIND_RST)
        choice |= CHOICE_RST;
    if ((t->flags[0] | t->flags[1]) & TCP_SIDE_UNACKED)
        choice |= CHOICE_UNACKED;
    /* The kernel asks this of the handshake too, where last_win is always 0: with its own figures
     * that is the same, with a long tcp-syn-sent it would not be. */
    if (t->last_win == 0 && !is_opening(f->state))
        choice |= CHOICE_ZERO_WINDOW;
    if (f->state != FLOW_ESTABLISHED)
        return choice;
    return choice | (f->data ? 0 : CHOICE_NO_DATA) | (f->reply ? 0 : CHOICE_NO_REPLY);
}

enum policy_timeout tcp_choice_timeout(unsigned choice, const struct policy_profile *profile)
{
    enum policy_timeout own = timeout_of_state((enum flow_state)(choice & CHOICE_STATE), profile);
    mtime_t limit = profile->timeout[own];
    enum policy_timeout chosen = own;

    if (choice & CHOICE_RETRANS && limit > profile->timeout[TIMEOUT_TCP_MAX_RETRANS])
        chosen = TIMEOUT_TCP_MAX_RETRANS;
    else if (choice & CHOICE_RST)
        chosen = TIMEOUT_TCP_CLOSE;
    else if (choice & CHOICE_UNACKED && limit > profile->timeout[TIMEOUT_TCP_UNACKNOWLEDGED])
        chosen = TIMEOUT_TCP_UNACKNOWLEDGED;
    else if (choice & CHOICE_ZERO_WINDOW && limit > profile->timeout[TIMEOUT_TCP_MAX_RETRANS])
        chosen = TIMEOUT_TCP_MAX_RETRANS;

    if (choice & CHOICE_NO_DATA && profile->timeout[chosen] > profile->timeout[TIMEOUT_TCP_NO_DATA])
        chosen = TIMEOUT_TCP_NO_DATA;
    /* Picked up, no answer yet: not the long timeout. */
    if (choice & CHOICE_NO_REPLY &&
        profile->timeout[chosen] > profile->timeout[TIMEOUT_TCP_UNACKNOWLEDGED])
        chosen = TIMEOUT_TCP_UNACKNOWLEDGED;
    return chosen;
}
