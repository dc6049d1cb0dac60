/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_HOST_SETTING_H
#define IDLEWALL_HOST_SETTING_H

/* The settings of a host in the scenario language: one table for the parser and the printer. */

#include "tools/scenario/scenario.h"

enum host_setting_kind {
    HOST_DURATION,
    HOST_DURATION_NEVER, /* `never` is allowed */
    HOST_NUMBER,
    HOST_SWITCH, /* on, off */
    HOST_FLAG,   /* the word alone */
    /* with figures of their own: */
    HOST_KEEPALIVE,
    HOST_SYSTEM_KEEPALIVE,
    HOST_APP,
    HOST_HEARTBEAT,
    HOST_ANSWER,
};

struct host_setting {
    const char *name;
    enum host_setting_kind kind;
    size_t offset, size;  /* of the field in struct scenario_host */
    uint64_t least, most; /* ns, or a number */
};
extern const struct host_setting host_settings[];
extern const size_t host_setting_count;
/* NULL if there is none of that name. */
const struct host_setting *host_setting_find(const char *name, size_t len);
/* "app, port, ..."; static. */
const char *host_setting_names(void);

/* Bits of scenario_host.set beyond those of the table (1 << index). */
#define HOST_SET_KEEPALIVE (UINT64_C(1) << 56)
#define HOST_SET_IDLE (UINT64_C(1) << 57)
#define HOST_SET_INTERVAL (UINT64_C(1) << 58)
#define HOST_SET_COUNT (UINT64_C(1) << 59)
#define HOST_SET_HEARTBEAT (UINT64_C(1) << 60)
#define HOST_SET_HEARTBEAT_BYTES (UINT64_C(1) << 61)
#define HOST_SET_HEARTBEAT_TIMEOUT (UINT64_C(1) << 62)
#define HOST_SET_ANSWER (UINT64_C(1) << 63)

#endif
