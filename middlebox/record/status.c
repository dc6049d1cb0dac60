/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/line.h"
#include "middlebox/record/put.h"

enum section { FLOWS, PACKETS, ANSWERS, LOSSES, DAEMON, SECTIONS };

static const char *const titles[SECTIONS] = {
    [FLOWS] = "Flows",   [PACKETS] = "Packets", [ANSWERS] = "Answers",
    [LOSSES] = "Losses", [DAEMON] = "Daemon",
};

/* One counter: its JSON name, its words, where it is. */
struct row {
    enum section section;
    bool quiet; /* text leaves it out while it is 0 */
    unsigned char size;
    const char *key, *words;
    size_t offset;
};
#define ROW(section, quiet, key, words, field)                                                     \
    {                                                                                              \
        section, quiet, sizeof(((struct record_status *)NULL)->field), key, words,                 \
            offsetof(struct record_status, field)                                                  \
    }
#define PACKET(reason, key, words) ROW(PACKETS, true, "packets_" key, words, engine.packets[reason])
#define STATE(state, key)                                                                          \
    ROW(FLOWS, true, "flows_" key, "in " #state, engine.by_state[FLOW_##state])
#define ENDED(end, key, words) ROW(FLOWS, true, "ended_" key, "ended: " words, engine.ended[end])

static const struct row rows[] = {
    ROW(FLOWS, false, "flows", "now", engine.flows),
    ROW(FLOWS, false, "max_flows", "at most", engine.max_flows),
    ROW(FLOWS, false, "peak_flows", "at the peak", engine.peak_flows),
    ROW(FLOWS, true, "lingering", "reset a moment ago, still answered", engine.lingering),
    STATE(NONE, "none"),
    STATE(SYN_SENT, "syn_sent"),
    STATE(SYN_RECV, "syn_recv"),
    STATE(ESTABLISHED, "established"),
    STATE(FIN_WAIT, "fin_wait"),
    STATE(CLOSE_WAIT, "close_wait"),
    STATE(LAST_ACK, "last_ack"),
    STATE(TIME_WAIT, "time_wait"),
    STATE(CLOSE, "close"),
    STATE(SYN_SENT2, "syn_sent2"),
    STATE(UNREPLIED, "unreplied"),
    STATE(REPLIED, "replied"),
    ROW(FLOWS, false, "opened", "opened", engine.opened),
    ROW(FLOWS, false, "expired", "expired", engine.expired),
    ENDED(FLOW_END_IDLE, "idle", "idle timeout"),
    ENDED(FLOW_END_ACTIVE, "active", "active timeout"),
    ENDED(FLOW_END_DETECTED, "detected", "closed by its ends"),
    ENDED(FLOW_END_FORCED, "forced", "by a command, a reset or a new SYN"),
    ENDED(FLOW_END_RESOURCES, "resources", "evicted"),
    ROW(FLOWS, true, "policies", "policies in use", engine.policies),
    ROW(FLOWS, false, "memory_bytes", "bytes of tables", engine.memory),
    ROW(PACKETS, false, "accepted", "accepted", engine.accepted),
    ROW(PACKETS, false, "dropped", "dropped", engine.dropped),
    PACKET(REASON_FLOW, "flow", "of a known flow"),
    PACKET(REASON_NEW, "new", "opened a flow"),
    PACKET(REASON_NO_FLOW, "no_flow", "need no flow"),
    PACKET(REASON_ADOPTED, "adopted", "opened a flow mid-stream"),
    PACKET(REASON_LATE, "late", "late: their flow is gone"),
    PACKET(REASON_INVALID, "invalid", "out of window or with impossible flags"),
    PACKET(REASON_BLOCKED, "blocked", "blocked by command"),
    PACKET(REASON_RULE, "rule", "forbidden by a rule"),
    PACKET(REASON_FULL, "full", "refused, the table was full"),
    PACKET(REASON_DEAD, "dead", "of a flow reset a moment ago"),
    PACKET(REASON_FRAGMENT, "fragment", "later fragments"),
    PACKET(REASON_FRAGMENT_LOST, "fragment_lost", "later fragments without their first"),
    PACKET(REASON_TRUNCATED, "truncated", "truncated"),
    PACKET(REASON_MALFORMED, "malformed", "malformed"),
    PACKET(REASON_CHECKSUM, "checksum", "with a wrong checksum"),
    PACKET(REASON_PROBE, "probe", "answers to probes of ours, swallowed"),
    ROW(PACKETS, true, "late", "late or adopted: needed a flow, found none", engine.late),
    ROW(PACKETS, true, "late_remembered", "of those, of a flow still remembered",
        engine.late_remembered),
    ROW(ANSWERS, false, "resets", "resets", engine.segments[SEGMENT_RESET]),
    ROW(ANSWERS, true, "icmp_errors", "ICMP errors", engine.segments[SEGMENT_ICMP]),
    ROW(ANSWERS, true, "probes", "probes", engine.segments[SEGMENT_PROBE]),
    ROW(ANSWERS, true, "rate_limited", "held back by inject-rate", engine.rate_limited),
    ROW(ANSWERS, false, "injected", "sent", injected),
    ROW(ANSWERS, true, "inject_failed", "could not be sent", inject_failed),
    ROW(LOSSES, false, "queue_dropped", "packets, the kernel's queue was full", queue_dropped),
    ROW(LOSSES, false, "user_dropped", "packets, the socket's buffer was full", user_dropped),
    ROW(LOSSES, false, "enobufs", "times the socket reported a loss (ENOBUFS)", enobufs),
    ROW(LOSSES, false, "lost_events", "events, their readers were too slow", lost_events),
    ROW(DAEMON, false, "largest_batch", "packets in the largest batch", largest_batch),
    ROW(DAEMON, false, "reloads", "reloads", reloads),
    ROW(DAEMON, true, "reloads_failed", "reloads of a faulty policy", reloads_failed),
    ROW(DAEMON, true, "clients", "control clients", clients),
    ROW(DAEMON, false, "rss_bytes", "bytes resident", rss_bytes),
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* A new state, reason or end needs its row. */
_Static_assert(FLOW_STATES == 12 && REASONS == 16 && FLOW_END_RESOURCES == 5, "rows are missing");

static uint64_t value(const struct record_status *status, const struct row *row)
{
    const char *at = (const char *)status + row->offset;

    return row->size == 4 ? *(const uint32_t *)at : *(const uint64_t *)at;
}

static unsigned speed(const struct record_clock *clock)
{
    return clock->speed > 0 ? clock->speed : 1;
}

char *status_json(char *p, const struct record_clock *clock, const struct record_status *status)
{
    p = put_text(p, "{\"type\":\"status\",\"v\":1,\"version\":");
    p = put_json_string(p, status->version);
    p = put_seconds(put_text(p, ",\"uptime_s\":"), status->uptime);
    p = put_u64(put_text(p, ",\"speed\":"), speed(clock));
    p = put_seconds(put_text(p, ",\"t_s\":"), clock->now - clock->start);
    p = put_seconds(put_text(p, ",\"wall_start_s\":"), clock->wall_start_ns);
    p = put_json_string(put_text(p, ",\"profile\":"), status->profile);
    p = put_json_string(put_text(p, ",\"policy\":"), status->policy);
    p = put_json_string(put_text(p, ",\"hook\":"), status->hook);
    p = put_json_string(put_text(p, ",\"metrics\":"), status->metrics);
    p = put_u64(put_text(p, ",\"queue_first\":"), status->queue_first);
    p = put_u64(put_text(p, ",\"queues\":"), status->queues);
    p = put_seconds(put_text(p, ",\"backlog_max_s\":"), status->backlog_max);
    for (size_t i = 0; i < ROWS; i++) {
        p = put_text(put_text(p, ",\""), rows[i].key);
        p = put_u64(put_text(p, "\":"), value(status, &rows[i]));
    }
    return put_text(p, "}\n");
}

static char *put_head(char *p, const struct record_clock *clock, const struct record_status *status)
{
    p = put_plain(put_text(p, "idlewalld "), status->version);
    p = put_duration(put_text(p, ", up "), status->uptime);
    if (speed(clock) > 1)
        p = put_u64(put_text(p, ", speed "), speed(clock));
    p = put_plain(put_text(p, ", hook "), status->hook);
    p = put_u64(put_text(p, ", queue "), status->queue_first);
    if (status->queues > 1)
        p = put_u64(put_char(p, ':'), (uint64_t)status->queue_first + status->queues - 1);
    if (status->policy)
        p = put_plain(put_text(p, "\npolicy "), status->policy);
    if (status->metrics)
        p = put_text(put_plain(put_text(p, "\nmetrics http://"), status->metrics), "/metrics");
    return put_char(put_plain(put_text(p, "\nprofile "), status->profile), '\n');
}

char *status_text(char *p, const struct record_clock *clock, const struct record_status *status)
{
    enum section section = SECTIONS;
    char *start;

    p = put_head(p, clock, status);
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].quiet && value(status, &rows[i]) == 0)
            continue;
        if (rows[i].section != section) {
            section = rows[i].section;
            p = put_text(put_text(p, titles[section]), ":\n");
        }
        start = p;
        p = put_right(put_u64(p, value(status, &rows[i])), start, 12);
        p = put_char(put_text(p, rows[i].words), '\n');
    }
    start = p;
    p = put_right(put_duration(p, status->backlog_max), start, 12);
    return put_text(p, "the longest a batch waited\n");
}
