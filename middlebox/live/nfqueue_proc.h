/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_NFQUEUE_PROC_H
#define IDLEWALL_NFQUEUE_PROC_H

/* What the kernel tells of its queues in /proc/net/netfilter/nfnetlink_queue. */

#include <stdbool.h>
#include <stdint.h>

struct nfqueue_drops {
    uint64_t queue_full; /* the queue was at its length limit */
    uint64_t unsent;     /* it did not fit into the listener's socket buffer */
    uint32_t waiting;    /* in the queue now */
};

/* Only root may open the file; reading it later needs no right. A descriptor or a negative errno.
 */
int nfqueue_proc_open(void);
/* Sums over the queues from first to last. False if none of them is bound. */
bool nfqueue_proc_read(int fd, uint16_t first, uint16_t last, struct nfqueue_drops *drops);
bool nfqueue_is_bound(uint16_t queue);

#endif
