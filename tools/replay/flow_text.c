/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/line.h"
#include "middlebox/record/put.h"
#include "tools/replay/flow_words.h"
#include "tools/replay/replay_summary.h"

#include <netinet/in.h>

/* Wide enough for IPv4; a longer end moves the rest of its own line. */
enum { ID = 8, PROTO = 6, STATE = 12, END = 21, PACKETS = 13, TIME = 8, WHEN = 24, OUTCOME = 8 };

static char *put_column(char *p, const char *text, size_t width)
{
    char *start = p;

    return put_pad(put_text(p, text), start, width);
}

static char *put_right_column(char *p, const char *text, size_t width)
{
    char *start = p;

    return put_right(put_text(p, text), start, width);
}

static char *put_heading(char *p)
{
    p = put_right_column(p, "ID", ID);
    p = put_column(p, "PROTO", PROTO);
    p = put_column(p, "STATE", STATE);
    p = put_column(p, "CLIENT", END);
    p = put_column(p, "SERVER", END);
    p = put_right_column(p, "PACKETS", PACKETS);
    p = put_right_column(p, "SILENT", TIME);
    p = put_column(p, "FROM (UTC)", WHEN);
    p = put_right_column(p, "TIMEOUT", TIME);
    return put_text(p, "OUTCOME\n");
}

/* `; ` before everything but the first. */
static char *put_next(char *p, bool *any)
{
    p = *any ? put_text(p, "; ") : p;
    *any = true;
    return p;
}

static char *put_late(char *p, const struct replay_flow *f)
{
    const struct replay_late *late = &f->late;

    p = put_u64(put_text(p, "late: packet "), late->number);
    p = put_text(put_text(p, " of the "), flow_side_name(late->side));
    if (f->flow.proto == IPPROTO_TCP) {
        p = put_tcp_flags(put_text(p, " ["), late->tcp_flags);
        p = put_char(p, ']');
    }
    p = put_when(put_text(p, " at "), late->time);
    p = put_duration(put_text(p, " after "), late->silence);
    p = put_text(put_text(p, ", "), replay_action_text(late->action));
    if (f->late_packets > 1)
        p = put_text(put_u64(put_text(p, "; "), f->late_packets), " late in all");
    return p;
}

static char *put_remarks(char *p, const struct replay_flow *f)
{
    bool any = false;

    if (f->late.number != 0)
        p = put_late(put_next(p, &any), f);
    if (f->flow.keepalive[0].seen + (uint64_t)f->flow.keepalive[1].seen > 0)
        p = put_keepalives(put_text(put_next(p, &any), "keepalive: "), &f->flow);
    if (f->midstream)
        p = put_text(put_next(p, &any), "ran already");
    if (f->flow.guessed)
        p = put_text(put_next(p, &any), "client guessed");
    if (f->retransmitted_syn)
        p = put_text(put_next(p, &any), "its SYN came again");
    return p;
}

static char *put_flow(char *p, const struct replay_flow *f)
{
    const struct flow *flow = &f->flow;
    char *start = p;

    p = put_right(put_u64(p, flow->id), start, ID);
    start = p;
    p = put_pad(put_proto(p, flow->proto), start, PROTO);
    p = put_column(p, flow_state_name(flow->state), STATE);
    for (enum flow_side side = FLOW_CLIENT; side <= FLOW_SERVER; side++) {
        start = p;
        p = put_pad(put_end(p, flow, side), start, END);
    }
    start = p;
    p = put_char(put_u64(p, flow->packets[FLOW_CLIENT]), '/');
    p = put_right(put_u64(p, flow->packets[FLOW_SERVER]), start, PACKETS);
    start = p;
    p = put_right(put_duration(p, f->longest_idle), start, TIME);
    start = p;
    p = put_pad(put_when(p, f->longest_idle_at), start, WHEN);
    start = p;
    p = put_right(put_limit(p, replay_flow_limit(f)), start, TIME);
    p = put_column(p, replay_outcome_name(f->outcome), OUTCOME);
    p = put_remarks(p, f);
    while (p[-1] == ' ')
        p--;
    return put_char(p, '\n');
}

void replay_flow_text(FILE *to, const struct replay_flow *flow)
{
    char line[PUT_LINE];
    char *end = flow ? put_flow(line, flow) : put_heading(line);

    fwrite(line, 1, (size_t)(end - line), to);
}
