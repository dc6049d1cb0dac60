/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/timeline/expect.h"

#include "tools/timeline/expect_private.h"
#include "tools/timeline/outcome.h"
#include "tools/timeline/story_clock.h"

static bool in_window(const struct expectation *e, mtime_t t)
{
    return t >= e->from && t <= e->to;
}

static bool judge_error(const struct timeline *timeline, const struct expectation *e,
                        struct expect_result *result)
{
    bool found = false, any = false;
    char at[STORY_TEXT];

    snprintf(result->seen, sizeof(result->seen), "no error");
    for (size_t i = 0; i < timeline->n_events; i++) {
        const struct timeline_event *event = &timeline->events[i];

        if (event->kind != TIMELINE_APP || event->place != e->place || event->app.act != APP_ERROR)
            continue;
        if (!any || (in_window(e, event->t) && !found))
            snprintf(result->seen, sizeof(result->seen), "%s at %s", errno_name(event->app.error),
                     story_clock(event->t, at));
        any = true;
        found |= in_window(e, event->t) && (e->error == 0 || e->error == event->app.error);
    }
    return e->error == 0 ? !found : found;
}

static bool judge_eof(const struct timeline *timeline, const struct expectation *e,
                      struct expect_result *result)
{
    bool found = false;
    char at[STORY_TEXT];

    snprintf(result->seen, sizeof(result->seen), "no end of file");
    for (size_t i = 0; i < timeline->n_events; i++) {
        const struct timeline_event *event = &timeline->events[i];

        if (event->kind != TIMELINE_APP || event->place != e->place || event->app.act != APP_EOF)
            continue;
        snprintf(result->seen, sizeof(result->seen), "end of file at %s",
                 story_clock(event->t, at));
        found |= in_window(e, event->t);
        if (found)
            return true;
    }
    return false;
}

static bool is_counted(const struct expectation *e, const struct timeline_packet *p)
{
    switch (e->kind) {
    case EXPECT_PROBES:
        return p->passage == PASSAGE_SENT && p->note == NOTE_PROBE;
    case EXPECT_RETRANSMITS:
        return p->passage == PASSAGE_SENT && p->note == NOTE_RETRANSMIT;
    case EXPECT_HEARD:
        return p->passage == PASSAGE_RECEIVED;
    default:
        break;
    }
    if (e->passage == EXPECT_SENDS && p->passage != PASSAGE_SENT && p->passage != PASSAGE_INJECTED)
        return false;
    if (e->passage == EXPECT_RECEIVES && p->passage != PASSAGE_RECEIVED)
        return false;
    if (e->passage == EXPECT_DROPS && p->passage != PASSAGE_DROPPED)
        return false;
    return (e->note < 0 || (p->tcp && (int)p->note == e->note)) &&
           (!e->side_given || p->from == e->side) &&
           (e->flags == EXPECT_ANY ||
            (e->flags == EXPECT_ICMP ? !p->tcp : p->tcp && p->flags == e->flags));
}

static bool judge_packets(const struct timeline *timeline, const struct expectation *e,
                          struct expect_result *result)
{
    uint32_t n = 0;
    mtime_t first = MTIME_NEVER, other = MTIME_NEVER;
    char at[STORY_TEXT];

    for (size_t i = 0; i < timeline->n_events; i++) {
        const struct timeline_event *event = &timeline->events[i];

        if (event->kind != TIMELINE_PACKET || event->place != e->place ||
            !is_counted(e, &event->packet))
            continue;
        if (!in_window(e, event->t)) {
            other = other == MTIME_NEVER ? event->t : other;
            continue;
        }
        first = first == MTIME_NEVER ? event->t : first;
        n++;
    }
    if (n > 0)
        snprintf(result->seen, sizeof(result->seen), "%u, the first at %s", n,
                 story_clock(first, at));
    else if (other != MTIME_NEVER)
        snprintf(result->seen, sizeof(result->seen), "none then, but one at %s",
                 story_clock(other, at));
    else
        snprintf(result->seen, sizeof(result->seen), "none");
    return e->kind == EXPECT_HEARD ? n == 0 : n >= e->number_from && n <= e->number_to;
}

static bool judge_event(const struct timeline *timeline, const struct expectation *e,
                        struct expect_result *result)
{
    char at[STORY_TEXT];

    snprintf(result->seen, sizeof(result->seen), "no such event");
    for (size_t i = 0; i < timeline->n_events; i++) {
        const struct timeline_event *event = &timeline->events[i];

        if (event->kind != TIMELINE_FLOW || event->place != e->place ||
            (int)event->flow.kind != e->event)
            continue;
        snprintf(result->seen, sizeof(result->seen), "%s at %s", event_kind_name(event->flow.kind),
                 story_clock(event->t, at));
        if (in_window(e, event->t))
            return true;
    }
    return false;
}

static bool judge_believes(const struct timeline *timeline, const struct expectation *e,
                           struct expect_result *result)
{
    enum flow_side side = e->place == SCENARIO_CLIENT ? FLOW_CLIENT : FLOW_SERVER;
    uint32_t n = timeline_connections(timeline);

    snprintf(result->seen, sizeof(result->seen), "it knows");
    for (uint32_t c = 1; c <= n; c++) {
        struct outcome_connection outcome;

        if (story_outcome(timeline, c, &outcome) < 0 || !outcome.side[side].believes)
            continue;
        snprintf(result->seen, sizeof(result->seen), "it still believes in connection %u", c);
        return true;
    }
    return false;
}

static bool judge(const struct timeline *timeline, const struct expectation *e,
                  struct expect_result *result)
{
    switch (e->kind) {
    case EXPECT_ERROR:
        return judge_error(timeline, e, result);
    case EXPECT_EOF:
        return judge_eof(timeline, e, result);
    case EXPECT_STATE:
    case EXPECT_TIMER:
    case EXPECT_CONNECTIONS:
    case EXPECT_FLOW:
        return expect_lasting(timeline, e, result);
    case EXPECT_PROBES:
    case EXPECT_RETRANSMITS:
    case EXPECT_PACKET:
    case EXPECT_HEARD:
        return judge_packets(timeline, e, result);
    case EXPECT_EVENT:
        return judge_event(timeline, e, result);
    case EXPECT_BELIEVES:
        return judge_believes(timeline, e, result);
    }
    return false;
}

bool expect_check(const struct timeline *timeline, struct expect_result *results)
{
    const struct scenario *s = timeline->scenario;
    bool all = true;

    for (size_t i = 0; i < s->n_expectations; i++) {
        struct expect_result *result = &results[i];

        result->expectation = &s->expectations[i];
        result->met = judge(timeline, result->expectation, result) != s->expectations[i].negated;
        all = all && result->met;
    }
    return all;
}

void expect_report(FILE *to, const struct scenario *scenario, const struct expect_result *results)
{
    for (size_t i = 0; i < scenario->n_expectations; i++)
        if (!results[i].met)
            fprintf(to, "%s:%u: expected %s; seen: %s\n", scenario->name,
                    scenario->expectations[i].line, scenario->expectations[i].text,
                    results[i].seen);
}
