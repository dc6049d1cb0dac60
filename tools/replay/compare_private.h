/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_REPLAY_COMPARE_PRIVATE_H
#define IDLEWALL_REPLAY_COMPARE_PRIVATE_H

#include "tools/replay/compare.h"
#include "tools/replay/summary_private.h"

/* The profile of the default rule: what most connections meet. */
const struct policy_profile *compared_profile(const struct compared *compared);

struct compared_server {
    struct server_key key;
    uint64_t most, *broken; /* broken: by firewall; most: of them */
};
/* Those to which any firewall breaks connections, the most broken first. */
struct compared_servers {
    struct compared_server *rows;
    size_t n;
    uint64_t *broken; /* what the rows' point into */
};
/* 0 or -ENOMEM; to be finished after 0. */
int compared_servers_init(struct compared_servers *servers, const struct compared *compared,
                          size_t n);
void compared_servers_finish(struct compared_servers *servers);
/* `198.51.100.2:1521`. */
void compared_server_text(const struct server_key *key, char text[80]);

#endif
