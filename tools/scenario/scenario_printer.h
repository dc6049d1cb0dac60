/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_SCENARIO_PRINTER_H
#define IDLEWALL_SCENARIO_PRINTER_H

/* Inside tools/scenario only: what the files of the printer share. */

#include "tools/scenario/scenario_print.h"

bool print_is_axis(const struct scenario *scenario, const char *label);
/* The values of the axis of that label; else this one. With a blank before it. */
void print_value(FILE *to, const struct scenario *scenario, const char *label, const char *value);
void print_duration(FILE *to, const struct scenario *scenario, const char *label, mtime_t value);
void print_number(FILE *to, const struct scenario *scenario, const char *label, uint64_t value);
/* 0..1 */
void print_share(FILE *to, const struct scenario *scenario, const char *label, double value);
void print_text(FILE *to, const char *text);

/* Statements, each with its end of line. */
void print_host(FILE *to, const struct scenario *scenario, enum flow_side side);
void print_firewall(FILE *to, const struct scenario *scenario, size_t index);
void print_link(FILE *to, const struct scenario *scenario, size_t index);
void print_workload(FILE *to, const struct scenario *scenario);
int print_deeds(FILE *to, const struct scenario *scenario);

#endif
