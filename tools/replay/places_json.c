/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/line.h"
#include "middlebox/record/put.h"
#include "tools/replay/places_words.h"
#include "tools/timeline/json_out.h"

#include <inttypes.h>

static void out_place(const struct places_page *page, size_t i)
{
    const struct places_totals *t = page->totals;

    json_out_begin(page->to, "place");
    json_out_text(page->to, "name", page->places[i].name);
    json_out_text(page->to, "capture", page->places[i].paths[0]);
    json_out_number(page->to, "captures", page->places[i].n);
    json_out_number(page->to, "packets", t->capture[i].packets);
    json_out_number(page->to, "tcp_packets", t->tcp[i]);
    json_out_number(page->to, "other_packets", t->other[i]);
    json_out_number(page->to, "duplicates", t->duplicates[i]);
    json_out_seconds(page->to, "first_s", t->first[i]);
    json_out_seconds(page->to, "last_s", t->last[i]);
    if (t->n == 2) {
        json_out_number(page->to, "only_here", t->only[i]);
        json_out_number(page->to, "lost_packets", t->lost[i].packets);
        json_out_number(page->to, "lost_bytes", t->lost[i].bytes);
        json_out_number(page->to, "not_captured", t->uncaptured[i]);
        if (t->hops[i] >= 0)
            json_out_number(page->to, "hops", (uint64_t)t->hops[i]);
        json_out_bool(page->to, "ended_early", t->ended[i]);
        json_out_bool(page->to, "taken_to_go_on", t->relies[i]);
    }
    json_out_end(page->to);
}

static void out_event(const struct places_page *page, const struct places_connection *k,
                      const struct places_event *e)
{
    char text[PLACES_WORDS];

    json_out_begin(page->to, "places-event");
    json_out_text(page->to, "what", places_event_name(e->kind));
    json_out_text(page->to, "place", page->places[e->place].name);
    json_out_text(page->to, "side", e->side == 0 ? "client" : "server");
    *put_place_end(text, k, e->place, 0) = '\0';
    json_out_text(page->to, "client", text);
    *put_place_end(text, k, e->place, 1) = '\0';
    json_out_text(page->to, "server", text);
    json_out_text(page->to, "capture", page->places[e->place].paths[e->capture]);
    json_out_number(page->to, "packet", e->number);
    json_out_seconds(page->to, "at_s", e->time);
    json_out_seconds(page->to, "first_clock_at_s", e->common);
    json_out_seconds(page->to, "silence_s", e->silence >= 0 ? e->silence : MTIME_NEVER);
    if (e->kind == PLACES_EVENT_ICMP) {
        *put_address(text, e->family, e->from) = '\0';
        json_out_text(page->to, "from", text);
        json_out_bool(page->to, "in_the_other_ends_name", e->in_the_name);
        json_out_number(page->to, "icmp_type", e->icmp_type);
        json_out_number(page->to, "icmp_code", e->icmp_code);
    } else {
        *put_tcp_flags(text, e->flags) = '\0';
        json_out_text(page->to, "flags", text);
        json_out_number(page->to, "seq", e->seq);
        json_out_number(page->to, "ack", e->ack);
    }
    json_out_number(page->to, "ttl", e->ttl);
    if (e->usual > 0)
        json_out_number(page->to, "usual_ttl", e->usual);
    json_out_bool(page->to, "ttl_differs", e->ttl_differs);
    json_out_number(page->to, "ip_id", e->id);
    json_out_bool(page->to, "ip_id_differs", e->id_differs);
    json_out_bool(page->to, "after_the_others_last", e->beyond);
    json_out_end(page->to);
}

static void out_end(const struct places_page *page, const struct places_connection *k, unsigned end)
{
    const char *who = end == 0 ? "client" : "server";
    char name[64];

    snprintf(name, sizeof(name), "%s_at", who);
    json_out_text(page->to, name, page->places[k->near[end]].name);
    snprintf(name, sizeof(name), "%s_lost_packets", who);
    json_out_number(page->to, name, k->lost[end].packets);
    snprintf(name, sizeof(name), "%s_lost_bytes", who);
    json_out_number(page->to, name, k->lost[end].bytes);
    snprintf(name, sizeof(name), "%s_lost_first_s", who);
    json_out_seconds(page->to, name, k->lost[end].packets ? k->lost[end].first : MTIME_NEVER);
    snprintf(name, sizeof(name), "%s_lost_last_s", who);
    json_out_seconds(page->to, name, k->lost[end].packets ? k->lost[end].last : MTIME_NEVER);
    if (k->hops[end] < 0)
        return;
    snprintf(name, sizeof(name), "%s_hops", who);
    json_out_number(page->to, name, (uint64_t)k->hops[end]);
}

static void out_connection(const struct places_page *page, const struct places_connection *k)
{
    char text[PLACES_WORDS];

    json_out_begin(page->to, "places-connection");
    for (unsigned place = 0; place < (k->translated ? 2u : 1u); place++)
        for (unsigned end = 0; end < 2; end++) {
            char name[64];

            snprintf(name, sizeof(name), "%s%s", place ? "second_" : "",
                     end == 0 ? "client" : "server");
            *put_place_end(text, k, place, end) = '\0';
            json_out_text(page->to, name, text);
        }
    json_out_text(page->to, "outcome", places_outcome_name(k->outcome));
    json_out_bool(page->to, "guessed", k->guessed);
    if (page->totals->n == 2) {
        json_out_seconds(page->to, "silence_s",
                         k->outcome == PLACES_FORGOTTEN ? k->silence : MTIME_NEVER);
        json_out_seconds(page->to, "survived_s", k->survived);
        json_out_bool(page->to, "half_closed", k->half_closed);
        json_out_number(page->to, "last_lost_packets", k->tail);
        for (unsigned end = 0; end < 2; end++)
            out_end(page, k, end);
    }
    json_out_number(page->to, "events", k->n_events);
    json_out_end(page->to);
    for (unsigned i = 0; i < k->n_events; i++)
        out_event(page, k, &k->events[i]);
}

static void out_limit(FILE *to, const struct places_limit *limit)
{
    json_out_seconds(to, "survived_s", limit->survived);
    json_out_seconds(to, "forgotten_s", limit->forgotten ? limit->forgotten : MTIME_NEVER);
    json_out_number(to, "forgotten_sooner", limit->sooner);
}

static void out_server(const struct places_page *page, const struct places_server *server)
{
    char text[PLACES_WORDS];

    json_out_begin(page->to, "places-server");
    *put_places_server(text, server) = '\0';
    json_out_text(page->to, "server", text);
    json_out_number(page->to, "connections", server->connections);
    json_out_number(page->to, "forgotten", server->forgotten);
    out_limit(page->to, &server->limit);
    json_out_seconds(page->to, "shortest_forgotten_s",
                     server->limit.shortest ? server->limit.shortest : MTIME_NEVER);
    json_out_end(page->to);
}

static void out_summary(const struct places_page *page)
{
    const struct places_totals *t = page->totals;

    json_out_begin(page->to, "places");
    json_out_number(page->to, "places", t->n);
    json_out_number(page->to, "connections", t->both);
    for (unsigned i = 0; i < PLACES_OUTCOMES; i++)
        if ((t->n == 1) == (i == PLACES_ODD) || i == PLACES_FINE)
            json_out_number(page->to, places_outcome_name((enum places_outcome)i),
                            t->by_outcome[i]);
    json_out_number(page->to, "resets_from_nobody", t->resets);
    if (t->n == 2) {
        json_out_number(page->to, "fins_from_nobody", t->fins);
        json_out_number(page->to, "icmp_from_between", t->icmp);
        json_out_number(page->to, "others_from_nobody", t->made);
        json_out_number(page->to, "translated", t->translated);
        json_out_number(page->to, "other_sequence_numbers", t->unlike);
        out_limit(page->to, &t->limit);
        fprintf(page->to, ",\"clock_ahead_s\":%.9f", mtime_seconds(t->clock.ahead));
        fprintf(page->to, ",\"clock_drift_ppm\":%.3f", t->clock.drift * 1e6);
        json_out_number(page->to, "clock_packets", t->clock.packets);
        json_out_seconds(page->to, "way_there_and_back_s",
                         t->clock.one_way ? MTIME_NEVER : t->clock.way);
    }
    json_out_number(page->to, "let_go", t->evicted);
    json_out_number(page->to, "not_listed", t->not_kept);
    if (t->n == 2)
        json_out_number(page->to, "servers_not_listed_connections", t->no_server);
    json_out_end(page->to);
}

void places_json(FILE *to, const struct places_totals *totals, const struct place *places)
{
    struct places_page page = {to, totals, places};

    out_summary(&page);
    for (size_t i = 0; i < totals->n; i++)
        out_place(&page, i);
    for (size_t i = 0; i < totals->n_servers; i++)
        out_server(&page, &totals->servers[i]);
    for (size_t i = 0; i < totals->n_kept; i++)
        out_connection(&page, &totals->kept[i]);
}
