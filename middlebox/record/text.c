/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/line.h"
#include "middlebox/record/put.h"

enum { ID = 6, PROTO = 7, STATE = 12, END = 22, TIME = 8, COUNT = 13, NAME = 9 };

static char *put_column(char *p, const char *text, size_t width)
{
    char *start = p;

    return put_pad(put_plain(p, text), start, width);
}

static char *put_right_column(char *p, const char *text, size_t width)
{
    char *start = p;

    return put_right(put_text(p, text), start, width);
}

char *text_header(char *p)
{
    p = put_right_column(p, "ID", ID);
    p = put_column(p, "PROTO", PROTO);
    p = put_column(p, "STATE", STATE);
    p = put_column(p, "CLIENT", END);
    p = put_column(p, "SERVER", END);
    p = put_right_column(p, "IDLE", TIME);
    p = put_right_column(p, "TIMEOUT", TIME);
    p = put_right_column(p, "REMAINS", TIME);
    p = put_right_column(p, "LONGEST", TIME);
    p = put_right_column(p, "PACKETS", COUNT);
    p = put_right_column(p, "BYTES", COUNT);
    p = put_column(p, "RULE", NAME);
    return put_text(p, "PROFILE\n");
}

static char *put_end_column(char *p, const struct flow *flow, enum flow_side side)
{
    char *start = p;

    return put_pad(put_end(p, flow, side), start, END);
}

static char *put_time_column(char *p, mtime_t time)
{
    char *start = p;

    return put_right(put_duration(p, time), start, TIME);
}

/* `12/9`: client and server. */
static char *put_both(char *p, const uint64_t value[2])
{
    char *start = p;

    p = put_char(put_amount(p, value[FLOW_CLIENT]), '/');
    return put_right(put_amount(p, value[FLOW_SERVER]), start, COUNT);
}

/* ` client-keepalive 2min`, or how many were seen while the time between them is not known yet. */
static char *put_keepalive(char *p, const struct flow *flow, enum flow_side side)
{
    const struct flow_keepalive *k = &flow->keepalive[side];

    if (k->seen == 0)
        return p;
    p = put_char(put_text(put_char(p, ' '), flow_side_name(side)), '-');
    p = put_text(p, "keepalive ");
    if (k->interval)
        p = put_duration(p, k->interval);
    else
        p = put_text(put_u64(p, k->seen), " seen");
    return k->answered == 0 ? put_text(p, " unanswered") : p;
}

static char *put_marks(char *p, const struct flow *flow)
{
    p = put_keepalive(put_keepalive(p, flow, FLOW_CLIENT), flow, FLOW_SERVER);
    if (flow->probing)
        p = put_text(p, " probing");
    if (flow->guessed)
        p = put_text(p, " guessed");
    if (flow->blocked[FLOW_CLIENT] && flow->blocked[FLOW_SERVER])
        p = put_text(p, " blocked");
    else if (flow->blocked[FLOW_CLIENT])
        p = put_text(p, " blocked-from-client");
    else if (flow->blocked[FLOW_SERVER])
        p = put_text(p, " blocked-from-server");
    return p;
}

char *text_flow(char *p, const struct line *line)
{
    const struct flow *flow = line->flow;
    char *start = p;

    p = put_right(put_u64(p, flow->id), start, ID);
    start = p;
    p = put_pad(put_proto(p, flow->proto), start, PROTO);
    p = put_column(p, flow_state_name(flow->state), STATE);
    p = put_end_column(p, flow, FLOW_CLIENT);
    p = put_end_column(p, flow, FLOW_SERVER);
    p = put_time_column(p, line->idle);
    p = put_time_column(p, flow->timeout);
    p = put_time_column(p, line->remaining);
    p = put_time_column(p, flow->longest_idle);
    p = put_both(p, flow->packets);
    p = put_both(p, flow->bytes);
    p = put_column(p, line->rule, NAME);
    p = put_plain(p, line->profile);
    return put_char(put_marks(p, flow), '\n');
}
