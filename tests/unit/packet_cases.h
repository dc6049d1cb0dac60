/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_PACKET_CASES_H
#define IDLEWALL_PACKET_CASES_H

/* Good packets as bytes, all of them seen right by tshark, and what must be read from them. */

#include "middlebox/engine/packet.h"

#include <assert.h>

#define PACKET_CASE_MAX 256

struct packet_case {
    const char *name;
    const char *hex;
    enum packet_kind kind;
    struct {
        uint8_t family, proto;
        const char *src, *dst;
        uint16_t src_port, dst_port;
        uint8_t type;
    } tuple;
    uint32_t l4_offset, payload_len;
    struct packet rest; /* the decoded fields after payload_len, and the fragment's */
};

static inline int packet_case_nibble(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* Hexadecimal digits in pairs, blanks between; to holds PACKET_CASE_MAX. Returns how many bytes. */
static inline uint32_t packet_case_bytes(const char *hex, uint8_t *to)
{
    uint32_t n = 0;

    while (*hex) {
        if (*hex == ' ') {
            hex++;
            continue;
        }
        assert(n < PACKET_CASE_MAX);
        to[n++] = (uint8_t)(packet_case_nibble(hex[0]) << 4 | packet_case_nibble(hex[1]));
        hex += 2;
    }
    return n;
}

/* clang-format off */
static const struct packet_case packet_cases[] = {
    {"RFC 9293 3.1: SYN with the options of Linux",
     "4500003c 00004000 40064e84 c0000202 c6336402 9c401538 01020304 00000000 "
     "a00201f5 a06c0000 020405b4 0402080a 000003e8 00000000 01030307",
     PACKET_TCP, {4, 6, "192.0.2.2", "198.51.100.2", 40000, 5432, 0}, 20, 0,
     {.seq = 0x1020304, .flags = TCP_SYN, .window = 501, .has_wscale = true, .wscale = 7,
      .sack_permitted = true, .has_timestamp = true, .tsval = 1000}},
    {"RFC 9293 3.1: data",
     "45000039 00004000 40064e87 c0000202 c6336402 9c401538 000003e8 000007d0 "
     "801801f5 7bc80000 0101080a 000007d0 000003e8 68656c6c 6f",
     PACKET_TCP, {4, 6, "192.0.2.2", "198.51.100.2", 40000, 5432, 0}, 20, 5,
     {.seq = 1000, .ack = 2000, .sack = 2000, .flags = TCP_PSH | TCP_ACK, .window = 501,
      .has_timestamp = true, .tsval = 2000, .tsecr = 1000}},
    {"RFC 9293 3.1: an acknowledgment field without ACK is no acknowledgment",
     "45000028 00004000 40064e98 c0000202 c6336402 9c401538 00000007 00000063 "
     "500401f5 0fd10000",
     PACKET_TCP, {4, 6, "192.0.2.2", "198.51.100.2", 40000, 5432, 0}, 20, 0,
     {.seq = 7, .flags = TCP_RST, .window = 501}},
    {"RFC 3168 6.1.1: ECE and CWR are no flags of ours",
     "45000028 00004000 40064e98 c0000202 c6336402 9c401538 00000007 00000000 "
     "50c201f5 0f760000",
     PACKET_TCP, {4, 6, "192.0.2.2", "198.51.100.2", 40000, 5432, 0}, 20, 0,
     {.seq = 7, .flags = TCP_SYN, .window = 501}},
    {"RFC 2018 3: the highest right edge, over the wrap",
     "4500003c 00004000 40064e84 c0000202 c6336402 9c401538 00000001 fffffff0 "
     "a01001f5 b9e40000 01010512 00000010 00000020 fffffff8 00000008",
     PACKET_TCP, {4, 6, "192.0.2.2", "198.51.100.2", 40000, 5432, 0}, 20, 0,
     {.seq = 1, .ack = 0xfffffff0, .sack = 32, .flags = TCP_ACK, .window = 501}},
    {"RFC 2018 3: a SACK option with half a block is skipped",
     "45000030 00004000 40064e90 c0000202 c6336402 9c401538 00000001 00000005 "
     "701001f5 e91a0000 05060000 00ff0101",
     PACKET_TCP, {4, 6, "192.0.2.2", "198.51.100.2", 40000, 5432, 0}, 20, 0,
     {.seq = 1, .ack = 5, .sack = 5, .flags = TCP_ACK, .window = 501}},
    {"RFC 7323 2.3: a window scale above 14 counts as 14",
     "4500002c 00004000 40064e94 c0000202 c6336402 9c401538 00000001 00000002 "
     "601201f5 ee220000 03030f00",
     PACKET_TCP, {4, 6, "192.0.2.2", "198.51.100.2", 40000, 5432, 0}, 20, 0,
     {.seq = 1, .ack = 2, .sack = 2, .flags = TCP_SYN | TCP_ACK, .window = 501,
      .has_wscale = true, .wscale = 14}},
    {"RFC 9293 3.2: nothing counts after the end of options",
     "4500002c 00004000 40064e94 c0000202 c6336402 9c401538 00000001 00000000 "
     "600201f5 fd2d0000 00030307",
     PACKET_TCP, {4, 6, "192.0.2.2", "198.51.100.2", 40000, 5432, 0}, 20, 0,
     {.seq = 1, .flags = TCP_SYN, .window = 501}},
    {"RFC 9293 3.2: a known option of another length is skipped",
     "45000034 00004000 40064e8c c0000202 c6336402 9c401538 00000001 00000000 "
     "800201f5 ca1c0000 03040707 0803ff04 03ff0101",
     PACKET_TCP, {4, 6, "192.0.2.2", "198.51.100.2", 40000, 5432, 0}, 20, 0,
     {.seq = 1, .flags = TCP_SYN, .window = 501}},
    {"RFC 791 3.1: options and the padding of Ethernet behind",
     "4600002c 00004000 4006b98f c0000202 c6336402 94040000 9c401538 00000001 "
     "00000002 501001f5 102c0000 aaaa",
     PACKET_TCP, {4, 6, "192.0.2.2", "198.51.100.2", 40000, 5432, 0}, 24, 0,
     {.seq = 1, .ack = 2, .sack = 2, .flags = TCP_ACK, .window = 501}},
    {"RFC 791 3.2: a first fragment",
     "4500003c 12342000 40065c50 c0000202 c6336402 9c401538 00000001 00000002 "
     "501001f5 6a6e0000 78787878 78787878 78787878 78787878 78787878",
     PACKET_TCP, {4, 6, "192.0.2.2", "198.51.100.2", 40000, 5432, 0}, 20, 20,
     {.seq = 1, .ack = 2, .sack = 2, .flags = TCP_ACK, .window = 501,
      .more_fragments = true, .fragment_id = 4660, .fragment_end = 40}},
    {"RFC 791 3.2: the last fragment",
     "45000018 12340005 40067c6f c0000202 c6336402 78787878",
     PACKET_FRAGMENT, {4, 6, "192.0.2.2", "198.51.100.2", 0, 0, 0}, 20, 4,
     {.fragment_id = 4660, .fragment_start = 40, .fragment_end = 44}},
    {"RFC 791 3.2: a fragment in the middle is not a first one",
     "45000024 00092001 40116e87 c0000202 c6336402 9c401538 00000001 00000002 "
     "501001f5",
     PACKET_FRAGMENT, {4, 17, "192.0.2.2", "198.51.100.2", 0, 0, 0}, 20, 16,
     {.fragment_id = 9, .fragment_start = 8, .fragment_end = 24}},
    {"RFC 768: UDP",
     "45000021 00004000 40114e94 c0000202 c6336402 9c400035 000d273e 71756572 "
     "79",
     PACKET_UDP, {4, 17, "192.0.2.2", "198.51.100.2", 40000, 53, 0}, 20, 5,
     {.seq = 0}},
    {"RFC 768: no checksum, and an IP packet longer than the datagram",
     "45000024 00004000 40114e91 c0000202 c6336402 9c400035 000d0000 71756572 "
     "79000000",
     PACKET_UDP, {4, 17, "192.0.2.2", "198.51.100.2", 40000, 53, 0}, 20, 5,
     {.seq = 0}},
    {"RFC 768: a first fragment carries the length of the whole",
     "4500002c 00072000 40116e82 c0000202 c6336402 9c400035 0578e624 71717171 "
     "71717171 71717171 71717171",
     PACKET_UDP, {4, 17, "192.0.2.2", "198.51.100.2", 40000, 53, 0}, 20, 16,
     {.more_fragments = true, .fragment_id = 7, .fragment_end = 24}},
    {"RFC 792: echo",
     "45000020 00004000 40014ea5 c0000202 c6336402 0800145c 04d20001 70696e67",
     PACKET_ECHO, {4, 1, "192.0.2.2", "198.51.100.2", 1234, 1234, 8}, 20, 4,
     {.seq = 0}},
    {"RFC 792: echo reply",
     "45000020 00004000 40014ea5 c6336402 c0000202 00001c5c 04d20001 70696e67",
     PACKET_ECHO, {4, 1, "198.51.100.2", "192.0.2.2", 1234, 1234, 8}, 20, 4,
     {.is_reply = true}},
    {"RFC 792, RFC 950: timestamp reply",
     "45000028 00004000 40014e9d c6336402 c0000202 0e00ed2c 04d20001 00000000 "
     "00000000 00000000",
     PACKET_ECHO, {4, 1, "198.51.100.2", "192.0.2.2", 1234, 1234, 13}, 20, 12,
     {.is_reply = true}},
    {"RFC 792, RFC 950: information reply",
     "45000028 00004000 40014e9d c6336402 c0000202 1000eb2c 04d20001 00000000 "
     "00000000 00000000",
     PACKET_ECHO, {4, 1, "198.51.100.2", "192.0.2.2", 1234, 1234, 15}, 20, 12,
     {.is_reply = true}},
    {"RFC 792, RFC 950: address mask reply",
     "45000028 00004000 40014e9d c6336402 c0000202 1200e92c 04d20001 00000000 "
     "00000000 00000000",
     PACKET_ECHO, {4, 1, "198.51.100.2", "192.0.2.2", 1234, 1234, 17}, 20, 12,
     {.is_reply = true}},
    {"RFC 792: timestamp",
     "45000028 00004000 40014e9d c0000202 c6336402 0d00ee2c 04d20001 00000000 "
     "00000000 00000000",
     PACKET_ECHO, {4, 1, "192.0.2.2", "198.51.100.2", 1234, 1234, 13}, 20, 12,
     {.seq = 0}},
    {"RFC 792: unreachable, quoting eight bytes of TCP",
     "45000038 00004000 40013cc1 cb007101 c0000202 030d4792 00000000 45000039 "
     "00004000 40064e87 c0000202 c6336402 9c401538 000003e8",
     PACKET_ICMP_ERROR, {4, 6, "192.0.2.2", "198.51.100.2", 40000, 5432, 0}, 20, 28,
     {.seq = 1000, .icmp_quotes_tcp = true}},
    {"RFC 792: time exceeded, quoting UDP",
     "4500003d 00004000 40013cbc cb007101 c0000202 0b00e156 00000000 45000021 "
     "00004000 40114e94 c0000202 c6336402 9c400035 000d273e 71756572 79",
     PACKET_ICMP_ERROR, {4, 17, "192.0.2.2", "198.51.100.2", 40000, 53, 0}, 20, 33,
     {.seq = 0}},
    {"RFC 792: source quench, quoting an echo reply of ours",
     "4500003c 00004000 4001d489 cb007101 c6336402 0400fbff 00000000 45000020 "
     "00004000 40014ea5 c6336402 c0000202 00001c5c 04d20001 70696e67",
     PACKET_ICMP_ERROR, {4, 1, "198.51.100.2", "192.0.2.2", 1234, 1234, 8}, 20, 32,
     {.seq = 0}},
    {"RFC 792: parameter problem, quoting GRE",
     "45000038 00004000 40013cc1 cb007101 c0000202 0c00f3ff 00000000 4500001c "
     "00004000 402f4e7b c0000202 c6336402 00000000 00000000",
     PACKET_ICMP_ERROR, {4, 47, "192.0.2.2", "198.51.100.2", 0, 0, 0}, 20, 28,
     {.seq = 0}},
    {"RFC 792: redirect",
     "45000038 00004000 40013cc1 cb007101 c0000202 0501099c cb007101 45000039 "
     "00004000 40064e87 c0000202 c6336402 9c401538 000003e8",
     PACKET_ICMP_ERROR, {4, 6, "192.0.2.2", "198.51.100.2", 40000, 5432, 0}, 20, 28,
     {.seq = 1000, .icmp_quotes_tcp = true}},
    {"RFC 1122 3.2.2: an error that quotes a later fragment names no port",
     "45000038 00004000 40013cc1 cb007101 c0000202 03011b1d 00000000 4500001c "
     "00000002 40068ea2 c0000202 c6336402 78787878 78787878",
     PACKET_ICMP_ERROR, {4, 6, "192.0.2.2", "198.51.100.2", 0, 0, 0}, 20, 28,
     {.seq = 0}},
    {"RFC 1122 3.2.2: an error that quotes an error names no flow",
     "45000054 00004000 40013ca5 cb007101 c0000202 0301fcfe 00000000 45000038 "
     "00004000 40014e8d c0000202 c6336402 0301479e 00000000 45000039 00004000 "
     "40064e87 c0000202 c6336402 9c401538 000003e8",
     PACKET_ICMP_ERROR, {4, 1, "192.0.2.2", "198.51.100.2", 0, 0, 0}, 20, 56,
     {.seq = 0}},
    {"RFC 792: a quoted length in the wrong byte order",
     "45000038 00004000 40013cc1 cb007101 c0000202 030d0ecb 00000000 45003900 "
     "00004000 40064e87 c0000202 c6336402 9c401538 000003e8",
     PACKET_ICMP_ERROR, {4, 6, "192.0.2.2", "198.51.100.2", 40000, 5432, 0}, 20, 28,
     {.seq = 1000, .icmp_quotes_tcp = true}},
    {"RFC 1256 3: router advertisement",
     "45000024 00004000 0101d7d5 c0000202 e0000001 09002cf4 01020708 c0000201 "
     "00000000",
     PACKET_ICMP_OTHER, {4, 1, "192.0.2.2", "224.0.0.1", 0, 0, 0}, 20, 8,
     {.seq = 0}},
    {"RFC 1256 3: the same from beyond the link is for the rules",
     "45000024 00004000 40014ea1 c0000202 c6336402 09002cf4 01020708 c0000201 "
     "00000000",
     PACKET_GENERIC, {4, 1, "192.0.2.2", "198.51.100.2", 0, 0, 0}, 20, 8,
     {.seq = 0}},
    {"RFC 1393: an ICMP type without id is for the rules",
     "45000024 00004000 40014ea1 c0000202 c6336402 1e00e1ff 00000000 00000000 "
     "00000000",
     PACKET_GENERIC, {4, 1, "192.0.2.2", "198.51.100.2", 0, 0, 0}, 20, 8,
     {.seq = 0}},
    {"RFC 2784: any other protocol",
     "4500001c 00004000 402f4e7b c0000202 c6336402 00000800 00000000",
     PACKET_GENERIC, {4, 47, "192.0.2.2", "198.51.100.2", 0, 0, 0}, 20, 8,
     {.seq = 0}},
    {"RFC 8200 3: SYN",
     "60000000 00280640 20010db8 00010000 00000000 00000002 20010db8 00020000 "
     "00000000 00000002 9c401538 01020304 00000000 a00201f5 312c0000 020405b4 "
     "0402080a 000003e8 00000000 01030307",
     PACKET_TCP, {6, 6, "2001:db8:1::2", "2001:db8:2::2", 40000, 5432, 0}, 40, 0,
     {.seq = 0x1020304, .flags = TCP_SYN, .window = 501, .has_wscale = true, .wscale = 7,
      .sack_permitted = true, .has_timestamp = true, .tsval = 1000}},
    {"RFC 8200 4.1: every extension header, and an atomic fragment (RFC 6946)",
     "60000000 00640040 20010db8 00010000 00000000 00000002 20010db8 00020000 "
     "00000000 00000002 3c000502 00000100 2b000104 00000000 2c020400 00000000 "
     "20010db8 00020000 00000000 00000002 33000000 0000004d 3c040000 00000001 "
     "00000001 00000000 00000000 00000000 06000104 00000000 9c401538 00000001 "
     "00000002 501001f5 a0eb0000",
     PACKET_TCP, {6, 6, "2001:db8:1::2", "2001:db8:2::2", 40000, 5432, 0}, 120, 0,
     {.seq = 1, .ack = 2, .sack = 2, .flags = TCP_ACK, .window = 501}},
    {"RFC 8200 4.5: a first fragment",
     "60000000 00382c40 20010db8 00010000 00000000 00000002 20010db8 00020000 "
     "00000000 00000002 3c000001 12345678 06000104 00000000 9c401538 00000001 "
     "00000002 501001f5 fb2d0000 78787878 78787878 78787878 78787878 78787878",
     PACKET_TCP, {6, 6, "2001:db8:1::2", "2001:db8:2::2", 40000, 5432, 0}, 56, 20,
     {.seq = 1, .ack = 2, .sack = 2, .flags = TCP_ACK, .window = 501,
      .more_fragments = true, .fragment_id = 0x12345678, .fragment_end = 48}},
    {"RFC 8200 4.5: the last fragment",
     "60000000 000c2c40 20010db8 00010000 00000000 00000002 20010db8 00020000 "
     "00000000 00000002 3c000030 12345678 78787878",
     PACKET_FRAGMENT, {6, 60, "2001:db8:1::2", "2001:db8:2::2", 0, 0, 0}, 48, 4,
     {.fragment_id = 0x12345678, .fragment_start = 48, .fragment_end = 52}},
    {"RFC 768 over RFC 8200: UDP",
     "60000000 000d1140 20010db8 00010000 00000000 00000002 20010db8 00020000 "
     "00000000 00000002 9c400035 000db7fd 71756572 79",
     PACKET_UDP, {6, 17, "2001:db8:1::2", "2001:db8:2::2", 40000, 53, 0}, 40, 5,
     {.seq = 0}},
    {"RFC 6936 5: UDP without a checksum",
     "60000000 000d1140 20010db8 00010000 00000000 00000002 20010db8 00020000 "
     "00000000 00000002 9c400035 000d0000 71756572 79",
     PACKET_UDP, {6, 17, "2001:db8:1::2", "2001:db8:2::2", 40000, 53, 0}, 40, 5,
     {.seq = 0}},
    {"RFC 4443 4.1: echo",
     "60000000 000c3a40 20010db8 00010000 00000000 00000002 20010db8 00020000 "
     "00000000 00000002 8000409c 04d20001 70696e67",
     PACKET_ECHO, {6, 58, "2001:db8:1::2", "2001:db8:2::2", 1234, 1234, 128}, 40, 4,
     {.seq = 0}},
    {"RFC 4443 4.2: echo reply",
     "60000000 000c3a40 20010db8 00020000 00000000 00000002 20010db8 00010000 "
     "00000000 00000002 81003f9c 04d20001 70696e67",
     PACKET_ECHO, {6, 58, "2001:db8:2::2", "2001:db8:1::2", 1234, 1234, 128}, 40, 4,
     {.is_reply = true}},
    {"RFC 4443 3.2: packet too big, quoting TCP",
     "60000000 00443a40 20010db8 00030000 00000000 00000001 20010db8 00010000 "
     "00000000 00000002 02008f63 00000500 60000000 00250640 20010db8 00010000 "
     "00000000 00000002 20010db8 00020000 00000000 00000002 9c401538 000003e8 "
     "000007d0 801801f5 0c880000",
     PACKET_ICMP_ERROR, {6, 6, "2001:db8:1::2", "2001:db8:2::2", 40000, 5432, 0}, 40, 60,
     {.seq = 1000, .icmp_quotes_tcp = true}},
    {"RFC 4443 3.1: unreachable, quoting a first fragment",
     "60000000 00603a40 20010db8 00030000 00000000 00000001 20010db8 00010000 "
     "00000000 00000002 01010198 00000000 60000000 00302c40 20010db8 00010000 "
     "00000000 00000002 20010db8 00020000 00000000 00000002 06000001 00000005 "
     "9c401538 00000001 00000002 501001f5 fb2d0000 78787878 78787878 78787878 "
     "78787878 78787878",
     PACKET_ICMP_ERROR, {6, 6, "2001:db8:1::2", "2001:db8:2::2", 40000, 5432, 0}, 40, 88,
     {.seq = 1, .icmp_quotes_tcp = true}},
    {"RFC 4443 2.1: an error nobody has defined yet",
     "60000000 00443a40 20010db8 00030000 00000000 00000001 20010db8 00010000 "
     "00000000 00000002 64003263 00000000 60000000 00250640 20010db8 00010000 "
     "00000000 00000002 20010db8 00020000 00000000 00000002 9c401538 000003e8 "
     "000007d0 801801f5 0c880000",
     PACKET_ICMP_ERROR, {6, 6, "2001:db8:1::2", "2001:db8:2::2", 40000, 5432, 0}, 40, 60,
     {.seq = 1000, .icmp_quotes_tcp = true}},
    {"RFC 4861 4.3: neighbour solicitation",
     "60000000 00183aff fe800000 00000000 00000000 00000001 ff020000 00000000 "
     "00000001 ff000002 87004e68 00000000 20010db8 00010000 00000000 00000002",
     PACKET_ICMP_OTHER, {6, 58, "fe80::1", "ff02::1:ff00:2", 0, 0, 0}, 40, 16,
     {.seq = 0}},
    {"RFC 4861 7.1.1: the same from beyond the link is for the rules",
     "60000000 00183a40 20010db8 00010000 00000000 00000002 20010db8 00020000 "
     "00000000 00000002 8700ef77 00000000 20010db8 00010000 00000000 00000002",
     PACKET_GENERIC, {6, 58, "2001:db8:1::2", "2001:db8:2::2", 0, 0, 0}, 40, 16,
     {.seq = 0}},
    {"RFC 3810 5.2: MLDv2 report behind a router alert",
     "60000000 00100001 fe800000 00000000 00000000 00000001 ff020000 00000000 "
     "00000000 00000016 3a000502 00000100 8f007322 00000000",
     PACKET_ICMP_OTHER, {6, 58, "fe80::1", "ff02::16", 0, 0, 0}, 48, 0,
     {.seq = 0}},
    {"RFC 8200 4.7: no next header",
     "60000000 00003b40 20010db8 00010000 00000000 00000002 20010db8 00020000 "
     "00000000 00000002",
     PACKET_GENERIC, {6, 59, "2001:db8:1::2", "2001:db8:2::2", 0, 0, 0}, 40, 0,
     {.seq = 0}},
    {"RFC 4303: ESP",
     "60000000 00103240 20010db8 00010000 00000000 00000002 20010db8 00020000 "
     "00000000 00000002 00000000 00000000 00000000 00000000",
     PACKET_GENERIC, {6, 50, "2001:db8:1::2", "2001:db8:2::2", 0, 0, 0}, 40, 16,
     {.seq = 0}},
};
/* clang-format on */

#define PACKET_CASES (sizeof(packet_cases) / sizeof(packet_cases[0]))

#endif
