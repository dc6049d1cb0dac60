/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/capture_image.h"
#include "tools/replay/capture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define SEEN_MAX 16
#define START 1700000000

/* What came out of a capture. */
struct seen {
    int result;
    size_t n;
    struct packet packets[SEEN_MAX]; /* data: NULL */
    uint64_t numbers[SEEN_MAX];
    uint8_t first[SEEN_MAX]; /* byte */
    struct capture_fault fault;
    struct capture_stats stats;
};

static struct seen read_path(const char *path, size_t room)
{
    struct seen seen = {0};
    struct packet packets[SEEN_MAX];
    uint64_t numbers[SEEN_MAX];
    struct capture_batch batch = {packets, numbers, 0, room};
    struct capture *capture;

    seen.result = capture_open(&capture, path, &seen.fault);
    if (seen.result < 0)
        return seen;
    while ((seen.result = capture_read(capture, &batch, &seen.fault)) > 0) {
        assert_true(batch.n > 0 && batch.n <= room);
        for (size_t i = 0; i < batch.n; i++, seen.n++) {
            assert_true(packets[i].len >= packets[i].caplen);
            if (seen.n >= SEEN_MAX)
                continue;
            seen.packets[seen.n] = packets[i];
            seen.numbers[seen.n] = numbers[i];
            if (packets[i].caplen > 0)
                seen.first[seen.n] = packets[i].data[0];
        }
    }
    assert_int_equal(capture_read(capture, &batch, &seen.fault), seen.result);
    capture_stats(capture, &seen.stats);
    capture_close(capture);
    return seen;
}

static int image_file(const void *bytes, size_t n, char path[32])
{
    int fd = memfd_create("capture", 0);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), n);
    snprintf(path, 32, "/proc/self/fd/%d", fd);
    return fd;
}

static struct seen read_bytes(const void *bytes, size_t n)
{
    char path[32];
    int fd = image_file(bytes, n, path);
    struct seen seen = read_path(path, 3);

    close(fd);
    return seen;
}

static struct seen read_image(struct image *image)
{
    struct seen seen = read_bytes(image->bytes, image->n);

    free(image->bytes);
    return seen;
}

static const struct {
    const char *name;
    uint32_t link;
    uint8_t header[32];
    uint32_t size;
    bool v6;
} links[] = {
#define MACS 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2
#define COOKED 0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0
#define COOKED2 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0
    {"Ethernet", 1, {MACS, 8, 0}, 14, false},
    {"Ethernet, IPv6", 1, {MACS, 0x86, 0xdd}, 14, true},
    {"Ethernet with a frame check sequence", 0x24000001, {MACS, 8, 0}, 14, false},
    {"802.1Q", 1, {MACS, 0x81, 0, 0, 5, 8, 0}, 18, false},
    {"QinQ", 1, {MACS, 0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 0x86, 0xdd}, 22, true},
    {"QinQ, old", 1, {MACS, 0x91, 0, 0, 5, 0x81, 0, 0, 6, 8, 0}, 22, false},
    {"PPPoE", 1, {MACS, 0x88, 0x64, 0x11, 0, 0, 7, 0, 42, 0, 0x21}, 22, false},
    {"PPPoE in a VLAN",
     1,
     {MACS, 0x81, 0, 0, 5, 0x88, 0x64, 0x11, 0, 0, 7, 0, 62, 0, 0x57},
     26,
     true},
    {"SNAP", 1, {MACS, 0, 48, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0}, 22, false},
    {"cooked", 113, {COOKED, 8, 0}, 16, false},
    {"cooked, VLAN", 113, {COOKED, 0x81, 0, 0, 5, 0x86, 0xdd}, 20, true},
    {"cooked v2", 276, {8, 0, COOKED2}, 20, false},
    {"cooked v2, IPv6", 276, {0x86, 0xdd, COOKED2}, 20, true},
    {"raw", 101, {0}, 0, false},
    {"raw, IPv6", 101, {0}, 0, true},
    {"raw, by DLT_RAW", 12, {0}, 0, false},
    {"IPv4", 228, {0}, 0, false},
    {"IPv6", 229, {0}, 0, true},
    {"loopback, little", 0, {2, 0, 0, 0}, 4, false},
    {"loopback, big", 0, {0, 0, 0, 2}, 4, false},
    {"loopback, FreeBSD", 0, {28, 0, 0, 0}, 4, true},
    {"loopback, macOS", 0, {0, 0, 0, 30}, 4, true},
    {"LOOP, OpenBSD", 108, {0, 0, 0, 24}, 4, true},
    {"PPP", 9, {0, 0x21}, 2, false},
    {"PPP, compressed", 9, {0x57}, 1, true},
    {"PPP with HDLC's header", 9, {0xff, 3, 0, 0x21}, 4, false},
    {"PPP_HDLC", 50, {0xff, 3, 0, 0x57}, 4, true},
    {"PPP_ETHER", 51, {0x11, 0, 0, 7, 0, 42, 0, 0x21}, 8, false},
    {"Cisco HDLC", 104, {0x0f, 0, 8, 0}, 4, false},
};
#define LINKS (sizeof(links) / sizeof(links[0]))

/* A frame of links[l], with two bytes of padding. Its size. */
static uint32_t link_frame(size_t l, uint8_t frame[128])
{
    uint32_t ip = links[l].v6 ? 60 : 40;

    memset(frame, 0xee, 128);
    memcpy(frame, links[l].header, links[l].size);
    memcpy(frame + links[l].size, links[l].v6 ? image_ipv6 : image_ipv4, ip);
    return links[l].size + ip + 2;
}

static void every_link_in_pcap(void **state)
{
    (void)state;
    for (size_t l = 0; l < LINKS; l++) {
        for (unsigned how = 0; how < 4; how++) {
            struct image image = {.big = how & 1};
            uint8_t frame[128];
            uint32_t size = link_frame(l, frame), ip = links[l].v6 ? 60 : 40;
            struct seen seen;

            image_pcap(&image, how & 2, links[l].link);
            image_record(&image, START, 123456, frame, size, size);
            image_record(&image, START + 1, 999999, frame, size - 22, size);
            image_record(&image, START, 0, frame, links[l].size ? links[l].size - 1 : 0, size);
            seen = read_image(&image);
            if (seen.n != 2)
                print_error("%s\n", links[l].name);
            assert_int_equal(seen.result, 0);
            assert_int_equal(seen.n, 2);
            assert_int_equal(seen.stats.packets, 3);
            assert_int_equal(seen.stats.link_broken, 1);
            assert_int_equal(seen.stats.backwards, 1);
            assert_int_equal(seen.first[0], links[l].v6 ? 0x60 : 0x45);
            assert_int_equal(seen.packets[0].caplen, ip);
            assert_int_equal(seen.packets[0].len, ip);
            assert_int_equal(seen.packets[1].caplen, ip - 20);
            assert_int_equal(seen.packets[1].len, ip);
            assert_int_equal(seen.packets[0].time,
                             START * MTIME_SEC + 123456 * (how & 2 ? 1 : 1000));
            assert_int_equal(seen.packets[1].time,
                             (START + 1) * MTIME_SEC + 999999 * (how & 2 ? 1 : 1000));
        }
    }
}

static void what_is_not_ip(void **state)
{
    static const struct {
        uint32_t link;
        uint8_t header[32];
    } others[] = {
        {1, {MACS, 8, 6}},                                        /* ARP */
        {1, {MACS, 0, 38, 0x42, 0x42, 3}},                        /* STP */
        {1, {MACS, 0x88, 0x63, 0x11, 9}},                         /* PPPoE discovery */
        {1, {MACS, 0x88, 0x64, 0x11, 0, 0, 1, 0, 6, 0xc0, 0x21}}, /* LCP */
        {113, {COOKED, 8, 6}},
        {276, {8, 6, COOKED2}},
        {101, {0x15}},
        {0, {7, 0, 0, 0}},
        {9, {0xff, 3, 0xc0, 0x21}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        struct image image = {0};
        struct seen seen;

        image_pcap(&image, false, others[i].link);
        image_record(&image, START, 0, others[i].header, 32, 32);
        seen = read_image(&image);
        assert_int_equal(seen.result, 0);
        assert_int_equal(seen.n, 0);
        assert_int_equal(seen.stats.not_ip, 1);
    }
}

static void tunnels_are_counted(void **state)
{
    static const struct {
        uint8_t proto;
        uint16_t port;
        bool tunnel;
    } cases[] = {{4, 0, true},    {41, 0, true},    {47, 0, true},   {17, 4789, true},
                 {17, 53, false}, {17, 6081, true}, {6, 4789, false}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (unsigned v6 = 0; v6 < 2; v6++) {
            struct image image = {0};
            uint8_t ip[60];
            uint32_t size = v6 ? 60 : 40, l4 = v6 ? 40 : 20;
            struct seen seen;

            memcpy(ip, v6 ? image_ipv6 : image_ipv4, size);
            ip[v6 ? 6 : 9] = cases[i].proto;
            ip[l4 + 2] = (uint8_t)(cases[i].port >> 8);
            ip[l4 + 3] = (uint8_t)cases[i].port;
            image_pcap(&image, false, 101);
            image_record(&image, START, 0, ip, size, size);
            seen = read_image(&image);
            assert_int_equal(seen.n, 1);
            assert_int_equal(seen.stats.tunnels, cases[i].tunnel);
        }
    }
}

static void stamps_of_every_resolution(void **state)
{
    static const struct {
        uint8_t resolution;
        int64_t offset;
        uint64_t stamp;
        mtime_t time;
    } cases[] = {
        {6, 0, UINT64_C(1700000000123456), INT64_C(1700000000123456000)},
        {9, 0, UINT64_C(1700000000123456789), INT64_C(1700000000123456789)},
        {0, 0, 1700000000, INT64_C(1700000000000000000)},
        {3, 100, 1700000000123, INT64_C(1700000100123000000)},
        {12, 0, UINT64_C(1000000123456789), INT64_C(1000000123456)},
        {127, 0, UINT64_MAX, 0},
        {0x80 | 10, 0, UINT64_C(1700000000) << 10 | 512, INT64_C(1700000000500000000)},
        {0x80 | 32, -1700000000, UINT64_C(1700000007) << 32 | 0x80000000u, INT64_C(7500000000)},
        {0x80 | 64, 0, UINT64_C(1) << 63, 500000000},
        {0x80 | 127, 0, UINT64_MAX, 0},
        {6, -2, 1000000, 0},
        {6, INT64_MIN, 1000000, 0},
        {0, 0, UINT64_MAX, MTIME_NEVER - 1},
        {6, INT64_MAX, 0, MTIME_NEVER - 1},
        {9, 0, UINT64_MAX, MTIME_NEVER - 1},
        {3, 0, UINT64_C(1) << 63, MTIME_NEVER - 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (unsigned big = 0; big < 2; big++) {
            struct image image = {0};
            struct seen seen;

            image_section(&image, big);
            image_interface(&image, 101, 0, cases[i].resolution, cases[i].offset);
            image_packet(&image, 0, cases[i].stamp, image_ipv4, 40, 40);
            seen = read_image(&image);
            assert_int_equal(seen.result, 0);
            assert_int_equal(seen.n, 1);
            assert_int_equal(seen.packets[0].time, cases[i].time);
        }
    }
}

/* Two sections in different byte order, three interfaces, every block that holds a packet. */
static void every_block(struct image *image)
{
    uint8_t frame[128];
    uint32_t size = link_frame(0, frame);

    image_section(image, true);
    image_interface(image, 1, 50, 9, 0);
    image_interface(image, 101, 0, 6, 0);
    image_interface(image, 147, 0, 6, 0);
    image_block(image, 0x00000bad, "custom!", 7);
    image_packet(image, 0, UINT64_C(5000000001), frame, 50, size);
    image_packet(image, 1, 6000000, image_ipv6, 60, 60);
    image_simple(image, frame, 50, size);
    image_packet(image, 2, 6000000, "unknown", 7, 7);
    image_section(image, false);
    image_interface(image, 101, 0, 3, 0);
    image_old(image, 0, 7000, image_ipv4, 40);
    image_block(image, 5, "statistics", 10);
}

static void sections_interfaces_and_blocks(void **state)
{
    static const mtime_t times[] = {5000000001, 6000000000, 6000000000, 7000000000};
    static const uint64_t numbers[] = {1, 2, 3, 5};
    static const uint32_t caplens[] = {36, 60, 36, 40};
    struct image image = {0};
    struct seen seen;

    (void)state;
    every_block(&image);
    seen = read_image(&image);
    assert_int_equal(seen.result, 0);
    assert_int_equal(seen.n, 4);
    assert_int_equal(seen.stats.unknown_link, 1);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(seen.packets[i].time, times[i]);
        assert_int_equal(seen.numbers[i], numbers[i]);
        assert_int_equal(seen.packets[i].caplen, caplens[i]);
        assert_int_equal(seen.packets[i].len, i == 1 ? 60 : 40);
    }
}

static void small_pcap(struct image *image)
{
    uint8_t frame[128];
    uint32_t size = link_frame(0, frame);

    image_pcap(image, false, 1);
    for (uint32_t i = 0; i < 4; i++)
        image_record(image, START + i, 0, frame, size, size);
}

/* What was whole is handed out; the fault is where the bytes end. */
static void check_prefixes(const struct image *image, size_t whole)
{
    size_t most = 0, clean = 0;

    for (size_t n = 0; n <= image->n; n++) {
        struct seen seen = read_bytes(image->bytes, n);

        assert_true(seen.n == most || seen.n == most + 1);
        most = seen.n;
        clean += seen.result == 0;
        if (seen.result == 0)
            continue;
        assert_int_equal(seen.result, -EBADMSG);
        assert_true(seen.fault.text[0] != '\0');
        assert_int_equal(seen.fault.packet, seen.stats.packets);
        if (n > 28)
            assert_int_equal(seen.fault.offset, n);
    }
    assert_int_equal(most, whole);
    assert_true(clean > whole && clean < image->n / 20);
}

static void every_prefix(void **state)
{
    struct image pcap = {0}, ng = {0};

    (void)state;
    small_pcap(&pcap);
    every_block(&ng);
    check_prefixes(&pcap, 4);
    check_prefixes(&ng, 4);
    free(pcap.bytes);
    free(ng.bytes);
}

static void check_flips(const struct image *image, size_t most)
{
    static const uint8_t flips[] = {1, 0x80, 0xff};
    uint8_t *copy = malloc(image->n);

    assert_non_null(copy);
    for (size_t at = 0; at < image->n; at++) {
        for (size_t f = 0; f < sizeof(flips); f++) {
            struct seen seen;

            memcpy(copy, image->bytes, image->n);
            copy[at] ^= flips[f];
            seen = read_bytes(copy, image->n);
            assert_true(seen.n <= most);
            assert_true(seen.result == 0 || seen.fault.text[0] != '\0');
            assert_true(seen.fault.offset <= image->n);
        }
    }
    free(copy);
}

static void every_byte_flipped(void **state)
{
    struct image pcap = {0}, ng = {0};

    (void)state;
    small_pcap(&pcap);
    every_block(&ng);
    check_flips(&pcap, 4);
    check_flips(&ng, 5);
    free(pcap.bytes);
    free(ng.bytes);
}

static void records_that_claim_gigabytes(void **state)
{
    struct image image = {0};
    struct seen seen;
    size_t at;

    (void)state;
    small_pcap(&image);
    at = image.n;
    image_record(&image, START, 0, image_ipv4, 40, 40);
    memcpy(image.bytes + at + 8, "\0\0\0\x7f", 4);
    seen = read_image(&image);
    assert_int_equal(seen.result, -EBADMSG);
    assert_int_equal(seen.n, 4);
    assert_int_equal(seen.fault.offset, at);
    assert_int_equal(seen.fault.packet, 4);
    assert_non_null(strstr(seen.fault.text, "2130706432"));

    image = (struct image){0};
    every_block(&image);
    at = image.n;
    image_block(&image, 0xbad, "", 0);
    memcpy(image.bytes + at + 4, "\0\0\0\x7f", 4);
    seen = read_image(&image);
    assert_int_equal(seen.result, -EBADMSG);
    assert_int_equal(seen.n, 4);
    assert_int_equal(seen.fault.offset, at);
    assert_int_equal(seen.fault.packet, 5);
}

/* One number of the last block made wrong: by how much it is before the end of the file. */
static void blocks_that_contradict_themselves(void **state)
{
    static const struct {
        uint32_t type;
        size_t before_end;
        uint32_t value;
        const char *text;
    } cases[] = {
        {6, 4, 88, "a block's two lengths differ"},
        {6, 64, 56, "a packet of 56 bytes in a block of 84"},
        {6, 76, 1, "a packet of an interface that was not described"},
        {6, 80, 86, "a block of type 6 cannot have 86 bytes"},
        {6, 80, 28, "a block of type 6 cannot have 28 bytes"},
        {5, 4, 20, "a block's two lengths differ"},
        {5, 12, 8, "a block of type 5 cannot have 8 bytes"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct image image = {0};
        struct seen seen;

        image_section(&image, false);
        image_interface(&image, 101, 0, 6, 0);
        if (cases[i].type == 6)
            image_packet(&image, 0, 0, image_ipv4, 40, 40);
        else
            image_block(&image, cases[i].type, "abcd", 4);
        memcpy(image.bytes + image.n - cases[i].before_end, &cases[i].value, 4);
        seen = read_image(&image);
        assert_int_equal(seen.result, -EBADMSG);
        assert_int_equal(seen.n, 0);
        assert_string_equal(seen.fault.text, cases[i].text);
    }
}

static void what_is_no_capture(void **state)
{
    struct seen seen = read_bytes("", 0);

    (void)state;
    assert_int_equal(seen.result, -EBADMSG);
    assert_string_equal(seen.fault.text, "is empty");
    seen = read_bytes("#!/bin/sh\n", 10);
    assert_int_equal(seen.result, -EBADMSG);
    assert_string_equal(seen.fault.text, "is neither pcap nor pcapng");
    seen = read_path("/nonexistent/x", 1);
    assert_int_equal(seen.result, -ENOENT);
    assert_string_equal(seen.fault.text, "No such file or directory");
    seen = read_path("/", 1);
    assert_int_equal(seen.result, -EISDIR);
}

static size_t gzip(const struct image *image, uint8_t *to, size_t room)
{
    z_stream z = {.next_in = image->bytes,
                  .avail_in = (uInt)image->n,
                  .next_out = to,
                  .avail_out = (uInt)room};

    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return room - z.avail_out;
}

static size_t zstd(const struct image *image, uint8_t *to, size_t room)
{
    size_t n = ZSTD_compress(to, room, image->bytes, image->n, 3);

    assert_false(ZSTD_isError(n));
    return n;
}

/* Whole, in two parts one after another, and cut at every byte. */
static void check_packed(size_t (*pack)(const struct image *, uint8_t *, size_t))
{
    struct image image = {0}, half, rest;
    uint8_t packed[4096];
    size_t n;
    struct seen seen;

    every_block(&image);
    n = pack(&image, packed, sizeof(packed));
    seen = read_bytes(packed, n);
    assert_int_equal(seen.result, 0);
    assert_int_equal(seen.n, 4);
    assert_int_equal(seen.stats.bytes, n);
    assert_int_equal(seen.stats.size, n);
    for (size_t cut = 1; cut < n; cut++) {
        seen = read_bytes(packed, cut);
        assert_int_equal(seen.result, -EBADMSG);
        assert_true(seen.n <= 4);
        if (cut >= 4)
            assert_string_equal(seen.fault.text, "the compressed data ends too early");
    }
    half = rest = image;
    half.n = 333;
    rest.bytes += half.n;
    rest.n -= half.n;
    n = pack(&half, packed, sizeof(packed));
    n += pack(&rest, packed + n, sizeof(packed) - n);
    seen = read_bytes(packed, n);
    assert_int_equal(seen.result, 0);
    assert_int_equal(seen.n, 4);
    free(image.bytes);
}

static void packed_captures(void **state)
{
    (void)state;
    check_packed(gzip);
    check_packed(zstd);
}

/* RFC 8878 3.1.1.1.2: a window descriptor of 2^31 bytes, no content size. */
static void zstd_that_wants_gigabytes(void **state)
{
    static const uint8_t frame[] = {0x28, 0xb5, 0x2f, 0xfd, 0, 21 << 3, 1, 0, 0};
    struct seen seen = read_bytes(frame, sizeof(frame));

    (void)state;
    assert_int_equal(seen.result, -EBADMSG);
    assert_non_null(strstr(seen.fault.text, "8 MiB"));
}

static void check_slow_pipe(const uint8_t *bytes, size_t n)
{
    struct seen seen;
    char path[32];
    int ends[2], status;
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    pid = fork();
    if (pid == 0) {
        for (size_t i = 0; i < n; i++) {
            usleep(50);
            if (write(ends[1], bytes + i, 1) != 1)
                _exit(1);
        }
        _exit(0);
    }
    close(ends[1]);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
    seen = read_path(path, 3);
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(seen.result, 0);
    assert_int_equal(seen.n, 4);
    assert_int_equal(seen.stats.size, 0);
    assert_int_equal(seen.stats.bytes, n);
}

static void a_slow_pipe(void **state)
{
    struct image image = {0};
    uint8_t packed[4096];

    (void)state;
    every_block(&image);
    check_slow_pipe(image.bytes, image.n);
    check_slow_pipe(packed, gzip(&image, packed, sizeof(packed)));
    check_slow_pipe(packed, zstd(&image, packed, sizeof(packed)));
    free(image.bytes);
}

/* Packet i: of some size, and full of i, behind a good IPv4 header. */
static uint32_t large_packet(uint32_t i, uint8_t *packet)
{
    uint32_t size = i % 50 == 0 ? 262144 : 20 + i * 7919 % 9000;

    memset(packet, (int)i, size);
    memcpy(packet, image_ipv4, 20);
    packet[2] = packet[3] = 0; /* larger than the field can say */
    return size;
}

static void check_large(const struct packet *p, uint32_t i, uint8_t *expected)
{
    assert_int_equal(p->caplen, large_packet(i, expected));
    assert_memory_equal(p->data, expected, p->caplen);
}

/* Larger than the window by far, in batches of many sizes: nothing that was handed out changes
 * until the next read, whatever is looked at ahead. */
static void borrowed_until_the_next_read(void **state)
{
    enum { PACKETS = 700, BATCH = 64 };
    static uint8_t bytes[262144];
    static const uint8_t nothing[1000];
    struct packet packets[BATCH];
    uint64_t numbers[BATCH];
    struct capture_batch batch = {packets, numbers, 0, 1};
    struct image image = {0};
    struct capture_fault fault;
    struct capture *capture;
    uint32_t next = 0;
    mtime_t ahead;
    char path[32];
    int fd;

    (void)state;
    image_pcap(&image, true, 101);
    for (uint32_t i = 0; i < PACKETS; i++) {
        uint32_t size = large_packet(i, bytes);

        image_record(&image, i, 0, bytes, size, size);
        for (uint32_t j = 0; j < i % 5 * 100; j++) /* no IP */
            image_record(&image, i, 0, nothing, sizeof(nothing), sizeof(nothing));
    }
    fd = image_file(image.bytes, image.n, path);
    assert_int_equal(capture_open(&capture, path, &fault), 0);
    while (next < PACKETS) {
        batch.room = 1 + next % BATCH;
        if (next % 3 == 0) {
            assert_true(capture_peek(capture, &ahead));
            assert_int_equal(ahead, next * MTIME_SEC);
        }
        assert_int_equal(capture_read(capture, &batch, &fault), 1);
        if (next % 4 != 0) {
            bool more = capture_peek(capture, &ahead);

            assert_int_equal(more, next + batch.n < PACKETS);
            if (more)
                assert_int_equal(ahead, (mtime_t)(next + batch.n) * MTIME_SEC);
        }
        for (size_t i = 0; i < batch.n; i++, next++) {
            assert_int_equal(packets[i].time, next * MTIME_SEC);
            check_large(&packets[i], next, bytes);
        }
    }
    assert_int_equal(capture_read(capture, &batch, &fault), 0);
    capture_close(capture);
    close(fd);
    free(image.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_link_in_pcap),
        cmocka_unit_test(what_is_not_ip),
        cmocka_unit_test(tunnels_are_counted),
        cmocka_unit_test(stamps_of_every_resolution),
        cmocka_unit_test(sections_interfaces_and_blocks),
        cmocka_unit_test(every_prefix),
        cmocka_unit_test(every_byte_flipped),
        cmocka_unit_test(records_that_claim_gigabytes),
        cmocka_unit_test(blocks_that_contradict_themselves),
        cmocka_unit_test(what_is_no_capture),
        cmocka_unit_test(packed_captures),
        cmocka_unit_test(zstd_that_wants_gigabytes),
        cmocka_unit_test(a_slow_pipe),
        cmocka_unit_test(borrowed_until_the_next_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
