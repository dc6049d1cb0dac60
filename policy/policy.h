/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_POLICY_H
#define IDLEWALL_POLICY_H

/*
 * A policy: how long each kind of flow may be idle, and what happens then. Immutable once built,
 * shared by counted reference (the count is atomic): flows keep the policy they were opened under.
 * This header is pure: no I/O. Text comes in through policy_parse.h and goes out through
 * policy_print.h.
 */

#include "policy/mtime.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The names of the kernel's nf_conntrack_*_timeout_* sysctls, plus active-timeout (a flow's whole
 * life) and what other firewalls tell apart. */
enum policy_timeout {
    TIMEOUT_TCP_SYN_SENT,
    TIMEOUT_TCP_SYN_RECV,
    TIMEOUT_TCP_ESTABLISHED,
    TIMEOUT_TCP_FIN_WAIT,
    TIMEOUT_TCP_CLOSE_WAIT,
    TIMEOUT_TCP_LAST_ACK,
    TIMEOUT_TCP_TIME_WAIT,
    TIMEOUT_TCP_CLOSE,
    TIMEOUT_TCP_MAX_RETRANS,
    TIMEOUT_TCP_UNACKNOWLEDGED,
    TIMEOUT_UDP,
    TIMEOUT_UDP_STREAM,
    TIMEOUT_ICMP,
    TIMEOUT_ICMPV6,
    TIMEOUT_GENERIC,
    TIMEOUT_ACTIVE,      /* `active-timeout`: hard lifetime, `never` by default */
    TIMEOUT_TCP_NO_DATA, /* established and no payload yet */
    /* 0 in these: as the timeout they refine. */
    TIMEOUT_UDP_FIRST, /* pf: one packet, and no more */
    TIMEOUT_ICMP_REPLIED,
    TIMEOUT_GENERIC_FIRST,
    TIMEOUT_GENERIC_REPLIED,
};
#define POLICY_TIMEOUTS (TIMEOUT_GENERIC_REPLIED + 1)

enum policy_on_expiry {
    ON_EXPIRY_SILENT,
    ON_EXPIRY_RESET_CLIENT,
    ON_EXPIRY_RESET_SERVER,
    ON_EXPIRY_RESET_BOTH,
    ON_EXPIRY_DCD,
};
enum policy_on_late {
    ON_LATE_DROP,
    ON_LATE_RESET,
    ON_LATE_RESET_CLIENT,
    ON_LATE_RESET_SERVER,
    ON_LATE_ICMP,
    ON_LATE_ADOPT,
};
enum policy_reset_form { RESET_FORM_RFC9293, RESET_FORM_ECHO };
enum policy_on_invalid { ON_INVALID_DROP, ON_INVALID_PASS };
enum policy_refresh { REFRESH_BOTH, REFRESH_CLIENT, REFRESH_SERVER, REFRESH_EACH, REFRESH_NONE };
/* The same for UDP where it differs: RFC 4787 REQ-6, WinNAT, Azure NAT gateway. */
enum policy_refresh_udp {
    REFRESH_UDP_SAME,
    REFRESH_UDP_BOTH,
    REFRESH_UDP_CLIENT,
    REFRESH_UDP_SERVER,
    REFRESH_UDP_EACH,
    REFRESH_UDP_NONE,
};
enum policy_refresh_by { REFRESH_BY_ANY, REFRESH_BY_PAYLOAD };
/* What starts the half-closed timeouts: the first FIN, or only both (ASA, SRX). */
enum policy_half_close { HALF_CLOSE_ONE_FIN, HALF_CLOSE_BOTH_FINS };
/* What a RST that is in window does: starts tcp-close, ends the flow at once, or nothing (SRX). */
enum policy_rst { RST_TIMER, RST_ENDS, RST_IGNORED };
/* In which TCP states packets restart the timeout: in all, or only in ESTABLISHED, the others being
 * absolute. */
enum policy_refresh_in { REFRESH_IN_ALL, REFRESH_IN_ESTABLISHED };
/* Dead connection detection: who is probed, and what becomes of the answers. */
enum policy_dcd_to { DCD_TO_BOTH, DCD_TO_CLIENT, DCD_TO_SERVER };
enum policy_dcd_answers { DCD_ANSWERS_PASS, DCD_ANSWERS_SWALLOW };
/* A proxy ends the connections of both sides: the profile tells its times only. */
enum policy_kind { KIND_FIREWALL, KIND_PROXY };
enum policy_on_full { ON_FULL_DROP_NEW, ON_FULL_EVICT_OLDEST, ON_FULL_EVICT_UNASSURED };
enum policy_action { ACTION_USE, ACTION_DROP, ACTION_REJECT };

/* Where a value of a profile comes from. */
enum policy_origin {
    ORIGIN_ASSUMED,    /* inherited, because the product's documents are silent */
    ORIGIN_SET,        /* written in this profile, with a verified source or by the operator */
    ORIGIN_UNVERIFIED, /* written in this profile, marked `unverified` */
};

/* Index of a setting of a profile: the timeouts first, then these. */
enum policy_setting {
    SETTING_ON_EXPIRY = POLICY_TIMEOUTS,
    SETTING_ON_LATE,
    SETTING_RESET_FORM,
    SETTING_ON_INVALID,
    SETTING_REFRESH,
    SETTING_REFRESH_BY,
    SETTING_REFRESH_IN,
    SETTING_HALF_CLOSE,
    SETTING_RST,
    SETTING_MAX_RETRANS,
    SETTING_DCD_TO,
    SETTING_DCD_INTERVAL,
    SETTING_DCD_COUNT,
    SETTING_DCD_BEFORE,
    SETTING_DCD_ANSWERS,
    SETTING_DCD_THEN,
    SETTING_REFRESH_UDP,
    SETTING_KIND,
};
#define POLICY_SETTINGS (SETTING_KIND + 1)

struct policy_profile {
    char *name;    /* owned */
    char *base;    /* owned; the name after `from`, NULL for none */
    char *product; /* owned; what the figures describe, NULL if not said */
    mtime_t timeout[POLICY_TIMEOUTS];
    enum policy_on_expiry on_expiry;
    enum policy_on_late on_late;
    enum policy_reset_form reset_form;
    enum policy_on_invalid on_invalid;
    enum policy_refresh refresh;
    enum policy_refresh_udp refresh_udp;
    enum policy_refresh_by refresh_by;
    enum policy_refresh_in refresh_in;
    enum policy_half_close half_close;
    enum policy_rst rst;
    unsigned max_retrans; /* identical segments after which tcp-max-retrans rules; 1 to 255 */
    enum policy_dcd_to dcd_to;
    mtime_t dcd_interval;
    unsigned dcd_count; /* probes without an answer until the flow is given up; 1 to 255 */
    mtime_t dcd_before; /* probing starts so long before the idle limit; 0: at the limit */
    enum policy_dcd_answers dcd_answers;
    enum policy_on_expiry dcd_then; /* what follows when nobody answers; never ON_EXPIRY_DCD */
    enum policy_kind kind;
    enum policy_origin origin[POLICY_SETTINGS];
    char *source[POLICY_SETTINGS]; /* owned; NULL: none given */
};

struct policy_rule {
    char *name;  /* owned; "default" for the last */
    char *match; /* owned pcap-filter expression; NULL for the default */
    enum policy_action action;
    /* Index into profiles; for drop and reject, the default's: it times nothing. */
    unsigned profile;
};

struct policy {
    uint32_t max_flows;
    enum policy_on_full on_full;
    bool fail_closed;
    mtime_t adopt_at_start; /* 0: none */
    /* pf's adaptive timeouts: above start flows all timeouts shrink, linearly, to nothing at end.
     * 0: never. */
    uint32_t adaptive_start, adaptive_end;
    mtime_t late_memory;
    uint32_t late_memory_count;
    uint32_t inject_rate;   /* resets, ICMP errors and probes per second, at most */
    uint16_t *server_ports; /* owned, ascending */
    size_t n_server_ports;
    struct policy_profile *profiles; /* owned */
    size_t n_profiles;
    /* Owned; first match wins, the last one is the default; at most 32767. */
    struct policy_rule *rules;
    size_t n_rules;
    unsigned references; /* policy_ref() and policy_unref() only; the last member */
};

struct policy *policy_ref(struct policy *policy);
/* Frees at the last reference. Takes NULL; returns NULL. */
struct policy *policy_unref(struct policy *policy);

/* Is this port one that servers listen on: below 1024 or in `server-ports`? Host byte order. */
bool policy_is_server_port(const struct policy *policy, uint16_t port);

/* The one that holds in its place where that is 0, as only the refinements are. */
enum policy_timeout policy_timeout_of(const struct policy_profile *profile,
                                      enum policy_timeout timeout, uint8_t proto);

/* Whose packets restart the idle time of a flow of that IP protocol. */
enum policy_refresh policy_refresh_of(const struct policy_profile *profile, uint8_t proto);

/* The words of the policy language, NULL for a value out of range. Static, never freed. */
const char *policy_timeout_name(enum policy_timeout timeout);
const char *policy_setting_name(unsigned setting);
const char *policy_on_expiry_name(enum policy_on_expiry v);
const char *policy_on_late_name(enum policy_on_late v);
const char *policy_reset_form_name(enum policy_reset_form v);
const char *policy_on_invalid_name(enum policy_on_invalid v);
const char *policy_refresh_name(enum policy_refresh v);
const char *policy_refresh_udp_name(enum policy_refresh_udp v);
const char *policy_kind_name(enum policy_kind v);
const char *policy_refresh_by_name(enum policy_refresh_by v);
const char *policy_refresh_in_name(enum policy_refresh_in v);
const char *policy_half_close_name(enum policy_half_close v);
const char *policy_rst_name(enum policy_rst v);
const char *policy_dcd_to_name(enum policy_dcd_to v);
const char *policy_dcd_answers_name(enum policy_dcd_answers v);
const char *policy_on_full_name(enum policy_on_full v);

#endif
