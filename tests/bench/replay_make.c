/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Writes a capture of many TCP connections that live at the same time, as a gateway sees them:
 * handshake, data and acknowledgements with timestamps, FINs; each packet belongs to any of them by
 * chance, so that nothing is where the last one was. One connection in two hundred sleeps for most
 * of the capture, one in fifty is kept alive only by keepalive probes.
 * usage: replay_make FLOWS PACKETS SNAPLEN > FILE
 */

#include "tests/bench/traffic.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPAN_NS UINT64_C(1200000000000)
#define START_S UINT64_C(1700000000)

enum { FIN = 1, SYN = 2, PSH = 8, ACK = 16 };

struct flow {
    uint32_t seq[2];
    uint16_t left; /* data packets and acknowledgements until its FINs */
    bool open, sleeper, kept;
};

struct record {
    uint32_t seconds, nanoseconds, caplen, len;
};

static uint64_t random_state = 88172645463325252u;

static uint32_t below(uint32_t n)
{
    return (uint32_t)(traffic_random(&random_state) >> 32) % n;
}

static void put16(uint8_t *to, uint32_t value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

static void put32(uint8_t *to, uint32_t value)
{
    put16(to, value >> 16);
    put16(to + 2, value);
}

static void write_packet(uint32_t number, const struct flow *flow, unsigned side, uint8_t flags,
                         uint32_t payload, int32_t offset, uint64_t at, uint32_t snap)
{
    uint8_t frame[14 + 20 + 32 + 1500] = {0}, *ip = frame + 14, *tcp = ip + 20;
    uint32_t len = 14 + 20 + 32 + payload;
    uint32_t addr[2] = {0x0a000000 + number / 50, 0xc6336400 + number % 200};
    uint32_t port[2] = {32768 + number % 28000, 443};
    struct record record = {(uint32_t)(START_S + at / 1000000000), (uint32_t)(at % 1000000000),
                            len < snap ? len : snap, len};

    memcpy(frame, "\2\0\0\0\0\1\2\0\0\0\0\2\10\0", 14);
    ip[0] = 0x45;
    put16(ip + 2, 52 + payload);
    ip[6] = 0x40;
    ip[8] = 64;
    ip[9] = 6;
    put32(ip + 12, addr[side]);
    put32(ip + 16, addr[!side]);
    put16(tcp, port[side]);
    put16(tcp + 2, port[!side]);
    put32(tcp + 4, flow->seq[side] + (uint32_t)offset);
    put32(tcp + 8, flags & ACK ? flow->seq[!side] : 0);
    tcp[12] = 0x80;
    tcp[13] = flags;
    put16(tcp + 14, 0xffff);
    memcpy(tcp + 20, "\1\1\10\12", 4);
    put32(tcp + 24, (uint32_t)(at / 1000000));
    fwrite(&record, sizeof(record), 1, stdout);
    fwrite(frame, record.caplen, 1, stdout);
}

/* Where the capture is: its packets so far. */
struct place {
    uint64_t n, packets;
    uint32_t snap;
};

static void write_next(uint32_t number, const struct flow *flow, unsigned side, uint8_t flags,
                       uint32_t payload, int32_t offset, struct place *place)
{
    write_packet(number, flow, side, flags, payload, offset, SPAN_NS / place->packets * place->n++,
                 place->snap);
}

static void shake_hands(uint32_t number, struct flow *flow, struct place *place)
{
    write_next(number, flow, 0, SYN, 0, 0, place);
    flow->seq[0]++;
    write_next(number, flow, 1, SYN | ACK, 0, 0, place);
    flow->seq[1]++;
    write_next(number, flow, 0, ACK, 0, 0, place);
    flow->open = true;
}

static void part(uint32_t number, struct flow *flow, struct place *place)
{
    for (unsigned side = 0; side < 2; side++) {
        write_next(number, flow, side, FIN | ACK, 0, 0, place);
        flow->seq[side]++;
        write_next(number, flow, !side, ACK, 0, 0, place);
    }
}

/* True: it was the last. */
static bool step(uint32_t number, struct flow *flow, struct place *place)
{
    if (!flow->open) {
        shake_hands(number, flow, place);
    } else if (flow->left == 0) {
        part(number, flow, place);
        return true;
    } else if (flow->kept) { /* probe and answer */
        unsigned side = flow->left-- % 2;

        write_next(number, flow, side, ACK, 0, side ? 0 : -1, place);
    } else { /* data and its acknowledgement */
        unsigned side = flow->left / 2 % 2 == flow->left % 2;
        uint32_t payload = flow->left-- % 2 ? 0 : 1 + below(1400);

        write_next(number, flow, side, payload ? PSH | ACK : ACK, payload, 0, place);
        flow->seq[side] += payload;
    }
    return false;
}

int main(int argc, char **argv)
{
    uint32_t flows = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
    struct place place = {.packets = argc > 2 ? strtoull(argv[2], NULL, 10) : 0,
                          .snap = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 96};
    uint32_t header[6] = {0xa1b23c4d, 2 | 4 << 16, 0, 0, place.snap, 1}, live, awake;
    struct flow *flow = calloc(flows + 1, sizeof(*flow));
    uint32_t *list = calloc(flows + 1, sizeof(*list));
    uint32_t mean;

    if (!flow || !list || flows == 0 || place.packets / flows < 16 || place.packets / flows > 500) {
        fputs("usage: replay_make FLOWS PACKETS SNAPLEN, 16 to 500 packets a flow\n", stderr);
        return 2;
    }
    mean = (uint32_t)(place.packets / flows) - 7;
    for (uint32_t i = 0; i < flows; i++) {
        flow[i].seq[0] = below(UINT32_MAX);
        flow[i].seq[1] = below(UINT32_MAX);
        flow[i].left = (uint16_t)(mean / 2 + below(mean + 1));
        flow[i].sleeper = i % 200 == 7;
        flow[i].kept = i % 50 == 3;
        list[i] = i;
    }
    fwrite(header, sizeof(header), 1, stdout);
    for (live = awake = flows; place.n < place.packets && awake > 0;) {
        uint32_t k = below(awake), i = list[k];
        bool over = step(i, &flow[i], &place);
        bool sleeps = flow[i].sleeper && place.n < place.packets / 5;

        if (over || sleeps) { /* those that sleep are between the awake and the dead */
            list[k] = list[--awake];
            list[awake] = over ? list[--live] : i;
        }
        if (place.n / 3 * 4 > place.packets)
            awake = live;
    }
    free(flow);
    free(list);
    fprintf(stderr, "%llu packets of %u flows\n", (unsigned long long)place.n, flows);
    return fflush(stdout) == 0 ? 0 : 3;
}
