/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_REPLAY_COMPARE_H
#define IDLEWALL_REPLAY_COMPARE_H

/* The same capture under several firewalls, side by side. */

#include "tools/replay/replay_summary.h"

struct compared {
    const char *name;
    const struct policy *policy;
    const struct summary *summary;
};

/* One table of the firewalls, one of the servers to which any of them breaks connections. */
void compare_text(FILE *to, const struct compared *compared, size_t n);
/* `type` "compare" a firewall, "compare-server" a server. */
void compare_json(FILE *to, const struct compared *compared, size_t n);
void compare_csv(FILE *to, const struct compared *compared, size_t n);

#endif
