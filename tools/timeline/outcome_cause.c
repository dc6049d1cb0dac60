/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/timeline/outcome_private.h"
#include "tools/timeline/story_clock.h"

#define TOLD 6 /* deeds; a story that does the same every day is not told day by day */

static void at_host(FILE *to, const char *name, const struct deed *deed, const char *at)
{
    switch (deed->verb) {
    case DEED_CRASH:
        fprintf(to, "The %s crashed at %s. ", name, at);
        break;
    case DEED_REBOOT:
        fprintf(to, "The %s came up anew at %s, without its old sockets. ", name, at);
        break;
    case DEED_LINK_DOWN:
        fprintf(to, "The %s's link went down at %s. ", name, at);
        break;
    case DEED_LINK_UP:
        fprintf(to, "The %s's link came up at %s%s. ", name, at,
                deed->new_address ? ", with another address" : "");
        break;
    case DEED_UNREACHABLE:
        fprintf(to, "From %s on, a router answered that the %s is unreachable. ", at, name);
        break;
    case DEED_STOP_READING:
        fprintf(to, "The application on the %s stopped reading at %s. ", name, at);
        break;
    case DEED_READ:
        fprintf(to, "The application on the %s read again from %s on. ", name, at);
        break;
    case DEED_KILL:
        fprintf(to, "The %s's process was killed at %s; its kernel closes. ", name, at);
        break;
    case DEED_ABORT:
        fprintf(to, "The application on the %s aborted the connection at %s. ", name, at);
        break;
    default:
        break;
    }
}

static void on_path(FILE *to, const char *name, const struct deed *deed, const char *at)
{
    const char *whose = !deed->side_given           ? "all packets were"
                        : deed->side == FLOW_CLIENT ? "what the client sends was"
                                                    : "what the server sends was";

    switch (deed->verb) {
    case DEED_BLOCK:
        fprintf(to, "From %s on, %s dropped silently at the %s. ", at, whose, name);
        break;
    case DEED_PROHIBIT:
        fprintf(to, "From %s on, %s refused with an ICMP error at the %s. ", at, whose, name);
        break;
    case DEED_UNBLOCK:
        fprintf(to, "At %s that was lifted. ", at);
        break;
    case DEED_LOSE:
        fprintf(to, "After %s, %u packet%s of the %s got lost on the way. ", at, deed->number,
                deed->number == 1 ? "" : "s", flow_side_name(deed->side));
        break;
    case DEED_EXPIRE:
        fprintf(to, "At %s, %s was told to let its flows expire. ", at, name);
        break;
    case DEED_FORGET:
        fprintf(to, "At %s, %s was told to forget its flows. ", at, name);
        break;
    case DEED_FLOW_KILL:
        fprintf(to, "At %s, %s was told to reset its flows at both ends. ", at, name);
        break;
    case DEED_RESTART:
        fprintf(to, "At %s, %s restarted without its table. ", at, name);
        break;
    default:
        break;
    }
}

/* What befalls the link of a host that has moved is none of the connection's business any more. */
static bool matters(const struct deed *deed, bool moved[SCENARIO_FIREWALLS + 2])
{
    bool link = deed->verb == DEED_LINK_DOWN || deed->verb == DEED_LINK_UP;

    if (link && moved[deed->place])
        return false;
    moved[deed->place] |= deed->verb == DEED_LINK_UP && deed->new_address;
    return true;
}

/* Once both sockets are gone, nothing can happen to it any more. */
static mtime_t over(const struct outcome_connection *o)
{
    mtime_t last = o->ended;

    for (unsigned side = 0; side < 2; side++)
        if (o->side[side].state != SOCKET_GONE)
            last = MTIME_NEVER;
    return last;
}

void outcome_causes(FILE *to, const struct timeline *timeline, const struct outcome_connection *o,
                    mtime_t from, mtime_t until)
{
    bool moved[SCENARIO_FIREWALLS + 2] = {false};
    unsigned told = 0;

    for (size_t i = 0; i < timeline->n_events && told < TOLD; i++) {
        const struct timeline_event *e = &timeline->events[i];
        char at[STORY_TEXT];
        long before = ftell(to);

        if (e->kind != TIMELINE_DEED || e->t < o->begun || e->t > over(o) ||
            !matters(e->deed, moved) || e->t < from || e->t >= until)
            continue;
        story_clock(e->t, at);
        at_host(to, scenario_place_name(timeline->scenario, e->deed->place), e->deed, at);
        on_path(to, scenario_place_name(timeline->scenario, e->deed->place), e->deed, at);
        told += ftell(to) != before;
    }
}

bool outcome_was_told(const struct timeline *timeline, const struct outcome_connection *o)
{
    for (size_t i = 0; i < timeline->n_events; i++) {
        const struct timeline_event *e = &timeline->events[i];

        /* Live, the daemon does it a moment after it was told. */
        if (e->kind == TIMELINE_DEED && e->place == o->forgotten_by && e->t <= o->forgotten_at &&
            o->forgotten_at - e->t < MTIME_SEC &&
            (e->deed->verb == DEED_EXPIRE || e->deed->verb == DEED_FORGET ||
             e->deed->verb == DEED_FLOW_KILL || e->deed->verb == DEED_RESTART))
            return true;
    }
    return false;
}
