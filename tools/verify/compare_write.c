/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/verify/compare.h"

#include "tools/timeline/story_clock.h"
#include "tools/timeline/timeline_text.h"

#include <errno.h>
#include <string.h>

static const char *how(const struct timeline_packet *p)
{
    switch (p->passage) {
    case PASSAGE_SENT:
        return "sends";
    case PASSAGE_FORWARDED:
        return "passes on";
    case PASSAGE_INJECTED:
        return "makes";
    case PASSAGE_DROPPED:
        return "drops";
    case PASSAGE_LOST:
        return "loses";
    case PASSAGE_RECEIVED:
        return "receives";
    }
    return "";
}

static void what(char *text, size_t size, const struct timeline_event *e,
                 const struct scenario *scenario)
{
    size_t used;

    switch (e->kind) {
    case TIMELINE_PACKET:
        used = (size_t)snprintf(text, size, "%s ", how(&e->packet));
        text_packet(text + used, size - used, &e->packet);
        break;
    case TIMELINE_SOCKET:
        if (e->socket.state == SOCKET_GONE)
            snprintf(text, size, "socket gone");
        else
            text_socket(text, size, &e->socket, e->t);
        break;
    case TIMELINE_APP:
        text_app(text, size, &e->app);
        break;
    case TIMELINE_FLOW:
        text_flow_event(text, size, &e->flow);
        break;
    case TIMELINE_DEED:
        text_deed(text, size, scenario, e->deed);
        break;
    }
}

static void put_time(FILE *to, const struct timeline_event *e)
{
    char clock[STORY_TEXT];

    fprintf(to, "%14s", e ? story_clock(e->t, clock) : "-");
}

static void put_pair(FILE *to, const struct compare_pair *p, const struct scenario *scenario)
{
    const struct timeline_event *shown = p->live ? p->live : p->virtual;
    char text[512];

    fputs(p->differs ? "! " : "  ", to);
    put_time(to, p->live);
    put_time(to, p->virtual);
    what(text, sizeof(text), shown, scenario);
    fprintf(to, "  %-10s  %s\n",
            shown->kind == TIMELINE_DEED ? "--" : scenario_place_name(scenario, shown->place),
            text);
    if (!p->differs)
        return;
    fprintf(to, "!%41s  %s\n", "", p->why);
    if (p->live && p->virtual) {
        what(text, sizeof(text), p->virtual, scenario);
        fprintf(to, "!%41s  simulated: %s\n", "", text);
    }
}

int compare_write(FILE *to, const struct compare *compare, const struct scenario *scenario)
{
    fprintf(to, "  %14s%14s  %-10s  %s\n", "LIVE", "SIMULATED", "WHERE", "WHAT");
    for (size_t i = 0; i < compare->n; i++)
        put_pair(to, &compare->pairs[i], scenario);
    if (compare->differences == 0)
        fprintf(to, "%zu events, live and simulated alike\n", compare->n);
    else
        fprintf(to, "%zu events, %zu of them differ\n", compare->n, compare->differences);
    return ferror(to) ? -EIO : 0;
}
