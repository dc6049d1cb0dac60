/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/summary_member.h"
#include "tools/replay/summary_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int read_summary(struct member_line *line, struct summary *part)
{
    const char *policy = member_text(line, "policy");

    for (size_t i = 0; i < summary_figure_count; i++)
        *figure_at(&part->figures, i) = member_number(line, summary_figures[i].name, UINT64_MAX);
    part->first = member_seconds(line, "first_s");
    part->last = member_seconds(line, "last_s");
    part->peak = member_number(line, "peak_entries", UINT64_MAX);
    return line->broken ? -EINVAL : summary_set_policy(part, policy);
}

static int read_server(struct member_line *line, struct summary *part)
{
    struct server_key key = {0};
    struct server *server;

    key.family = member_address(line, "server", key.addr);
    key.port = (uint16_t)member_number(line, "server_port", UINT16_MAX);
    key.proto = (uint8_t)member_number(line, "proto_number", UINT8_MAX);
    if (line->broken)
        return -EINVAL;
    server = servers_place(&part->servers, &key);
    if (!server)
        return -ENOMEM;
    for (enum replay_outcome o = 0; o < REPLAY_OUTCOMES; o++)
        server->by_outcome[o] = member_number(line, replay_outcome_name(o), UINT64_MAX);
    server->late_packets = member_number(line, "late_packets", UINT64_MAX);
    server->longest = member_seconds(line, "longest_silence_s");
    server->helped = member_number(line, "keepalive_would_save", UINT64_MAX);
    server->limit = member_seconds_or_none(line, "shortest_timeout_s");
    server->incomplete = member_bool(line, "incomplete");
    return line->broken ? -EINVAL : 0;
}

static int read_limit(struct member_line *line, struct summary *part)
{
    mtime_t limit = member_seconds(line, "timeout_s");
    uint64_t helped = member_number(line, "keepalive_would_save", UINT64_MAX);
    uint64_t too_slow = member_number(line, "keepalive_too_slow", UINT64_MAX);

    return line->broken ? -EINVAL : summary_add_limit(part, limit, helped, too_slow);
}

static void read_keepalive(struct member_line *line, struct flow_keepalive *keepalive, bool client)
{
    keepalive->seen = (uint32_t)member_number(
        line, client ? "client_keepalives" : "server_keepalives", UINT32_MAX);
    keepalive->answered = (uint32_t)member_number(
        line, client ? "client_keepalives_answered" : "server_keepalives_answered", UINT32_MAX);
    keepalive->interval = member_seconds_or_none(line, client ? "client_keepalive_interval_s"
                                                              : "server_keepalive_interval_s");
}

static void read_flow(struct member_line *line, struct flow *flow)
{
    flow->id = member_number(line, "id", UINT64_MAX);
    flow->proto = (uint8_t)member_number(line, "proto_number", UINT8_MAX);
    flow->family = member_address(line, "client", flow->addr[FLOW_CLIENT]);
    if (member_address(line, "server", flow->addr[FLOW_SERVER]) != flow->family)
        line->broken = true;
    flow->port[FLOW_CLIENT] = (uint16_t)member_number(line, "client_port", UINT16_MAX);
    flow->port[FLOW_SERVER] = (uint16_t)member_number(line, "server_port", UINT16_MAX);
    flow->state = (enum flow_state)member_word(line, "state", FLOW_STATES, state_word);
    flow->opened = member_seconds(line, "first_s");
    flow->last = member_seconds(line, "last_s");
    flow->packets[FLOW_CLIENT] = member_number(line, "client_packets", UINT64_MAX);
    flow->packets[FLOW_SERVER] = member_number(line, "server_packets", UINT64_MAX);
    flow->bytes[FLOW_CLIENT] = member_number(line, "client_bytes", UINT64_MAX);
    flow->bytes[FLOW_SERVER] = member_number(line, "server_bytes", UINT64_MAX);
    flow->guessed = member_bool(line, "guessed");
    read_keepalive(line, &flow->keepalive[FLOW_CLIENT], true);
    read_keepalive(line, &flow->keepalive[FLOW_SERVER], false);
}

static void read_late(struct member_line *line, struct replay_late *late)
{
    late->number = member_number(line, "late_packet", UINT64_MAX);
    late->capture = (uint32_t)member_number(line, "late_capture", UINT32_MAX);
    late->time = member_seconds(line, "late_at_s");
    late->silence = member_seconds(line, "late_silence_s");
    late->side = (enum flow_side)member_word(line, "late_side", 2, side_word);
    late->tcp_flags = (uint8_t)member_number(line, "late_flags_number", UINT8_MAX);
    late->action =
        (enum event_action)member_word(line, "late_action", SUMMARY_ACTIONS, action_word);
}

static int read_worst(struct member_line *line, struct summary *part)
{
    const char *capture = member_text(line, "capture");
    struct replay_flow f = {0};

    read_flow(line, &f.flow);
    f.outcome = (enum replay_outcome)member_word(line, "outcome", REPLAY_OUTCOMES, outcome_word);
    f.first_number = member_number(line, "first_packet", UINT64_MAX);
    f.last_number = member_number(line, "last_packet", UINT64_MAX);
    f.longest_idle = member_seconds(line, "longest_silence_s");
    f.longest_idle_at = member_seconds(line, "longest_silence_from_s");
    f.longest_idle_payload = member_seconds(line, "longest_silence_without_keepalives_s");
    f.limit = member_seconds_or_none(line, "timeout_s");
    f.late_packets = member_number(line, "late_packets", UINT64_MAX);
    if (f.late_packets > 0)
        read_late(line, &f.late);
    f.midstream = member_bool(line, "midstream");
    f.retransmitted_syn = member_bool(line, "syn_again");
    f.end = (enum flow_end)member_word(line, "end", FLOW_END_RESOURCES + 1, end_word);
    return line->broken ? -EINVAL : summary_add_worst(part, &f, capture);
}

/* What belongs to a summary follows it; then there may be another. */
struct reading {
    struct summary *into, *part; /* part: NULL before the first */
    uint64_t let_go;             /* of part: only once all its servers have their places */
    mtime_t shortest;            /* of its limits, as it says itself */
};

static int finish_part(struct reading *reading)
{
    struct summary *into = reading->into, *part = reading->part;
    int r = -EINVAL;

    if (!part)
        return 0;
    part->servers.let_go = reading->let_go;
    if (summary_limit(part) == reading->shortest &&
        (!part->policy || !into->policy || strcmp(part->policy, into->policy) == 0))
        r = summary_merge(into, part);
    reading->part = summary_destroy(part);
    return r;
}

static int begin_part(struct reading *reading, struct member_line *line)
{
    int r = finish_part(reading);

    if (r < 0)
        return r;
    reading->part = summary_create();
    if (!reading->part)
        return -ENOMEM;
    reading->let_go = member_number(line, "servers_let_go", UINT64_MAX);
    reading->shortest = member_seconds_or_none(line, "shortest_timeout_s");
    return read_summary(line, reading->part);
}

static int read_line(struct reading *reading, const char *text)
{
    struct member_line line;
    const char *type;
    int r = -EINVAL;

    if (!member_line_init(&line, text))
        goto out;
    type = member_text(&line, "type");
    r = type ? 0 : -EINVAL;
    if (!type || (strcmp(type, "summary") != 0 && strcmp(type, "server") != 0 &&
                  strcmp(type, "worst") != 0 && strcmp(type, "limit") != 0))
        goto out;
    if (member_number(&line, "v", 1) != 1)
        r = -EINVAL;
    else if (type[1] == 'u')
        r = begin_part(reading, &line);
    else if (!reading->part)
        r = -EINVAL;
    else
        r = type[0] == 's'   ? read_server(&line, reading->part)
            : type[0] == 'l' ? read_limit(&line, reading->part)
                             : read_worst(&line, reading->part);
out:
    member_line_finish(&line);
    return r;
}

/* Our lines are far shorter, but for a path of PATH_MAX with every character escaped. */
#define LINE_MOST 65536

int summary_read(FILE *from, struct summary *summary, unsigned long *line)
{
    struct reading reading = {.into = summary};
    char *text = malloc(LINE_MOST);
    bool any = false;
    size_t len;
    int r = text ? 0 : -ENOMEM;

    *line = 0;
    while (r == 0 && fgets(text, LINE_MOST, from)) {
        ++*line;
        len = strlen(text);
        if (len == 0 || (text[len - 1] != '\n' && !feof(from)))
            r = -EINVAL;
        else if (text[strspn(text, " \t\r\n")] != '\0')
            r = read_line(&reading, text);
        any = any || reading.part;
    }
    if (r == 0 && ferror(from))
        r = errno ? -errno : -EIO;
    if (r == 0 && !any) {
        *line = 0;
        r = -EINVAL;
    }
    if (r == 0)
        r = finish_part(&reading);
    summary_destroy(reading.part);
    free(text);
    return r;
}
