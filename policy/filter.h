/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_FILTER_H
#define IDLEWALL_FILTER_H

/*
 * pcap-filter expressions over a flow's tuple, client to server (design section 6). Not on flags,
 * payload, lengths or link layer: header offsets and such primitives are refused when compiled.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct filter; /* immutable; safe to match from several threads */

struct filter_tuple {
    uint8_t family;     /* 4 or 6 */
    uint8_t proto;      /* IPPROTO_* */
    uint8_t client[16]; /* IPv4 in the first four bytes; network byte order */
    uint8_t server[16];
    uint16_t client_port; /* host byte order; 0 where the protocol has none */
    uint16_t server_port;
};

/* 0; -EINVAL with a message in why (always NUL-terminated); -ENOMEM. An empty expression matches
 * all. */
int filter_compile(struct filter **out, const char *expression, char *why, size_t why_size);
struct filter *filter_destroy(struct filter *filter);
bool filter_match(const struct filter *filter, const struct filter_tuple *tuple);

#endif
