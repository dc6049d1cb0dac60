/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/keepalive.h"

bool keepalive_is_probe(const struct tcp_track *t, unsigned dir, const struct packet *p)
{
    if (p->seq + 1 != t->end[dir] || p->payload_len > 1 ||
        (p->flags & (TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK)) != TCP_ACK)
        return false;
    /* One byte there, not acknowledged so far, is that byte again. */
    return p->payload_len == 0 || !(t->flags[dir] & TCP_SIDE_UNACKED);
}

void keepalive_probe(struct flow_extra *extra, unsigned dir, const struct packet *p, mtime_t now)
{
    struct flow_keepalive *k = &extra->keepalive[dir];

    /* Unanswered ones repeat at another interval (TCP_KEEPINTVL): only an answered one starts a new
     * idle time. */
    if (k->seen > 0 && !extra->awaited[dir])
        k->interval = now - k->last;
    k->seen++;
    k->last = now;
    k->length = (uint8_t)p->payload_len;
    extra->awaited[dir] = true;
}

bool keepalive_answer(struct flow_extra *extra, const struct tcp_track *t, unsigned dir,
                      const struct packet *p)
{
    unsigned prober = !dir;

    if (!extra->awaited[prober] || !(p->flags & TCP_ACK) || p->ack != t->end[prober])
        return false;
    extra->keepalive[prober].answered++;
    extra->awaited[prober] = false;
    return true;
}
