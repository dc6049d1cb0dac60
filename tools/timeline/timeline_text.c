/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/timeline/timeline_text.h"
#include "tools/timeline/timeline_write.h"

#include "tools/timeline/story_clock.h"
#include "tools/timeline/written.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SILENCE (60 * MTIME_SEC) /* longer ones get a line of their own */
#define BRIEF (100 * MTIME_MSEC) /* what a socket shows for less is not worth a line */

/* What has been told of a socket. */
struct told {
    bool any;
    struct socket_view view;
    mtime_t waits_since; /* the application, in read(); MTIME_NEVER: not */
};

/* What the scenario told an application to do is what it does next: one line is enough. */
struct asked {
    bool connect, send, close;
};

struct text {
    FILE *to;
    const struct timeline *timeline;
    struct text_fate *fates; /* by packet id */
    size_t n_fates;
    size_t *next_view;     /* by event: the next view of the same socket, or n_events */
    struct told *told;     /* by connection and side */
    struct asked asked[2]; /* by side */
    uint32_t connections;
    int who; /* columns */
    mtime_t last;
    bool any;
};

static void line(struct text *text, mtime_t t, unsigned place, uint32_t connection,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));

static void begin(struct text *text, mtime_t t, const char *who)
{
    char clock[STORY_TEXT], silence[STORY_TEXT];

    if (text->any && t - text->last >= SILENCE)
        fprintf(text->to, "%14s  ... %s of silence ...\n", "", story_span(t - text->last, silence));
    text->any = true;
    text->last = t;
    fprintf(text->to, "%14s  %-*s  ", story_clock(t, clock), text->who, who);
}

static void line(struct text *text, mtime_t t, unsigned place, uint32_t connection,
                 const char *format, ...)
{
    char who[64];
    va_list args;

    if (text->connections > 1 && connection > 0)
        snprintf(who, sizeof(who), "%s #%u", scenario_place_name(text->timeline->scenario, place),
                 connection);
    else
        snprintf(who, sizeof(who), "%s", scenario_place_name(text->timeline->scenario, place));
    begin(text, t, who);
    va_start(args, format);
    vfprintf(text->to, format, args);
    va_end(args);
    fputc('\n', text->to);
}

/* A packet at the moment it is sent, with all that became of it. */
static void packet(struct text *text, const struct timeline_event *e)
{
    const struct timeline_packet *p = &e->packet;
    char what[256], fate[192], who[80];

    if (p->passage != PASSAGE_SENT && p->passage != PASSAGE_INJECTED)
        return;
    text_packet(what, sizeof(what), p);
    text_fate(fate, sizeof(fate), text->timeline, e, &text->fates[p->id]);
    snprintf(who, sizeof(who), "%s > %s", scenario_place_name(text->timeline->scenario, e->place),
             p->from == FLOW_CLIENT ? "server" : "client");
    if (text->connections > 1)
        snprintf(who + strlen(who), sizeof(who) - strlen(who), " #%u", e->connection);
    begin(text, e->t, who);
    fprintf(text->to, "%s%s\n", what, fate);
}

static struct told *told_of(struct text *text, const struct timeline_event *e)
{
    return &text->told[2 * e->connection + (e->place != SCENARIO_CLIENT)];
}

/* What a person would see when he looks now and then: what stands for a while, and is another
 * state, another timer or another count than before, or a timer that ran out and was set for the
 * rest. */
static bool worth_telling(const struct text *text, const struct told *told, size_t i)
{
    const struct timeline_event *e = &text->timeline->events[i];
    const struct socket_view *now = &e->socket, *before = &told->view;
    size_t next = text->next_view[i];

    if (next < text->timeline->n_events && text->timeline->events[next].t - e->t < BRIEF)
        return false;
    if (!told->any || now->state != before->state || now->timer != before->timer ||
        now->retransmits != before->retransmits || now->probes != before->probes)
        return true;
    return now->timer == TIMER_KEEPALIVE && before->expires <= e->t;
}

static void see_socket(struct text *text, size_t i)
{
    const struct timeline_event *e = &text->timeline->events[i];
    struct told *told = told_of(text, e);
    char view[160];

    if (!worth_telling(text, told, i))
        return;
    if (e->socket.state == SOCKET_GONE)
        line(text, e->t, e->place, e->connection, "socket gone");
    else
        line(text, e->t, e->place, e->connection, "%s",
             text_socket(view, sizeof(view), &e->socket, e->t));
    told->any = true;
    told->view = e->socket;
}

static unsigned side_of(const struct timeline_event *e)
{
    return e->place == SCENARIO_CLIENT ? FLOW_CLIENT : FLOW_SERVER;
}

/* True the first time after the scenario asked for it. */
static bool as_asked(struct asked *asked, enum app_act act)
{
    bool *flag = act == APP_CONNECT ? &asked->connect
                 : act == APP_SEND  ? &asked->send
                 : act == APP_CLOSE ? &asked->close
                                    : NULL;
    bool was = flag && *flag;

    if (was)
        *flag = false;
    return was;
}

static void ask(struct asked *asked, enum deed_verb verb)
{
    asked->connect |= verb == DEED_CONNECT;
    asked->send |= verb == DEED_SEND;
    asked->close |= verb == DEED_CLOSE;
}

static void see_app(struct text *text, const struct timeline_event *e)
{
    struct told *told = told_of(text, e);
    char what[160];

    switch (e->app.act) {
    case APP_CONNECTED:
    case APP_ACCEPTED:
    case APP_READ:
        told->waits_since = e->t;
        break;
    case APP_EOF:
    case APP_ERROR:
    case APP_CLOSE:
    case APP_ENDED:
    case APP_EXITED:
        told->waits_since = MTIME_NEVER;
        break;
    case APP_CONNECT:
    case APP_SEND:
    case APP_READ_TIMEOUT:
    case APP_HEARTBEAT_TIMEOUT:
    case APP_IDLE_CLOSE:
        break;
    }
    if (as_asked(&text->asked[side_of(e)], e->app.act))
        return;
    line(text, e->t, e->place, e->connection, "app: %s", text_app(what, sizeof(what), &e->app));
}

static void see(struct text *text, size_t i)
{
    const struct timeline_event *e = &text->timeline->events[i];
    char what[512];

    switch (e->kind) {
    case TIMELINE_DEED:
        begin(text, e->t, "--");
        fprintf(text->to, "%s\n", text_deed(what, sizeof(what), text->timeline->scenario, e->deed));
        ask(&text->asked[side_of(e)], e->deed->verb);
        if (e->deed->verb == DEED_CRASH || e->deed->verb == DEED_REBOOT)
            for (uint32_t c = 0; c <= text->connections; c++)
                text->told[2 * c + (e->place != SCENARIO_CLIENT)].waits_since = MTIME_NEVER;
        break;
    case TIMELINE_PACKET:
        packet(text, e);
        break;
    case TIMELINE_SOCKET:
        see_socket(text, i);
        break;
    case TIMELINE_APP:
        see_app(text, e);
        break;
    case TIMELINE_FLOW:
        line(text, e->t, e->place, e->connection, "%s",
             text_flow_event(what, sizeof(what), &e->flow));
        break;
    }
}

static void still_waiting(struct text *text)
{
    mtime_t end = text->timeline->end;

    for (uint32_t c = 1; c <= text->connections; c++)
        for (unsigned side = 0; side < 2; side++) {
            const struct told *told = &text->told[2 * c + side];
            char since[STORY_TEXT];

            if (told->waits_since == MTIME_NEVER)
                continue;
            line(text, end,
                 side == FLOW_CLIENT ? SCENARIO_CLIENT : scenario_server(text->timeline->scenario),
                 c, "app: still blocked in read(), since %s",
                 story_clock(told->waits_since, since));
        }
}

static void find_fates(struct text *text)
{
    const struct timeline *timeline = text->timeline;

    for (size_t i = 0; i < timeline->n_events; i++) {
        const struct timeline_event *e = &timeline->events[i];
        struct text_fate *fate;

        if (e->kind != TIMELINE_PACKET)
            continue;
        fate = &text->fates[e->packet.id];
        fate->last = e->packet.passage;
        fate->place = e->place;
        fate->reason = e->packet.reason;
        fate->silent = e->packet.silent_link;
        fate->t = e->t;
    }
}

static int find_next_views(struct text *text)
{
    const struct timeline *timeline = text->timeline;
    size_t slots = 2 * ((size_t)text->connections + 1);
    size_t *latest = calloc(slots, sizeof(*latest));

    if (!latest)
        return -ENOMEM;
    for (size_t i = 0; i < slots; i++)
        latest[i] = timeline->n_events;
    for (size_t i = timeline->n_events; i-- > 0;) {
        const struct timeline_event *e = &timeline->events[i];
        size_t slot = 2 * (size_t)e->connection + (e->place != SCENARIO_CLIENT);

        if (e->kind != TIMELINE_SOCKET)
            continue;
        text->next_view[i] = latest[slot];
        latest[slot] = i;
    }
    free(latest);
    return 0;
}

static uint64_t highest_packet(const struct timeline *timeline)
{
    uint64_t highest = 0;

    for (size_t i = 0; i < timeline->n_events; i++)
        if (timeline->events[i].kind == TIMELINE_PACKET && timeline->events[i].packet.id > highest)
            highest = timeline->events[i].packet.id;
    return highest;
}

/* `client > server #12`, or with the longest name of a firewall that injects. */
static int who_width(const struct timeline *timeline, uint32_t connections)
{
    size_t longest = strlen("client");

    for (size_t i = 0; i < timeline->scenario->n_firewalls; i++) {
        size_t len = strlen(timeline->scenario->firewall[i].name);

        longest = len > longest ? len : longest;
    }
    return (int)longest + (int)strlen(" > server") +
           (connections > 1 ? snprintf(NULL, 0, " #%u", connections) : 0);
}

int timeline_write_text(FILE *to, const struct timeline *timeline)
{
    struct text text = {.to = to,
                        .timeline = timeline,
                        .connections = timeline_connections(timeline),
                        .n_fates = (size_t)highest_packet(timeline) + 1};
    int r = -ENOMEM;

    text.who = who_width(timeline, text.connections);
    text.fates = calloc(text.n_fates, sizeof(*text.fates));
    text.next_view = calloc(timeline->n_events + 1, sizeof(*text.next_view));
    text.told = calloc(2 * ((size_t)text.connections + 1), sizeof(*text.told));
    if (!text.fates || !text.next_view || !text.told)
        goto out;
    for (size_t i = 0; i < 2 * ((size_t)text.connections + 1); i++)
        text.told[i].waits_since = MTIME_NEVER;
    find_fates(&text);
    r = find_next_views(&text);
    if (r < 0)
        goto out;
    text_cast(to, timeline->scenario, text.who);
    for (size_t i = 0; i < timeline->n_events; i++)
        see(&text, i);
    still_waiting(&text);
    if (timeline->dropped_events)
        fprintf(to, "%zu more events are not shown\n", timeline->dropped_events);
    r = written_status(to);
out:
    free(text.fates);
    free(text.next_view);
    free(text.told);
    return r;
}
