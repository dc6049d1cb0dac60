/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Segments as bytes: the engine's decoder reads what was written, the checksums hold, and what the
 * engine writes is read back. WIRE_PCAP=FILE writes them all for a look with tcpdump or tshark. */

#include "middlebox/engine/packet.h"
#include "middlebox/engine/segment.h"
#include "tools/simulate/wire.h"

#include "tests/unit/random_seed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static struct random numbers;

static void start(const char *test)
{
    numbers = random_start(test);
}

#define PORT 5432

static uint32_t any(void)
{
    return (uint32_t)random_u64(&numbers);
}

static struct tcp_segment any_segment(void)
{
    static const uint8_t flags[] = {
        TCP_SYN, TCP_SYN | TCP_ACK, TCP_ACK,           TCP_ACK | TCP_PSH,
        TCP_RST, TCP_FIN | TCP_ACK, TCP_RST | TCP_ACK, TCP_ACK};
    struct tcp_segment s = {.seq = any(),
                            .ack = any(),
                            .window = (uint16_t)any(),
                            .flags = flags[any() % sizeof(flags)],
                            .wscale = TCP_NO_WSCALE,
                            .has_timestamp = any() % 2,
                            .tsval = any(),
                            .tsecr = any()};

    if (s.flags & TCP_SYN) {
        s.mss = any() % 4 ? 1460 : 0;
        s.wscale = any() % 2 ? (uint8_t)(any() % 15) : TCP_NO_WSCALE;
        s.sack_permitted = any() % 2;
    } else {
        if (any() % 2)
            s.len = any() % 1461;
        if (s.flags & TCP_ACK && any() % 2) {
            s.sack[0] = s.ack + 100;
            s.sack[1] = s.ack + 1 + any() % 1000000;
        }
    }
    if (!(s.flags & TCP_ACK))
        s.ack = 0;
    if (!s.has_timestamp)
        s.tsval = s.tsecr = 0;
    return s;
}

static struct wire_packet any_packet(void)
{
    struct wire_packet p = {.segment = any_segment(),
                            .tuple = wire_tuple_of((uint8_t)(any() % 254 + 1),
                                                   (uint8_t)(any() % 254 + 1), (uint16_t)any()),
                            .from = any() % 2};

    p.icmp = any() % 4 == 0;
    if (p.icmp) {
        p.icmp_type = 3;
        p.icmp_code = any() % 2 ? 1 : 13;
        p.icmp_from = WIRE_ROUTERS | (any() % 8 + 1);
    }
    return p;
}

/* The whole packet: zeros for payload. */
static struct packet whole(const struct wire_packet *p, uint8_t *bytes, size_t room, bool sums)
{
    struct packet decoded = {.data = bytes, .checksum_ready = sums};
    uint8_t head[WIRE_MAX];
    uint32_t n = wire_encode(p, PORT, sums, head);

    memset(head + n, 0xa5, sizeof(head) - n);
    decoded.len = decoded.caplen = wire_length(p);
    assert_true(n <= WIRE_MAX && n <= decoded.len && decoded.len <= room);
    memset(bytes, 0, room);
    memcpy(bytes, head, n);
    packet_decode(&decoded);
    return decoded;
}

static void expect_same(const struct packet *d, const struct wire_packet *p)
{
    const struct tcp_segment *s = &p->segment;
    uint32_t addresses[2] = {WIRE_CLIENTS | wire_client(p->tuple),
                             WIRE_SERVERS | wire_server(p->tuple)};
    unsigned sender = p->icmp ? !p->from : p->from;
    const uint8_t *a = d->key.addr[d->side];

    assert_int_equal((uint32_t)a[0] << 24 | a[1] << 16 | a[2] << 8 | a[3], addresses[sender]);
    assert_int_equal(d->key.port[d->side], sender == FLOW_CLIENT ? wire_port(p->tuple) : PORT);
    assert_int_equal(d->seq, s->seq);
    if (p->icmp) {
        assert_int_equal(d->kind, PACKET_ICMP_ERROR);
        assert_true(d->icmp_quotes_tcp);
        return;
    }
    assert_int_equal(d->kind, PACKET_TCP);
    assert_int_equal(d->ack, s->ack);
    assert_int_equal(d->flags, s->flags);
    assert_int_equal(d->window, s->window);
    assert_int_equal(d->payload_len, s->len);
    assert_int_equal(d->has_timestamp, s->has_timestamp);
    assert_int_equal(d->tsval, s->tsval);
    assert_int_equal(d->tsecr, s->tsecr);
    assert_int_equal(d->sack_permitted, s->sack_permitted);
    assert_int_equal(d->has_wscale, s->flags & TCP_SYN && s->wscale != TCP_NO_WSCALE);
    if (d->has_wscale)
        assert_int_equal(d->wscale, s->wscale);
    if (s->sack[0] != s->sack[1])
        assert_int_equal(d->sack, s->sack[1]);
}

static void read_by_the_engine(void **state)
{
    uint8_t bytes[2048];

    (void)state;
    start(__func__);
    for (unsigned i = 0; i < 20000; i++) {
        struct wire_packet p = any_packet();
        struct packet d = whole(&p, bytes, sizeof(bytes), true);

        expect_same(&d, &p);
        assert_true(packet_checksum_ok(&d));
        bytes[random_below(&numbers, d.len)] ^= 1; /* one bit anywhere but in padding is found */
        packet_decode(&d);
        if (!p.icmp)
            assert_true(d.kind != PACKET_TCP || !packet_checksum_ok(&d));
    }
}

/* Without payload, as the firewalls see it. */
static void read_without_payload(void **state)
{
    (void)state;
    start(__func__);
    for (unsigned i = 0; i < 5000; i++) {
        struct wire_packet p = any_packet();
        uint8_t bytes[WIRE_MAX];
        struct packet d = {.data = bytes};

        d.caplen = wire_encode(&p, PORT, false, bytes);
        d.len = wire_length(&p);
        packet_decode(&d);
        expect_same(&d, &p);
    }
}

static void expect_equal(const struct tcp_segment *a, const struct tcp_segment *b)
{
    assert_int_equal(a->seq, b->seq);
    assert_int_equal(a->ack, b->ack);
    assert_int_equal(a->len, b->len);
    assert_int_equal(a->window, b->window);
    assert_int_equal(a->flags, b->flags);
    assert_int_equal(a->has_timestamp, b->has_timestamp);
    assert_int_equal(a->tsval, b->tsval);
    assert_int_equal(a->tsecr, b->tsecr);
    assert_int_equal(a->mss, b->mss);
    assert_int_equal(a->wscale, b->wscale);
    assert_int_equal(a->sack_permitted, b->sack_permitted);
    assert_int_equal(a->sack[0], b->sack[0]);
    assert_int_equal(a->sack[1], b->sack[1]);
}

static void read_back(void **state)
{
    (void)state;
    start(__func__);
    for (unsigned i = 0; i < 20000; i++) {
        struct wire_packet p = any_packet(), back = {.id = 0};
        uint8_t bytes[WIRE_MAX];
        uint32_t n = wire_encode(&p, PORT, true, bytes);

        assert_true(wire_decode(&back, PORT, bytes, n));
        assert_int_equal(back.from, p.from);
        assert_int_equal(back.tuple, p.tuple);
        assert_int_equal(back.icmp, p.icmp);
        assert_int_equal(back.icmp_code, p.icmp_code);
        assert_int_equal(back.icmp_from, p.icmp_from);
        expect_equal(&back.segment, &p.segment);
        /* nor does it read beyond what is there */
        for (uint32_t less = 0; less < n; less++) {
            uint8_t *cut = malloc(less ? less : 1);

            memcpy(cut, bytes, less);
            assert_false(wire_decode(&back, PORT, cut, less));
            free(cut);
            if (i > 50)
                break;
        }
        assert_false(wire_decode(&back, PORT + 1, bytes, n));
    }
}

/* What the engine answers comes back to the one who sent. */
static void the_engines_own(void **state)
{
    struct segment made;

    (void)state;
    start(__func__);
    for (unsigned i = 0; i < 5000; i++) {
        struct wire_packet p = any_packet(), back = {.id = 0};
        uint8_t bytes[WIRE_MAX];
        struct packet d = {.data = bytes};

        if (p.icmp || p.segment.flags & TCP_RST)
            continue;
        d.caplen = wire_encode(&p, PORT, true, bytes);
        d.len = wire_length(&p);
        packet_decode(&d);
        segment_reset_for(&made, &d);
        assert_true(wire_decode(&back, PORT, made.data, made.len));
        assert_int_equal(back.from, !p.from);
        assert_int_equal(back.tuple, p.tuple);
        assert_true(back.segment.flags & TCP_RST);
        if (p.segment.flags & TCP_ACK)
            assert_int_equal(back.segment.seq, p.segment.ack);
        segment_icmp_prohibited(&made, &d);
        back = (struct wire_packet){.id = 0};
        assert_true(wire_decode(&back, PORT, made.data, made.len));
        assert_true(back.icmp);
        assert_int_equal(back.from, !p.from);
        assert_int_equal(back.tuple, p.tuple);
        assert_int_equal(back.segment.seq, p.segment.seq);
        assert_int_equal(back.segment.len, p.segment.len);
        assert_int_equal(wire_length(&back), made.len);
    }
}

static void put32(FILE *to, uint32_t v)
{
    fwrite(&v, sizeof(v), 1, to);
}

static void for_a_look(const char *name)
{
    uint8_t bytes[2048];
    FILE *to;

    to = fopen(name, "w");
    if (!to)
        return;
    put32(to, 0xa1b2c3d4);
    put32(to, 4 << 16 | 2);
    put32(to, 0);
    put32(to, 0);
    put32(to, 65535);
    put32(to, 101); /* raw IP */
    numbers = (struct random){1};
    for (unsigned i = 0; i < 2000; i++) {
        struct wire_packet p = any_packet();
        struct packet d = whole(&p, bytes, sizeof(bytes), true);

        put32(to, i);
        put32(to, 0);
        put32(to, d.len);
        put32(to, d.len);
        fwrite(bytes, d.len, 1, to);
    }
    fclose(to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_by_the_engine),
        cmocka_unit_test(read_without_payload),
        cmocka_unit_test(read_back),
        cmocka_unit_test(the_engines_own),
    };

    if (getenv("WIRE_PCAP"))
        for_a_look(getenv("WIRE_PCAP"));
    return cmocka_run_group_tests_name("wire_segment", tests, NULL, NULL);
}
