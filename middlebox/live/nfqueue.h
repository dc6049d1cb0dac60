/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_NFQUEUE_H
#define IDLEWALL_NFQUEUE_H

/* One kernel queue: packets in batches, verdicts in one send a batch. */

#include "middlebox/engine/packet.h"

#include <stdint.h>

#define NFQUEUE_BATCH 64

struct nfqueue;

/* Binds the queue. 0, -EBUSY when another program listens to it, -EPERM, or another negative errno.
 */
int nfqueue_create(struct nfqueue **out, uint16_t number);
struct nfqueue *nfqueue_destroy(struct nfqueue *queue);
int nfqueue_fd(const struct nfqueue *queue);

struct nfqueue_batch {
    unsigned n;
    uint32_t id[NFQUEUE_BATCH];
    struct packet
        packet[NFQUEUE_BATCH]; /* data lives until the next receive; time is left to the caller */
    bool drop[NFQUEUE_BATCH];  /* filled by the caller before nfqueue_verdicts() */
    int64_t
        stamp; /* Unix time (ns) at which the kernel saw the oldest of them, 0 where it took none */
};

/* Receives without waiting. 0 also when there was nothing; -ENOBUFS when the kernel had to throw
 * packets away because the socket's buffer was full; another negative errno. */
int nfqueue_receive(struct nfqueue *queue, struct nfqueue_batch *batch);
int nfqueue_verdicts(struct nfqueue *queue, const struct nfqueue_batch *batch);

#endif
