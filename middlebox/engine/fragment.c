/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/fragment.h"

#include <errno.h>
#include <stdlib.h>

#define WAYS 4

struct entry {
    struct flow_key key;
    mtime_t expires; /* 0: empty */
    uint32_t end;    /* of the first fragment */
    uint32_t fate;   /* enum fragment_fate */
};

struct set {
    struct entry way[WAYS];
};

struct fragment_cache {
    uint8_t secret[16];
    uint64_t mask;
    struct set sets[];
};

int fragment_create(struct fragment_cache **out, uint32_t slots, const uint8_t secret[16])
{
    struct fragment_cache *cache;
    size_t sets = 1;

    if (slots == 0)
        return -EINVAL;
    while (sets * WAYS < slots)
        sets *= 2;
    cache = calloc(1, sizeof(*cache) + sets * sizeof(cache->sets[0]));
    if (!cache)
        return -ENOMEM;
    memcpy(cache->secret, secret, sizeof(cache->secret));
    cache->mask = sets - 1;
    *out = cache;
    return 0;
}

struct fragment_cache *fragment_destroy(struct fragment_cache *cache)
{
    free(cache);
    return NULL;
}

/*
 * What a receiver reassembles by, with its direction (RFC 791 3.2, RFC 8200 4.5). Read from the
 * packet: the key of an ICMP error is the quoted packet's, and in IPv6 only the first fragment's
 * next header counts.
 */
static void reassembly_key(struct flow_key *key, const struct packet *p)
{
    const uint8_t *d = p->data;

    memset(key, 0, sizeof(*key));
    key->family = d[0] >> 4;
    if (key->family == 4) {
        memcpy(key->addr[0], d + 12, 4);
        memcpy(key->addr[1], d + 16, 4);
        key->proto = d[9];
    } else {
        memcpy(key->addr[0], d + 8, 16);
        memcpy(key->addr[1], d + 24, 16);
    }
    key->port[0] = (uint16_t)(p->fragment_id >> 16);
    key->port[1] = (uint16_t)p->fragment_id;
}

static struct set *set_of(struct fragment_cache *cache, const struct flow_key *key)
{
    return &cache->sets[flow_key_hash(key, cache->secret) & cache->mask];
}

static struct entry *find(struct set *set, const struct flow_key *key, mtime_t now)
{
    for (unsigned i = 0; i < WAYS; i++) {
        struct entry *entry = &set->way[i];

        if (now < entry->expires && flow_key_equal(&entry->key, key))
            return entry;
    }
    return NULL;
}

static struct entry *oldest(struct set *set)
{
    struct entry *entry = &set->way[0];

    for (unsigned i = 1; i < WAYS; i++)
        if (set->way[i].expires < entry->expires)
            entry = &set->way[i];
    return entry;
}

void fragment_put(struct fragment_cache *cache, const struct packet *first, mtime_t now,
                  bool accepted)
{
    struct flow_key key;
    struct set *set;
    struct entry *entry;

    reassembly_key(&key, first);
    set = set_of(cache, &key);
    entry = find(set, &key, now);
    if (entry && entry->fate == FRAGMENT_DROP && accepted)
        return;
    if (!entry) {
        entry = oldest(set);
        *entry = (struct entry){.key = key};
    }
    entry->expires = mtime_add(now, FRAGMENT_LIFETIME);
    entry->fate = accepted ? FRAGMENT_ACCEPT : FRAGMENT_DROP;
    if (first->fragment_end > entry->end)
        entry->end = first->fragment_end;
}

enum fragment_fate fragment_get(struct fragment_cache *cache, const struct packet *later,
                                mtime_t now)
{
    struct flow_key key;
    struct entry *entry;

    reassembly_key(&key, later);
    entry = find(set_of(cache, &key), &key, now);
    if (!entry)
        return FRAGMENT_UNKNOWN;
    if (later->fragment_start < entry->end)
        entry->fate = FRAGMENT_DROP;
    return (enum fragment_fate)entry->fate;
}
