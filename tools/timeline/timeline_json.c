/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The schema is documented in idlewall-scenario(5): a member that is there stays there. */
#include "tools/timeline/timeline_write.h"

#include "middlebox/record/line.h"
#include "middlebox/record/put.h"
#include "tools/timeline/json_out.h"
#include "tools/timeline/written.h"

#include <errno.h>
#include <string.h>

static void put_story(FILE *to, const struct timeline *timeline)
{
    const struct scenario *scenario = timeline->scenario;

    json_out_begin(to, "story");
    json_out_text(to, "name", scenario->name);
    json_out_text(to, "title", scenario->title);
    json_out_bool(to, "live", timeline->live);
    json_out_seconds(to, "end_s", timeline->end);
    if (timeline->wall_ns)
        json_out_seconds(to, "wall_s", (mtime_t)timeline->wall_ns);
    else
        json_out_null(to, "wall_s");
    json_out_name(to, "firewalls");
    fputc('[', to);
    for (size_t i = 0; i < scenario->n_firewalls; i++) {
        if (i > 0)
            fputc(',', to);
        json_out_string(to, scenario->firewall[i].name);
    }
    fputc(']', to);
    json_out_end(to);
}

/* What every event has. side: NULL for none. */
static void begin(FILE *to, const struct timeline *timeline, const struct timeline_event *e,
                  const char *type, const char *kind, const char *side)
{
    json_out_begin(to, type);
    json_out_seconds(to, "t_s", e->t);
    if (timeline->wall_ns)
        json_out_seconds(to, "wall_s",
                         (mtime_t)timeline->wall_ns +
                             e->t / (timeline->speed ? timeline->speed : 1));
    else
        json_out_null(to, "wall_s");
    json_out_text(to, "place", scenario_place_name(timeline->scenario, e->place));
    if (e->connection)
        json_out_number(to, "connection", e->connection);
    else
        json_out_null(to, "connection");
    json_out_text(to, "kind", kind);
    json_out_text(to, "side", side);
}

/* Of an event at a host; NULL at a firewall. */
static const char *side_at(const struct timeline *timeline, unsigned place)
{
    if (place == SCENARIO_CLIENT)
        return flow_side_name(FLOW_CLIENT);
    return place == scenario_server(timeline->scenario) ? flow_side_name(FLOW_SERVER) : NULL;
}

static void put_deed(FILE *to, const struct timeline *timeline, const struct timeline_event *e)
{
    const struct deed *deed = e->deed;

    begin(to, timeline, e, "deed", deed_name(deed->verb),
          deed->side_given ? flow_side_name(deed->side) : side_at(timeline, e->place));
    json_out_number(to, "line", deed->line);
    if (deed->verb == DEED_SEND)
        json_out_number(to, "bytes", deed->number);
    if (deed->verb == DEED_LOSE)
        json_out_number(to, "packets", deed->number);
    if (deed->verb == DEED_LINK_UP)
        json_out_bool(to, "new_address", deed->new_address);
    if (deed->verb == DEED_USER_TIMEOUT)
        json_out_seconds(to, "user_timeout_s", deed->duration);
    if (deed->verb == DEED_KEEPALIVE) {
        json_out_bool(to, "keepalive", deed->keepalive == SOFTWARE_KEEPALIVE_ON);
        json_out_seconds(to, "idle_s", deed->times.idle);
        json_out_seconds(to, "interval_s", deed->times.interval);
        json_out_number(to, "count", deed->times.count);
    }
    json_out_end(to);
}

static const char *passage_name(enum passage passage)
{
    switch (passage) {
    case PASSAGE_SENT:
        return "sent";
    case PASSAGE_FORWARDED:
        return "forwarded";
    case PASSAGE_INJECTED:
        return "injected";
    case PASSAGE_DROPPED:
        return "dropped";
    case PASSAGE_LOST:
        return "lost";
    case PASSAGE_RECEIVED:
        return "received";
    }
    return NULL;
}

static void put_packet(FILE *to, const struct timeline *timeline, const struct timeline_event *e)
{
    const struct timeline_packet *p = &e->packet;
    bool judged = p->passage == PASSAGE_FORWARDED || p->passage == PASSAGE_DROPPED;
    char flags[PUT_LINE];

    begin(to, timeline, e, "packet", passage_name(p->passage), flow_side_name(p->from));
    json_out_number(to, "packet", p->id);
    json_out_text(to, "protocol", p->tcp ? "tcp" : "icmp");
    if (!p->tcp) {
        json_out_number(to, "icmp_type", p->icmp_type);
        json_out_number(to, "icmp_code", p->icmp_code);
    }
    *put_tcp_flags(flags, p->flags) = '\0';
    json_out_text(to, "flags", flags);
    json_out_number(to, "seq", p->seq);
    json_out_number(to, "ack", p->ack);
    json_out_number(to, "relative_seq", p->rel_seq);
    json_out_number(to, "relative_ack", p->rel_ack);
    json_out_number(to, "len", p->len);
    json_out_number(to, "window", p->window);
    json_out_number(to, "wire_len", p->wire_len);
    json_out_text(to, "note", p->note == NOTE_NONE ? NULL : packet_note_word(p->note));
    if (p->nth)
        json_out_number(to, "nth", p->nth);
    else
        json_out_null(to, "nth");
    json_out_text(to, "reason", judged ? reason_name(p->reason) : NULL);
    if (p->passage == PASSAGE_LOST)
        json_out_bool(to, "silent_link", p->silent_link);
    json_out_end(to);
}

static void put_socket(FILE *to, const struct timeline *timeline, const struct timeline_event *e)
{
    const struct socket_view *view = &e->socket;
    bool runs = view->timer != TIMER_OFF && view->expires != MTIME_NEVER;

    begin(to, timeline, e, "socket", view->state == SOCKET_GONE ? "gone" : "shows",
          side_at(timeline, e->place));
    json_out_text(to, "state", view->state == SOCKET_GONE ? NULL : socket_state_name(view->state));
    json_out_text(to, "timer", socket_timer_name(view->timer));
    if (runs)
        json_out_seconds(to, "remaining_s", view->expires > e->t ? view->expires - e->t : 0);
    else
        json_out_null(to, "remaining_s");
    json_out_number(to, "retransmits", view->retransmits);
    json_out_number(to, "probes", view->probes);
    json_out_number(to, "send_queue", view->send_queue);
    json_out_number(to, "receive_queue", view->receive_queue);
    json_out_bool(to, "orphaned", view->orphaned);
    json_out_end(to);
}

/* As one word; app_act_name() is for people. */
static const char *act_word(enum app_act act)
{
    switch (act) {
    case APP_CONNECT:
    case APP_CONNECTED:
    case APP_ACCEPTED:
    case APP_SEND:
    case APP_READ:
    case APP_ERROR:
    case APP_CLOSE:
    case APP_ENDED:
    case APP_EXITED:
        return app_act_name(act);
    case APP_EOF:
        return "eof";
    case APP_READ_TIMEOUT:
        return "read_timeout";
    case APP_HEARTBEAT_TIMEOUT:
        return "heartbeat_timeout";
    case APP_IDLE_CLOSE:
        return "idle_close";
    }
    return NULL;
}

static void put_app(FILE *to, const struct timeline *timeline, const struct timeline_event *e)
{
    const struct timeline_app *app = &e->app;

    begin(to, timeline, e, "app", act_word(app->act), side_at(timeline, e->place));
    json_out_text(to, "call", app->call == CALL_NONE ? NULL : app_call_name(app->call));
    json_out_number(to, "bytes", app->bytes);
    json_out_text(to, "error", app->error ? errno_name(app->error) : NULL);
    json_out_text(to, "error_text", app->error ? strerror(app->error) : NULL);
    json_out_end(to);
}

/* The members are those of `idlewall events -o json`. */
static void put_flow(FILE *to, const struct timeline *timeline, const struct timeline_event *e)
{
    const struct record_clock clock = {.now = e->flow.time, .speed = 1};
    const struct event *event = &e->flow;
    bool over = event->kind == EVENT_EXPIRED || event->kind == EVENT_ENDED ||
                event->action == ACTED_PROBED; /* no packet of theirs */
    struct event_line line;

    event_line_init(&line, &clock, event);
    begin(to, timeline, e, "flow", event_kind_name(event->kind),
          over ? NULL : flow_side_name(event->side));
    json_out_number(to, "id", event->flow.id);
    json_out_text(to, "state", flow_state_name(event->flow.state));
    json_out_text(to, "timeout_name", line.line.timeout_name);
    json_out_seconds(to, "timeout_s", event->flow.timeout);
    json_out_seconds(to, "idle_s", line.line.idle);
    json_out_seconds(to, "longest_idle_s", event->flow.longest_idle);
    json_out_number(to, "client_packets", event->flow.packets[FLOW_CLIENT]);
    json_out_number(to, "server_packets", event->flow.packets[FLOW_SERVER]);
    json_out_text(to, "rule", line.line.rule);
    json_out_text(to, "profile", line.line.profile);
    if (line.reason)
        json_out_number(to, "reason", (uint64_t)line.reason_number);
    else
        json_out_null(to, "reason");
    json_out_text(to, "reason_name", line.reason);
    json_out_text(to, "action", event_action_name(event->action));
    if (event->kind == EVENT_LATE) {
        json_out_bool(to, "remembered", event->remembered);
        json_out_seconds(to, "expired_t_s", event->remembered ? line.expired_t : MTIME_NEVER);
        json_out_seconds(to, "late_by_s", event->remembered ? line.late_by : MTIME_NEVER);
    }
    json_out_end(to);
}

int timeline_write_json(FILE *to, const struct timeline *timeline)
{
    put_story(to, timeline);
    for (size_t i = 0; i < timeline->n_events && !ferror(to); i++) {
        const struct timeline_event *e = &timeline->events[i];

        switch (e->kind) {
        case TIMELINE_DEED:
            put_deed(to, timeline, e);
            break;
        case TIMELINE_PACKET:
            put_packet(to, timeline, e);
            break;
        case TIMELINE_SOCKET:
            put_socket(to, timeline, e);
            break;
        case TIMELINE_APP:
            put_app(to, timeline, e);
            break;
        case TIMELINE_FLOW:
            put_flow(to, timeline, e);
            break;
        }
    }
    return written_status(to);
}
