/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/verify/compare_event.h"

#include <stdio.h>
#include <string.h>

bool compare_counts(const struct timeline_event *e)
{
    switch (e->kind) {
    case TIMELINE_PACKET:
        return e->packet.passage != PASSAGE_LOST;
    case TIMELINE_DEED:
    case TIMELINE_SOCKET:
    case TIMELINE_APP:
    case TIMELINE_FLOW:
        break;
    }
    return true;
}

bool compare_same_stream(const struct timeline_event *a, const struct timeline_event *b)
{
    if (a->kind == TIMELINE_DEED || b->kind == TIMELINE_DEED)
        return a->kind == b->kind;
    return a->kind == b->kind && a->place == b->place && a->connection == b->connection;
}

static const char *passage_name(enum passage passage)
{
    switch (passage) {
    case PASSAGE_SENT:
        return "sent";
    case PASSAGE_FORWARDED:
        return "forwarded";
    case PASSAGE_INJECTED:
        return "made by the firewall";
    case PASSAGE_DROPPED:
        return "dropped";
    case PASSAGE_LOST:
        return "lost";
    case PASSAGE_RECEIVED:
        return "received";
    }
    return "";
}

static bool number(const char *what, uint64_t live, uint64_t virtual, char *why, size_t size)
{
    if (live == virtual)
        return true;
    snprintf(why, size, "%s %llu, not %llu", what, (unsigned long long)live,
             (unsigned long long)virtual);
    return false;
}

static bool word(const char *what, const char *live, const char *virtual, char *why, size_t size)
{
    live = live ? live : "none";
    virtual = virtual ? virtual : "none";
    if (strcmp(live, virtual) == 0)
        return true;
    snprintf(why, size, "%s%s%s, not %s", what, *what ? " " : "", live, virtual);
    return false;
}

static bool packets(const struct timeline_packet *live, const struct timeline_packet *virtual,
                    char *why, size_t size)
{
    if (!word("", passage_name(live->passage), passage_name(virtual->passage), why, size) ||
        !word("from the", flow_side_name(live->from), flow_side_name(virtual->from), why, size) ||
        !word("", live->tcp ? "TCP" : "ICMP", virtual->tcp ? "TCP" : "ICMP", why, size))
        return false;
    if (!live->tcp)
        return number("ICMP type", live->icmp_type, virtual->icmp_type, why, size) &&
               number("ICMP code", live->icmp_code, virtual->icmp_code, why, size);
    if (live->passage == PASSAGE_DROPPED &&
        !word("dropped as", reason_name(live->reason), reason_name(virtual->reason), why, size))
        return false;
    return number("flags", live->flags, virtual->flags, why, size) &&
           number("seq", live->rel_seq, virtual->rel_seq, why, size) &&
           (!(live->flags & TCP_ACK) ||
            number("ack", live->rel_ack, virtual->rel_ack, why, size)) &&
           number("length", live->len, virtual->len, why, size);
}

static bool sockets(const struct socket_view *live, const struct socket_view *virtual, char *why,
                    size_t size)
{
    return word("state", socket_state_name(live->state), socket_state_name(virtual->state), why,
                size) &&
           (live->state == SOCKET_GONE ||
            (word("timer", socket_timer_name(live->timer), socket_timer_name(virtual->timer), why,
                  size) &&
             number("retransmissions", live->retransmits, virtual->retransmits, why, size) &&
             number("probes", live->probes, virtual->probes, why, size)));
}

static bool apps(const struct timeline_app *live, const struct timeline_app *virtual, char *why,
                 size_t size)
{
    return word("", app_act_name(live->act), app_act_name(virtual->act), why, size) &&
           number("bytes", live->bytes, virtual->bytes, why, size) &&
           (live->act != APP_ERROR ||
            (word("", errno_name(live->error), errno_name(virtual->error), why, size) &&
             word("from", app_call_name(live->call), app_call_name(virtual->call), why, size)));
}

static bool flows(const struct event *live, const struct event *virtual, char *why, size_t size)
{
    return word("", event_kind_name(live->kind), event_kind_name(virtual->kind), why, size) &&
           word("state", flow_state_name(live->flow.state), flow_state_name(virtual->flow.state),
                why, size) &&
           word("reason", flow_end_name(live->reason), flow_end_name(virtual->reason), why, size) &&
           word("action", event_action_name(live->action), event_action_name(virtual->action), why,
                size);
}

bool compare_says_same(const struct timeline_event *live, const struct timeline_event *virtual,
                       char *why, size_t size)
{
    *why = '\0';
    switch (live->kind) {
    case TIMELINE_DEED:
        return number("line", live->deed->line, virtual->deed->line, why, size);
    case TIMELINE_PACKET:
        return packets(&live->packet, &virtual->packet, why, size);
    case TIMELINE_SOCKET:
        return sockets(&live->socket, &virtual->socket, why, size);
    case TIMELINE_APP:
        return apps(&live->app, &virtual->app, why, size);
    case TIMELINE_FLOW:
        return flows(&live->flow, &virtual->flow, why, size);
    }
    return true;
}
