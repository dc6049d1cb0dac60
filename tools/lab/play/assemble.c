/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/lab/play/assemble.h"

#include <errno.h>
#include <stdlib.h>

int assembly_add(struct assembly *assembly, const struct timeline_event *event)
{
    if (assembly->n == assembly->room) {
        size_t room = assembly->room ? 2 * assembly->room : 256;
        struct timeline_event *events = reallocarray(assembly->events, room, sizeof(*events));

        if (!events)
            return -ENOMEM;
        assembly->events = events;
        assembly->room = room;
    }
    assembly->events[assembly->n++] = *event;
    return 0;
}

mtime_t assembly_story(const struct assembly *assembly, int64_t monotonic_ns)
{
    mtime_t story =
        (monotonic_ns - assembly->play->start_ns) * (mtime_t)assembly->play->options->speed;

    return story > 0 ? story : 0;
}

mtime_t assembly_story_of_real(const struct assembly *assembly, int64_t realtime_ns)
{
    return assembly_story(assembly, realtime_ns - assembly->play->realtime_offset_ns);
}

uint32_t assembly_connection(const struct assembly *assembly, uint16_t client_port)
{
    /* The latest: a port can come again. */
    for (size_t i = assembly->n_ports; i-- > 0;)
        if (assembly->ports[i] == client_port)
            return (uint32_t)i + 1;
    return 0;
}

int assemble_ports(struct assembly *assembly)
{
    const struct play *play = assembly->play;

    assembly->ports = calloc(play->n_reports[FLOW_CLIENT] + 1, sizeof(*assembly->ports));
    if (!assembly->ports)
        return -ENOMEM;
    for (size_t i = 0; i < play->n_reports[FLOW_CLIENT]; i++)
        if (play->reports[FLOW_CLIENT][i].app.act == APP_CONNECT)
            assembly->ports[assembly->n_ports++] = play->reports[FLOW_CLIENT][i].client_port;
    return 0;
}

static unsigned place_of(const struct assembly *assembly, unsigned side)
{
    return side == FLOW_CLIENT ? SCENARIO_CLIENT : scenario_server(assembly->play->scenario);
}

static int add_reports(struct assembly *assembly, unsigned side)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < assembly->play->n_reports[side]; i++) {
        const struct agent_report *report = &assembly->play->reports[side][i];
        struct timeline_event e = {.t = assembly_story(assembly, report->wall_ns),
                                   .kind = TIMELINE_APP,
                                   .place = (uint8_t)place_of(assembly, side),
                                   .connection = assembly_connection(assembly, report->client_port),
                                   .app = report->app};

        r = assembly_add(assembly, &e);
    }
    return r;
}

static int add_sights(struct assembly *assembly, unsigned side)
{
    const struct socket_watch *watch = &assembly->play->sockets[side];
    int r = 0;

    for (size_t i = 0; r == 0 && i < watch->n; i++) {
        const struct socket_sight *sight = &watch->sights[i];
        struct timeline_event e = {.t = assembly_story(assembly, sight->wall_ns),
                                   .kind = TIMELINE_SOCKET,
                                   .place = (uint8_t)place_of(assembly, side),
                                   .connection = assembly_connection(assembly, sight->client_port),
                                   .socket = sight->view};

        if (e.socket.expires != MTIME_NEVER)
            e.socket.expires = assembly_story(assembly, e.socket.expires);
        if (e.connection > 0)
            r = assembly_add(assembly, &e);
    }
    return r;
}

/* Had the program that connection's socket when it was killed? */
static bool held(const struct assembly *assembly, unsigned side, uint32_t connection,
                 int64_t wall_ns)
{
    bool open = false;

    for (size_t i = 0; i < assembly->play->n_reports[side]; i++) {
        const struct agent_report *report = &assembly->play->reports[side][i];

        if (report->wall_ns > wall_ns ||
            assembly_connection(assembly, report->client_port) != connection)
            continue;
        if (report->app.act == APP_CONNECT || report->app.act == APP_ACCEPTED)
            open = true;
        if (report->app.act == APP_CLOSE)
            open = false;
    }
    return open;
}

static int add_killed(struct assembly *assembly, const struct play_done *done)
{
    unsigned side = done->deed->place == SCENARIO_CLIENT ? FLOW_CLIENT : FLOW_SERVER;
    int r = 0;

    for (uint32_t c = 1; r == 0 && c <= assembly->n_ports; c++) {
        struct timeline_event e = {.t = assembly_story(assembly, done->wall_ns),
                                   .kind = TIMELINE_APP,
                                   .place = done->deed->place,
                                   .connection = c,
                                   .app = {.act = APP_ENDED}};

        if (held(assembly, side, c, done->wall_ns))
            r = assembly_add(assembly, &e);
    }
    return r;
}

static int add_deeds(struct assembly *assembly)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < assembly->play->n_done; i++) {
        const struct play_done *done = &assembly->play->done[i];
        struct timeline_event e = {.t = assembly_story(assembly, done->wall_ns),
                                   .kind = TIMELINE_DEED,
                                   .place = done->deed->place,
                                   .deed = done->deed};

        r = assembly_add(assembly, &e);
        if (r == 0 && done->deed->verb == DEED_KILL)
            r = add_killed(assembly, done);
    }
    return r;
}

static int in_time(const void *a, const void *b)
{
    const struct timeline_event *x = a, *y = b;

    if (x->t != y->t)
        return x->t < y->t ? -1 : 1;
    return x->kind != y->kind ? (x->kind < y->kind ? -1 : 1) : 0;
}

static int tapes_whole(const struct play *play)
{
    for (size_t i = 0; i < play->chain.n; i++)
        if (play->tape[i][0].lost || play->tape[i][1].lost)
            return -EIO;
    return 0;
}

int assemble(const struct play *play, struct timeline *timeline)
{
    struct assembly assembly = {.play = play};
    int r = tapes_whole(play);

    if (r == 0)
        r = assemble_ports(&assembly);
    for (unsigned side = 0; r == 0 && side < 2; side++) {
        r = add_reports(&assembly, side);
        if (r == 0)
            r = add_sights(&assembly, side);
    }
    if (r == 0)
        r = add_deeds(&assembly);
    if (r == 0)
        r = assemble_packets(&assembly);
    if (r == 0)
        r = assemble_flows(&assembly);
    if (assembly.n > 0)
        qsort(assembly.events, assembly.n, sizeof(*assembly.events), in_time);
    for (size_t i = 0; r == 0 && i < assembly.n; i++)
        if (assembly.events[i].t <= timeline->end)
            r = timeline_add(timeline, &assembly.events[i]);
    timeline->live = true;
    timeline->wall_ns = (uint64_t)(play->start_ns + play->realtime_offset_ns);
    free(assembly.events);
    free(assembly.ports);
    return r;
}
