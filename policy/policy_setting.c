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
            /* Linux has 5 min for both; other firewalls know no such limits. */
            [TIMEOUT_TCP_MAX_RETRANS] = MTIME_NEVER,
            [TIMEOUT_TCP_UNACKNOWLEDGED] = MTIME_NEVER,
            [TIMEOUT_UDP] = 30 * MTIME_SEC,
            [TIMEOUT_UDP_STREAM] = 120 * MTIME_SEC,
            [TIMEOUT_ICMP] = 30 * MTIME_SEC,
            [TIMEOUT_ICMPV6] = 30 * MTIME_SEC,
            [TIMEOUT_GENERIC] = 600 * MTIME_SEC,
            [TIMEOUT_ACTIVE] = MTIME_NEVER,
            [TIMEOUT_TCP_NO_DATA] = MTIME_NEVER,
        },
    .on_expiry = ON_EXPIRY_SILENT,
    .on_late = ON_LATE_ADOPT,
    .reset_form = RESET_FORM_RFC9293,
    .on_invalid = ON_INVALID_PASS, /* conntrack only marks it; dropping takes a rule */
    .refresh = REFRESH_BOTH,
    .refresh_by = REFRESH_BY_ANY,
    .refresh_in = REFRESH_IN_ALL,
    .half_close = HALF_CLOSE_ONE_FIN,
    .rst = RST_TIMER,
    .max_retrans = 3,
    /* Cisco ASA's, the only ones documented in full. */
    .dcd_to = DCD_TO_BOTH,
    .dcd_interval = 15 * MTIME_SEC,
    .dcd_count = 5,
    .dcd_before = 0,
    .dcd_answers = DCD_ANSWERS_PASS,
    .dcd_then = ON_EXPIRY_SILENT,
};

void policy_setting_inherit(struct policy_profile *profile, const struct policy_profile *base)
{
    struct policy_profile own = *profile;

    *profile = *base;
    profile->name = own.name;
    profile->base = own.base;
    profile->product = own.product;
    memcpy(profile->source, own.source, sizeof(profile->source));
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

/* The v-th word that a setting can be, NULL above the last, and for a setting that is no choice. */
static const char *choice_name(unsigned setting, unsigned v)
{
    switch ((enum policy_setting)setting) {
    case SETTING_ON_EXPIRY:
        return policy_on_expiry_name((enum policy_on_expiry)v);
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
    case SETTING_REFRESH_IN:
        return policy_refresh_in_name((enum policy_refresh_in)v);
    case SETTING_REFRESH_UDP:
        return policy_refresh_udp_name((enum policy_refresh_udp)v);
    case SETTING_KIND:
        return policy_kind_name((enum policy_kind)v);
    case SETTING_HALF_CLOSE:
        return policy_half_close_name((enum policy_half_close)v);
    case SETTING_RST:
        return policy_rst_name((enum policy_rst)v);
    case SETTING_DCD_TO:
        return policy_dcd_to_name((enum policy_dcd_to)v);
    case SETTING_DCD_ANSWERS:
        return policy_dcd_answers_name((enum policy_dcd_answers)v);
    case SETTING_DCD_THEN:
        return v == ON_EXPIRY_DCD ? NULL : policy_on_expiry_name((enum policy_on_expiry)v);
    case SETTING_MAX_RETRANS:
    case SETTING_DCD_INTERVAL:
    case SETTING_DCD_COUNT:
    case SETTING_DCD_BEFORE:
        break;
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
    case SETTING_REFRESH_IN:
        return profile->refresh_in;
    case SETTING_REFRESH_UDP:
        return profile->refresh_udp;
    case SETTING_KIND:
        return profile->kind;
    case SETTING_HALF_CLOSE:
        return profile->half_close;
    case SETTING_RST:
        return profile->rst;
    case SETTING_DCD_TO:
        return profile->dcd_to;
    case SETTING_DCD_ANSWERS:
        return profile->dcd_answers;
    case SETTING_DCD_THEN:
        return profile->dcd_then;
    case SETTING_MAX_RETRANS:
    case SETTING_DCD_INTERVAL:
    case SETTING_DCD_COUNT:
    case SETTING_DCD_BEFORE:
        break;
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
    case SETTING_REFRESH_IN:
        profile->refresh_in = (enum policy_refresh_in)v;
        return;
    case SETTING_REFRESH_UDP:
        profile->refresh_udp = (enum policy_refresh_udp)v;
        return;
    case SETTING_KIND:
        profile->kind = (enum policy_kind)v;
        return;
    case SETTING_HALF_CLOSE:
        profile->half_close = (enum policy_half_close)v;
        return;
    case SETTING_RST:
        profile->rst = (enum policy_rst)v;
        return;
    case SETTING_DCD_TO:
        profile->dcd_to = (enum policy_dcd_to)v;
        return;
    case SETTING_DCD_ANSWERS:
        profile->dcd_answers = (enum policy_dcd_answers)v;
        return;
    case SETTING_DCD_THEN:
        profile->dcd_then = (enum policy_on_expiry)v;
        return;
    case SETTING_MAX_RETRANS:
    case SETTING_DCD_INTERVAL:
    case SETTING_DCD_COUNT:
    case SETTING_DCD_BEFORE:
        break;
    }
}

/* Settings that are durations, and those that are counts; NULL if it is neither. */
static mtime_t *duration_of(struct policy_profile *profile, unsigned setting)
{
    if (setting < POLICY_TIMEOUTS)
        return &profile->timeout[setting];
    if (setting == SETTING_DCD_INTERVAL)
        return &profile->dcd_interval;
    return setting == SETTING_DCD_BEFORE ? &profile->dcd_before : NULL;
}

static unsigned *count_of(struct policy_profile *profile, unsigned setting)
{
    if (setting == SETTING_MAX_RETRANS)
        return &profile->max_retrans;
    return setting == SETTING_DCD_COUNT ? &profile->dcd_count : NULL;
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
    size_t used = 0;

    for (unsigned v = 0; choice_name(setting, v) && used < sizeof(allowed); v++)
        used += (size_t)snprintf(allowed + used, sizeof(allowed) - used, " %s",
                                 choice_name(setting, v));
    policy_fault(faults, word.at, "%s cannot be \"%.*s\"; allowed:%s", policy_setting_name(setting),
                 POLICY_WORD_ARG(word), allowed);
}

static bool word_is(struct policy_word word, const char *text)
{
    return strlen(text) == word.len && memcmp(text, word.text, word.len) == 0;
}

static void assign_count(unsigned setting, unsigned *count, struct policy_word word,
                         struct policy_faults *faults)
{
    unsigned n = 0;
    size_t i;

    for (i = 0; i < word.len && word.text[i] >= '0' && word.text[i] <= '9' && n <= 255; i++)
        n = n * 10 + (unsigned)(word.text[i] - '0');
    if (i == word.len && n >= 1 && n <= 255)
        *count = n;
    else
        policy_fault(faults, word.at, "%s cannot be \"%.*s\"; allowed: 1 to 255",
                     policy_setting_name(setting), POLICY_WORD_ARG(word));
}

/* The word for 0, NULL where 0 is none. */
static const char *zero_word(unsigned setting)
{
    if (setting == SETTING_DCD_BEFORE)
        return "none";
    return setting >= TIMEOUT_UDP_FIRST && setting < POLICY_TIMEOUTS ? "same" : NULL;
}

static void assign_duration(unsigned setting, mtime_t *duration, struct policy_word word,
                            struct policy_faults *faults)
{
    if (zero_word(setting) && word_is(word, zero_word(setting)))
        *duration = 0;
    else if (setting >= POLICY_TIMEOUTS && word_is(word, "never"))
        policy_fault(faults, word.at, "%s cannot be \"never\"; allowed: a duration%s",
                     policy_setting_name(setting),
                     setting == SETTING_DCD_BEFORE ? ", or none" : "");
    else
        policy_setting_duration(word, duration, faults);
}

void policy_setting_assign(struct policy_profile *profile, unsigned setting,
                           struct policy_word word, struct policy_faults *faults)
{
    if (duration_of(profile, setting)) {
        assign_duration(setting, duration_of(profile, setting), word, faults);
        return;
    }
    if (count_of(profile, setting)) {
        assign_count(setting, count_of(profile, setting), word, faults);
        return;
    }
    for (unsigned v = 0; choice_name(setting, v); v++) {
        if (word_is(word, choice_name(setting, v))) {
            choice_set(profile, setting, v);
            return;
        }
    }
    choice_fault(setting, word, faults);
}

/* All settings as one kind of number. */
static int64_t value_of(const struct policy_profile *profile, unsigned setting)
{
    struct policy_profile *p = (struct policy_profile *)(uintptr_t)profile; /* only read */

    if (duration_of(p, setting))
        return *duration_of(p, setting);
    return count_of(p, setting) ? *count_of(p, setting) : choice_get(profile, setting);
}

const char *policy_setting_text(const struct policy_profile *profile, unsigned setting,
                                char buf[POLICY_SETTING_TEXT])
{
    struct policy_profile *p = (struct policy_profile *)(uintptr_t)profile; /* only read */

    if (duration_of(p, setting) && *duration_of(p, setting) == 0 && zero_word(setting))
        return zero_word(setting);
    if (duration_of(p, setting))
        return duration_format(*duration_of(p, setting), buf, POLICY_SETTING_TEXT);
    if (!count_of(p, setting))
        return choice_name(setting, choice_get(profile, setting));
    snprintf(buf, POLICY_SETTING_TEXT, "%u", *count_of(p, setting));
    return buf;
}

bool policy_setting_equal(const struct policy_profile *a, const struct policy_profile *b,
                          unsigned setting)
{
    return value_of(a, setting) == value_of(b, setting);
}
