/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/live/metrics_text.h"
#include "middlebox/record/put.h"

#include <stdlib.h>
#include <string.h>

const char *const metrics_content_type[2] = {
    [METRICS_OPEN] = "application/openmetrics-text; version=1.0.0; charset=utf-8",
    [METRICS_PLAIN] = "text/plain; version=0.0.4; charset=utf-8",
};

/* All families with all of their fixed samples; profiles come on top. */
#define FIXED_ROOM 32768
/* A sample of a flow's state, less the profile's name. */
#define SAMPLE_ROOM 128

enum type { GAUGE, COUNTER, HISTOGRAM, INFO };

struct page {
    enum metrics_form form;
    char *p;
    const char *name; /* of the family at hand */
    enum type type;
};

static void text(struct page *page, const char *what)
{
    page->p = put_text(page->p, what);
}

/* In 0.0.4 a family is named as its samples are. */
static void put_name(struct page *page)
{
    text(page, page->name);
    if (page->form == METRICS_PLAIN && page->type == COUNTER)
        text(page, "_total");
    if (page->form == METRICS_PLAIN && page->type == INFO)
        text(page, "_info");
}

/* unit: the last word of the name, or NULL. help: without backslashes and line ends. */
static void family(struct page *page, enum type type, const char *name, const char *unit,
                   const char *help)
{
    static const char *const types[] = {" gauge\n", " counter\n", " histogram\n", " info\n"};

    page->name = name;
    page->type = type;
    text(page, "# TYPE ");
    put_name(page);
    text(page, page->form == METRICS_PLAIN && type == INFO ? " gauge\n" : types[type]);
    if (unit && page->form == METRICS_OPEN) {
        text(page, "# UNIT ");
        put_name(page);
        text(page, " ");
        text(page, unit);
        text(page, "\n");
    }
    text(page, "# HELP ");
    put_name(page);
    text(page, " ");
    text(page, help);
    text(page, "\n");
}

/* A label's value: the format's three escapes; names of policies are ASCII. */
static void label(struct page *page, const char *key, const char *value)
{
    char *p = put_text(put_text(page->p, key), "=\"");

    for (; *value; value++) {
        if (*value == '\n') {
            p = put_text(p, "\\n");
            continue;
        }
        if (*value == '"' || *value == '\\')
            *p++ = '\\';
        *p++ = *value;
    }
    page->p = put_char(p, '"');
}

static void start(struct page *page)
{
    text(page, page->name);
    if (page->type == COUNTER)
        text(page, "_total");
    if (page->type == INFO)
        text(page, "_info");
}

static void value(struct page *page, uint64_t number)
{
    page->p = put_char(put_u64(put_char(page->p, ' '), number), '\n');
}

static void seconds(struct page *page, mtime_t time)
{
    page->p = put_char(put_seconds(put_char(page->p, ' '), time), '\n');
}

static void sample(struct page *page, uint64_t number)
{
    start(page);
    value(page, number);
}

static void labelled(struct page *page, const char *key, const char *word, uint64_t number)
{
    start(page);
    text(page, "{");
    label(page, key, word);
    text(page, "}");
    value(page, number);
}

static void put_flows(struct page *page, const struct metrics *m)
{
    const struct engine_stats *e = &m->status.engine;

    family(page, GAUGE, "idlewall_flows", NULL,
           "Flows in the table, by the profile they were opened under and by state.");
    for (size_t i = 0; i < m->n_census; i++) {
        for (unsigned s = 0; s < FLOW_STATES; s++) {
            if (m->census[i].by_state[s] == 0)
                continue;
            start(page);
            text(page, "{");
            label(page, "profile", m->census[i].profile);
            text(page, ",");
            label(page, "state", flow_state_name((enum flow_state)s));
            text(page, "}");
            value(page, m->census[i].by_state[s]);
        }
    }
    family(page, GAUGE, "idlewall_max_flows", NULL, "Flows that the table may hold.");
    sample(page, e->max_flows);
    family(page, GAUGE, "idlewall_peak_flows", NULL, "Most flows at one time since the start.");
    sample(page, e->peak_flows);
    family(page, GAUGE, "idlewall_lingering_flows", NULL,
           "Flows that were reset a moment ago and are still answered.");
    sample(page, e->lingering);
    family(page, COUNTER, "idlewall_flows_opened", NULL, "Flows opened.");
    sample(page, e->opened);
    family(page, COUNTER, "idlewall_flows_ended", NULL,
           "Flows that ended, by IPFIX flowEndReason; the two timeouts are expirations.");
    for (unsigned r = FLOW_END_IDLE; r <= FLOW_END_RESOURCES; r++)
        labelled(page, "reason", flow_end_name((enum flow_end)r), e->ended[r]);
}

static void put_packets(struct page *page, const struct engine_stats *e)
{
    family(page, COUNTER, "idlewall_packets", NULL,
           "Packets judged, by the reason of the verdict.");
    for (unsigned r = 0; r < REASONS; r++)
        labelled(page, "reason", reason_name((enum reason)r), e->packets[r]);
    family(page, COUNTER, "idlewall_verdicts", NULL, "Packets judged, by verdict.");
    labelled(page, "verdict", "accept", e->accepted);
    labelled(page, "verdict", "drop", e->dropped);
}

/* A bound of the histogram: OpenMetrics wants floats (`10.0`), as they compare equal everywhere. */
static void put_bound(struct page *page, unsigned i)
{
    text(page, page->name);
    text(page, "_bucket{le=\"");
    if (i < ENGINE_LATE_IDLE)
        page->p = put_text(put_seconds(page->p, engine_late_idle[i]), ".0");
    else
        text(page, "+Inf");
    text(page, "\"}");
}

static void put_late(struct page *page, const struct engine_stats *e)
{
    uint64_t sum = 0;

    family(page, COUNTER, "idlewall_late_packets", NULL,
           "Packets that needed a flow and found none, by what was done about them.");
    for (unsigned a = ACTED_NONE; a <= ACTED_RATE_LIMITED; a++) {
        if (a != ACTED_RESET_BOTH && a != ACTED_PROBED) /* never the answer to a late packet */
            labelled(page, "action", event_action_name((enum event_action)a), e->late_action[a]);
    }
    family(page, HISTOGRAM, "idlewall_late_idle_seconds", "seconds",
           "How long the flow of a late packet had been idle, where it is remembered; the "
           "firewall's time.");
    for (unsigned i = 0; i <= ENGINE_LATE_IDLE; i++) {
        put_bound(page, i);
        value(page, sum += e->late_idle[i]);
    }
    text(page, "idlewall_late_idle_seconds_sum");
    page->p = put_u64(put_char(page->p, ' '), e->late_idle_ms / 1000);
    page->p = put_char(page->p, '.');
    for (uint64_t scale = 100; scale > 0; scale /= 10)
        page->p = put_char(page->p, (char)('0' + e->late_idle_ms / scale % 10));
    text(page, "\nidlewall_late_idle_seconds_count");
    value(page, sum);
}

static void put_expiry(struct page *page, const struct record_clock *clock, const struct metrics *m)
{
    family(page, GAUGE, "idlewall_next_expiry_seconds", "seconds",
           "The firewall's time until it looks for the next flow to expire, at the earliest; +Inf "
           "if nothing is due.");
    start(page);
    if (!m->has_deadline)
        text(page, " +Inf\n");
    else
        seconds(page, m->next_deadline > clock->now ? m->next_deadline - clock->now : 0);
}

static void put_answers(struct page *page, const struct record_status *s)
{
    family(page, COUNTER, "idlewall_segments", NULL, "Segments made, by kind.");
    labelled(page, "kind", "reset", s->engine.segments[SEGMENT_RESET]);
    labelled(page, "kind", "icmp error", s->engine.segments[SEGMENT_ICMP]);
    labelled(page, "kind", "probe", s->engine.segments[SEGMENT_PROBE]);
    family(page, COUNTER, "idlewall_segments_sent", NULL, "Segments sent, or not, by result.");
    labelled(page, "result", "sent", s->injected);
    labelled(page, "result", "failed", s->inject_failed);
    labelled(page, "result", "rate limited", s->engine.rate_limited);
}

static void put_losses(struct page *page, const struct metrics *m)
{
    const struct record_status *s = &m->status;

    family(page, COUNTER, "idlewall_queue_dropped_packets", NULL,
           "Packets lost between the kernel and the daemon, by where there was no room.");
    labelled(page, "where", "queue", s->queue_dropped);
    labelled(page, "where", "socket", s->user_dropped);
    family(page, GAUGE, "idlewall_queue_waiting_packets", NULL, "Packets in the kernel's queues.");
    sample(page, m->waiting);
    family(page, GAUGE, "idlewall_backlog_max_seconds", "seconds",
           "The longest that a batch of packets waited.");
    start(page);
    seconds(page, s->backlog_max);
    family(page, COUNTER, "idlewall_lost_events", NULL,
           "Events that readers of the control socket were too slow for.");
    sample(page, s->lost_events);
}

static void put_daemon(struct page *page, const struct record_clock *clock,
                       const struct record_status *s)
{
    family(page, INFO, "idlewall_build", NULL, "The version that runs.");
    start(page);
    text(page, "{");
    label(page, "version", s->version);
    text(page, "} 1\n");
    family(page, GAUGE, "idlewall_speed", NULL, "How many times as fast the firewall's time runs.");
    sample(page, clock->speed > 0 ? clock->speed : 1);
    family(page, GAUGE, "idlewall_start_time_seconds", "seconds", "Unix time of the start.");
    start(page);
    seconds(page, clock->wall_start_ns);
    family(page, GAUGE, "idlewall_table_bytes", "bytes", "Memory of the tables.");
    sample(page, s->engine.memory);
    family(page, GAUGE, "idlewall_resident_memory_bytes", "bytes", "Resident memory.");
    sample(page, s->rss_bytes);
    family(page, GAUGE, "idlewall_policies", NULL, "Policies in use, the current one included.");
    sample(page, s->engine.policies);
    family(page, COUNTER, "idlewall_reloads", NULL, "Reloads of the policy, by result.");
    labelled(page, "result", "done", s->reloads);
    labelled(page, "result", "faulty", s->reloads_failed);
}

static size_t room(const struct metrics *m)
{
    size_t need = FIXED_ROOM + PUT_STRING(strlen(m->status.version));

    for (size_t i = 0; i < m->n_census; i++)
        need += FLOW_STATES * (SAMPLE_ROOM + PUT_STRING(strlen(m->census[i].profile)));
    return need;
}

char *metrics_text(enum metrics_form form, const struct record_clock *clock,
                   const struct metrics *metrics, size_t *len)
{
    char *text_start = malloc(room(metrics));
    struct page page = {.form = form, .p = text_start};

    if (!text_start)
        return NULL;
    put_daemon(&page, clock, &metrics->status);
    put_flows(&page, metrics);
    put_expiry(&page, clock, metrics);
    put_packets(&page, &metrics->status.engine);
    put_late(&page, &metrics->status.engine);
    put_answers(&page, &metrics->status);
    put_losses(&page, metrics);
    if (form == METRICS_OPEN)
        text(&page, "# EOF\n");
    *len = (size_t)(page.p - text_start);
    return text_start;
}
