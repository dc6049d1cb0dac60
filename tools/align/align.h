/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_ALIGN_ALIGN_H
#define IDLEWALL_ALIGN_ALIGN_H

/* `idlewall align` from its options to its exit status. */

#include "tools/align/plan.h"
#include "tools/align/show.h"

struct align {
    /* as the options say; borrowed */
    const char *table_from, *path_text, *policy_from, *sockets_from, *peers_from;
    struct planned planned;
    mtime_t watch;   /* 0: one look */
    double arrivals; /* < 0: not said */
    bool plan, json;

    struct filter *filter;
    struct policy *own; /* of --policy, or the one that the firewall runs */
    struct path path;
    struct table table;
    bool has_table;
    struct socket_table sockets, peers;
};
void align_init(struct align *align);
void align_finish(struct align *align);

/* Each returns DONE or the exit status, after a message. */
int align_filter(struct align *align, int argc, char **argv);
int align_read(struct align *align);  /* everything that the options name */
int align_judge(struct align *align); /* and show */

#endif
