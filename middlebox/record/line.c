/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/line.h"

#include "middlebox/record/put.h"

static mtime_t since(mtime_t from, mtime_t to)
{
    if (to == MTIME_NEVER)
        return MTIME_NEVER;
    return to > from ? to - from : 0;
}

void line_init(struct line *line, mtime_t now, const struct flow *flow)
{
    const struct policy *policy = flow->policy;

    *line = (struct line){
        .flow = flow,
        .idle = since(flow->last, now),
        .remaining = since(now, flow->deadline),
        .age = since(flow->opened, now),
        .timeout_name = policy_timeout_name(flow->timeout_name),
    };
    if (policy && flow->rule < policy->n_rules) {
        const struct policy_rule *rule = &policy->rules[flow->rule];

        line->rule = rule->name;
        if (rule->profile < policy->n_profiles)
            line->profile = policy->profiles[rule->profile].name;
    }
}

void event_line_init(struct event_line *line, const struct record_clock *clock,
                     const struct event *event)
{
    bool late = event->kind == EVENT_LATE;
    bool over = event->kind == EVENT_EXPIRED || event->kind == EVENT_ENDED;
    mtime_t t = since(clock->start, event->time);

    *line = (struct event_line){
        .event = event,
        .t = t,
        .wall_ns = clock->wall_start_ns + t / (clock->speed > 0 ? clock->speed : 1),
    };
    line_init(&line->line, event->time, &event->flow);
    if (over || (late && event->remembered)) {
        enum flow_end end = late ? event->was : event->reason;

        line->reason = flow_end_name(end);
        line->reason_number = (int)end;
    }
    if (late && event->remembered) {
        line->expired_t = since(clock->start, event->expired_at);
        line->late_by = since(event->expired_at, event->time);
    }
}

char *put_tcp_flags(char *p, uint8_t flags)
{
    static const struct {
        uint8_t bit;
        char letter;
    } letters[] = {{TCP_FIN, 'F'}, {TCP_SYN, 'S'}, {TCP_RST, 'R'}, {TCP_PSH, 'P'},
                   {TCP_ACK, '.'}, {TCP_URG, 'U'}, {0x40, 'E'},    {0x80, 'W'}};

    if (flags == 0)
        return put_text(p, "none");
    for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
        if (flags & letters[i].bit)
            p = put_char(p, letters[i].letter);
    return p;
}
