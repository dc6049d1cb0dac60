/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_ASSEMBLE_H
#define IDLEWALL_ASSEMBLE_H

/* The parts of putting a live story together; the events are collected unsorted. */

#include "tools/lab/play/play_private.h"

struct assembly {
    const struct play *play;
    struct timeline_event *events; /* owned; packet.data points into tapes until they are added */
    size_t n, room;
    uint16_t *ports; /* owned; the client's, by connection number from 1 */
    size_t n_ports;
};

/* 0 or -ENOMEM. */
int assembly_add(struct assembly *assembly, const struct timeline_event *event);
mtime_t assembly_story(const struct assembly *assembly, int64_t monotonic_ns);
mtime_t assembly_story_of_real(const struct assembly *assembly, int64_t realtime_ns);
/* By the client's port; 0: not one of the story's. */
uint32_t assembly_connection(const struct assembly *assembly, uint16_t client_port);

/* Each adds its kind of events. 0 or a negative errno. */
int assemble_ports(struct assembly *assembly);
int assemble_packets(struct assembly *assembly);
int assemble_flows(struct assembly *assembly);

#endif
