/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_RULES_H
#define IDLEWALL_RULES_H

/* Puts the rules that bring packets to the queue into the kernel and takes exactly them out again.
 */

#include "middlebox/live/rules_text.h"

/* What happened that the operator should know; without newline. */
typedef void (*rules_say_fn)(const char *message);

enum rules_backend { RULES_NONE, RULES_IPTABLES, RULES_NFT };

/*
 * Installs plan's rules in place of those a predecessor on the same queue left behind, and removes
 * rules left by dead daemons on other queues unless they keep traffic closed on purpose. nft where
 * the kernel can queue from there, else iptables and ip6tables. 0 or a negative errno, the reason
 * having been said.
 */
int rules_install(const struct rules_plan *plan, enum rules_backend *backend, rules_say_fn say);
/* Removes the rules of that first queue. 0 or a negative errno, the reason having been said. */
int rules_remove(uint16_t queue, enum rules_backend backend, rules_say_fn say);

/* Says what is set up on this machine that takes packets past the queue: flow tables, bridges. */
void rules_say_bypassed(const struct rules_plan *plan, rules_say_fn say);

#endif
