/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_RECORDING_H
#define IDLEWALL_RECORDING_H

/*
 * What one engine saw and decided, as a pcapng file: Wireshark opens it, and put through an engine
 * again it gives the same verdicts. A packet's timestamp is its engine time, exact to the
 * nanosecond; its verdict is in epb_verdict, its queue in epb_queue, its mark and reason in a
 * custom option. Configuration, policies and commands are blocks
 * of our own, in the order in which they
 * took effect.
 */

#include "middlebox/engine/engine.h"

#include <stdio.h>

struct recording_config {
    uint16_t queue;
    unsigned speed;
    mtime_t start, linger; /* as in engine_config */
    int64_t wall_start_ns; /* Unix time at start */
};

struct recording;

/* Takes over fd, also on error. 0 or a negative errno. Writing goes through a buffer; an error (a
 * full disk, say) comes back from the call that meets it and from every later one. */
int recording_create(struct recording **out, int fd, const struct recording_config *config);
struct recording *recording_destroy(struct recording *recording);
int recording_policy(struct recording *recording, mtime_t now, const char *text, size_t len);
int recording_packets(struct recording *recording, const struct packet *packets,
                      const struct judgement *judgements, size_t n);
/* A request of the control socket that acted on flows, as it came in (JSON). */
int recording_command(struct recording *recording, mtime_t now, const char *text, size_t len);
/* From here on the file does not say everything that the engine was told. */
int recording_gap(struct recording *recording, mtime_t now, const char *why);
int recording_flush(struct recording *recording);

enum recording_kind {
    RECORDING_CONFIG = 1,
    RECORDING_POLICY,
    RECORDING_COMMAND,
    RECORDING_GAP,
    RECORDING_PACKET,
};
struct recording_item {
    enum recording_kind kind;
    mtime_t time;
    struct recording_config config; /* CONFIG */
    const char *text; /* POLICY, COMMAND, GAP: until the next call, not NUL-terminated */
    size_t len;
    struct packet packet; /* PACKET: before packet_decode(); data until the next call */
    struct judgement judgement;
};

struct recording_reader;
/* The file stays the caller's. */
int recording_reader_create(struct recording_reader **out, FILE *from);
struct recording_reader *recording_reader_destroy(struct recording_reader *reader);
/* 1, 0 at the end, -EINVAL where the file is not one of ours or cut short, -ENOMEM, -EIO. */
int recording_next(struct recording_reader *reader, struct recording_item *item);

#endif
