/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_ALIGN_TEMPLATE_H
#define IDLEWALL_ALIGN_TEMPLATE_H

/*
 * How to set keepalive in one program or system, as data: advice/NAME.conf, compiled in. A line is
 * a word, one blank, and its text:
 *
 *   title, source        what it is, and the document that the syntax is from (several)
 *   match SIDE [process NAME...] [port N...]   whose sockets: client, server or any side
 *   system               an operating system: for programs that set no figures themselves
 *   unit D               idle must be a multiple; most D: not more than this
 *   interval, count      `free` (default), `system`, `third` of idle, `same` as idle, or fixed
 *   prefer heartbeat     the better way, even where TCP keepalive would do
 *   also NAME            what must be set besides
 *   file, set, then, note   where, the lines, how they take effect, what to know; in this order,
 *                        as often as needed. In `set`: {idle:s} {interval:ms} {count} ...
 *   heartbeat            from here on file, set, then and note are of the program's own heartbeat
 *
 * {FIGURE:UNIT}: idle, interval, dead (until a dead peer is given up), abort (dead without idle),
 * heartbeat, double (twice that), in s, ms, min, half (half-seconds), span (`4m`); {count}.
 */

#include "policy/mtime.h"
#include "tools/align/socket.h"

#include <stdio.h>

struct template_shipped {
    const char *name;
    const char *text;
    size_t len;
};
extern const struct template_shipped template_shipped[];
extern const size_t template_shipped_count;

enum figure_rule { FIGURE_FREE, FIGURE_SYSTEM, FIGURE_THIRD, FIGURE_SAME, FIGURE_FIXED };

struct template
{
    const char *name;
    const char *title; /* no NUL at its end: title_len */
    int title_len;
    bool system, prefers_heartbeat;
    bool has_keepalive, has_heartbeat; /* has `set` lines for it */
    mtime_t unit, most;                /* of idle */
    enum figure_rule interval_rule, count_rule;
    mtime_t interval; /* FIGURE_FIXED */
    unsigned count;
    const char *also; /* name of another; NULL: none */
    const char *text; /* all of it */
};

struct figures {
    mtime_t idle, interval;
    unsigned count;
    mtime_t heartbeat;
};

/* All, in alphabetical order; -EINVAL with the fault in why: a shipped text is faulty. */
int templates_load(const struct template **templates, size_t *n, char *why, size_t why_size);
/* NULL: none of that name. */
const struct template *template_find(const char *name);
/* Whose socket it is, by process and port; NULL: not known. */
const struct template *template_of(const struct socket_fact *fact);

enum template_part { PART_KEEPALIVE, PART_HEARTBEAT };
enum template_line { LINE_FILE, LINE_SET, LINE_THEN, LINE_NOTE, LINE_SOURCE };
/* Hands out the lines of one part with the figures in place; and the sources. 0 or -ENOMEM. */
int template_render(const struct template *t, enum template_part part,
                    const struct figures *figures,
                    void (*line)(void *arg, enum template_line kind, const char *text), void *arg);

#endif
