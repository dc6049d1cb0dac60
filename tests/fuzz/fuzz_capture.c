/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a capture: it ends, every packet lies where its bytes can be read, and whether it
 * was looked at ahead or read in other batches makes no difference. */
#include "middlebox/engine/packet.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/capture_image.h"
#include "tools/replay/capture.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ROOM 8
/* Of one input, packed: it may hold very much more than it has bytes. */
#define PACKETS_MAX 20000

struct result {
    int end;
    uint64_t sum;
    struct capture_stats stats;
    struct capture_fault fault;
};

static void check_fault(const struct result *r)
{
    FUZZ_CHECK(memchr(r->fault.text, '\0', sizeof(r->fault.text)) != NULL);
    FUZZ_CHECK(r->end == 0 || r->fault.text[0] != '\0');
    FUZZ_CHECK(r->end == 0 || r->fault.packet == r->stats.packets);
}

static void check_packet(struct packet *p, uint64_t *sum)
{
    FUZZ_CHECK(p->time >= 0 && p->time < MTIME_NEVER);
    FUZZ_CHECK(p->caplen <= p->len && p->caplen <= 262144);
    for (uint32_t i = 0; i < p->caplen; i++)
        *sum = *sum * 31 + p->data[i];
    *sum = *sum * 31 + (uint64_t)p->time + p->len;
    packet_decode(p);
    FUZZ_CHECK((unsigned)p->kind < PACKET_KINDS);
}

static void check_ahead(struct capture *c, bool *more, mtime_t *ahead)
{
    mtime_t again;

    *more = capture_peek(c, ahead);
    FUZZ_CHECK(capture_peek(c, &again) == *more);
    FUZZ_CHECK(!*more || again == *ahead);
}

static struct result read_all(const char *path, size_t room, bool peek)
{
    struct packet packets[ROOM];
    uint64_t numbers[ROOM], last = 0;
    struct capture_batch batch = {packets, numbers, 0, room};
    struct result r = {0};
    struct capture *c;
    bool more = false;
    mtime_t ahead = 0;

    r.end = capture_open(&c, path, &r.fault);
    if (r.end < 0)
        return r;
    while ((r.end = capture_read(c, &batch, &r.fault)) > 0 && last < PACKETS_MAX) {
        FUZZ_CHECK(batch.n > 0 && batch.n <= room);
        FUZZ_CHECK(!more || packets[0].time == ahead);
        if (peek)
            check_ahead(c, &more, &ahead);
        for (size_t i = 0; i < batch.n; i++) {
            FUZZ_CHECK(numbers[i] > last);
            last = numbers[i];
            check_packet(&packets[i], &r.sum);
        }
    }
    FUZZ_CHECK(r.end > 0 || !more || !peek || last >= PACKETS_MAX || !capture_peek(c, &ahead));
    capture_stats(c, &r.stats);
    FUZZ_CHECK(r.stats.packets ==
               r.stats.ip + r.stats.not_ip + r.stats.link_broken + r.stats.unknown_link);
    capture_close(c);
    if (r.end <= 0)
        check_fault(&r);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    struct result one, two;
    char path[32];

    if (fd < 0)
        fd = memfd_create("capture", 0);
    FUZZ_CHECK(fd >= 0 && ftruncate(fd, 0) == 0);
    FUZZ_CHECK(pwrite(fd, data, size, 0) == (ssize_t)size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    one = read_all(path, ROOM, false);
    two = read_all(path, 3, true);
    if (one.end > 0 || two.end > 0)
        return 0; /* given up at different places */
    FUZZ_CHECK(one.end == two.end && one.sum == two.sum);
    FUZZ_CHECK(one.stats.packets == two.stats.packets);
    FUZZ_CHECK(one.fault.offset == two.fault.offset);
    FUZZ_CHECK(strcmp(one.fault.text, two.fault.text) == 0);
    return 0;
}

static void seed_pcap(struct image *i, size_t index)
{
    static const uint32_t links[] = {1, 0, 9, 50, 51, 101, 104, 108, 113, 276};
    uint8_t frame[80] = {0, 0, 0, 2, 0, 0x21, 0, 0, 0, 0, 0, 0, 8, 0};

    memcpy(frame + 14, image_ipv4, sizeof(image_ipv4));
    i->big = index & 1;
    image_pcap(i, index & 2, links[index % 10]);
    for (uint32_t n = 0; n < 4; n++)
        image_record(i, 1700000000 + n, n, frame, 54 + n, 54 + n);
}

static void seed_pcapng(struct image *i)
{
    image_section(i, true);
    image_interface(i, 101, 50, 9, 0);
    image_interface(i, 229, 0, 0x8a, -5);
    image_block(i, 0xbad, "custom!", 7);
    image_packet(i, 0, 1, image_ipv4, 40, 40);
    image_packet(i, 1, 2, image_ipv6, 60, 60);
    image_section(i, false);
    image_interface(i, 101, 0, 3, 0);
    image_simple(i, image_ipv4, 40, 40);
    image_old(i, 0, 3, image_ipv4, 40);
    image_block(i, 5, "statistics", 10);
}

static size_t seed_packed(size_t index, uint8_t *data)
{
    static const uint8_t gzip[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x8b, 0, 0, 0};
    static const uint8_t zstd[] = {0x28, 0xb5, 0x2f, 0xfd, 4, 0x58, 0x21, 0, 0, 0xd4, 0xc3, 0xb2};

    memcpy(data, index ? gzip : zstd, index ? sizeof(gzip) : sizeof(zstd));
    return index ? sizeof(gzip) : sizeof(zstd);
}

size_t fuzz_seed(size_t index, uint8_t *data, size_t max)
{
    struct image i = {0};
    size_t n = 0;

    if (index >= 23 || max < 1024)
        return 0;
    if (index > 20)
        return seed_packed(index - 21, data);
    if (index == 20)
        seed_pcapng(&i);
    else
        seed_pcap(&i, index);
    if (i.n <= max) {
        n = i.n;
        memcpy(data, i.bytes, n);
    }
    free(i.bytes);
    return n;
}
