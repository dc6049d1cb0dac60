/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/timeline/timeline_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* draft-ietf-opsawg-pcap: in the byte order of the machine, stamps in nanoseconds. */
#define PCAP_NANOSECONDS UINT32_C(0xa1b23c4d)
#define PCAP_RAW_IP 101
/* 2026-01-01T00:00:00Z: a story in virtual time has no date of its own. */
#define VIRTUAL_EPOCH_NS (UINT64_C(1767225600) * UINT64_C(1000000000))
/* Only headers are captured, as with `tcpdump -s`: there is no payload, and made-up bytes would be
 * called malformed by the dissector of whatever protocol uses that port. */
#define SNAP 256
#define NS_PER_SEC UINT64_C(1000000000)

struct pcap_header {
    uint32_t magic;
    uint16_t major, minor;
    uint32_t zone, accuracy, snap, link;
};
struct pcap_record {
    uint32_t seconds, nanoseconds, caplen, len;
};

/* One place where somebody captures: an end, or one side of a firewall. */
struct tap {
    unsigned place;
    enum flow_side side; /* firewall: of the interface towards it */
    bool end;
};

static bool seen_at(const struct tap *tap, const struct timeline_event *e)
{
    const struct timeline_packet *p = &e->packet;

    if (e->kind != TIMELINE_PACKET || e->place != tap->place || !p->data)
        return false;
    switch (p->passage) {
    case PASSAGE_SENT:
    case PASSAGE_RECEIVED:
        return tap->end;
    case PASSAGE_FORWARDED:
        return true;
    case PASSAGE_INJECTED: /* it leaves in its own direction */
        return tap->end || p->from != tap->side;
    case PASSAGE_DROPPED: /* it came in */
        return tap->end || p->from == tap->side;
    case PASSAGE_LOST:
        /* A capture sees what came to a host and was blocked there, and not what its own packet
         * filter kept from leaving, which was SENT here. */
        return tap->end && !p->silent_link &&
               (tap->place == SCENARIO_CLIENT) == (p->from == FLOW_SERVER);
    }
    return false;
}

static void write_packet(FILE *to, const struct timeline *timeline, const struct timeline_event *e)
{
    const struct timeline_packet *p = &e->packet;
    uint64_t epoch = timeline->wall_ns ? timeline->wall_ns : VIRTUAL_EPOCH_NS;
    uint64_t ns = epoch + (uint64_t)e->t;
    uint32_t caplen = p->caplen < SNAP ? p->caplen : SNAP;
    uint32_t len = p->wire_len > caplen ? p->wire_len : caplen;
    const struct pcap_record record = {(uint32_t)(ns / NS_PER_SEC), (uint32_t)(ns % NS_PER_SEC),
                                       caplen, len};

    fwrite(&record, sizeof(record), 1, to);
    fwrite(p->data, 1, caplen, to);
}

static int finish(FILE *to)
{
    int error = ferror(to) ? EIO : 0;

    /* What the buffer still holds may not fit, and only close says what became of it. */
    if (fflush(to) != 0)
        error = errno;
    if (fclose(to) != 0 && !error)
        error = errno;
    return -error;
}

static int write_tap(int dir, const char *name, const struct timeline *timeline,
                     const struct tap *tap)
{
    const struct pcap_header header = {
        .magic = PCAP_NANOSECONDS, .major = 2, .minor = 4, .snap = SNAP, .link = PCAP_RAW_IP};
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    FILE *to;

    if (fd < 0)
        return -errno;
    to = fdopen(fd, "w");
    if (!to) {
        int error = errno;

        close(fd);
        return -error;
    }
    fwrite(&header, sizeof(header), 1, to);
    for (size_t i = 0; i < timeline->n_events && !ferror(to); i++)
        if (seen_at(tap, &timeline->events[i]))
            write_packet(to, timeline, &timeline->events[i]);
    return finish(to);
}

static int write_place(int dir, const struct timeline *timeline, unsigned place)
{
    const char *place_name = scenario_place_name(timeline->scenario, place);
    bool end = place == SCENARIO_CLIENT || place == scenario_server(timeline->scenario);
    int r = 0;

    /* Names are words of the language; should one ever hold more, it must not lead elsewhere. */
    if (strchr(place_name, '/'))
        return -EINVAL;
    for (unsigned side = 0; side < (end ? 1u : 2u) && r == 0; side++) {
        const struct tap tap = {place, (enum flow_side)side, end};
        char *name = NULL;

        if (asprintf(&name, "%s%s%s.pcap", place_name, end ? "" : "-",
                     end ? "" : flow_side_name(tap.side)) < 0)
            return -ENOMEM;
        r = write_tap(dir, name, timeline, &tap);
        free(name);
    }
    return r;
}

int timeline_write_pcap(const char *path, const struct timeline *timeline)
{
    int dir, r = 0;

    if (mkdir(path, 0777) < 0 && errno != EEXIST)
        return -errno;
    dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return -errno;
    for (unsigned place = 0; place <= scenario_server(timeline->scenario) && r == 0; place++)
        r = write_place(dir, timeline, place);
    close(dir);
    return r;
}
