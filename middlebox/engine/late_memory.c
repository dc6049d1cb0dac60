/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/late_memory.h"

#include <stdlib.h>
#include <string.h>

void late_memory_init(struct late_memory *m, uint32_t count, mtime_t duration)
{
    *m = (struct late_memory){.count = count, .duration = duration};
}

static struct late_entry *entry_at(const struct late_memory *m, uint32_t i)
{
    return &m->ring[(m->oldest + i) % m->count];
}

void late_memory_finish(struct late_memory *m)
{
    for (uint32_t i = 0; i < m->used; i++)
        policy_unref(entry_at(m, i)->policy);
    free(m->ring);
    free(m->chains);
    late_memory_init(m, m->count, m->duration);
}

void late_memory_configure(struct late_memory *m, uint32_t count, mtime_t duration)
{
    if (count != m->count)
        late_memory_finish(m);
    m->count = count;
    m->duration = duration;
}

static bool ready(struct late_memory *m)
{
    uint32_t chains = 16;

    if (m->ring)
        return true;
    if (m->count == 0)
        return false;
    while (chains < m->count && chains < 1u << 30)
        chains *= 2;
    /* calloc: of a large ring only what is used becomes resident. */
    m->ring = calloc(m->count, sizeof(*m->ring));
    m->chains = calloc(chains, sizeof(*m->chains));
    if (!m->ring || !m->chains) {
        free(m->ring);
        free(m->chains);
        m->ring = NULL;
        m->chains = NULL;
        return false;
    }
    m->mask = chains - 1;
    m->oldest = m->used = 0;
    return true;
}

static void drop_oldest(struct late_memory *m)
{
    struct late_entry *e = entry_at(m, 0);
    uint32_t *link = &m->chains[e->hash & m->mask];

    while (*link != (uint32_t)(e - m->ring) + 1)
        link = &m->ring[*link - 1].next;
    *link = e->next;
    e->policy = policy_unref(e->policy);
    m->oldest = (m->oldest + 1) % m->count;
    m->used--;
}

void late_memory_put(struct late_memory *m, uint64_t hash, const struct late_entry *entry)
{
    struct late_entry *e;
    uint32_t *chain;

    if (!ready(m))
        return;
    if (m->used == m->count)
        drop_oldest(m);
    e = entry_at(m, m->used++);
    *e = *entry;
    e->hash = hash;
    policy_ref(e->policy);
    /* The youngest first: an older entry of the same key is never found again. */
    chain = &m->chains[hash & m->mask];
    e->next = *chain;
    *chain = (uint32_t)(e - m->ring) + 1;
}

const struct late_entry *late_memory_find(const struct late_memory *m, uint64_t hash,
                                          const struct flow_key *key, mtime_t now)
{
    if (!m->ring)
        return NULL;
    for (uint32_t i = m->chains[hash & m->mask]; i; i = m->ring[i - 1].next) {
        const struct late_entry *e = &m->ring[i - 1];

        if (flow_key_equal(&e->key, key))
            return now < mtime_add(e->ended, m->duration) ? e : NULL;
    }
    return NULL;
}

void late_memory_purge(struct late_memory *m, mtime_t now)
{
    if (!m->ring)
        return;
    for (unsigned n = 0; n < 64 && m->used && now >= mtime_add(entry_at(m, 0)->ended, m->duration);
         n++)
        drop_oldest(m);
    if (m->used == 0)
        late_memory_finish(m);
}

uint64_t late_memory_bytes(const struct late_memory *m)
{
    return m->ring ? (uint64_t)m->count * sizeof(*m->ring) + (m->mask + 1ull) * sizeof(*m->chains)
                   : 0;
}
