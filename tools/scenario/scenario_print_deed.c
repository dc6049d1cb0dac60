/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/scenario/scenario_printer.h"

#include <errno.h>
#include <stdlib.h>

static void print_set_keepalive(FILE *to, const struct deed *deed,
                                const struct keepalive_times *host)
{
    fprintf(to, " set keepalive %s", deed->keepalive == SOFTWARE_KEEPALIVE_ON ? "on" : "off");
    if (deed->times.idle != host->idle)
        fprintf(to, " idle %lld", (long long)(deed->times.idle / MTIME_SEC));
    if (deed->times.interval != host->interval)
        fprintf(to, " interval %lld", (long long)(deed->times.interval / MTIME_SEC));
    if (deed->times.count != host->count)
        fprintf(to, " count %u", deed->times.count);
}

static void print_path_deed(FILE *to, const struct scenario *s, const struct deed *deed)
{
    fprintf(to, " %s", deed_name(deed->verb));
    if (deed->verb == DEED_LOSE)
        fprintf(to, " %u", deed->number);
    if (deed->side_given)
        fprintf(to, " from %s", flow_side_name(deed->side));
    fprintf(to, " at %s", scenario_place_name(s, deed->place));
}

static void print_what(FILE *to, const struct scenario *s, const struct deed *deed)
{
    switch (deed->verb) {
    case DEED_BLOCK:
    case DEED_UNBLOCK:
    case DEED_LOSE:
    case DEED_PROHIBIT:
        print_path_deed(to, s, deed);
        return;
    case DEED_CONNECT:
    case DEED_SEND:
    case DEED_CLOSE:
    case DEED_SHUTDOWN:
    case DEED_ABORT:
    case DEED_KILL:
    case DEED_STOP_READING:
    case DEED_READ:
    case DEED_KEEPALIVE:
    case DEED_USER_TIMEOUT:
    case DEED_CRASH:
    case DEED_REBOOT:
    case DEED_LINK_DOWN:
    case DEED_LINK_UP:
    case DEED_UNREACHABLE:
    case DEED_EXPIRE:
    case DEED_FORGET:
    case DEED_FLOW_KILL:
    case DEED_RESTART:
        break;
    }
    fprintf(to, " %s", scenario_place_name(s, deed->place));
    if (deed->verb == DEED_KEEPALIVE) {
        print_set_keepalive(to, deed, &s->host[deed->side].times);
        return;
    }
    fprintf(to, " %s", deed_name(deed->verb));
    if (deed->verb == DEED_SEND)
        fprintf(to, " %u", deed->number);
    if (deed->verb == DEED_USER_TIMEOUT)
        print_duration(to, s, "", deed->duration);
    if (deed->new_address)
        fputs(" with new address", to);
}

/* As in the text: deeds at the same time happen in its order. */
static int by_line(const void *a, const void *b)
{
    const struct deed *const *x = a, *const *y = b;

    if ((*x)->line != (*y)->line)
        return (*x)->line < (*y)->line ? -1 : 1;
    return *x < *y ? -1 : 1;
}

int print_deeds(FILE *to, const struct scenario *scenario)
{
    size_t n = scenario->n_deeds, next;
    const struct deed **deeds = calloc(n + 1, sizeof(const struct deed *));

    if (!deeds)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        deeds[i] = &scenario->deeds[i];
    qsort(deeds, n, sizeof(const struct deed *), by_line);
    for (size_t i = 0; i < n; i = next) {
        for (next = i + 1; next < n && deeds[next]->line == deeds[i]->line; next++)
            ;
        if (next == i + 1) {
            fputs("at", to);
            print_duration(to, scenario, "", deeds[i]->at);
        } else {
            fputs("every", to);
            print_duration(to, scenario, "", deeds[i + 1]->at - deeds[i]->at);
            fputs(" from", to);
            print_duration(to, scenario, "", deeds[i]->at);
            fputs(" to", to);
            print_duration(to, scenario, "", deeds[next - 1]->at);
        }
        print_what(to, scenario, deeds[i]);
        putc('\n', to);
    }
    free(deeds);
    return 0;
}
