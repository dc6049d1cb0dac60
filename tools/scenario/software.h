/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_SOFTWARE_H
#define IDLEWALL_SOFTWARE_H

/* What programs do with their sockets by default: `server app postgresql`. Figures only, each with
 * its source in software.c (from keepalives.tsv). */

#include "tools/scenario/system.h"

enum software_keepalive { SOFTWARE_KEEPALIVE_UNSET, SOFTWARE_KEEPALIVE_OFF, SOFTWARE_KEEPALIVE_ON };

/* What an application does by itself. All 0: nothing. */
struct behaviour {
    mtime_t read_timeout; /* gives up a read that nobody answers; 0: waits for ever */
    mtime_t heartbeat;    /* sends heartbeat_bytes after so long without sending; 0: none */
    uint32_t heartbeat_bytes;
    mtime_t heartbeat_timeout; /* closes when nothing came for so long; 0: never */
    mtime_t idle_close;        /* closes after so long without payload either way; 0: never */
    mtime_t reconnect;     /* client: connects again so long after its connection ended; 0: never */
    uint32_t answer_bytes; /* answers each piece of data with so much; 0: does not */
    mtime_t answer_after;
    bool ignores_eof; /* read returns 0, and nobody reacts: CLOSE_WAIT for ever */
    bool reads_not;   /* never reads: its window closes */
};

struct software {
    const char *name;  /* "postgresql" */
    const char *id[2]; /* rows of keepalives.tsv, separated by blanks, by flow_side; NULL: no such
                          side */
    uint16_t port;
    struct {
        enum software_keepalive keepalive;
        struct keepalive_times times; /* 0 in a field: the system's */
        mtime_t user_timeout;         /* 0: none */
        struct behaviour behaviour;
        bool unverified; /* a figure that could not be checked against its source */
    } side[2];           /* by flow_side */
};

extern const struct software softwares[];
extern const size_t software_count;
const struct software *software_find(const char *name, size_t len);

#endif
