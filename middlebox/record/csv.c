/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/line.h"
#include "middlebox/record/put.h"

/* The names and units of the JSON objects; a time that is `never` is empty. */

char *csv_time(char *p, mtime_t time)
{
    return put_char(time == MTIME_NEVER ? p : put_seconds(p, time), ',');
}

char *csv_number(char *p, uint64_t value)
{
    return put_char(put_u64(p, value), ',');
}

char *csv_word(char *p, const char *word)
{
    return put_char(put_csv_string(p, word), ',');
}

char *csv_tuple(char *p, const struct flow *flow)
{
    p = csv_number(p, flow->id);
    p = put_char(put_proto(p, flow->proto), ',');
    for (enum flow_side side = FLOW_CLIENT; side <= FLOW_SERVER; side++) {
        p = put_char(put_address(p, flow->family, flow->addr[side]), ',');
        p = csv_number(p, flow->port[side]);
    }
    return csv_word(p, flow_state_name(flow->state));
}

char *csv_header(char *p)
{
    return put_text(
        p, "id,proto,client,client_port,server,server_port,state,idle_s,timeout_s,remaining_s,"
           "timeout_name,age_s,longest_idle_s,client_packets,client_bytes,server_packets,"
           "server_bytes,rule,profile,assured,guessed,blocked_client,blocked_server,mark\n");
}

char *csv_flow(char *p, const struct line *line)
{
    const struct flow *flow = line->flow;

    p = csv_tuple(p, flow);
    p = csv_time(p, line->idle);
    p = csv_time(p, flow->timeout);
    p = csv_time(p, line->remaining);
    p = csv_word(p, line->timeout_name);
    p = csv_time(p, line->age);
    p = csv_time(p, flow->longest_idle);
    for (enum flow_side side = FLOW_CLIENT; side <= FLOW_SERVER; side++) {
        p = csv_number(p, flow->packets[side]);
        p = csv_number(p, flow->bytes[side]);
    }
    p = csv_word(p, line->rule);
    p = csv_word(p, line->profile);
    p = csv_number(p, flow->assured);
    p = csv_number(p, flow->guessed);
    p = csv_number(p, flow->blocked[FLOW_CLIENT]);
    p = csv_number(p, flow->blocked[FLOW_SERVER]);
    p = put_u64(p, flow->mark);
    return put_char(p, '\n');
}
