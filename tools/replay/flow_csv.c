/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/line.h"
#include "middlebox/record/put.h"
#include "tools/replay/flow_words.h"
#include "tools/replay/replay_summary.h"

/* The names and units of the JSON objects; what there is not is empty. */
static const char heading[] =
    "id,proto,client,client_port,server,server_port,state,outcome,first_s,last_s,first_packet,"
    "last_packet,client_packets,client_bytes,server_packets,server_bytes,longest_silence_s,"
    "longest_silence_from_s,longest_silence_without_keepalives_s,timeout_s,client_keepalives,"
    "client_keepalives_answered,client_keepalive_interval_s,server_keepalives,"
    "server_keepalives_answered,server_keepalive_interval_s,late_packets,late_packet,late_capture,"
    "late_at_s,late_silence_s,late_side,late_flags,late_action,midstream,guessed,syn_again,end\n";

/* 0: there is none. */
static char *put_duration_or_none(char *p, mtime_t time)
{
    return csv_time(p, time > 0 ? time : MTIME_NEVER);
}

static char *put_late(char *p, const struct replay_flow *f)
{
    const struct replay_late *late = &f->late;

    p = csv_number(p, f->late_packets);
    if (late->number == 0)
        return put_text(p, ",,,,,,,");
    p = csv_number(csv_number(p, late->number), late->capture);
    p = csv_time(csv_time(p, late->time), late->silence);
    p = csv_word(p, flow_side_name(late->side));
    p = put_char(put_tcp_flags(p, late->tcp_flags), ',');
    return csv_word(p, event_action_name(late->action));
}

static char *put_flow(char *p, const struct replay_flow *f)
{
    const struct flow *flow = &f->flow;

    p = csv_word(csv_tuple(p, flow), replay_outcome_name(f->outcome));
    p = csv_time(csv_time(p, flow->opened), flow->last);
    p = csv_number(csv_number(p, f->first_number), f->last_number);
    for (unsigned side = 0; side < 2; side++)
        p = csv_number(csv_number(p, flow->packets[side]), flow->bytes[side]);
    p = csv_time(csv_time(p, f->longest_idle), f->longest_idle_at);
    p = csv_time(p, f->longest_idle_payload);
    p = put_duration_or_none(p, replay_flow_limit(f));
    for (unsigned side = 0; side < 2; side++) {
        p = csv_number(p, flow->keepalive[side].seen);
        p = csv_number(p, flow->keepalive[side].answered);
        p = put_duration_or_none(p, flow->keepalive[side].interval);
    }
    p = put_late(p, f);
    p = csv_number(csv_number(p, f->midstream), flow->guessed);
    p = csv_number(p, f->retransmitted_syn);
    return put_char(put_csv_string(p, flow_end_name(f->end)), '\n');
}

void replay_flow_csv(FILE *to, const struct replay_flow *flow)
{
    char line[PUT_LINE];

    if (!flow) {
        fputs(heading, to);
        return;
    }
    fwrite(line, 1, (size_t)(put_flow(line, flow) - line), to);
}
