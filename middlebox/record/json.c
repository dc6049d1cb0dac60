/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/line.h"
#include "middlebox/record/put.h"

#include <netinet/in.h>

/* `,"name":` for every member but the first. */
#define MEMBER(p, name) put_text(p, ",\"" name "\":")

static char *put_bool(char *p, bool value)
{
    return put_text(p, value ? "true" : "false");
}

static char *put_host(char *p, const struct flow *flow, enum flow_side side)
{
    p = put_char(p, '"');
    p = put_address(p, flow->family, flow->addr[side]);
    return put_char(p, '"');
}

static char *put_tuple(char *p, const struct flow *flow)
{
    p = put_text(p, ",\"proto\":\"");
    p = put_proto(p, flow->proto);
    p = put_text(p, "\",\"client\":");
    p = put_host(p, flow, FLOW_CLIENT);
    p = put_u64(MEMBER(p, "client_port"), flow->port[FLOW_CLIENT]);
    p = put_host(MEMBER(p, "server"), flow, FLOW_SERVER);
    return put_u64(MEMBER(p, "server_port"), flow->port[FLOW_SERVER]);
}

/* Only of a side whose keepalives were seen. The margin is what the firewall's limit leaves beyond
 * the idle time between them: below zero they come too late. */
static char *put_keepalive(char *p, const struct flow *flow, enum flow_side side)
{
    const struct flow_keepalive *k = &flow->keepalive[side];
    const char *name = flow_side_name(side);

    if (k->seen == 0)
        return p;
    p = put_text(put_text(p, ",\""), name);
    p = put_u64(put_text(p, "_keepalives\":"), k->seen);
    p = put_text(put_text(p, ",\""), name);
    p = put_u64(put_text(p, "_keepalives_answered\":"), k->answered);
    if (k->interval == 0)
        return p;
    p = put_text(put_text(p, ",\""), name);
    p = put_seconds(put_text(p, "_keepalive_interval_s\":"), k->interval);
    if (flow->timeout == MTIME_NEVER)
        return p;
    p = put_text(put_text(p, ",\""), name);
    p = put_text(p, "_keepalive_margin_s\":");
    if (flow->timeout < k->interval)
        return put_seconds(put_char(p, '-'), k->interval - flow->timeout);
    return put_seconds(p, flow->timeout - k->interval);
}

static char *put_keepalives(char *p, const struct flow *flow)
{
    return put_keepalive(put_keepalive(p, flow, FLOW_CLIENT), flow, FLOW_SERVER);
}

static char *put_timeout(char *p, const struct line *line)
{
    p = put_seconds(MEMBER(p, "timeout_s"), line->flow->timeout);
    return put_json_string(MEMBER(p, "timeout_name"), line->timeout_name);
}

static char *put_counts(char *p, const struct flow *flow)
{
    p = put_u64(MEMBER(p, "client_packets"), flow->packets[FLOW_CLIENT]);
    p = put_u64(MEMBER(p, "client_bytes"), flow->bytes[FLOW_CLIENT]);
    p = put_u64(MEMBER(p, "server_packets"), flow->packets[FLOW_SERVER]);
    return put_u64(MEMBER(p, "server_bytes"), flow->bytes[FLOW_SERVER]);
}

/* How a flow that is over had lived. */
static char *put_life(char *p, const struct line *line)
{
    p = put_seconds(MEMBER(p, "idle_s"), line->idle);
    p = put_seconds(MEMBER(p, "age_s"), line->age);
    p = put_seconds(MEMBER(p, "longest_idle_s"), line->flow->longest_idle);
    return put_counts(p, line->flow);
}

char *json_flow(char *p, const struct line *line)
{
    const struct flow *flow = line->flow;

    p = put_text(p, "{\"type\":\"flow\",\"v\":1");
    p = put_u64(MEMBER(p, "id"), flow->id);
    p = put_tuple(p, flow);
    p = put_json_string(MEMBER(p, "state"), flow_state_name(flow->state));
    p = put_seconds(MEMBER(p, "idle_s"), line->idle);
    p = put_seconds(MEMBER(p, "timeout_s"), flow->timeout);
    p = put_seconds(MEMBER(p, "remaining_s"), line->remaining);
    p = put_json_string(MEMBER(p, "timeout_name"), line->timeout_name);
    p = put_seconds(MEMBER(p, "age_s"), line->age);
    p = put_seconds(MEMBER(p, "longest_idle_s"), flow->longest_idle);
    p = put_counts(p, flow);
    p = put_json_string(MEMBER(p, "rule"), line->rule);
    p = put_json_string(MEMBER(p, "profile"), line->profile);
    p = put_bool(MEMBER(p, "assured"), flow->assured);
    p = put_bool(MEMBER(p, "guessed"), flow->guessed);
    p = put_bool(MEMBER(p, "blocked_client"), flow->blocked[FLOW_CLIENT]);
    p = put_bool(MEMBER(p, "blocked_server"), flow->blocked[FLOW_SERVER]);
    p = put_u64(MEMBER(p, "mark"), flow->mark);
    if (flow->probing)
        p = put_bool(MEMBER(p, "probing"), true);
    p = put_keepalives(p, flow);
    return put_text(p, "}\n");
}

static char *put_late(char *p, const struct event_line *line)
{
    const struct event *event = line->event;

    p = put_bool(MEMBER(p, "remembered"), event->remembered);
    if (event->remembered) {
        p = put_seconds(MEMBER(p, "expired_t_s"), line->expired_t);
        p = put_seconds(MEMBER(p, "late_by_s"), line->late_by);
    }
    if (event->flow.proto == IPPROTO_TCP) {
        p = put_text(p, ",\"flags\":\"");
        p = put_tcp_flags(p, event->tcp_flags);
        p = put_char(p, '"');
        p = put_u64(MEMBER(p, "seq"), event->seq);
        p = put_u64(MEMBER(p, "ack"), event->ack);
    }
    return put_u64(MEMBER(p, "len"), event->payload_len);
}

char *json_event(char *p, const struct event_line *line)
{
    const struct event *event = line->event;
    bool over = event->kind == EVENT_EXPIRED || event->kind == EVENT_ENDED ||
                event->action == ACTED_PROBED; /* no packet of theirs */

    p = put_text(p, "{\"type\":\"event\",\"v\":1");
    p = put_seconds(MEMBER(p, "t_s"), line->t);
    p = put_seconds(MEMBER(p, "wall_s"), line->wall_ns);
    p = put_json_string(MEMBER(p, "kind"), event_kind_name(event->kind));
    p = put_u64(MEMBER(p, "id"), event->flow.id);
    p = put_tuple(p, &event->flow);
    p = put_json_string(MEMBER(p, "state"), flow_state_name(event->flow.state));
    p = put_json_string(MEMBER(p, "rule"), line->line.rule);
    p = put_json_string(MEMBER(p, "profile"), line->line.profile);
    p = put_json_string(MEMBER(p, "side"), over ? NULL : flow_side_name(event->side));
    if (line->reason) {
        p = put_u64(MEMBER(p, "reason"), (uint64_t)line->reason_number);
        p = put_json_string(MEMBER(p, "reason_name"), line->reason);
    }
    p = put_json_string(MEMBER(p, "action"), event_action_name(event->action));
    if (event->flow.id != 0)
        p = put_timeout(p, &line->line);
    if (event->kind == EVENT_EXPIRED || event->kind == EVENT_ENDED)
        p = put_life(p, &line->line);
    if (event->kind == EVENT_LATE)
        p = put_late(p, line);
    p = put_keepalives(p, &event->flow);
    return put_text(p, "}\n");
}
