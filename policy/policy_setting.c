/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/policy_setting.h"

#include "policy/duration.h"

#include <string.h>

/* Linux 6.18: nf_conntrack_proto_tcp.c, nf_conntrack_proto_udp.c and friends; tcp_loose is 1. */
static const struct policy_profile defaults = {
    .timeout =
        {
            [TIMEOUT_TCP_SYN_SENT] = 120 * MTIME_SEC,
            [TIMEOUT_TCP_SYN_RECV] = 60 * MTIME_SEC,
            [TIMEOUT_TCP_ESTABLISHED] = 432000 * MTIME_SEC,
            [TIMEOUT_TCP_FIN_WAIT] = 120 * MTIME_SEC,
            [TIMEOUT_TCP_CLOSE_WAIT] = 60 * MTIME_SEC,
            [TIMEOUT_TCP_LAST_ACK] = 30 * MTIME_SEC,
            [TIMEOUT_TCP_TIME_WAIT] = 120 * MTIME_SEC,
            [TIMEOUT_TCP_CLOSE] = 10 * MTIME_SEC,
            [TIMEOUT_TCP_MAX_RETRANS] = 300 * MTIME_SEC,
            [TIMEOUT_TCP_UNACKNOWLEDGED] = 300 * MTIME_SEC,
            [TIMEOUT_UDP] = 30 * MTIME_SEC,
            [TIMEOUT_UDP_STREAM] = 120 * MTIME_SEC,
            [TIMEOUT_ICMP] = 30 * MTIME_SEC,
            [TIMEOUT_ICMPV6] = 30 * MTIME_SEC,
            [TIMEOUT_GENERIC] = 600 * MTIME_SEC,
            [TIMEOUT_ACTIVE] = MTIME_NEVER,
        },
    .on_expiry = ON_EXPIRY_SILENT,
    .on_late = ON_LATE_ADOPT,
    .reset_form = RESET_FORM_RFC9293,
    .on_invalid = ON_INVALID_PASS, /* conntrack only marks it; dropping takes a rule */
    .refresh = REFRESH_BOTH,
    .refresh_by = REFRESH_BY_ANY,
};

void policy_setting_inherit(struct policy_profile *profile, const struct policy_profile *base)
{
    memcpy(profile->timeout, base->timeout, sizeof(profile->timeout));
    profile->on_expiry = base->on_expiry;
    profile->on_late = base->on_late;
    profile->reset_form = base->reset_form;
    profile->on_invalid = base->on_invalid;
    profile->refresh = base->refresh;
    profile->refresh_by = base->refresh_by;
    for (size_t i = 0; i < POLICY_SETTINGS; i++)
        profile->origin[i] = ORIGIN_ASSUMED;
}

void policy_setting_defaults(struct policy_profile *profile)
{
    policy_setting_inherit(profile, &defaults);
}

unsigned policy_setting_find(struct policy_word word)
{
    unsigned i;

    for (i = 0; i < POLICY_SETTINGS; i++) {
        const char *name = policy_setting_name(i);

        if (strlen(name) == word.len && memcmp(name, word.text, word.len) == 0)
            break;
    }
    return i;
}

/* NULL above the last choice this version can carry out. */
static const char *choice_name(unsigned setting, unsigned v)
{
    switch ((enum policy_setting)setting) {
    case SETTING_ON_EXPIRY:
        return v == ON_EXPIRY_DCD ? NULL : policy_on_expiry_name((enum policy_on_expiry)v);
    case SETTING_ON_LATE:
        return policy_on_late_name((enum policy_on_late)v);
    case SETTING_RESET_FORM:
        return policy_reset_form_name((enum policy_reset_form)v);
    case SETTING_ON_INVALID:
        return policy_on_invalid_name((enum policy_on_invalid)v);
    case SETTING_REFRESH:
        return policy_refresh_name((enum policy_refresh)v);
    case SETTING_REFRESH_BY:
        return policy_refresh_by_name((enum policy_refresh_by)v);
    }
    return NULL;
}

static unsigned choice_get(const struct policy_profile *profile, unsigned setting)
{
    switch ((enum policy_setting)setting) {
    case SETTING_ON_EXPIRY:
        return profile->on_expiry;
    case SETTING_ON_LATE:
        return profile->on_late;
    case SETTING_RESET_FORM:
        return profile->reset_form;
    case SETTING_ON_INVALID:
        return profile->on_invalid;
    case SETTING_REFRESH:
        return profile->refresh;
    case SETTING_REFRESH_BY:
        return profile->refresh_by;
    }
    return 0;
}

static void choice_set(struct policy_profile *profile, unsigned setting, unsigned v)
{
    switch ((enum policy_setting)setting) {
    case SETTING_ON_EXPIRY:
        profile->on_expiry = (enum policy_on_expiry)v;
        return;
    case SETTING_ON_LATE:
        profile->on_late = (enum policy_on_late)v;
        return;
    case SETTING_RESET_FORM:
        profile->reset_form = (enum policy_reset_form)v;
        return;
    case SETTING_ON_INVALID:
        profile->on_invalid = (enum policy_on_invalid)v;
        return;
    case SETTING_REFRESH:
        profile->refresh = (enum policy_refresh)v;
        return;
    case SETTING_REFRESH_BY:
        profile->refresh_by = (enum policy_refresh_by)v;
        return;
    }
}

bool policy_setting_duration(struct policy_word word, mtime_t *out, struct policy_faults *faults)
{
    char text[64];
    const char *why = "too long for a duration; allowed: 350s, 2h4min, 500ms, 1d, never";

    if (word.len < sizeof(text)) {
        memcpy(text, word.text, word.len);
        text[word.len] = '\0';
        if (duration_parse(text, out, &why) == 0)
            return true;
    }
    policy_fault(faults, word.at, "\"%.*s\": %s", POLICY_WORD_ARG(word), why);
    return false;
}

static void choice_fault(unsigned setting, struct policy_word word, struct policy_faults *faults)
{
    char allowed[128] = "";
    bool later = setting == SETTING_ON_EXPIRY && word.len == 3 && memcmp(word.text, "dcd", 3) == 0;
    size_t used = 0;

    for (unsigned v = 0; choice_name(setting, v) && used < sizeof(allowed); v++)
        used += (size_t)snprintf(allowed + used, sizeof(allowed) - used, " %s",
                                 choice_name(setting, v));
    policy_fault(faults, word.at, "%s cannot be \"%.*s\"%s; allowed:%s",
                 policy_setting_name(setting), POLICY_WORD_ARG(word),
                 later ? " in this version yet" : "", allowed);
}

void policy_setting_assign(struct policy_profile *profile, unsigned setting,
                           struct policy_word word, struct policy_faults *faults)
{
    if (setting < POLICY_TIMEOUTS) {
        policy_setting_duration(word, &profile->timeout[setting], faults);
        return;
    }
    for (unsigned v = 0; choice_name(setting, v); v++) {
        const char *name = choice_name(setting, v);

        if (strlen(name) == word.len && memcmp(name, word.text, word.len) == 0) {
            choice_set(profile, setting, v);
            return;
        }
    }
    choice_fault(setting, word, faults);
}

const char *policy_setting_text(const struct policy_profile *profile, unsigned setting,
                                char buf[POLICY_SETTING_TEXT])
{
    if (setting < POLICY_TIMEOUTS)
        return duration_format(profile->timeout[setting], buf, POLICY_SETTING_TEXT);
    return choice_name(setting, choice_get(profile, setting));
}

bool policy_setting_equal(const struct policy_profile *a, const struct policy_profile *b,
                          unsigned setting)
{
    if (setting < POLICY_TIMEOUTS)
        return a->timeout[setting] == b->timeout[setting];
    return choice_get(a, setting) == choice_get(b, setting);
}
