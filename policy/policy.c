/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/policy.h"

#include <netinet/in.h>
#include <stdlib.h>

static const char *const setting_names[POLICY_SETTINGS] = {
    [TIMEOUT_TCP_SYN_SENT] = "tcp-syn-sent",
    [TIMEOUT_TCP_SYN_RECV] = "tcp-syn-recv",
    [TIMEOUT_TCP_ESTABLISHED] = "tcp-established",
    [TIMEOUT_TCP_FIN_WAIT] = "tcp-fin-wait",
    [TIMEOUT_TCP_CLOSE_WAIT] = "tcp-close-wait",
    [TIMEOUT_TCP_LAST_ACK] = "tcp-last-ack",
    [TIMEOUT_TCP_TIME_WAIT] = "tcp-time-wait",
    [TIMEOUT_TCP_CLOSE] = "tcp-close",
    [TIMEOUT_TCP_MAX_RETRANS] = "tcp-max-retrans",
    [TIMEOUT_TCP_UNACKNOWLEDGED] = "tcp-unacknowledged",
    [TIMEOUT_UDP] = "udp",
    [TIMEOUT_UDP_STREAM] = "udp-stream",
    [TIMEOUT_ICMP] = "icmp",
    [TIMEOUT_ICMPV6] = "icmpv6",
    [TIMEOUT_GENERIC] = "generic",
    [TIMEOUT_ACTIVE] = "active-timeout",
    [TIMEOUT_TCP_NO_DATA] = "tcp-no-data",
    [TIMEOUT_UDP_FIRST] = "udp-first",
    [TIMEOUT_ICMP_REPLIED] = "icmp-replied",
    [TIMEOUT_GENERIC_FIRST] = "generic-first",
    [TIMEOUT_GENERIC_REPLIED] = "generic-replied",
    [SETTING_ON_EXPIRY] = "on-expiry",
    [SETTING_ON_LATE] = "on-late",
    [SETTING_RESET_FORM] = "reset-form",
    [SETTING_ON_INVALID] = "on-invalid",
    [SETTING_REFRESH] = "refresh",
    [SETTING_REFRESH_BY] = "refresh-by",
    [SETTING_REFRESH_IN] = "refresh-in",
    [SETTING_HALF_CLOSE] = "half-close",
    [SETTING_RST] = "rst",
    [SETTING_MAX_RETRANS] = "max-retrans",
    [SETTING_DCD_TO] = "dcd-to",
    [SETTING_DCD_INTERVAL] = "dcd-interval",
    [SETTING_DCD_COUNT] = "dcd-count",
    [SETTING_DCD_BEFORE] = "dcd-before",
    [SETTING_DCD_ANSWERS] = "dcd-answers",
    [SETTING_DCD_THEN] = "dcd-then",
    [SETTING_REFRESH_UDP] = "refresh-udp",
    [SETTING_KIND] = "kind",
};
static const char *const on_expiry_names[] = {"silent", "reset-client", "reset-server",
                                              "reset-both", "dcd"};
static const char *const on_late_names[] = {"drop",         "reset", "reset-client",
                                            "reset-server", "icmp",  "adopt"};
static const char *const reset_form_names[] = {"rfc9293", "echo"};
static const char *const on_invalid_names[] = {"drop", "pass"};
static const char *const refresh_names[] = {"both", "client", "server", "each", "none"};
static const char *const refresh_udp_names[] = {"same", "both", "client", "server", "each", "none"};
static const char *const kind_names[] = {"firewall", "proxy"};
static const char *const refresh_by_names[] = {"any", "payload"};
static const char *const refresh_in_names[] = {"all", "established"};
static const char *const half_close_names[] = {"one-fin", "both-fins"};
static const char *const rst_names[] = {"timer", "ends", "ignored"};
static const char *const dcd_to_names[] = {"both", "client", "server"};
static const char *const dcd_answers_names[] = {"pass", "swallow"};
static const char *const on_full_names[] = {"drop-new", "evict-oldest", "evict-unassured"};

#define NAME_OF(names, v)                                                                          \
    ((size_t)(v) < sizeof(names) / sizeof((names)[0]) ? (names)[(size_t)(v)] : NULL)

const char *policy_timeout_name(enum policy_timeout timeout)
{
    return (size_t)timeout < POLICY_TIMEOUTS ? setting_names[timeout] : NULL;
}

const char *policy_setting_name(unsigned setting)
{
    return NAME_OF(setting_names, setting);
}

const char *policy_on_expiry_name(enum policy_on_expiry v)
{
    return NAME_OF(on_expiry_names, v);
}

const char *policy_on_late_name(enum policy_on_late v)
{
    return NAME_OF(on_late_names, v);
}

const char *policy_reset_form_name(enum policy_reset_form v)
{
    return NAME_OF(reset_form_names, v);
}

const char *policy_on_invalid_name(enum policy_on_invalid v)
{
    return NAME_OF(on_invalid_names, v);
}

const char *policy_refresh_name(enum policy_refresh v)
{
    return NAME_OF(refresh_names, v);
}

const char *policy_refresh_udp_name(enum policy_refresh_udp v)
{
    return NAME_OF(refresh_udp_names, v);
}

const char *policy_kind_name(enum policy_kind v)
{
    return NAME_OF(kind_names, v);
}

const char *policy_refresh_by_name(enum policy_refresh_by v)
{
    return NAME_OF(refresh_by_names, v);
}

const char *policy_refresh_in_name(enum policy_refresh_in v)
{
    return NAME_OF(refresh_in_names, v);
}

const char *policy_half_close_name(enum policy_half_close v)
{
    return NAME_OF(half_close_names, v);
}

const char *policy_rst_name(enum policy_rst v)
{
    return NAME_OF(rst_names, v);
}

const char *policy_dcd_to_name(enum policy_dcd_to v)
{
    return NAME_OF(dcd_to_names, v);
}

const char *policy_dcd_answers_name(enum policy_dcd_answers v)
{
    return NAME_OF(dcd_answers_names, v);
}

const char *policy_on_full_name(enum policy_on_full v)
{
    return NAME_OF(on_full_names, v);
}

struct policy *policy_ref(struct policy *policy)
{
    if (policy)
        __atomic_add_fetch(&policy->references, 1, __ATOMIC_RELAXED);
    return policy;
}

static void profile_finish(struct policy_profile *profile)
{
    free(profile->name);
    free(profile->base);
    free(profile->product);
    for (size_t i = 0; i < POLICY_SETTINGS; i++)
        free(profile->source[i]);
}

struct policy *policy_unref(struct policy *policy)
{
    if (!policy || __atomic_sub_fetch(&policy->references, 1, __ATOMIC_ACQ_REL) > 0)
        return NULL;
    for (size_t i = 0; i < policy->n_profiles; i++)
        profile_finish(&policy->profiles[i]);
    for (size_t i = 0; i < policy->n_rules; i++) {
        free(policy->rules[i].name);
        free(policy->rules[i].match);
    }
    free(policy->profiles);
    free(policy->rules);
    free(policy->server_ports);
    free(policy);
    return NULL;
}

enum policy_timeout policy_timeout_of(const struct policy_profile *profile,
                                      enum policy_timeout timeout, uint8_t proto)
{
    if (profile->timeout[timeout] > 0)
        return timeout;
    if (timeout == TIMEOUT_UDP_FIRST)
        return TIMEOUT_UDP;
    if (timeout == TIMEOUT_ICMP_REPLIED)
        return proto == IPPROTO_ICMPV6 ? TIMEOUT_ICMPV6 : TIMEOUT_ICMP;
    return TIMEOUT_GENERIC;
}

enum policy_refresh policy_refresh_of(const struct policy_profile *profile, uint8_t proto)
{
    if (proto != IPPROTO_UDP)
        return profile->refresh;
    switch (profile->refresh_udp) {
    case REFRESH_UDP_SAME:
        break;
    case REFRESH_UDP_BOTH:
        return REFRESH_BOTH;
    case REFRESH_UDP_CLIENT:
        return REFRESH_CLIENT;
    case REFRESH_UDP_SERVER:
        return REFRESH_SERVER;
    case REFRESH_UDP_EACH:
        return REFRESH_EACH;
    case REFRESH_UDP_NONE:
        return REFRESH_NONE;
    }
    return profile->refresh;
}

bool policy_is_server_port(const struct policy *policy, uint16_t port)
{
    size_t low = 0, high = policy->n_server_ports;

    if (port < 1024)
        return true;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (policy->server_ports[middle] == port)
            return true;
        if (policy->server_ports[middle] < port)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}
