/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a packet: nothing is read beyond them, and whatever was understood is consistent. */
#include "middlebox/engine/fragment.h"
#include "middlebox/engine/segment.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/packet_cases.h"

#include <netinet/in.h>

/* The first bytes of an input say how it is shown. */
enum { HOW, MORE, CUT, CONTROL };
enum {
    HOW_REPAIR = 1,    /* make the length field right, else most changes end there */
    HOW_LONGER = 2,    /* a few bytes more on the wire than captured */
    HOW_GIANT = 4,     /* very many */
    HOW_SHORTER = 8,   /* fewer than captured: against the contract, but nothing may break */
    HOW_ACCEPTED = 16, /* the fate of a first fragment */
};

static struct packet decode(const uint8_t *data, uint32_t caplen, uint32_t len)
{
    struct packet p;

    memset(&p, 0x5a, sizeof(p));
    p.data = data;
    p.caplen = caplen;
    p.len = len;
    p.mark = 1;
    p.checksum_ready = true;
    p.offloaded = len % 2;
    packet_decode(&p);
    return p;
}

static bool same(const struct packet *a, const struct packet *b)
{
    size_t from = offsetof(struct packet, kind);

    return memcmp((const uint8_t *)a + from, (const uint8_t *)b + from, sizeof(*a) - from) == 0;
}

static void check_key(const struct packet *p)
{
    static const uint8_t none[12];
    const struct flow_key *key = &p->key;
    int order = memcmp(key->addr[0], key->addr[1], 16);

    FUZZ_CHECK(key->family == 4 || key->family == 6);
    FUZZ_CHECK(key->family == p->data[0] >> 4);
    FUZZ_CHECK(order < 0 || (order == 0 && key->port[0] <= key->port[1]));
    FUZZ_CHECK(key->asker <= (key->type != 0));
    FUZZ_CHECK(p->side <= 1);
    for (unsigned i = 0; i < 2 && key->family == 4; i++)
        FUZZ_CHECK(memcmp(key->addr[i] + 4, none, 12) == 0);
}

static void check_tcp(const struct packet *p)
{
    uint32_t header = (p->data[p->l4_offset + 12] >> 4) * 4u;

    FUZZ_CHECK(p->key.proto == IPPROTO_TCP);
    FUZZ_CHECK(p->l4_offset + header <= p->caplen);
    FUZZ_CHECK(p->l4_offset + header + (uint64_t)p->payload_len <= p->len);
    FUZZ_CHECK(p->flags < 64);
    FUZZ_CHECK(p->flags & TCP_ACK || p->ack == 0);
    FUZZ_CHECK(p->wscale <= 14 && (p->has_wscale || p->wscale == 0));
    FUZZ_CHECK(p->has_timestamp || (p->tsval == 0 && p->tsecr == 0));
}

static void check_decoded(const struct packet *p)
{
    static const struct packet zero;
    struct packet rest = *p;

    FUZZ_CHECK((unsigned)p->kind < PACKET_KINDS);
    if (p->kind == PACKET_TRUNCATED || p->kind == PACKET_MALFORMED) {
        rest.kind = zero.kind;
        FUZZ_CHECK(same(&rest, &zero));
        FUZZ_CHECK(p->kind != PACKET_TRUNCATED || p->caplen < p->len);
        return;
    }
    check_key(p);
    FUZZ_CHECK(p->l4_offset >= 20 && p->l4_offset <= p->caplen && p->l4_offset <= p->len);
    FUZZ_CHECK(p->payload_len <= p->len - p->l4_offset);
    FUZZ_CHECK(p->fragment_start <= p->fragment_end && p->fragment_end <= 65535);
    FUZZ_CHECK((p->kind == PACKET_FRAGMENT) == (p->fragment_start > 0));
    FUZZ_CHECK(p->more_fragments == (p->fragment_start == 0 && p->fragment_end > 0));
    FUZZ_CHECK(p->kind != PACKET_ECHO || (p->key.type && p->key.port[0] == p->key.port[1]));
    FUZZ_CHECK(p->kind == PACKET_ICMP_ERROR || !p->icmp_quotes_tcp);
    if (p->kind == PACKET_TCP)
        check_tcp(p);
}

static struct packet reread(const struct segment *segment)
{
    struct packet p = decode(segment->data, segment->len, segment->len);

    FUZZ_CHECK(segment->len <= SEGMENT_MAX);
    FUZZ_CHECK(segment->mark == 1);
    check_decoded(&p);
    return p;
}

static void check_resets(const struct packet *p)
{
    void (*const forms[])(struct segment *, const struct packet *) = {segment_reset_for,
                                                                      segment_reset_echo};

    for (size_t i = 0; i < 2; i++) {
        struct segment segment;
        struct packet reset;

        forms[i](&segment, p);
        reset = reread(&segment);
        FUZZ_CHECK(packet_checksum_ok(&reset));
        FUZZ_CHECK(reset.kind == PACKET_TCP && reset.flags & TCP_RST);
        FUZZ_CHECK(flow_key_equal(&reset.key, &p->key));
        FUZZ_CHECK(memcmp(p->key.addr[0], p->key.addr[1], 16) == 0 || reset.side != p->side);
        if (p->flags & TCP_ACK)
            FUZZ_CHECK(reset.seq == p->ack);
        else
            FUZZ_CHECK(reset.seq == 0 && reset.flags & TCP_ACK);
    }
}

static void check_icmp(const struct packet *p)
{
    struct segment segment;
    struct packet error;

    segment_icmp_prohibited(&segment, p);
    if (segment.len == 0)
        return;
    FUZZ_CHECK(p->kind == PACKET_TCP || p->kind == PACKET_UDP || p->kind == PACKET_ECHO ||
               p->kind == PACKET_GENERIC);
    error = reread(&segment);
    if (p->l4_offset + 8 > SEGMENT_MAX - 48)
        return; /* the extension headers alone fill the quotation */
    FUZZ_CHECK(error.kind == PACKET_ICMP_ERROR);
    FUZZ_CHECK(packet_checksum_ok(&error));
    FUZZ_CHECK(flow_key_equal(&error.key, &p->key));
    FUZZ_CHECK(error.side == p->side);
    FUZZ_CHECK(error.seq == p->seq);
}

static void check_fragment(const struct packet *p, bool accepted)
{
    static struct fragment_cache *cache; /* lives as long as the process */
    static const uint8_t secret[16] = {1};
    static mtime_t now;
    struct packet later = *p;
    enum fragment_fate fate;

    if (!cache)
        FUZZ_CHECK(fragment_create(&cache, 64, secret) == 0);
    now += MTIME_SEC / 8;
    if (p->kind == PACKET_FRAGMENT)
        fragment_get(cache, p, now);
    if (!p->more_fragments)
        return;
    fragment_put(cache, p, now, accepted);
    later.fragment_start = UINT16_MAX;
    fate = fragment_get(cache, &later, now);
    FUZZ_CHECK(fate != FRAGMENT_UNKNOWN);
    FUZZ_CHECK(accepted || fate == FRAGMENT_DROP);
    later.fragment_start = p->fragment_end - 1;
    FUZZ_CHECK(fragment_get(cache, &later, now) == FRAGMENT_DROP);
}

/* With less captured it is cut off, or the same. */
static void check_cut(const struct packet *p, uint8_t cut)
{
    uint32_t caplen = p->caplen < cut ? 0 : p->caplen - cut;
    uint8_t *exact = malloc(caplen ? caplen : 1);
    struct packet shorter;

    FUZZ_CHECK(exact != NULL);
    memcpy(exact, p->data, caplen);
    shorter = decode(exact, caplen, p->len);
    check_decoded(&shorter);
    if (shorter.kind != PACKET_TRUNCATED)
        FUZZ_CHECK(same(&shorter, p));
    packet_checksum_ok(&shorter);
    free(exact);
}

static void repair(uint8_t *packet, uint32_t size)
{
    uint32_t length = size;

    if (size >= 40 && packet[0] >> 4 == 6) {
        length -= 40;
        packet[4] = (uint8_t)(length >> 8);
        packet[5] = (uint8_t)length;
    } else if (size >= 20 && packet[0] >> 4 == 4) {
        packet[2] = (uint8_t)(length >> 8);
        packet[3] = (uint8_t)length;
    }
}

static uint32_t wire_length(const uint8_t *control, uint32_t caplen)
{
    if (control[HOW] & HOW_LONGER)
        return caplen + control[MORE];
    if (control[HOW] & HOW_GIANT)
        return caplen + (uint32_t)control[MORE] * 0xfefefeu;
    if (control[HOW] & HOW_SHORTER)
        return caplen > control[MORE] ? caplen - control[MORE] : 0;
    return caplen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *exact;
    uint32_t caplen;
    struct packet p;

    if (size < CONTROL || size > 65535)
        return 0;
    caplen = (uint32_t)size - CONTROL;
    exact = malloc(caplen ? caplen : 1);
    FUZZ_CHECK(exact != NULL);
    memcpy(exact, data + CONTROL, caplen);
    if (data[HOW] & HOW_REPAIR)
        repair(exact, caplen);

    p = decode(exact, caplen, wire_length(data, caplen));
    if (data[HOW] & HOW_SHORTER && p.len < p.caplen)
        p.caplen = p.len;
    check_decoded(&p);
    packet_checksum_ok(&p);
    check_cut(&p, data[CUT]);
    check_icmp(&p);
    check_fragment(&p, data[HOW] & HOW_ACCEPTED);
    if (p.kind == PACKET_TCP && !(p.flags & TCP_RST))
        check_resets(&p);
    free(exact);
    return 0;
}

/* Every good packet of the unit tests, shown as it is, repaired, and with more behind it. */
size_t fuzz_seed(size_t index, uint8_t *data, size_t max)
{
    static const uint8_t how[][CONTROL] = {{0},
                                           {HOW_REPAIR | HOW_ACCEPTED, 0, 1},
                                           {HOW_REPAIR | HOW_LONGER, 9, 20},
                                           {HOW_GIANT, 1, 0}};
    size_t variant = index / PACKET_CASES;

    if (variant >= sizeof(how) / sizeof(how[0]) || max < CONTROL + PACKET_CASE_MAX)
        return 0;
    memcpy(data, how[variant], CONTROL);
    return CONTROL + packet_case_bytes(packet_cases[index % PACKET_CASES].hex, data + CONTROL);
}
