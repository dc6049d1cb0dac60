/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_TIMELINE_WRITE_H
#define IDLEWALL_TIMELINE_WRITE_H

#include "tools/timeline/timeline.h"

#include <stdio.h>

/* For people: packets as tcpdump prints them, one line each with its fate along the path; socket
 * timers as ss and netstat print them; firewall events as `idlewall events`; applications. 0 or a
 * negative errno. */
int timeline_write_text(FILE *to, const struct timeline *timeline);

/* One object a line and event; the schema is in docs/idlewall-scenario.5.scd and is a contract. */
int timeline_write_json(FILE *to, const struct timeline *timeline);

/* DIR/PLACE.pcap for every place (DIR is made if it is not there), nanosecond stamps, raw IP: what
 * a tcpdump there would have seen, both sides of a firewall as two captures: PLACE-client.pcap and
 * PLACE-server.pcap. Headers only. Stamps are story time after the wall time of its start. 0 or a
 * negative errno. */
int timeline_write_pcap(const char *dir, const struct timeline *timeline);

#endif
