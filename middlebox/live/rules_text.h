/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_RULES_TEXT_H
#define IDLEWALL_RULES_TEXT_H

/* What our rules look like, and how to tell them from everybody else's. Text only. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Set on every packet we send, beside the mark of the packet it answers; the rules let it pass. */
#define RULES_MARK 0x40000000u

enum rules_hook { RULES_FORWARD, RULES_LOCAL };

struct rules_scope {
    uint8_t proto; /* IPPROTO_TCP or IPPROTO_UDP */
    uint16_t low, high;
};
#define RULES_SCOPES 64

struct rules_plan {
    enum rules_hook hook;
    struct rules_scope scope[RULES_SCOPES]; /* either port, so both directions; none: everything */
    size_t n_scope;
    uint16_t queue_first;
    uint16_t queue_last;
    bool fail_open; /* let packets pass while nobody listens to the queue */
};

/* Our chain in iptables and our table in nft are called `idlewall_N`, N the first queue. */
#define RULES_NAME_MAX 24
void rules_name(char name[static RULES_NAME_MAX], uint16_t queue);

/* Input for `iptables-restore --noflush`; listing is what `iptables -t mangle -S` said. One
 * transaction, so that no packet sees half of it: rules of ours that are there give way to the new
 * ones. */
void rules_iptables_install(FILE *to, const struct rules_plan *plan, const char *listing);
/* The same to remove all of queue's rules. False if there are none. */
bool rules_iptables_remove(FILE *to, uint16_t queue, const char *listing);
/* The first queue of some idlewalld whose rules the listing has, starting at *at; false at the end.
 */
bool rules_iptables_find(const char *listing, size_t *at, uint16_t *queue, bool *fail_open);

/* Input for `nft -f -`. */
void rules_nft_install(FILE *to, const struct rules_plan *plan);
void rules_nft_remove(FILE *to, uint16_t queue);

/* `tcp/1521,udp/5000-5010`. 0 or -EINVAL with the reason in *why (static). */
int rules_scope_parse(struct rules_plan *plan, const char *text, const char **why);

#endif
