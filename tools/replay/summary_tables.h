/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_SUMMARY_TABLES_H
#define IDLEWALL_SUMMARY_TABLES_H

#include "tools/replay/replay_summary.h"

/* Servers that a text shows; JSON and CSV have all. */
#define SUMMARY_SERVERS_SHOWN 20

/* Each with an empty line before; nothing where there is nothing to say. */
void summary_worst_table(FILE *to, const struct summary *summary);
void summary_server_table(FILE *to, const struct summary *summary);
/* One line for each of its limits. */
void summary_limit_table(FILE *to, const struct summary *summary);

#endif
