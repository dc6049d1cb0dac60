/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_TAP_H
#define IDLEWALL_TAP_H

/* Events on their way from a queue's thread to the control thread. Of fixed length: when the
 * control thread does not keep up, events are lost and counted; packets never wait for it. */

#include "middlebox/record/event.h"

#include <pthread.h>
#include <stddef.h>

#define TAP_LENGTH 4096

struct tap {
    pthread_mutex_t lock;
    struct event *events; /* a ring */
    size_t first, n;
    uint64_t lost;
    int wake; /* eventfd, borrowed: raised when something comes into an empty tap */
};

int tap_init(struct tap *tap, int wake); /* 0 or -ENOMEM */
void tap_finish(struct tap *tap);
/* Copies them, with a reference to each flow's policy. */
void tap_put(struct tap *tap, const struct event *events, size_t n);
/* Up to n events; each one's flow.policy is a reference to be given up. *lost is how many went
 * missing since the last call. */
size_t tap_take(struct tap *tap, struct event *events, size_t n, uint64_t *lost);

#endif
