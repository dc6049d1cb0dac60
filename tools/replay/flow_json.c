/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/line.h"
#include "middlebox/record/put.h"
#include "tools/replay/flow_words.h"
#include "tools/replay/summary_private.h"
#include "tools/timeline/json_out.h"

static void out_address(FILE *to, const char *name, const struct flow *flow, enum flow_side side)
{
    char text[64];

    *put_address(text, flow->family, flow->addr[side]) = '\0';
    json_out_text(to, name, text);
}

static void out_tuple(FILE *to, const struct flow *flow)
{
    char proto[16];

    *put_proto(proto, flow->proto) = '\0';
    json_out_text(to, "proto", proto);
    json_out_number(to, "proto_number", flow->proto);
    out_address(to, "client", flow, FLOW_CLIENT);
    json_out_number(to, "client_port", flow->port[FLOW_CLIENT]);
    out_address(to, "server", flow, FLOW_SERVER);
    json_out_number(to, "server_port", flow->port[FLOW_SERVER]);
    json_out_text(to, "state", flow_state_name(flow->state));
}

/* Always there, so that a table of them has columns. */
static void out_keepalives(FILE *to, const struct flow *flow)
{
    char name[64];

    for (enum flow_side side = FLOW_CLIENT; side <= FLOW_SERVER; side++) {
        const struct flow_keepalive *k = &flow->keepalive[side];

        snprintf(name, sizeof(name), "%s_keepalives", flow_side_name(side));
        json_out_number(to, name, k->seen);
        snprintf(name, sizeof(name), "%s_keepalives_answered", flow_side_name(side));
        json_out_number(to, name, k->answered);
        snprintf(name, sizeof(name), "%s_keepalive_interval_s", flow_side_name(side));
        json_out_seconds(to, name, k->interval > 0 ? k->interval : MTIME_NEVER);
    }
}

static void out_late(FILE *to, const struct replay_flow *f)
{
    const struct replay_late *late = &f->late;
    char flags[16];

    json_out_number(to, "late_packets", f->late_packets);
    if (late->number == 0)
        return;
    json_out_number(to, "late_packet", late->number);
    json_out_number(to, "late_capture", late->capture);
    json_out_seconds(to, "late_at_s", late->time);
    json_out_seconds(to, "late_silence_s", late->silence);
    json_out_text(to, "late_side", flow_side_name(late->side));
    *put_tcp_flags(flags, late->tcp_flags) = '\0';
    json_out_text(to, "late_flags", flags);
    json_out_number(to, "late_flags_number", late->tcp_flags);
    json_out_text(to, "late_action", event_action_name(late->action));
}

void replay_flow_members(FILE *to, const struct replay_flow *f)
{
    const struct flow *flow = &f->flow;
    mtime_t limit = replay_flow_limit(f);

    json_out_number(to, "id", flow->id);
    out_tuple(to, flow);
    json_out_text(to, "outcome", replay_outcome_name(f->outcome));
    json_out_seconds(to, "first_s", flow->opened);
    json_out_seconds(to, "last_s", flow->last);
    json_out_number(to, "first_packet", f->first_number);
    json_out_number(to, "last_packet", f->last_number);
    for (enum flow_side side = FLOW_CLIENT; side <= FLOW_SERVER; side++) {
        bool client = side == FLOW_CLIENT;

        json_out_number(to, client ? "client_packets" : "server_packets", flow->packets[side]);
        json_out_number(to, client ? "client_bytes" : "server_bytes", flow->bytes[side]);
    }
    json_out_seconds(to, "longest_silence_s", f->longest_idle);
    json_out_seconds(to, "longest_silence_from_s", f->longest_idle_at);
    json_out_seconds(to, "longest_silence_without_keepalives_s", f->longest_idle_payload);
    json_out_seconds(to, "timeout_s", limit > 0 ? limit : MTIME_NEVER);
    out_keepalives(to, flow);
    out_late(to, f);
    json_out_bool(to, "midstream", f->midstream);
    json_out_bool(to, "guessed", flow->guessed);
    json_out_bool(to, "syn_again", f->retransmitted_syn);
    json_out_text(to, "end", flow_end_name(f->end));
}

void replay_flow_json(FILE *to, const struct replay_flow *f)
{
    const struct policy *policy = f->flow.policy;

    json_out_begin(to, "connection");
    replay_flow_members(to, f);
    if (policy && f->flow.rule < policy->n_rules) {
        const struct policy_rule *rule = &policy->rules[f->flow.rule];

        json_out_text(to, "rule", rule->name);
        json_out_text(to, "profile", policy->profiles[rule->profile].name);
    }
    json_out_end(to);
}
