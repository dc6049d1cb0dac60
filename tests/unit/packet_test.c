/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "middlebox/engine/packet_ip.h"
#include "tests/unit/packet_cases.h"
#include "tests/unit/random_seed.h"

#include <arpa/inet.h>

#define DECODED offsetof(struct packet, kind)

/* In a block of exactly that size, so that the sanitizer sees every byte read too much. */
static struct packet decode(const uint8_t *bytes, uint32_t caplen, uint32_t len)
{
    uint8_t *exact = malloc(caplen ? caplen : 1);
    struct packet p;

    memset(&p, 0xaa, sizeof(p));
    p.time = 0;
    p.data = exact;
    p.caplen = caplen;
    p.len = len;
    p.checksum_ready = true;
    p.offloaded = false;
    memcpy(exact, bytes, caplen);
    packet_decode(&p);
    return p;
}

static void done(struct packet *p)
{
    free((void *)(uintptr_t)p->data);
    p->data = NULL;
}

static bool same(const struct packet *a, const struct packet *b)
{
    return memcmp((const uint8_t *)a + DECODED, (const uint8_t *)b + DECODED,
                  sizeof(*a) - DECODED) == 0;
}

#define EXPECT(c, p, what) expect_field((c)->name, #what, (p)->what, (c)->rest.what)

static void expect_field(const char *name, const char *field, uint64_t is, uint64_t should)
{
    if (is != should)
        fail_msg("%s: %s is %llu, not %llu", name, field, (unsigned long long)is,
                 (unsigned long long)should);
}

static void expect_tuple(const struct packet_case *c, const struct packet *p)
{
    int af = c->tuple.family == 4 ? AF_INET : AF_INET6;
    uint8_t src[16] = {0}, dst[16] = {0};

    assert_int_equal(inet_pton(af, c->tuple.src, src), 1);
    assert_int_equal(inet_pton(af, c->tuple.dst, dst), 1);
    expect_field(c->name, "family", p->key.family, c->tuple.family);
    expect_field(c->name, "proto", p->key.proto, c->tuple.proto);
    expect_field(c->name, "type", p->key.type, c->tuple.type);
    expect_field(c->name, "source port", p->key.port[p->side], c->tuple.src_port);
    expect_field(c->name, "destination port", p->key.port[!p->side], c->tuple.dst_port);
    expect_field(c->name, "source", !!memcmp(p->key.addr[p->side], src, 16), 0);
    expect_field(c->name, "destination", !!memcmp(p->key.addr[!p->side], dst, 16), 0);
}

static void good_packets_say_what_they_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < PACKET_CASES; i++) {
        const struct packet_case *c = &packet_cases[i];
        uint8_t bytes[PACKET_CASE_MAX];
        uint32_t n = packet_case_bytes(c->hex, bytes);
        struct packet p = decode(bytes, n, n);

        expect_field(c->name, "kind", p.kind, c->kind);
        expect_tuple(c, &p);
        expect_field(c->name, "l4_offset", p.l4_offset, c->l4_offset);
        expect_field(c->name, "payload_len", p.payload_len, c->payload_len);
        EXPECT(c, &p, more_fragments);
        EXPECT(c, &p, fragment_id);
        EXPECT(c, &p, fragment_start);
        EXPECT(c, &p, fragment_end);
        EXPECT(c, &p, seq);
        EXPECT(c, &p, ack);
        EXPECT(c, &p, window);
        EXPECT(c, &p, flags);
        EXPECT(c, &p, wscale);
        EXPECT(c, &p, has_wscale);
        EXPECT(c, &p, sack_permitted);
        EXPECT(c, &p, has_timestamp);
        EXPECT(c, &p, tsval);
        EXPECT(c, &p, tsecr);
        EXPECT(c, &p, sack);
        EXPECT(c, &p, is_reply);
        EXPECT(c, &p, icmp_quotes_tcp);
        if (!packet_checksum_ok(&p))
            fail_msg("%s: its checksum is called wrong", c->name);
        done(&p);
    }
}

/* How much of a good packet must be there to judge it. */
static uint32_t headers(const struct packet *p)
{
    switch (p->kind) {
    case PACKET_TCP:
        return p->l4_offset + (p->data[p->l4_offset + 12] >> 4) * 4u;
    case PACKET_GENERIC:
    case PACKET_FRAGMENT:
        return p->key.proto == 1 || p->key.proto == 58 ? p->l4_offset + 8 : p->l4_offset;
    case PACKET_ICMP_ERROR:
        return 0; /* depends on what it quotes */
    default:
        return p->l4_offset + 8;
    }
}

static void a_capture_cut_off_is_truncated_only_within_the_headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < PACKET_CASES; i++) {
        const char *name = packet_cases[i].name;
        uint8_t bytes[PACKET_CASE_MAX];
        uint32_t n = packet_case_bytes(packet_cases[i].hex, bytes), enough = n + 1;
        struct packet whole = decode(bytes, n, n);

        for (uint32_t cut = 0; cut <= n; cut++) {
            struct packet p = decode(bytes, cut, n);

            if (p.kind != PACKET_TRUNCATED) {
                if (enough > n)
                    enough = cut;
                if (!same(&p, &whole))
                    fail_msg("%s: other with %u of %u bytes captured", name, cut, n);
                if (!packet_checksum_ok(&p))
                    fail_msg("%s: checksum judged with %u of %u bytes", name, cut, n);
            } else if (enough <= n) {
                fail_msg("%s: truncated at %u, but not at %u", name, cut, enough);
            }
            done(&p);
        }
        if (headers(&whole) && enough != headers(&whole))
            fail_msg("%s: needs %u bytes, not %u", name, headers(&whole), enough);
        done(&whole);
    }
}

static void a_packet_shorter_than_it_claims_is_malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < PACKET_CASES; i++) {
        uint8_t bytes[PACKET_CASE_MAX];
        uint32_t n = packet_case_bytes(packet_cases[i].hex, bytes);
        uint32_t claimed = bytes[0] >> 4 == 4 ? (uint32_t)bytes[2] << 8 | bytes[3]
                                              : 40 + ((uint32_t)bytes[4] << 8 | bytes[5]);

        for (uint32_t cut = 0; cut < claimed && cut < n; cut++) {
            static const struct packet zero;
            struct packet p = decode(bytes, cut, cut);

            expect_field(packet_cases[i].name, "kind", p.kind, PACKET_MALFORMED);
            p.kind = (enum packet_kind)0;
            if (!same(&p, &zero))
                fail_msg("%s: malformed, but not all zero", packet_cases[i].name);
            done(&p);
        }
    }
}

struct bad_case {
    const char *name;
    const char *hex;
    uint32_t more; /* bytes on the wire that were not captured */
    enum packet_kind kind;
};

#define V4(total, frag, proto) "4500" total " 0007" frag " 40" proto "0000 c0000202 c6336402 "
#define V6(length, next)                                                                           \
    "60000000 " length next "40 20010db8 00010000 00000000 00000002 "                              \
    "20010db8 00020000 00000000 00000002 "
#define PORTS "9c401538 "

/* clang-format off */
static const struct bad_case bad[] = {
    {"nothing at all", "", 0, PACKET_MALFORMED},
    {"nothing captured", "", 40, PACKET_TRUNCATED},
    {"RFC 791 3.1: version 5", "5500001c 00004000 40110000 c0000202 c6336402 9c400035 00080000", 0,
     PACKET_MALFORMED},
    {"RFC 791 3.1: a header of 16 bytes", "4400001c 00004000 40110000 c0000202 c6336402 9c400035 "
     "00080000", 0, PACKET_MALFORMED},
    {"RFC 791 3.1: total length below the header", "46000014 00004000 40110000 c0000202 c6336402 "
     "01010101 9c400035 00080000", 0, PACKET_MALFORMED},
    {"RFC 791 3.1: total length above the wire", V4("001d", "4000", "11") "9c400035 00080000", 0,
     PACKET_MALFORMED},
    {"RFC 791 3.1: no total length, and not too long for one", V4("0000", "4000", "11")
     "9c400035 00080000", 65535 - 28, PACKET_MALFORMED},
    {"RFC 9293 3.1: data offset 4", V4("0028", "4000", "06") PORTS "00000001 00000002 401001f5 "
     "00000000", 0, PACKET_MALFORMED},
    {"RFC 9293 3.1: data offset beyond the packet", V4("0028", "4000", "06") PORTS
     "00000001 00000002 601001f5 00000000", 0, PACKET_MALFORMED},
    {"RFC 9293 3.1: data offset beyond the packet, padding behind it", V4("0028", "4000", "06")
     PORTS "00000001 00000002 601001f5 00000000 00000000", 0, PACKET_MALFORMED},
    {"RFC 9293 3.1: options that were not captured", V4("002c", "4000", "06") PORTS
     "00000001 00000002 601001f5 00000000", 4, PACKET_TRUNCATED},
    {"RFC 9293 3.2: an option of length 0", V4("002c", "4000", "06") PORTS
     "00000001 00000002 601001f5 00000000 08000000", 0, PACKET_MALFORMED},
    {"RFC 9293 3.2: an option of length 1", V4("002c", "4000", "06") PORTS
     "00000001 00000002 601001f5 00000000 fe010000", 0, PACKET_MALFORMED},
    {"RFC 9293 3.2: an option longer than the options", V4("002c", "4000", "06") PORTS
     "00000001 00000002 601001f5 00000000 01010304", 0, PACKET_MALFORMED},
    {"RFC 9293 3.2: an option without its length", V4("002c", "4000", "06") PORTS
     "00000001 00000002 601001f5 00000000 01010108", 0, PACKET_MALFORMED},
    {"RFC 1858 3.2.1: a first fragment of eight bytes", V4("001c", "2000", "06") PORTS "00000001", 0,
     PACKET_MALFORMED},
    {"RFC 3128 2: a first fragment without its options", V4("002c", "2000", "06") PORTS
     "00000001 00000000 a00201f5 00000000 020405b4", 0, PACKET_MALFORMED},
    {"RFC 1858 3.2.2: a fragment over the TCP flags", V4("001c", "2001", "06")
     "00000000 501201f5", 0, PACKET_MALFORMED},
    {"RFC 1858: the last fragment over the TCP flags", V4("001c", "0001", "06")
     "00000000 501201f5", 0, PACKET_MALFORMED},
    {"RFC 791 3.2: an empty fragment", V4("0014", "0005", "11"), 0, PACKET_MALFORMED},
    {"RFC 791 3.2: a piece in the middle that is no multiple of eight", V4("001f", "2005", "11")
     "01020304 05060708 090a0b", 0, PACKET_MALFORMED},
    {"RFC 791 3.2: reassembled it were longer than any packet", V4("001d", "1fff", "11")
     "01020304 05060708 09", 0, PACKET_MALFORMED},
    {"RFC 768: less than its own header", V4("001c", "4000", "11") "9c400035 00070000", 0,
     PACKET_MALFORMED},
    {"RFC 768: no length, and no jumbogram", V4("001c", "4000", "11") "9c400035 00000000", 0,
     PACKET_MALFORMED},
    {"RFC 768: longer than the packet", V4("001c", "4000", "11") "9c400035 00090000", 0,
     PACKET_MALFORMED},
    {"RFC 768: half a header", V4("0018", "4000", "11") "9c400035", 0, PACKET_MALFORMED},
    {"RFC 792: seven bytes", V4("001b", "4000", "01") "08000000 04d200", 0, PACKET_MALFORMED},
    {"RFC 792: an error that quotes seven bytes of TCP", "45000037 00004000 4001d8b1 cb007101 "
     "c0000202 030d0000 00000000 45000028 00004000 40060000 c0000202 c6336402 9c401538 000003", 0,
     PACKET_MALFORMED},
    {"RFC 792: an error that does not go to the sender of what it quotes", "45000038 00004000 "
     "4001d8b1 cb007101 c0000203 030d0000 00000000 45000028 00004000 40060000 c0000202 c6336402 "
     "9c401538 000003e8", 0, PACKET_MALFORMED},
    {"RFC 792: an error that quotes version 5", "45000038 00004000 4001d8b1 cb007101 c0000202 "
     "030d0000 00000000 55000028 00004000 40060000 c0000202 c6336402 9c401538 000003e8", 0,
     PACKET_MALFORMED},
    {"RFC 792: an IPv4 error that quotes IPv6", "4500004c 00004000 4001d8b1 cb007101 c0000202 "
     "030d0000 00000000 60000000 00081140 c0000202 00000000 00000000 00000000 c6336402 00000000 "
     "00000000 00000000 9c401538 000003e8", 0, PACKET_MALFORMED},
    {"RFC 8200 3: payload length above the wire", V6("0009", "11") "9c400035 00080000", 0,
     PACKET_MALFORMED},
    {"RFC 8200 4.1: hop-by-hop options in second place", V6("0018", "3c") "00000104 00000000 "
     "11000104 00000000 9c400035 00080000", 0, PACKET_MALFORMED},
    {"RFC 8200 4: an extension header longer than the packet", V6("0010", "3c")
     "11020104 00000000 9c400035 00080000", 0, PACKET_MALFORMED},
    {"RFC 8200 4: an extension header that was not captured", V6("0018", "3c")
     "11000104 0000", 18, PACKET_TRUNCATED},
    {"RFC 8200 4: half an extension header", V6("0004", "3c") "11000104", 0, PACKET_MALFORMED},
    {"RFC 4302 2.2: an authentication header without its fixed part", V6("0010", "33")
     "11000000 00000000 9c400035 00080000", 0, PACKET_MALFORMED},
    {"RFC 8200 4.5: a fragment of a fragment", V6("0018", "2c") "2c000001 00000001 11000001 "
     "00000002 9c400035 00080000", 0, PACKET_MALFORMED},
    {"RFC 7112 5: a first fragment without its transport header", V6("0010", "2c") "3c000001 "
     "00000001 06000104 00000000", 0, PACKET_MALFORMED},
    {"RFC 8200 4.5: a fragment over the TCP flags", V6("0010", "2c") "06000008 00000001 "
     "00000000 501201f5", 0, PACKET_MALFORMED},
    {"RFC 8200 4.5: an empty fragment", V6("0008", "2c") "11000010 00000001", 0, PACKET_MALFORMED},
    {"RFC 8200 4.5: a piece in the middle that is no multiple of eight", V6("000c", "2c")
     "11000011 00000001 00000000", 0, PACKET_MALFORMED},
    {"RFC 8200 4.5: reassembled it were longer than any packet", V6("0010", "2c")
     "1100fff8 00000001 00000000 00000000", 0, PACKET_MALFORMED},
    {"RFC 8200 4.5: half a fragment header", V6("0004", "2c") "11000001", 0, PACKET_MALFORMED},
};
/* clang-format on */

static void contradictions_are_malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        static const struct packet zero;
        uint8_t bytes[PACKET_CASE_MAX];
        uint32_t n = packet_case_bytes(bad[i].hex, bytes);
        struct packet p = decode(bytes, n, n + bad[i].more);

        expect_field(bad[i].name, "kind", p.kind, bad[i].kind);
        p.kind = (enum packet_kind)0;
        if (!same(&p, &zero))
            fail_msg("%s: not all zero", bad[i].name);
        done(&p);
    }
}

/* n destination options of eight bytes, then UDP. */
static enum packet_kind behind_extensions(unsigned n)
{
    uint8_t bytes[PACKET_CASE_MAX];
    uint32_t size = packet_case_bytes(V6("0000", "3c"), bytes);
    struct packet p;

    for (unsigned i = 0; i < n; i++) {
        size += packet_case_bytes("3c000104 00000000", bytes + size);
        if (i == n - 1)
            bytes[size - 8] = 17;
    }
    size += packet_case_bytes("9c400035 00080000", bytes + size);
    bytes[5] = (uint8_t)(size - 40);
    p = decode(bytes, size, size);
    done(&p);
    return p.kind;
}

static void the_chain_of_extension_headers_is_bounded(void **state)
{
    (void)state;
    assert_int_equal(behind_extensions(1), PACKET_UDP);
    assert_int_equal(behind_extensions(15), PACKET_UDP);
    assert_int_equal(behind_extensions(16), PACKET_MALFORMED);
    assert_int_equal(behind_extensions(20), PACKET_MALFORMED);
}

/* The headers of a packet that segmentation offload has made larger than its length fields. */
static void packets_larger_than_64_kib_pass(void **state)
{
    static const struct {
        const char *name, *hex;
        uint32_t len, payload;
    } cases[] = {
        {"RFC 791: the largest", V4("ffff", "4000", "06") PORTS "00000001 00000002 501001f5 0000",
         65535, 65495},
        {"Linux BIG TCP over IPv4", V4("0000", "4000", "06") PORTS "00000001 00000002 501001f5",
         65536, 65496},
        {"RFC 8200 3: the largest", V6("ffff", "06") PORTS "00000001 00000002 501001f5 00000000",
         65575, 65515},
        {"RFC 2675: a jumbogram",
         V6("0000", "00") "0600c204 000493e0" PORTS "00000001 00000002 501001f5 00000000", 300040,
         300000 - 28},
        {"Linux BIG TCP over IPv6", V6("0000", "06") PORTS "00000001 00000002 501001f5 00000000",
         500000, 499940},
        {"RFC 2675 4: UDP in a jumbogram", V6("0000", "11") "9c400035 00000000", 65576 + 8, 65536},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t bytes[PACKET_CASE_MAX] = {0};
        uint32_t n = packet_case_bytes(cases[i].hex, bytes);
        struct packet p = decode(bytes, n < 60 ? 60 : n, cases[i].len);

        assert_true(p.kind == PACKET_TCP || p.kind == PACKET_UDP);
        expect_field(cases[i].name, "payload_len", p.payload_len, cases[i].payload);
        assert_int_equal(p.key.port[p.side], 40000);
        done(&p);
    }
}

/* Only where the front end says so: no forwarded packet has a length of 0. */
static void what_a_card_is_to_cut_up_has_no_length(void **state)
{
    uint8_t bytes[PACKET_CASE_MAX] = {0};
    uint32_t n = packet_case_bytes(
        V4("0000", "4000", "06") PORTS "00000001 00000002 501001f5 00000000", bytes);
    struct packet p = {.data = bytes, .caplen = n, .len = 3000};

    (void)state;
    packet_decode(&p);
    assert_int_equal(p.kind, PACKET_MALFORMED);
    p.offloaded = true;
    packet_decode(&p);
    assert_int_equal(p.kind, PACKET_TCP);
    assert_int_equal(p.payload_len, 3000 - 40);
    bytes[3] = 39; /* any other length counts */
    packet_decode(&p);
    assert_int_equal(p.kind, PACKET_MALFORMED);
}

/* What of this packet its checksums cover. */
static bool covered(const struct packet *whole, uint32_t byte)
{
    bool v4 = whole->data[0] >> 4 == 4;
    const uint8_t *transport = whole->data + whole->l4_offset;

    if (v4 && byte < (whole->data[0] & 15) * 4u)
        return true;
    if (whole->kind == PACKET_GENERIC || whole->kind == PACKET_FRAGMENT || whole->fragment_end)
        return false;
    if (whole->kind == PACKET_UDP && !transport[6] && !transport[7])
        return byte - whole->l4_offset - 6 < 2; /* no checksum, until it is other than 0 */
    if (whole->kind == PACKET_TCP || whole->kind == PACKET_UDP) {
        uint32_t header = whole->kind == PACKET_TCP ? (transport[12] >> 4) * 4u : 8;

        if (byte >= whole->l4_offset + header + whole->payload_len)
            return false; /* padding */
    }
    return byte >= whole->l4_offset || (!v4 && byte >= 8 && byte < 40);
}

/* RFC 1071: the sum notices every single bit. */
/* What most packets are, with one or two bytes of their headers and both lengths at random. */
static void the_short_cut_changes_nothing(void **state)
{
    static const uint8_t plain[80] = {
        0x45, 0, 0,    80,   1,    2,    0x40, 0,  64, 6, 0, 0, 192, 0, 2, 1,    198, 51,
        100,  2, 0x9c, 0x40, 0x15, 0x38, 1,    2,  3,  4, 5, 6, 7,   8, 0, 0x18, 1,   0,
        0,    0, 0,    0,    1,    1,    8,    10, 1,  2, 3, 4, 5,   6, 7, 8,
    };
    struct random random = random_start(__func__);
    unsigned fast = 0;

    (void)state;
    for (unsigned n = 0; n < 200000; n++) {
        uint8_t bytes[sizeof(plain)];
        uint32_t caplen = sizeof(plain), len;
        struct packet a, b;

        memcpy(bytes, plain, sizeof(plain));
        bytes[32] = random_below(&random, 2) ? 0x80 : 0x50;
        for (unsigned i = random_below(&random, 3); i > 0; i--)
            bytes[random_below(&random, 52)] = (uint8_t)random_below(&random, 256);
        if (random_below(&random, 4) == 0)
            caplen = random_below(&random, sizeof(plain) + 1);
        len = caplen + (random_below(&random, 4) ? 0 : random_below(&random, 40));
        a = decode(bytes, caplen, len);
        b = a;
        memset((uint8_t *)&b + DECODED, 0x55, sizeof(b) - DECODED);
        packet_decode_any(&b);
        fast += a.kind == PACKET_TCP;
        if (!same(&a, &b))
            fail_msg("packet %u: kind %d, not %d", n, (int)a.kind, (int)b.kind);
        done(&a);
    }
    assert_true(fast > 50000);
}

static void one_wrong_bit_is_noticed(void **state)
{
    unsigned judged = 0;

    (void)state;
    for (size_t i = 0; i < PACKET_CASES; i++) {
        uint8_t bytes[PACKET_CASE_MAX];
        uint32_t n = packet_case_bytes(packet_cases[i].hex, bytes);
        struct packet whole = decode(bytes, n, n);

        for (uint32_t bit = 0; bit < n * 8; bit++) {
            struct packet p;
            bool ok;

            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            p = decode(bytes, n, n);
            ok = packet_checksum_ok(&p);
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            done(&p);
            /* another kind or length is another packet, of which less may be covered */
            if (p.kind != whole.kind || p.payload_len != whole.payload_len ||
                p.l4_offset != whole.l4_offset || p.fragment_end != whole.fragment_end)
                continue;
            judged++;
            if (covered(&whole, bit / 8) == ok)
                fail_msg("%s: bit %u wrong, the checksum is called %s", packet_cases[i].name, bit,
                         ok ? "right" : "wrong");
        }
        done(&whole);
    }
    assert_true(judged > 10000);
}

static const struct packet_case *case_named(const char *part)
{
    for (size_t i = 0; i < PACKET_CASES; i++)
        if (strstr(packet_cases[i].name, part))
            return &packet_cases[i];
    fail_msg("no case %s", part);
    return NULL;
}

static void what_cannot_be_judged_is_not(void **state)
{
    uint8_t bytes[PACKET_CASE_MAX];
    uint32_t n = packet_case_bytes(case_named("RFC 9293 3.1: data")->hex, bytes);
    struct packet p;

    (void)state;
    bytes[n - 1] ^= 1;
    p = decode(bytes, n, n);
    assert_false(packet_checksum_ok(&p));
    p.checksum_ready = false;
    assert_true(packet_checksum_ok(&p));
    done(&p);

    /* RFC 8200 8.1: with segments left, the checksum is the last stop's */
    n = packet_case_bytes(case_named("every extension header")->hex, bytes);
    bytes[39] ^= 1;
    p = decode(bytes, n, n);
    assert_false(packet_checksum_ok(&p));
    done(&p);
    bytes[40 + 8 + 8 + 3] = 1;
    p = decode(bytes, n, n);
    assert_int_equal(p.kind, PACKET_TCP);
    assert_true(packet_checksum_ok(&p));
    done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_packets_say_what_they_say),
        cmocka_unit_test(a_capture_cut_off_is_truncated_only_within_the_headers),
        cmocka_unit_test(a_packet_shorter_than_it_claims_is_malformed),
        cmocka_unit_test(contradictions_are_malformed),
        cmocka_unit_test(the_chain_of_extension_headers_is_bounded),
        cmocka_unit_test(packets_larger_than_64_kib_pass),
        cmocka_unit_test(what_a_card_is_to_cut_up_has_no_length),
        cmocka_unit_test(the_short_cut_changes_nothing),
        cmocka_unit_test(one_wrong_bit_is_noticed),
        cmocka_unit_test(what_cannot_be_judged_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
