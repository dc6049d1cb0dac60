/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_ALIGN_SOCKET_PARTS_H
#define IDLEWALL_ALIGN_SOCKET_PARTS_H

/* What the sources of sockets share: nobody else's. */

#include "tools/align/socket.h"

#include <string.h>

/* Text that is not ours to change: no NUL at its end. */
struct slice {
    const char *at;
    size_t n;
};

/* The next word, taken off; empty at the end. */
struct slice slice_word(struct slice *rest);
bool slice_is(struct slice s, const char *word);
bool slice_starts(struct slice s, const char *with);
struct slice slice_after(struct slice s, size_t n);
/* A decimal number at its begin, taken off. Too large is none. */
bool slice_number(struct slice *s, uint64_t max, uint64_t *out);
/* As much of it as fits; what is no printable ASCII becomes `?`, for it goes to a terminal. */
void slice_copy(struct slice s, char *to, size_t room);

extern const struct socket_fact socket_fact_unknown;
int socket_table_add(struct socket_table *table, const struct socket_fact *fact);
int socket_table_bad(struct socket_table *table, unsigned line);

/* Which of the sockets are those of a server. listening: sorted by it. Without any, the ports say
 * it, if guess. */
void socket_listened(struct socket_table *table, struct socket_table *listening, bool guess);

/* `192.0.2.1:22`, `[2001:db8::1]:22`, `fe80::1%eth0:22`, `*:22`, `:::*`. Any address: all zero; `*`
 * is family 6 and means both. */
bool socket_address(struct slice s, uint8_t *family, uint8_t address[16], uint16_t *port);

/* Connected sockets and, apart, those that listen. */
int sock_diag_read(struct socket_table *table, struct socket_table *listening);

/* Processes, containers and, where permitted, keepalive's figures. */
int owner_find(struct socket_table *table, struct socket_table *listening);
/* A container's name, or an id's first 12 digits as its tools show it, from a path of cgroups. */
bool owner_container(struct slice path, char *to, size_t room);
/* Is it an instance of a systemd socket unit, made for one connection (Accept=yes)? */
bool owner_is_instance(struct slice path);

/* Keepalive and its figures as far as one look tells. */
void figures_look(struct socket_fact *fact);
/* From the descriptor of a process; quietly nothing where not permitted. */
void figures_read(struct socket_fact *fact, int pidfd, int fd);
/* This network namespace's sysctls where nothing contradicts them. */
void figures_default(struct socket_table *table);
/* A later look at the same socket, before it is taken over. */
void figures_narrow(struct socket_fact *fact, const struct socket_fact *later, mtime_t elapsed);

/* One line of text. */
enum socket_line {
    LINE_SS,
    LINE_NETSTAT,
    LINE_LISTENING,
    LINE_HEADING,
    LINE_COMMAND, /* somebody asked for what follows */
    LINE_OTHER,   /* a socket, but none of TCP's connections */
    LINE_BAD,
};
/* What ss was asked for, as far as a line shows it. */
struct ss_shown {
    bool timer, details, info;
};
enum socket_line socket_line_read(struct slice line, struct socket_fact *fact,
                                  struct ss_shown *shown);
/* What follows the addresses, and the line that begins with a tab; false: a timer that cannot be
 * read is not one that does not run. */
bool ss_read(struct slice rest, struct socket_fact *fact, struct ss_shown *shown);
/* What follows the addresses; false: it is not netstat's. */
bool netstat_read(struct slice rest, struct socket_fact *fact, bool *listening);

#endif
