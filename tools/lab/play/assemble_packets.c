/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A packet is followed along the path by its bytes: the tapes of all interfaces it passes. */
#include "tools/lab/play/assemble.h"

#include "middlebox/record/recording.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define POINTS (2 * CHAIN_PLACES)
#define FOLLOW_WITHIN (2 * MTIME_SEC) /* wall: a queue holds no packet longer */

/* One packet as one tape saw it. */
struct sight {
    const struct tape_packet *tape;
    struct packet packet; /* decoded */
    uint16_t ip_id;
    mtime_t t;  /* story */
    size_t nth; /* of the TCP segments that came by here, from 1 */
    bool taken;
};
/* All that passed one point in one direction. */
struct passed {
    struct sight *sights;
    size_t n;
    size_t first; /* all before it are taken */
};
/* What a firewall's recording says. */
struct verdicts {
    struct verdict_seen {
        struct packet packet;
        uint16_t ip_id;
        struct judgement judgement;
        bool taken;
        uint8_t data[TAPE_SNAP];
    } * seen;
    size_t n, room;
};

struct follow {
    struct assembly *assembly;
    struct passed points[2][POINTS]; /* by direction (who sent), along the packet's way */
    size_t n_points;
    struct verdicts verdicts[SCENARIO_FIREWALLS];
    uint64_t packets;
    uint32_t isn[2]; /* of the connection at hand, by side */
    struct numbering {
        bool known[2];
        uint32_t isn[2];
        uint32_t sent_end[2]; /* after the highest byte each side sent */
        uint8_t shift[2];
        bool zero_window[2]; /* that side offered none */
        mtime_t probed[2];   /* when the other side's probe reached it; MTIME_NEVER */
        enum packet_note probe_kind[2];
        uint8_t nth[2][PACKET_NOTES];
    } * numbers; /* by connection */
    size_t n_numbers;
};

/* Along the way from the sender: point 0 is its own interface, then in and out of each firewall,
 * last the receiver's. */
static struct tape *tape_at(const struct play *play, unsigned from, size_t point)
{
    size_t step = (point + 1) / 2; /* places passed */
    size_t place = from == FLOW_CLIENT ? step : play->chain.n - 1 - step;
    bool out = point % 2 == 0;
    bool towards_server = (from == FLOW_CLIENT) == out;

    return (struct tape *)&play->tape[place][towards_server];
}

static unsigned place_at(const struct follow *f, unsigned from, size_t point)
{
    size_t step = (point + 1) / 2;

    return (unsigned)(from == FLOW_CLIENT ? step : f->assembly->play->chain.n - 1 - step);
}

static uint16_t id_of(const uint8_t *data)
{
    return (uint16_t)(data[4] << 8 | data[5]);
}

/* In whose name it is sent, by the server's port; -1: none of the story's. */
static int sender_of(const struct play *play, const struct packet *p)
{
    uint16_t port = play->scenario->host[FLOW_SERVER].port;
    uint16_t source, destination;

    if (p->kind == PACKET_ICMP_ERROR) {
        const uint8_t *quoted = p->data + p->l4_offset + 8 + 20;

        if (p->caplen < p->l4_offset + 8 + 24)
            return -1;
        source = (uint16_t)(quoted[0] << 8 | quoted[1]);
        destination = (uint16_t)(quoted[2] << 8 | quoted[3]);
        return destination == port ? FLOW_SERVER : source == port ? FLOW_CLIENT : -1;
    }
    if (p->kind != PACKET_TCP)
        return -1;
    source = (uint16_t)(p->data[p->l4_offset] << 8 | p->data[p->l4_offset + 1]);
    destination = (uint16_t)(p->data[p->l4_offset + 2] << 8 | p->data[p->l4_offset + 3]);
    return source == port ? FLOW_SERVER : destination == port ? FLOW_CLIENT : -1;
}

static uint16_t client_port_of(const struct play *play, const struct packet *p)
{
    const uint8_t *ports = p->data + p->l4_offset + (p->kind == PACKET_ICMP_ERROR ? 28 : 0);
    uint16_t source = (uint16_t)(ports[0] << 8 | ports[1]);
    uint16_t destination = (uint16_t)(ports[2] << 8 | ports[3]);

    return source == play->scenario->host[FLOW_SERVER].port ? destination : source;
}

static int read_tape(struct follow *f, unsigned from, size_t point)
{
    const struct play *play = f->assembly->play;
    const struct tape *tape = tape_at(play, from, point);
    struct passed *passed = &f->points[from][point];
    size_t segments = 0;

    passed->sights = calloc(tape->n + 1, sizeof(*passed->sights));
    if (!passed->sights)
        return -ENOMEM;
    for (size_t i = 0; i < tape->n; i++) {
        const struct tape_packet *seen = &tape->packets[i];
        struct sight *sight = &passed->sights[passed->n];

        if (seen->outgoing != (point % 2 == 0) || seen->caplen < 20)
            continue;
        *sight = (struct sight){
            .tape = seen,
            .packet = {.data = seen->data, .caplen = seen->caplen, .len = seen->wire_len},
            .ip_id = id_of(seen->data),
            .t = assembly_story_of_real(f->assembly, seen->wall_ns)};
        packet_decode(&sight->packet);
        if (sender_of(play, &sight->packet) != (int)from)
            continue;
        segments += sight->packet.kind == PACKET_TCP;
        sight->nth = segments;
        passed->n++;
    }
    return 0;
}

/* The same packet, some hops on: only the TTL and sums differ. */
static bool same(const struct packet *a, uint16_t a_id, const struct packet *b, uint16_t b_id)
{
    return a_id == b_id && a->kind == b->kind && a->seq == b->seq && a->ack == b->ack &&
           a->flags == b->flags && a->payload_len == b->payload_len && a->window == b->window &&
           a->len == b->len;
}

static struct sight *find(struct passed *passed, const struct sight *before)
{
    for (size_t i = passed->first; i < passed->n; i++) {
        struct sight *s = &passed->sights[i];

        if (!s->taken && same(&s->packet, s->ip_id, &before->packet, before->ip_id) &&
            s->tape->wall_ns - before->tape->wall_ns <= FOLLOW_WITHIN)
            return s;
    }
    return NULL;
}

static int read_recording(struct follow *f, size_t firewall, unsigned start)
{
    struct verdicts *v = &f->verdicts[firewall];
    char path[PATH_MAX];
    FILE *from = fopen(play_recording(f->assembly->play, firewall, start, path), "re");
    struct recording_reader *reader = NULL;
    struct recording_item item;
    int r = from ? recording_reader_create(&reader, from) : -errno;

    while (r >= 0 && (r = recording_next(reader, &item)) > 0) {
        struct verdict_seen *seen;

        if (item.kind != RECORDING_PACKET || item.packet.caplen < 20)
            continue;
        if (v->n == v->room) {
            size_t room = v->room ? 2 * v->room : 64;

            seen = reallocarray(v->seen, room, sizeof(*seen));
            if (!seen) {
                r = -ENOMEM;
                break;
            }
            v->seen = seen;
            v->room = room;
        }
        seen = &v->seen[v->n++];
        *seen = (struct verdict_seen){.packet = item.packet, .judgement = item.judgement};
        if (seen->packet.caplen > sizeof(seen->data))
            seen->packet.caplen = sizeof(seen->data);
        memcpy(seen->data, item.packet.data, seen->packet.caplen);
        seen->packet.data = seen->data;
        seen->ip_id = id_of(seen->data);
        packet_decode(&seen->packet);
    }
    recording_reader_destroy(reader);
    if (from)
        fclose(from);
    return r < 0 ? r : 0;
}

static const struct verdict_seen *verdict_of(struct follow *f, unsigned place,
                                             const struct sight *sight)
{
    struct verdicts *v = &f->verdicts[place - 1];

    for (size_t i = 0; i < v->n; i++) {
        struct verdict_seen *seen = &v->seen[i];

        if (!seen->taken && same(&seen->packet, seen->ip_id, &sight->packet, sight->ip_id)) {
            seen->taken = true;
            return seen;
        }
    }
    return NULL;
}

static struct numbering *numbers_of(struct follow *f, uint32_t connection)
{
    return connection < f->n_numbers ? &f->numbers[connection] : NULL;
}

/* What a packet that a host sends is for: seen from outside, by its numbers. */
static enum packet_note note_of(struct numbering *n, const struct sight *sight, unsigned from)
{
    const struct packet *p = &sight->packet;
    uint32_t end = p->seq + p->payload_len + ((p->flags & (TCP_SYN | TCP_FIN)) != 0);
    bool bare = !(p->flags & (TCP_SYN | TCP_FIN | TCP_RST));

    if (p->kind != PACKET_TCP || !n || !n->known[from])
        return NOTE_NONE;
    if (bare && p->payload_len <= 1 && p->seq + 1 == n->sent_end[from])
        return n->zero_window[!from] ? NOTE_WINDOW_PROBE : NOTE_PROBE;
    if (bare && p->payload_len == 0 && n->probed[from] != MTIME_NEVER)
        return n->probe_kind[from] == NOTE_PROBE ? NOTE_PROBE_ANSWER : NOTE_WINDOW_ANSWER;
    if (end != p->seq && (int32_t)(end - n->sent_end[from]) <= 0)
        return NOTE_RETRANSMIT;
    return NOTE_NONE;
}

static uint8_t count_note(struct numbering *n, unsigned from, enum packet_note note)
{
    if (!n)
        return 0;
    for (int i = 0; i < PACKET_NOTES; i++)
        if (i != (int)note)
            n->nth[from][i] = 0;
    if (note != NOTE_PROBE && note != NOTE_WINDOW_PROBE && note != NOTE_RETRANSMIT)
        return 0;
    return ++n->nth[from][note];
}

static void learn_sent(struct numbering *n, const struct packet *p, unsigned from)
{
    uint32_t end = p->seq + p->payload_len + ((p->flags & (TCP_SYN | TCP_FIN)) != 0);

    if (!n || p->kind != PACKET_TCP || p->flags & TCP_RST)
        return;
    if (p->flags & TCP_SYN) {
        n->known[from] = true;
        n->isn[from] = p->seq;
        n->sent_end[from] = end;
        n->shift[from] = p->has_wscale ? p->wscale : 0;
    }
    if ((int32_t)(end - n->sent_end[from]) > 0)
        n->sent_end[from] = end;
    n->zero_window[from] = p->window == 0;
}

static void learn_received(struct numbering *n, unsigned from, enum packet_note note)
{
    if (!n)
        return;
    /* Anything from the probed side answers. */
    n->probed[from] = MTIME_NEVER;
    if (note == NOTE_PROBE || note == NOTE_WINDOW_PROBE) {
        n->probed[!from] = 0;
        n->probe_kind[!from] = note;
    } else {
        n->nth[!from][NOTE_PROBE] = n->nth[!from][NOTE_WINDOW_PROBE] = 0;
    }
}

/* Is the host's link or the host itself down, or blocked for that sender, at that moment? */
static bool unheard(const struct follow *f, unsigned place, unsigned from, mtime_t t, bool *silent)
{
    const struct play *play = f->assembly->play;
    bool down = false, crashed = false, blocked = false;

    for (size_t i = 0; i < play->n_done; i++) {
        const struct deed *deed = play->done[i].deed;
        bool mine = !deed->side_given || deed->side == from;

        if (assembly_story(f->assembly, play->done[i].wall_ns) > t)
            break;
        if (deed->place != place)
            continue;
        if (deed->verb == DEED_LINK_DOWN || deed->verb == DEED_LINK_UP)
            down = deed->verb == DEED_LINK_DOWN;
        if (deed->verb == DEED_CRASH || deed->verb == DEED_REBOOT)
            crashed = deed->verb == DEED_CRASH;
        if ((deed->verb == DEED_BLOCK || deed->verb == DEED_UNBLOCK) && mine)
            blocked = deed->verb == DEED_BLOCK;
    }
    *silent = down || crashed;
    return down || crashed || blocked;
}

/* Is it for an address that the client had before? */
static bool moved_away(const struct follow *f, const struct sight *sight)
{
    const struct play *play = f->assembly->play;
    unsigned address = CHAIN_CLIENT;

    for (size_t i = 0; i < play->n_done; i++)
        if (play->done[i].deed->verb == DEED_LINK_UP && play->done[i].deed->new_address &&
            assembly_story(f->assembly, play->done[i].wall_ns) <= sight->t)
            address++;
    return sight->tape->data[19] != address;
}

static size_t passed_before(const struct passed *passed, mtime_t t)
{
    size_t n = 0;

    for (size_t i = 0; i < passed->n && passed->sights[i].t < t; i++)
        n = passed->sights[i].nth;
    return n;
}

/* Was it to be lost on the last link? The tape there saw it before it was (chain_lose()). */
static bool lost_on_link(const struct follow *f, unsigned from, const struct sight *sight)
{
    const struct play *play = f->assembly->play;
    size_t link = from == FLOW_CLIENT ? play->scenario->n_firewalls : 0;
    const struct scenario_link *said = &play->scenario->link[link];

    if (sight->packet.kind != PACKET_TCP)
        return false;
    for (size_t i = 0; i < said->n_lose[from]; i++)
        if (said->lose[from][i] == sight->nth)
            return true;
    for (size_t i = 0; i < play->n_done; i++) {
        const struct deed *deed = play->done[i].deed;
        mtime_t since = assembly_story(f->assembly, play->done[i].wall_ns);
        size_t before;

        if (deed->verb != DEED_LOSE || deed->side != from || since > sight->t ||
            (from == FLOW_CLIENT ? deed->place : deed->place - 1u) != link)
            continue;
        before = passed_before(&f->points[from][f->n_points - 1], since);
        if (sight->nth <= before + deed->number)
            return true;
    }
    return false;
}

static int add(struct follow *f, struct timeline_event *e, unsigned place, mtime_t t,
               enum passage passage)
{
    e->place = (uint8_t)place;
    e->t = t;
    e->packet.passage = passage;
    return assembly_add(f->assembly, e);
}

static int add_end(struct follow *f, struct timeline_event *e, unsigned from, size_t point,
                   const struct sight *last)
{
    unsigned place = place_at(f, from, point);
    const struct verdict_seen *seen;

    if (point + 1 == f->n_points) {
        bool lost = unheard(f, place, from, last->t, &e->packet.silent_link);
        unsigned sender = place_at(f, from, 0);

        /* With nothing between them, what does not leave the one is dropped at the other. */
        if (!lost && f->n_points == 2 && unheard(f, sender, from, last->t, &e->packet.silent_link))
            return add(f, e, sender, last->t, PASSAGE_LOST);
        if (!lost && from == FLOW_SERVER && moved_away(f, last)) {
            e->packet.silent_link = true;
            return add(f, e, place, last->t, PASSAGE_LOST);
        }
        if (!lost && lost_on_link(f, from, last))
            return add(f, e, place_at(f, from, point - 1), last->t, PASSAGE_LOST);
        return add(f, e, place, last->t, lost ? PASSAGE_LOST : PASSAGE_RECEIVED);
    }
    if (point % 2 == 0) { /* left a place and never arrived: veth does not do that by itself */
        e->packet.silent_link = true;
        return add(f, e, place, last->t, PASSAGE_LOST);
    }
    seen = verdict_of(f, place, last);
    if (seen) {
        e->packet.reason = (enum reason)seen->judgement.reason;
        return add(f, e, place, last->t, PASSAGE_DROPPED);
    }
    /* It never reached the queue: lost on the link before, or its sender is cut off. */
    place = from == FLOW_CLIENT ? place - 1 : place + 1;
    unheard(f, place, from, last->t, &e->packet.silent_link);
    return add(f, e, place, last->t, PASSAGE_LOST);
}

static int follow_one(struct follow *f, unsigned from, size_t point, struct sight *first)
{
    const struct packet *p = &first->packet;
    uint32_t connection = assembly_connection(f->assembly, client_port_of(f->assembly->play, p));
    struct numbering *n = numbers_of(f, connection);
    struct timeline_event e = {.kind = TIMELINE_PACKET, .connection = connection};
    struct sight *at = first, *next;
    int r;

    e.packet = (struct timeline_packet){
        .id = ++f->packets,
        .from = (enum flow_side)from,
        .tcp = p->kind == PACKET_TCP,
        .flags = p->flags,
        .seq = p->seq,
        .ack = p->ack_field,
        .len = p->payload_len,
        .data = first->tape->data,
        .caplen =
            (uint16_t)(p->caplen < p->len - p->payload_len ? p->caplen : p->len - p->payload_len),
        .wire_len = p->len};
    if (!e.packet.tcp) {
        e.packet.icmp_type = p->data[p->l4_offset];
        e.packet.icmp_code = p->data[p->l4_offset + 1];
        e.packet.caplen = (uint16_t)p->caplen;
    }
    if (point == 0) {
        e.packet.note = note_of(n, first, from);
        learn_sent(n, p, from);
        e.packet.nth = count_note(n, from, e.packet.note);
    }
    if (n && n->known[from])
        e.packet.rel_seq = p->seq - n->isn[e.packet.tcp ? from : !from];
    if (n && n->known[!from] && p->flags & TCP_ACK)
        e.packet.rel_ack = p->ack - n->isn[!from];
    e.packet.window = (uint32_t)p->window << (n && !(p->flags & TCP_SYN) ? n->shift[from] : 0);
    r = add(f, &e, place_at(f, from, point), first->t,
            point == 0 ? PASSAGE_SENT : PASSAGE_INJECTED);
    first->taken = true;
    while (r == 0 && point + 1 < f->n_points && (next = find(&f->points[from][point + 1], at))) {
        at = next;
        at->taken = true;
        point++;
        if (point % 2 == 0) { /* out of a firewall */
            const struct verdict_seen *seen = verdict_of(f, place_at(f, from, point), at);

            e.packet.reason = seen ? (enum reason)seen->judgement.reason : REASON_FLOW;
            r = add(f, &e, place_at(f, from, point), at->t, PASSAGE_FORWARDED);
        }
    }
    if (r == 0)
        r = add_end(f, &e, from, point, at);
    if (point + 1 == f->n_points)
        learn_received(n, from, e.packet.note);
    return r;
}

/* The earliest that nobody has taken, of all points at which a packet can begin. */
static struct sight *earliest(struct follow *f, unsigned *from, size_t *point)
{
    struct sight *best = NULL;

    for (unsigned side = 0; side < 2; side++)
        for (size_t k = 0; k < f->n_points; k++) {
            struct passed *passed = &f->points[side][k];
            struct sight *s;

            while (passed->first < passed->n && passed->sights[passed->first].taken)
                passed->first++;
            s = &passed->sights[passed->first];
            if (passed->first < passed->n && (!best || s->tape->wall_ns < best->tape->wall_ns)) {
                best = s; /* a tape is in order */
                *from = side;
                *point = k;
            }
        }
    return best;
}

static void finish(struct follow *f)
{
    for (unsigned side = 0; side < 2; side++)
        for (size_t k = 0; k < POINTS; k++)
            free(f->points[side][k].sights);
    for (size_t i = 0; i < SCENARIO_FIREWALLS; i++)
        free(f->verdicts[i].seen);
    free(f->numbers);
}

int assemble_packets(struct assembly *assembly)
{
    struct follow f = {.assembly = assembly, .n_points = 2 * (assembly->play->chain.n - 1)};
    struct sight *first;
    size_t point = 0;
    unsigned from = 0;
    int r = 0;

    f.n_numbers = assembly->n_ports + 1;
    f.numbers = calloc(f.n_numbers, sizeof(*f.numbers));
    if (!f.numbers)
        return -ENOMEM;
    for (size_t i = 0; i < f.n_numbers; i++)
        f.numbers[i].probed[0] = f.numbers[i].probed[1] = MTIME_NEVER;
    for (unsigned side = 0; side < 2; side++)
        for (size_t k = 0; r == 0 && k < f.n_points; k++)
            r = read_tape(&f, side, k);
    for (size_t i = 0; r == 0 && i < assembly->play->scenario->n_firewalls; i++)
        for (unsigned k = 0; r == 0 && k < assembly->play->starts[i]; k++)
            r = read_recording(&f, i, k);
    while (r == 0 && (first = earliest(&f, &from, &point)))
        r = follow_one(&f, from, point, first);
    finish(&f);
    return r;
}
