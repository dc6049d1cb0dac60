/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "middlebox/engine/segment.h"
#include "tests/unit/packet_cases.h"

#include <arpa/inet.h>

/* Decodes what we made; it must be right in every sum. */
static struct packet reread(const struct segment *segment)
{
    struct packet p = {
        .data = segment->data, .caplen = segment->len, .len = segment->len, .checksum_ready = true};

    packet_decode(&p);
    assert_true(packet_checksum_ok(&p));
    return p;
}

static struct flow_key key_of(const char *a, uint16_t a_port, const char *b, uint16_t b_port)
{
    int af = strchr(a, ':') ? AF_INET6 : AF_INET;
    uint8_t src[16], dst[16];
    struct flow_key key;

    assert_int_equal(inet_pton(af, a, src), 1);
    assert_int_equal(inet_pton(af, b, dst), 1);
    flow_key_init(&key, af == AF_INET ? 4 : 6, IPPROTO_TCP, src, a_port, dst, b_port, 0);
    return key;
}

static struct packet case_packet(const char *name, uint8_t bytes[PACKET_CASE_MAX])
{
    for (size_t i = 0; i < PACKET_CASES; i++) {
        if (strcmp(packet_cases[i].name, name) == 0) {
            struct packet p = {.data = bytes, .checksum_ready = true};

            p.caplen = p.len = packet_case_bytes(packet_cases[i].hex, bytes);
            packet_decode(&p);
            return p;
        }
    }
    fail_msg("no case %s", name);
    return (struct packet){0};
}

static void expect_bytes(const struct segment *segment, const char *hex)
{
    uint8_t bytes[PACKET_CASE_MAX];

    assert_int_equal(segment->len, packet_case_bytes(hex, bytes));
    assert_memory_equal(segment->data, bytes, segment->len);
}

/* These bytes went through `tcpdump -vv`, which called every checksum correct. */
static void the_bytes_of_a_reset_and_a_probe(void **state)
{
    struct flow_key v4 = key_of("192.0.2.2", 40000, "198.51.100.2", 5432);
    struct flow_key v6 = key_of("2001:db8:2::2", 5432, "2001:db8:1::2", 40000);
    struct segment segment;

    (void)state;
    memset(&segment, 0xaa, sizeof(segment));
    segment_tcp(&segment, &(struct segment_tcp){.key = &v4,
                                                .from = 1,
                                                .seq = 86,
                                                .ack = 1031,
                                                .flags = TCP_RST | TCP_ACK,
                                                .payload_len = 1});
    assert_int_equal(segment.kind, SEGMENT_RESET);
    expect_bytes(&segment,
                 "45000029 00004000 40064e97 c6336402 c0000202 15389c40 00000056 00000407 "
                 "50140000 0dc20000 00");

    segment_tcp(&segment, &(struct segment_tcp){.key = &v6,
                                                .from = 0,
                                                .seq = 999,
                                                .ack = 2000,
                                                .window = 501,
                                                .flags = TCP_ACK,
                                                .has_timestamp = true,
                                                .tsval = 7,
                                                .tsecr = 8});
    assert_int_equal(segment.kind, SEGMENT_PROBE);
    expect_bytes(&segment,
                 "60000000 00200640 20010db8 00010000 00000000 00000002 20010db8 00020000 "
                 "00000000 00000002 9c401538 000003e7 000007d0 801001f5 5c110000 0101080a "
                 "00000007 00000008");
}

struct tcp_case {
    const char *a, *b;
    unsigned from;
    struct segment_tcp says;
};

static void a_segment_reads_back_as_written(void **state)
{
    static const struct tcp_case cases[] = {
        {"192.0.2.2", "198.51.100.2", 0, {.seq = 1, .flags = TCP_RST}},
        {"192.0.2.2", "198.51.100.2", 1, {.seq = 1, .ack = 9, .flags = TCP_RST | TCP_ACK}},
        {"192.0.2.2", "198.51.100.2", 1, {.seq = 1, .ack = 9, .flags = TCP_RST}},
        {"192.0.2.2",
         "198.51.100.2",
         0,
         {.seq = UINT32_MAX, .ack = 1u << 31, .window = 65535, .flags = TCP_ACK, .payload_len = 1}},
        {"2001:db8::1", "2001:db8::2", 0, {.seq = 5, .ack = 6, .flags = TCP_RST | TCP_ACK}},
        {"2001:db8::1",
         "2001:db8::2",
         1,
         {.seq = 5,
          .ack = 6,
          .window = 1,
          .flags = TCP_ACK,
          .payload_len = 1,
          .has_timestamp = true,
          .tsval = UINT32_MAX,
          .tsecr = 3}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct flow_key key = key_of(cases[i].a, 1, cases[i].b, 65535);
        struct segment_tcp says = cases[i].says;
        struct segment segment;
        struct packet p;

        says.key = &key;
        says.from = cases[i].from;
        segment_tcp(&segment, &says);
        p = reread(&segment);
        assert_int_equal(p.kind, PACKET_TCP);
        assert_true(flow_key_equal(&p.key, &key));
        assert_int_equal(p.side, says.from);
        assert_int_equal(p.seq, says.seq);
        assert_int_equal(p.ack, says.flags & TCP_ACK ? says.ack : 0);
        assert_int_equal(p.window, says.window);
        assert_int_equal(p.flags, says.flags);
        assert_int_equal(p.payload_len, says.payload_len);
        assert_int_equal(p.has_timestamp, says.has_timestamp);
        assert_int_equal(p.tsval, says.tsval);
        assert_int_equal(p.tsecr, says.tsecr);
    }
}

struct reset_case {
    const char *name;
    uint8_t flags;
    uint32_t seq, ack, payload;
    uint8_t reset_flags;
    uint32_t reset_seq, reset_ack;
};

static const struct reset_case resets[] = {
    {"RFC 9293 3.10.7.1: with ACK, SEQ is SEG.ACK", TCP_ACK, 1000, 2000, 0, TCP_RST, 2000, 0},
    {"RFC 9293 3.10.7.1: with ACK, length does not matter", TCP_ACK | TCP_PSH, 1000, 2000, 500,
     TCP_RST, 2000, 0},
    {"RFC 9293 3.10.7.1: with ACK, an acknowledgment of 0", TCP_ACK, 1000, 0, 0, TCP_RST, 0, 0},
    {"RFC 9293 3.10.7.1: SYN and ACK", TCP_SYN | TCP_ACK, 7, 8, 0, TCP_RST, 8, 0},
    {"RFC 9293 3.10.7.1: SYN counts as one", TCP_SYN, 7, 0, 0, TCP_RST | TCP_ACK, 0, 8},
    {"RFC 9293 3.10.7.1: SYN over the wrap", TCP_SYN, UINT32_MAX, 0, 0, TCP_RST | TCP_ACK, 0, 0},
    {"RFC 9293 3.10.7.1: SYN with data (RFC 7413)", TCP_SYN, 7, 0, 100, TCP_RST | TCP_ACK, 0, 108},
    {"RFC 9293 3.10.7.1: FIN counts as one", TCP_FIN, 7, 0, 10, TCP_RST | TCP_ACK, 0, 18},
    {"RFC 9293 3.10.7.1: no flag at all", 0, 7, 0, 65000, TCP_RST | TCP_ACK, 0, 65007},
};

static struct packet segment_to_answer(const struct flow_key *key, const struct reset_case *c)
{
    return (struct packet){.kind = PACKET_TCP,
                           .key = *key,
                           .side = 1,
                           .mark = 0x2a,
                           .flags = c->flags,
                           .seq = c->seq,
                           .ack = c->ack,
                           .payload_len = c->payload};
}

static void a_reset_answers_as_rfc_9293_says(void **state)
{
    struct flow_key key = key_of("192.0.2.2", 5432, "198.51.100.2", 40000);

    (void)state;
    for (size_t i = 0; i < sizeof(resets) / sizeof(resets[0]); i++) {
        const struct reset_case *c = &resets[i];
        struct packet in = segment_to_answer(&key, c), p;
        struct segment segment;

        segment_reset_for(&segment, &in);
        p = reread(&segment);
        if (p.flags != c->reset_flags || p.seq != c->reset_seq || p.ack != c->reset_ack)
            fail_msg("%s: flags %02x seq %u ack %u", c->name, p.flags, p.seq, p.ack);
        assert_true(flow_key_equal(&p.key, &key));
        assert_int_equal(p.side, 0);
        assert_int_equal(p.payload_len, 0);
        assert_int_equal(p.window, 0);
        assert_int_equal(segment.kind, SEGMENT_RESET);
        assert_int_equal(segment.mark, 0x2a);
        assert_int_equal(segment.to_client, 1);
        assert_int_equal(segment.flow_id, 0);
    }
}

/* Field case 5: `1031:1032(1) ack 86` is answered by `R 86:87(1) ack 1031`. */
static void an_echoing_reset_has_the_form_of_the_probe(void **state)
{
    static const struct reset_case cases[] = {
        {"a probe with a byte", TCP_ACK, 1031, 86, 1, TCP_RST | TCP_ACK, 86, 1031},
        {"a probe without", TCP_ACK, 1031, 86, 0, TCP_RST | TCP_ACK, 86, 1031},
        {"data", TCP_ACK | TCP_PSH, 1031, 86, 1400, TCP_RST | TCP_ACK, 86, 1031},
        {"nothing to echo", TCP_FIN, 1031, 0, 0, TCP_RST | TCP_ACK, 0, 1032},
    };
    struct flow_key key = key_of("2001:db8::1", 5432, "2001:db8::2", 40000);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct reset_case *c = &cases[i];
        struct packet in = segment_to_answer(&key, c), p;
        struct segment segment;

        segment_reset_echo(&segment, &in);
        p = reread(&segment);
        if (p.flags != c->reset_flags || p.seq != c->reset_seq || p.ack != c->reset_ack)
            fail_msg("%s: flags %02x seq %u ack %u", c->name, p.flags, p.seq, p.ack);
        assert_int_equal(p.payload_len, c->payload > 0);
        assert_int_equal(p.side, 0);
    }
}

static void the_bytes_of_an_icmp_error(void **state)
{
    uint8_t bytes[PACKET_CASE_MAX];
    struct segment segment;
    struct packet p;

    (void)state;
    p = case_packet("RFC 791 3.1: options and the padding of Ethernet behind", bytes);
    p.mark = 7;
    segment_icmp_prohibited(&segment, &p);
    assert_int_equal(segment.kind, SEGMENT_ICMP);
    assert_int_equal(segment.mark, 7);
    assert_int_equal(segment.to_client, 1);
    expect_bytes(&segment,
                 "45c00048 00004000 40014dbd c6336402 c0000202 030de945 00000000 4600002c "
                 "00004000 4006b98f c0000202 c6336402 94040000 9c401538 00000001 00000002 "
                 "501001f5 102c0000");
    p = case_packet("RFC 8200 3: SYN", bytes);
    segment_icmp_prohibited(&segment, &p);
    expect_bytes(&segment,
                 "6c000000 00583a40 20010db8 00020000 00000000 00000002 20010db8 00010000 "
                 "00000000 00000002 01013cb9 00000000 60000000 00280640 20010db8 00010000 "
                 "00000000 00000002 20010db8 00020000 00000000 00000002 9c401538 01020304 "
                 "00000000 a00201f5 312c0000 020405b4 0402080a 000003e8 00000000 01030307");
}

static void an_icmp_error_is_one_of_the_flow_it_answers(void **state)
{
    static const char *const names[] = {
        "RFC 9293 3.1: data",
        "RFC 768: UDP",
        "RFC 792: echo",
        "RFC 792: echo reply",
        "RFC 2784: any other protocol",
        "RFC 791 3.2: a first fragment",
        "RFC 8200 3: SYN",
        "RFC 768 over RFC 8200: UDP",
        "RFC 4443 4.1: echo",
        "RFC 8200 4.5: a first fragment",
        "RFC 4303: ESP",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        uint8_t bytes[PACKET_CASE_MAX];
        struct packet in = case_packet(names[i], bytes), p;
        struct segment segment;

        segment_icmp_prohibited(&segment, &in);
        p = reread(&segment);
        assert_int_equal(p.kind, PACKET_ICMP_ERROR);
        assert_true(flow_key_equal(&p.key, &in.key));
        assert_int_equal(p.side, in.side);
        assert_int_equal(p.seq, in.seq);
    }
}

/* RFC 1812 4.3.2.3, RFC 4443 2.4 (c): as much as fits, here into SEGMENT_MAX. */
static void a_long_packet_is_quoted_in_part(void **state)
{
    uint8_t bytes[1500] = {0};
    struct packet p = case_packet("RFC 9293 3.1: data", bytes), back;
    struct segment segment;

    (void)state;
    bytes[2] = sizeof(bytes) >> 8;
    bytes[3] = sizeof(bytes) & 0xff;
    p.caplen = p.len = sizeof(bytes);
    packet_decode(&p);
    segment_icmp_prohibited(&segment, &p);
    assert_int_equal(segment.len, SEGMENT_MAX);
    back = reread(&segment);
    assert_true(flow_key_equal(&back.key, &p.key));
    p.caplen = 53;
    segment_icmp_prohibited(&segment, &p);
    assert_int_equal(segment.len, 20 + 8 + 53);
    reread(&segment);
}

struct unanswerable {
    const char *name, *of; /* a good packet ... */
    unsigned at;           /* ... with this byte ... */
    uint8_t is[4];         /* ... replaced */
};

static const struct unanswerable unanswerables[] = {
    {"RFC 1122 3.2.2: an ICMP error", "RFC 792: time exceeded, quoting UDP", 0, {0x45, 0, 0, 61}},
    {"RFC 1122 3.2.2: a later fragment", "RFC 791 3.2: the last fragment", 1, {0, 0, 24, 0x12}},
    {"RFC 1122 3.2.2: an ICMP type that may be an error",
     "RFC 1393: an ICMP type without id is for the rules",
     1,
     {0, 0, 36, 0}},
    {"RFC 1122 3.2.2: multicast", "RFC 768: UDP", 16, {224, 0, 0, 5}},
    {"RFC 1122 3.2.2: broadcast", "RFC 768: UDP", 16, {255, 255, 255, 255}},
    {"RFC 1122 3.2.2: from nobody", "RFC 768: UDP", 12, {0, 0, 0, 0}},
    {"RFC 1122 3.2.2: from a group", "RFC 768: UDP", 12, {239, 1, 2, 3}},
    {"RFC 1122 3.2.2: from all", "RFC 768: UDP", 12, {255, 255, 255, 255}},
    {"RFC 4443 2.4 (e): an ICMPv6 error",
     "RFC 4443 3.2: packet too big, quoting TCP",
     7,
     {64, 0x20, 1, 0xd}},
    {"RFC 4443 2.4 (e): neighbour discovery",
     "RFC 4861 4.3: neighbour solicitation",
     7,
     {255, 0xfe, 0x80, 0}},
    {"RFC 4443 2.4 (e): a later fragment",
     "RFC 8200 4.5: the last fragment",
     7,
     {64, 0x20, 1, 0xd}},
    {"RFC 4443 2.4 (e): to a group", "RFC 768 over RFC 8200: UDP", 24, {0xff, 5, 0, 0}},
    {"RFC 4443 2.4 (e): from a group", "RFC 768 over RFC 8200: UDP", 8, {0xff, 5, 0, 0}},
    {"malformed", "RFC 768: UDP", 0, {0x44, 0, 0, 33}},
};

static void no_icmp_error_where_none_may_be_sent(void **state)
{
    uint8_t bytes[PACKET_CASE_MAX];
    struct segment segment;
    struct packet p;

    (void)state;
    for (size_t i = 0; i < sizeof(unanswerables) / sizeof(unanswerables[0]); i++) {
        const struct unanswerable *u = &unanswerables[i];

        p = case_packet(u->of, bytes);
        memcpy(bytes + u->at, u->is, sizeof(u->is));
        packet_decode(&p);
        segment_icmp_prohibited(&segment, &p);
        if (segment.len != 0)
            fail_msg("%s: answered", u->name);
    }
    p = case_packet("RFC 768 over RFC 8200: UDP", bytes);
    memset(bytes + 8, 0, 16);
    packet_decode(&p);
    segment_icmp_prohibited(&segment, &p);
    assert_int_equal(segment.len, 0); /* RFC 4443 2.4 (e): from the unspecified address */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bytes_of_a_reset_and_a_probe),
        cmocka_unit_test(a_segment_reads_back_as_written),
        cmocka_unit_test(a_reset_answers_as_rfc_9293_says),
        cmocka_unit_test(an_echoing_reset_has_the_form_of_the_probe),
        cmocka_unit_test(the_bytes_of_an_icmp_error),
        cmocka_unit_test(an_icmp_error_is_one_of_the_flow_it_answers),
        cmocka_unit_test(a_long_packet_is_quoted_in_part),
        cmocka_unit_test(no_icmp_error_where_none_may_be_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
