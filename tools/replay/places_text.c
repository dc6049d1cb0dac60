/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/places_words.h"

#include "middlebox/record/line.h"
#include "middlebox/record/put.h"
#include "policy/duration.h"
#include "tools/replay/flow_words.h"

#include <math.h>
#include <netinet/in.h>
#include <string.h>

#define SHOWN 10 /* connections, unless all are asked for */

static unsigned long long ll(uint64_t value)
{
    return (unsigned long long)value;
}

static const char *s(uint64_t n)
{
    return n == 1 ? "" : "s";
}

char *put_place_end(char *p, const struct places_connection *k, unsigned place, unsigned end)
{
    struct flow flow = {.family = k->family, .proto = IPPROTO_TCP};

    memcpy(flow.addr[0], k->addr[place][end], 16);
    flow.port[0] = k->port[place][end];
    return put_end(p, &flow, FLOW_CLIENT);
}

char *put_places_server(char *p, const struct places_server *server)
{
    struct flow flow = {.family = server->family, .proto = IPPROTO_TCP, .port = {server->port}};

    memcpy(flow.addr[0], server->addr, 16);
    return put_end(p, &flow, FLOW_CLIENT);
}

/* 292 years and a unit more fit. */
char *put_silence(char *p, mtime_t silence)
{
    mtime_t round = silence < 100 * MTIME_SEC ? MTIME_MSEC : MTIME_SEC / 10, near;

    if (silence < MTIME_MSEC)
        return p + sprintf(p, "%.1f us", mtime_seconds(silence) * 1e6);
    if (silence < MTIME_SEC)
        return p + sprintf(p, "%.1f ms", mtime_seconds(silence) * 1000);
    near = (silence + round / 2) / round * round;
    p += sprintf(p, round == MTIME_MSEC ? "%.3f s" : "%.1f s", mtime_seconds(near));
    near = (near + MTIME_SEC / 2) / MTIME_SEC * MTIME_SEC;
    if (near < 120 * MTIME_SEC)
        return p;
    p = put_text(p, " (");
    duration_format(near, p, DURATION_TEXT);
    return put_char(p + strlen(p), ')');
}

static const char *silence(char *buffer, mtime_t time)
{
    *put_silence(buffer, time) = '\0';
    return buffer;
}

static const char *when(char *buffer, mtime_t time)
{
    *put_when(buffer, time) = '\0';
    return buffer;
}

static void show_place(const struct places_page *page, size_t i)
{
    const struct places_totals *t = page->totals;
    const struct place *place = &page->places[i];
    char first[PUT_WHEN], last[PUT_WHEN], more[32] = "";

    if (place->n > 1)
        snprintf(more, sizeof(more), " and %zu more", place->n - 1);
    fprintf(page->to, "%-11s %s%s: %llu packets, %s to %s UTC\n", place->name, place->paths[0],
            more, ll(t->capture[i].packets), when(first, t->first[i]), when(last, t->last[i]));
    if (t->other[i] > 0)
        fprintf(page->to, "            %llu of them not of TCP: left out\n", ll(t->other[i]));
    if (t->duplicates[i] > 0)
        fprintf(page->to, "            %llu of them captured twice: counted once\n",
                ll(t->duplicates[i]));
}

static void show_clock(const struct places_page *page)
{
    const struct places_clock *c = &page->totals->clock;
    char ahead[PLACES_WORDS], way[PLACES_WORDS];
    double ppm = c->drift * 1e6;
    mtime_t apart = c->ahead < 0 ? -c->ahead : c->ahead;

    fprintf(page->to, "Clocks      %s's is %.6f s %s %s's", page->places[1].name,
            mtime_seconds(apart), c->ahead < 0 ? "behind" : "ahead of", page->places[0].name);
    if (fabs(ppm) >= 1)
        fprintf(page->to, " at first and %s %.0f ms an hour (%.0f ppm)",
                ppm > 0 ? "gains" : "loses", fabs(c->drift) * 3.6e6, fabs(ppm));
    if (c->one_way)
        fputs(", plus the time of the way,\n            of which only one direction is known",
              page->to);
    else
        fprintf(page->to, ", give or take %s", silence(way, c->way / 2));
    fprintf(page->to, ";\n            from %llu packets that both captured. Times are %s's.\n",
            ll(c->packets), page->places[0].name);
    if (c->wanders > MTIME_SEC)
        fprintf(page->to,
                "            One of them was set on the way, by about %s: silences may be wrong by "
                "that, and\n            packets be taken for lost.\n",
                silence(ahead, c->wanders));
}

static void show_way(const struct places_page *page)
{
    const struct places_totals *t = page->totals;
    const char *a = page->places[0].name, *b = page->places[1].name;
    char way[PLACES_WORDS];

    fputs("Between     ", page->to);
    if (t->hops[0] >= 0)
        fprintf(page->to, "%d hop%s from %s to %s", t->hops[0], s((uint64_t)t->hops[0]), a, b);
    if (t->hops[1] >= 0)
        fprintf(page->to, "%s%d back", t->hops[0] >= 0 ? ", " : "", t->hops[1]);
    if (t->clock.way > 0)
        fprintf(page->to, ", at least %s there and back", silence(way, t->clock.way));
    fputc('\n', page->to);
}

static void show_seen(const struct places_page *page)
{
    const struct places_totals *t = page->totals;

    fprintf(page->to, "Connections %llu seen at both", ll(t->both));
    for (unsigned i = 0; i < 2; i++)
        if (t->only[i] > 0)
            fprintf(page->to, ", %llu only at %s", ll(t->only[i]), page->places[i].name);
    fputc('\n', page->to);
    if (t->translated > 0)
        fprintf(page->to,
                "            %llu of them with other addresses or ports at %s: something between "
                "translates them\n",
                ll(t->translated), page->places[1].name);
    if (t->unlike > 0)
        fprintf(page->to,
                "            %llu with the same addresses and other sequence numbers: something "
                "between rewrites them\n            or is a proxy; not compared\n",
                ll(t->unlike));
    if (t->evicted > 0)
        fprintf(page->to, "            more than %d at once: the longest silent %llu were let go\n",
                PLACES_LIVE, ll(t->evicted));
}

static void show_bytes(const struct places_page *page, const struct places_lost *lost)
{
    fprintf(page->to, "%llu packet%s", ll(lost->packets), s(lost->packets));
    if (lost->bytes > 0)
        fprintf(page->to, " with %llu bytes", ll(lost->bytes));
}

static void show_lost(const struct places_page *page)
{
    const struct places_totals *t = page->totals;
    const char *before = "Lost        ";

    for (unsigned i = 0; i < 2; i++) {
        if (t->lost[i].packets == 0)
            continue;
        fputs(before, page->to);
        before = "            ";
        show_bytes(page, &t->lost[i]);
        fprintf(page->to, " sent at %s, never seen at %s\n", page->places[i].name,
                page->places[!i].name);
    }
    for (unsigned i = 0; i < 2; i++) {
        if (t->uncaptured[i] == 0)
            continue;
        fprintf(page->to, "%s%llu packet%s were at %s, as others tell, and were not captured\n",
                before, ll(t->uncaptured[i]), s(t->uncaptured[i]), page->places[i].name);
        before = "            ";
    }
}

static void show_ends(const struct places_page *page)
{
    const struct places_totals *t = page->totals;
    char last[PUT_WHEN];

    for (unsigned i = 0; i < 2; i++) {
        when(last, t->last[i]);
        if (t->ended[i])
            fprintf(page->to,
                    "            The capture at %s ended at %s: what came later is left out.\n",
                    page->places[i].name, last);
        else if (t->relies[i])
            fprintf(page->to,
                    "            The capture at %s holds nothing after %s. It is taken to have "
                    "gone on:\n            if it had been stopped, what is told of later times "
                    "is void.\n",
                    page->places[i].name, last);
    }
}

static void show_number(const struct places_page *page, const struct places_event *e)
{
    const struct place *place = &page->places[e->place];

    if (place->n > 1)
        fprintf(page->to, "packet %llu of %s", ll(e->number), place->paths[e->capture]);
    else
        fprintf(page->to, "packet %llu", ll(e->number));
}

static void show_ttl(const struct places_page *page, const struct places_event *e)
{
    if (e->ttl_differs)
        fprintf(page->to, ". Made elsewhere: its TTL is %u, that of its fellows %u", e->ttl,
                e->usual);
    else if (e->usual > 0)
        fprintf(page->to, ". TTL %u, as its fellows", e->ttl);
    if (!e->ttl_differs && !e->id_differs && page->totals->n == 2 &&
        page->totals->uncaptured[!e->place] > 0)
        fprintf(page->to, ": the capture at %s missed other packets, and perhaps this one",
                page->places[!e->place].name);
    if (e->id_differs)
        fprintf(page->to, "%s IP id %u, after %u",
                e->ttl_differs ? ";" : ". Made elsewhere:", e->id, e->usual_id);
}

static void show_lost_event(const struct places_page *page, const struct places_connection *k,
                            const struct places_event *e)
{
    char flags[16];

    *put_tcp_flags(flags, e->flags) = '\0';
    fprintf(page->to, "sent at %s, never seen at %s (", page->places[e->place].name,
            page->places[!e->place].name);
    show_number(page, e);
    fprintf(page->to, ", [%s])", flags);
    if (k->tail > 1)
        fprintf(page->to, ", like all %llu that followed from either end", ll(k->tail - 1));
}

static void show_arrived(const struct places_page *page, const struct places_connection *k,
                         const struct places_event *e)
{
    char name[PLACES_WORDS];
    const char *here = page->places[e->place].name;

    *put_place_end(name, k, e->place, e->side) = '\0';
    switch (e->kind) {
    case PLACES_EVENT_RESET:
        fprintf(page->to, "reset received at %s (", here);
        break;
    case PLACES_EVENT_FIN:
        fprintf(page->to, "FIN received at %s (", here);
        break;
    case PLACES_EVENT_ICMP:
        *put_address(name, e->family, e->from) = '\0';
        fprintf(page->to, "ICMP error type %u code %u received at %s (", e->icmp_type, e->icmp_code,
                here);
        show_number(page, e);
        fprintf(page->to, ") from %s", name);
        if (e->in_the_name)
            fputs(", who never sent it", page->to);
        show_ttl(page, e);
        return;
    case PLACES_EVENT_MADE:
    case PLACES_EVENT_LOST:
        fprintf(page->to, "packet received at %s (", here);
        break;
    }
    show_number(page, e);
    fprintf(page->to, ") in the name of %s", name);
    if (page->totals->n == 2)
        fprintf(page->to, ", who never sent it");
    show_ttl(page, e);
}

static void show_event(const struct places_page *page, const struct places_connection *k,
                       const struct places_event *e)
{
    char at[PUT_WHEN], quiet[PLACES_WORDS];

    fprintf(page->to, "    %s  ", when(at, e->common));
    if (e->silence >= 0)
        fprintf(page->to, "after %s of silence: ", silence(quiet, e->silence));
    if (e->kind == PLACES_EVENT_LOST)
        show_lost_event(page, k, e);
    else
        show_arrived(page, k, e);
    fputc('\n', page->to);
}

static bool is_like(const struct places_event *a, const struct places_event *b)
{
    return a->kind == b->kind && a->place == b->place && a->side == b->side &&
           a->ttl_differs == b->ttl_differs && a->id_differs == b->id_differs;
}

static bool is_again(const struct places_connection *k, unsigned i)
{
    for (unsigned j = 0; j < i; j++)
        if (is_like(&k->events[j], &k->events[i]))
            return true;
    return false;
}

static void show_again(const struct places_page *page, const struct places_connection *k,
                       unsigned first)
{
    const struct places_event *last = NULL;
    char at[PUT_WHEN];
    unsigned n = 0;

    for (unsigned i = first + 1; i < k->n_events; i++)
        if (is_like(&k->events[first], &k->events[i])) {
            last = &k->events[i];
            n++;
        }
    if (last)
        fprintf(page->to, "    %s  the last of %u more like it\n", when(at, last->common), n);
}

static const char *outcome_text(enum places_outcome outcome)
{
    switch (outcome) {
    case PLACES_FINE:
        break;
    case PLACES_LOSS:
        return "lost packets, and went on";
    case PLACES_MADE:
        return "got packets that nobody sent";
    case PLACES_FORGOTTEN:
        return "forgotten";
    case PLACES_RESET:
        return "reset between";
    case PLACES_CUT:
        return "dead";
    case PLACES_ODD:
        return "reset by somebody else";
    }
    return "fine";
}

/* Unless it is the one of the event. */
static void show_lost_of(const struct places_page *page, const struct places_connection *k,
                         unsigned end)
{
    const struct places_lost *lost = &k->lost[end];
    unsigned near = k->near[end];
    char first[PUT_WHEN], last[PUT_WHEN];

    if (lost->packets == 0 || (lost->packets == 1 && k->tail == 1 && k->events[0].side == end))
        return;
    fputs("    in all ", page->to);
    show_bytes(page, lost);
    fprintf(page->to, " sent at %s and never seen at %s, %s to %s\n", page->places[near].name,
            page->places[!near].name, when(first, lost->first), when(last, lost->last));
}

static void show_connection(const struct places_page *page, const struct places_connection *k)
{
    char client[PLACES_WORDS], server[PLACES_WORDS];

    for (unsigned place = 0; place < (k->translated ? 2u : 1u); place++) {
        *put_place_end(client, k, place, 0) = '\0';
        *put_place_end(server, k, place, 1) = '\0';
        if (place == 0)
            fprintf(page->to, "\n  %s > %s", client, server);
        else
            fprintf(page->to, " (at %s: %s > %s)", page->places[1].name, client, server);
    }
    fprintf(page->to, "  %s%s\n", outcome_text(k->outcome),
            k->outcome == PLACES_FORGOTTEN && k->half_closed ? ", half closed" : "");
    for (unsigned i = 0; i < k->n_events; i++)
        if (!is_again(k, i)) {
            show_event(page, k, &k->events[i]);
            show_again(page, k, i);
        }
    if (k->events_in_all > PLACES_EVENTS)
        fprintf(page->to, "    %llu in all\n", ll(k->events_in_all));
    for (unsigned end = 0; end < 2; end++)
        show_lost_of(page, k, end);
}

static void show_connections(const struct places_page *page, bool all)
{
    const struct places_totals *t = page->totals;
    size_t shown = 0, left = 0;

    for (size_t i = 0; i < t->n_kept; i++) {
        const struct places_connection *k = &t->kept[i];

        if (!all && (k->outcome == PLACES_LOSS || shown == SHOWN)) {
            left += k->outcome != PLACES_LOSS;
            continue;
        }
        show_connection(page, k);
        shown++;
    }
    if (left > 0)
        fprintf(page->to, "\n%zu more: --flows shows them\n", left);
    if (t->not_kept > 0)
        fprintf(page->to, "\n%llu more are counted above, and not kept: memory is bounded\n",
                ll(t->not_kept));
}

static void show_alone(const struct places_page *page)
{
    const struct places_totals *t = page->totals;
    uint64_t n = t->by_outcome[PLACES_ODD];

    fprintf(page->to, "Connections %llu\n\n", ll(t->both));
    if (n == 0)
        fputs("No reset looks as if somebody else than its sender had made it.\n", page->to);
    else
        fprintf(page->to,
                "%llu reset%s on %llu connection%s not look as if the supposed sender had made "
                "%s.\n",
                ll(t->resets), s(t->resets), ll(n), n == 1 ? " does" : "s do",
                t->resets == 1 ? "it" : "them");
}

void places_text(FILE *to, const struct places_totals *totals, const struct place *places, bool all)
{
    struct places_page page = {to, totals, places};

    for (size_t i = 0; i < totals->n; i++)
        show_place(&page, i);
    if (totals->n == 1) {
        show_alone(&page);
    } else {
        show_clock(&page);
        show_way(&page);
        show_seen(&page);
        show_lost(&page);
        show_ends(&page);
        fputc('\n', to);
        places_text_limit(&page, all);
    }
    show_connections(&page, all);
}
