/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/sweep_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FEWEST_CHAINS 1024

static const uint8_t secret[16] = "idlewall sweep";

static uint32_t *chain_of(const struct sweep_shard *shard, const struct flow_key *key)
{
    return &shard->chains[flow_key_hash(key, secret) & shard->mask];
}

struct parted *parted_find(const struct sweep_shard *shard, const struct flow_key *key)
{
    if (shard->n_parted == 0)
        return NULL;
    for (uint32_t n = *chain_of(shard, key); n != 0; n = shard->parted[n - 1]->chain)
        if (flow_key_equal(&shard->parted[n - 1]->key, key))
            return shard->parted[n - 1];
    return NULL;
}

struct parted *parted_at(const struct sweep_shard *shard, uint32_t number,
                         const struct flow_key *key)
{
    struct parted *parted = number > 0 ? shard->parted[number - 1] : NULL;

    return parted && parted->n > 0 && flow_key_equal(&parted->key, key) ? parted : NULL;
}

/* Room for one more, and chains for all. */
static int grow(struct sweep_shard *shard)
{
    uint32_t room = shard->parted_room ? 2 * shard->parted_room : FEWEST_CHAINS;
    struct parted **parted = realloc(shard->parted, room * sizeof(struct parted *));
    uint32_t *chains;

    if (!parted)
        return -ENOMEM;
    shard->parted = parted;
    chains = calloc(room, sizeof(*chains));
    if (!chains)
        return -ENOMEM;
    free(shard->chains);
    shard->chains = chains;
    shard->mask = room - 1;
    for (uint32_t i = 0; i < shard->parted_room; i++) {
        uint32_t *chain = chain_of(shard, &parted[i]->key);

        parted[i]->chain = *chain;
        *chain = i + 1;
    }
    memset(parted + shard->parted_room, 0, (room - shard->parted_room) * sizeof(struct parted *));
    shard->parted_room = room;
    return 0;
}

/* A free number: all below parted_room that were ever used are records. */
static uint32_t take(struct sweep_shard *shard)
{
    uint32_t number = shard->parted_free;

    if (number != 0) {
        shard->parted_free = shard->parted[number - 1]->chain;
        return number;
    }
    if (shard->n_parted == shard->parted_room && grow(shard) < 0)
        return 0;
    number = shard->n_parted + 1;
    shard->parted[number - 1] = calloc(1, sizeof(struct parted));
    return shard->parted[number - 1] ? number : 0;
}

struct parted *parted_add(struct sweep_shard *shard, const struct flow_key *key)
{
    size_t n_values = shard->spans.sweep.n;
    uint32_t number = take(shard), *chain;
    struct parted *parted = number > 0 ? shard->parted[number - 1] : NULL;

    if (!parted) {
        shard->error = -ENOMEM;
        return NULL;
    }
    *parted =
        (struct parted){.key = *key, .classes = parted->first, .room = 2, .number = number, .n = 1};
    parted->classes[0] = (struct class){.world = (uint16_t)(n_values - 1)};
    set_add(&parted->classes[0].values, 0, n_values);
    chain = chain_of(shard, key);
    parted->chain = *chain;
    *chain = number;
    shard->n_parted++;
    return parted;
}

struct class *parted_class(struct parted *parted, unsigned world)
{
    for (unsigned i = 0; i < parted->n; i++)
        if (parted->classes[i].world == world)
            return &parted->classes[i];
    return NULL;
}

struct class *parted_split(struct sweep_shard *shard, struct parted *parted,
                           const struct value_set *values)
{
    struct class *class;

    if (parted->n == parted->room) {
        bool first = parted->classes == parted->first;
        struct class *grown =
            realloc(first ? NULL : parted->classes, 2u * parted->room * sizeof(*grown));

        if (!grown) {
            shard->error = -ENOMEM;
            return NULL;
        }
        if (first)
            memcpy(grown, parted->first, sizeof(parted->first));
        parted->classes = grown;
        parted->room = (uint16_t)(2 * parted->room);
    }
    class = &parted->classes[parted->n++];
    *class = (struct class){.values = *values, .world = (uint16_t)set_greatest(values)};
    return class;
}

void parted_drop_class(struct parted *parted, struct class *class)
{
    free(class->odd);
    *class = parted->classes[--parted->n];
}

void parted_remove(struct sweep_shard *shard, struct parted *parted)
{
    uint32_t *link = chain_of(shard, &parted->key);

    while (*link != parted->number)
        link = &shard->parted[*link - 1]->chain;
    *link = parted->chain;
    for (unsigned i = 0; i < parted->n; i++)
        free(parted->classes[i].odd);
    if (parted->classes != parted->first)
        free(parted->classes);
    parted->classes = parted->first;
    parted->n = 0;
    parted->chain = shard->parted_free;
    shard->parted_free = parted->number;
    shard->n_parted--;
}

void parted_finish(struct sweep_shard *shard)
{
    for (uint32_t i = 0; i < shard->parted_room && shard->parted[i]; i++) {
        for (unsigned k = 0; k < shard->parted[i]->n; k++)
            free(shard->parted[i]->classes[k].odd);
        if (shard->parted[i]->classes != shard->parted[i]->first)
            free(shard->parted[i]->classes);
        free(shard->parted[i]);
    }
    free(shard->parted);
    free(shard->chains);
    shard->parted = NULL;
    shard->chains = NULL;
    shard->n_parted = shard->parted_room = shard->parted_free = 0;
}
