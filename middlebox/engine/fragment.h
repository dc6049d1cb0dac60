/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_FRAGMENT_H
#define IDLEWALL_FRAGMENT_H

/*
 * Only the first fragment of a packet says which flow it belongs to; the later ones share its fate.
 * This remembers the fates: a fixed number of slots under a keyed hash, the oldest gives way.
 */

#include "middlebox/engine/packet.h"

#define FRAGMENT_LIFETIME (30 * MTIME_SEC) /* Linux: ipfrag_time */

struct fragment_cache; /* opaque */

enum fragment_fate { FRAGMENT_UNKNOWN, FRAGMENT_ACCEPT, FRAGMENT_DROP };

/* At least `slots` slots, never more memory later. 0, -EINVAL for no slots, or -ENOMEM. */
int fragment_create(struct fragment_cache **out, uint32_t slots, const uint8_t secret[16]);
struct fragment_cache *fragment_destroy(struct fragment_cache *cache);

/* A first fragment (packet.more_fragments) was judged. What was dropped once stays dropped for its
 * lifetime: a second first fragment cannot pull it through. */
void fragment_put(struct fragment_cache *cache, const struct packet *first, mtime_t now,
                  bool accepted);

/* The fate of a PACKET_FRAGMENT. One that would overwrite bytes of the first fragment, which were
 * judged, is an attack (RFC 5722, RFC 3128): it is dropped, and all that follow. */
enum fragment_fate fragment_get(struct fragment_cache *cache, const struct packet *later,
                                mtime_t now);

#endif
