/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_LINK_H
#define IDLEWALL_LINK_H

/* What the privileged parent and its worker say to each other, over a socket pair of
 * SOCK_SEQPACKET. Neither ever waits for the other in the middle of a message. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum link_kind {
    LINK_READY,  /* worker: the queue is bound and a policy in force; flag: `fail closed` */
    LINK_FAIL,   /* worker: a reload changed `fail`; flag as above */
    LINK_ASK,    /* worker: read the policy file again */
    LINK_POLICY, /* parent: here it is (passed, in a file of memory), or why it could not be read
                  * (why); flag: answers LINK_ASK */
};

struct link_message {
    uint32_t kind; /* enum link_kind */
    bool flag;
    char why[256];
};

/* passed is a descriptor to hand over, or -1. 0 or a negative errno. */
int link_send(int fd, const struct link_message *message, int passed);
/* 1, 0 at the end (the other one is gone), or a negative errno. *passed is -1 or now the caller's.
 */
int link_receive(int fd, struct link_message *message, int *passed);

#endif
