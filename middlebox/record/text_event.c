/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/line.h"
#include "middlebox/record/put.h"

#include <netinet/in.h>

static char *put_names(char *p, const struct line *line)
{
    p = put_plain(put_text(p, "rule "), line->rule);
    return put_plain(put_text(p, ", profile "), line->profile);
}

static char *put_timeout(char *p, const struct line *line)
{
    p = put_plain(p, line->timeout_name);
    return put_duration(put_char(p, ' '), line->flow->timeout);
}

static char *put_counts(char *p, const struct flow *flow)
{
    p = put_u64(p, flow->packets[FLOW_CLIENT]);
    p = put_char(p, '/');
    p = put_u64(p, flow->packets[FLOW_SERVER]);
    p = put_text(p, " packets, longest idle ");
    return put_duration(p, flow->longest_idle);
}

static char *put_new(char *p, const struct line *line)
{
    p = put_text(p, flow_state_name(line->flow->state));
    if (line->flow->guessed)
        p = put_text(p, ", picked up mid-stream, client guessed");
    p = put_timeout(put_text(p, ", "), line);
    return put_names(put_text(p, ", "), line);
}

static char *put_update(char *p, const struct event_line *line)
{
    p = put_text(p, flow_state_name(line->line.flow->state));
    if (line->event->action == ACTED_PROBED) /* nobody did anything: that is why */
        return put_duration(put_text(p, ", idle for "), line->line.idle);
    p = put_text(put_text(p, " by "), flow_side_name(line->event->side));
    return put_timeout(put_text(p, ", "), &line->line);
}

static char *put_over(char *p, const struct event_line *line)
{
    p = put_text(put_text(p, line->reason), " in ");
    p = put_text(p, flow_state_name(line->line.flow->state));
    p = put_text(p, " after ");
    p = put_duration(p, line->event->reason == FLOW_END_ACTIVE ? line->line.age : line->line.idle);
    p = put_text(p, line->event->reason == FLOW_END_ACTIVE ? " of life (" : " idle (");
    p = put_counts(p, line->line.flow);
    p = put_names(put_text(p, ", "), &line->line);
    return put_char(p, ')');
}

static char *put_what_came(char *p, const struct event *event)
{
    p = put_text(p, flow_side_name(event->side));
    p = put_text(p, " sent ");
    if (event->flow.proto == IPPROTO_TCP)
        p = put_char(put_tcp_flags(p, event->tcp_flags), ' ');
    return put_text(put_u64(p, event->payload_len), " bytes, ");
}

static char *put_late(char *p, const struct event_line *line)
{
    bool idle = line->event->was == FLOW_END_IDLE || line->event->was == FLOW_END_ACTIVE;

    p = put_what_came(p, line->event);
    if (!line->event->remembered)
        return put_names(put_text(p, "no such flow is known ("), &line->line);
    p = put_duration(p, line->late_by);
    p = put_text(p, idle ? " after the flow expired (" : " after the flow ended (");
    p = put_text(p, line->reason);
    if (idle)
        p = put_duration(put_char(p, ' '), line->line.flow->timeout);
    return put_names(put_text(p, ", "), &line->line);
}

char *text_event(char *p, const struct event_line *line)
{
    const struct event *event = line->event;
    char *start;

    p = put_char(put_millis(p, line->t), ' ');
    start = p;
    p = put_pad(put_text(p, event_kind_name(event->kind)), start, 9);
    if (event->flow.id != 0)
        p = put_char(put_u64(put_char(p, '#'), event->flow.id), ' ');
    p = put_char(put_proto(p, event->flow.proto), ' ');
    p = put_end(p, &event->flow, FLOW_CLIENT);
    p = put_end(put_text(p, " > "), &event->flow, FLOW_SERVER);
    p = put_char(p, ' ');
    switch (event->kind) {
    case EVENT_NEW:
        p = put_new(p, &line->line);
        break;
    case EVENT_UPDATE:
        p = put_update(p, line);
        break;
    case EVENT_EXPIRED:
    case EVENT_ENDED:
        p = put_over(p, line);
        break;
    case EVENT_LATE:
        p = put_char(put_late(p, line), ')');
        break;
    }
    if (event->action != ACTED_NONE)
        p = put_text(put_text(p, ": "), event_action_name(event->action));
    return put_char(p, '\n');
}
