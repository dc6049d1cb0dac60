/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_CHAIN_H
#define IDLEWALL_CHAIN_H

/*
 * The path of a scenario as namespaces in a row: client, its firewalls, server, joined by veth
 * pairs `toclient` and `toserver`. A host that is gone is silent: neighbours are permanent entries,
 * so no gateway ever says "host unreachable" for it. What is blocked or lost on the way is dropped
 * where it arrives, before any firewall's queue.
 */

#include "tools/lab/space.h"
#include "tools/scenario/scenario.h"

#define CHAIN_PLACES (SCENARIO_FIREWALLS + 2)
#define CHAIN_CLIENT 2 /* 192.0.2.2, and the next ones after `link up with new address` */
#define CHAIN_CLIENT_LAST 30
#define CHAIN_SERVER "198.51.100.2"

struct chain {
    struct space place[CHAIN_PLACES]; /* as in scenario.h */
    size_t n;
    unsigned client; /* the last byte of the client's address now */
};

/* All of them: DONE, or the exit status after a message. */
int chain_make(struct chain *chain, const struct scenario *scenario);
/* Takes one that was never made, or half. */
void chain_remove(struct chain *chain);

/* The hosts' own figures, as sysctls of their namespaces; what the speed divides is divided. */
int chain_sysctls(const struct chain *chain, const struct scenario *scenario, unsigned speed);

/* A host's place only: what `from` sends does not reach its TCP, or does not leave its link. */
int chain_block(const struct chain *chain, unsigned place, enum flow_side from, bool on);
/* The nth packets (from 1, counted from now, ascending) of that side on the link are lost. */
int chain_lose(const struct chain *chain, unsigned link, enum flow_side from, const uint32_t *nth,
               size_t n);
/* That host's link. Down: nothing passes it, and nobody is told. */
int chain_link(struct chain *chain, unsigned place, bool up, bool new_address);
/* Nothing more is sent or heard by that host; tapes see none of it. */
int chain_quiet(const struct chain *chain, unsigned place, bool on);
/* All its TCP sockets are gone (SOCK_DESTROY). */
int chain_forget_sockets(const struct chain *chain, unsigned place);

#endif
