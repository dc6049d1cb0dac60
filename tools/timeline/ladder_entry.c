/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a firewall's entry has left, worked out from what passed and what the firewall said. */
#include "tools/timeline/ladder_private.h"

#include <errno.h>
#include <netinet/in.h>

/* Where the entry as last told of is noted, of that connection at that firewall. */
static uint32_t *last_of(struct ladder *ladder, const struct timeline_event *e)
{
    return &ladder->last_entry[(size_t)e->connection * ladder->places + e->place];
}

static int add(struct ladder *ladder, const struct timeline_event *e,
               const struct ladder_entry *entry)
{
    int r = ladder_reserve((void **)&ladder->entries, &ladder->room_entries, ladder->n_entries,
                           sizeof(*ladder->entries));

    if (r < 0)
        return r;
    ladder->entries[ladder->n_entries++] = *entry;
    *last_of(ladder, e) = (uint32_t)ladder->n_entries;
    return 0;
}

static bool refreshes(const struct ladder *ladder, const struct ladder_entry *entry,
                      const struct timeline_packet *packet)
{
    const struct policy *policy = ladder->scenario->firewall[entry->place - 1].policy;
    const struct policy_profile *profile;

    if (!policy || entry->rule >= policy->n_rules)
        return true;
    profile = &policy->profiles[policy->rules[entry->rule].profile];
    if (profile->refresh_by == REFRESH_BY_PAYLOAD &&
        (packet->len == 0 || packet->note == NOTE_PROBE))
        return false;
    switch (policy_refresh_of(profile, IPPROTO_TCP)) {
    case REFRESH_BOTH:
    case REFRESH_EACH:
        return true;
    case REFRESH_CLIENT:
        return packet->from == FLOW_CLIENT;
    case REFRESH_SERVER:
        return packet->from == FLOW_SERVER;
    case REFRESH_NONE:
        break;
    }
    return false;
}

int ladder_entry_packet(struct ladder *ladder, const struct timeline_event *e, size_t hop)
{
    uint32_t at = *last_of(ladder, e);
    struct ladder_entry entry, *last;

    if (e->packet.passage != PASSAGE_FORWARDED || !e->packet.tcp || at == 0)
        return 0;
    last = &ladder->entries[at - 1];
    if (last->t == e->t && last->kind == ENTRY_SET) { /* the firewall's own word came first */
        last->hop = hop;
        return 0;
    }
    if (last->kind == ENTRY_FORGOTTEN || last->kind == ENTRY_REMOVED ||
        !refreshes(ladder, last, &e->packet))
        return 0;
    entry = *last;
    entry.kind = ENTRY_REFRESHED;
    entry.t = e->t;
    entry.deadline = mtime_add(e->t, entry.timeout);
    entry.hop = hop;
    return add(ladder, e, &entry);
}

static bool has_socket(const struct ladder *ladder, uint32_t connection, unsigned side)
{
    switch (ladder->states[2 * (size_t)connection + side]) {
    case SOCKET_GONE:
    case SOCKET_TIME_WAIT:
        return false;
    case SOCKET_SYN_SENT:
    case SOCKET_SYN_RECV:
    case SOCKET_ESTABLISHED:
    case SOCKET_FIN_WAIT_1:
    case SOCKET_FIN_WAIT_2:
    case SOCKET_CLOSE_WAIT:
    case SOCKET_CLOSING:
    case SOCKET_LAST_ACK:
        break;
    }
    return true;
}

int ladder_entry_flow(struct ladder *ladder, const struct timeline_event *e, bool *forgot)
{
    const struct flow *flow = &e->flow.flow;
    struct ladder_entry entry = {.kind = ENTRY_SET,
                                 .t = e->t,
                                 .place = e->place,
                                 .connection = e->connection,
                                 .hop = LADDER_NONE,
                                 .timeout = flow->timeout,
                                 .deadline = flow->deadline,
                                 .rule = flow->rule};

    *forgot = false;
    switch (e->flow.kind) {
    case EVENT_LATE:
        return 0;
    case EVENT_NEW:
    case EVENT_UPDATE:
        break;
    case EVENT_EXPIRED:
    case EVENT_ENDED:
        *forgot = (e->flow.kind == EVENT_EXPIRED || e->flow.reason != FLOW_END_DETECTED) &&
                  (has_socket(ladder, e->connection, FLOW_CLIENT) ||
                   has_socket(ladder, e->connection, FLOW_SERVER));
        entry.kind = *forgot ? ENTRY_FORGOTTEN : ENTRY_REMOVED;
        break;
    }
    /* The packet may have been told of already. */
    if (entry.kind == ENTRY_SET && ladder->n_hops > 0) {
        const struct ladder_hop *hop = &ladder->hops[ladder->n_hops - 1];

        if (hop->place == e->place && hop->t == e->t)
            entry.hop = ladder->n_hops - 1;
    }
    return add(ladder, e, &entry);
}
