/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plays the story in a file in virtual time and prints what endpoints.py compares with the kernel's
 * sockets, a line each:
 *   packet T SIDE FLAGS SEQ ACK LEN zero|open    sent by a host; figures relative to the SYNs
 *   app T SIDE WHAT VALUE
 *   look T SIDE STATE TIMER COUNT                for each further argument, a time in seconds
 */
#include "middlebox/engine/packet.h"
#include "tools/scenario/scenario_parse.h"
#include "tools/simulate/world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_fault(void *arg, const char *text)
{
    (void)arg;
    fprintf(stderr, "%s\n", text);
}

static const char *side_of(const struct timeline *timeline, unsigned place)
{
    return scenario_place_name(timeline->scenario, place);
}

static void print_packet(const struct timeline *timeline, const struct timeline_event *event)
{
    const struct timeline_packet *packet = &event->packet;
    static const char letters[] = "FSRP.U";
    char flags[sizeof(letters)], *put = flags;

    for (size_t i = 0; letters[i]; i++)
        if (packet->flags & 1u << i)
            *put++ = letters[i];
    *put = '\0';
    printf("packet %.6f %s %s %u %u %u %s\n", mtime_seconds(event->t),
           side_of(timeline, event->place), flags, packet->rel_seq,
           packet->flags & TCP_ACK ? packet->rel_ack : 0, packet->len,
           packet->window == 0 && !(packet->flags & TCP_RST) ? "zero" : "open");
}

static void print_app(const struct timeline *timeline, const struct timeline_event *event)
{
    const struct timeline_app *app = &event->app;
    const char *error = app->error ? errno_name(app->error) : "0";
    static const char *const acts[] = {
        [APP_CONNECT] = "connect",
        [APP_CONNECTED] = "connected",
        [APP_ACCEPTED] = "accepted",
        [APP_SEND] = "send",
        [APP_READ] = "read",
        [APP_EOF] = "eof",
        [APP_ERROR] = "error",
        [APP_CLOSE] = "close",
        [APP_READ_TIMEOUT] = "gave-up",
        [APP_HEARTBEAT_TIMEOUT] = "gave-up",
        [APP_IDLE_CLOSE] = "close",
        [APP_ENDED] = "ended",
    };

    printf("app %.6f %s %s ", mtime_seconds(event->t), side_of(timeline, event->place),
           acts[app->act]);
    if (app->act == APP_ERROR)
        printf("%s\n", error ? error : "?");
    else
        printf("%u\n", app->act == APP_READ ? app->bytes : 0);
}

static void print_look(const struct timeline *timeline, double at)
{
    for (unsigned place = 0; place < 2; place++) {
        struct socket_view view = {0};

        if (!timeline_socket_at(timeline, place, 1, (mtime_t)(at * 1e9), &view))
            view.state = SOCKET_GONE;
        printf("look %.6f %s %s %s %u\n", at, side_of(timeline, place),
               socket_state_name(view.state), socket_timer_name(view.timer),
               view.timer == TIMER_ON ? view.retransmits : view.probes);
    }
}

static int play(const char *name, const char *text, size_t len, struct timeline **out,
                struct scenario **scenario)
{
    int r = scenario_parse(scenario, name, text, len, NULL, print_fault, NULL);

    if (r == 0)
        r = timeline_create(out, *scenario);
    if (r == 0)
        r = world_play(*scenario, *out, NULL, NULL);
    return r;
}

int main(int argc, char **argv)
{
    static char text[1 << 16];
    struct scenario *scenario = NULL;
    struct timeline *timeline = NULL;
    FILE *from = argc > 1 ? fopen(argv[1], "r") : NULL;
    size_t len = from ? fread(text, 1, sizeof(text), from) : 0;
    int r = from ? play(argv[1], text, len, &timeline, &scenario) : -ENOENT;

    if (from)
        fclose(from);
    if (r == 0) {
        for (size_t i = 0; i < timeline->n_events; i++) {
            const struct timeline_event *event = &timeline->events[i];

            if (event->kind == TIMELINE_PACKET && event->packet.tcp &&
                event->packet.passage == PASSAGE_SENT)
                print_packet(timeline, event);
            else if (event->kind == TIMELINE_APP)
                print_app(timeline, event);
        }
        for (int i = 2; i < argc; i++)
            print_look(timeline, strtod(argv[i], NULL));
    } else {
        fprintf(stderr, "simulate_story: %s\n", strerror(-r));
    }
    timeline_destroy(timeline);
    scenario_destroy(scenario);
    return r ? 3 : 0;
}
