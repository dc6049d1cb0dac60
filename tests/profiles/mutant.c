/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/profiles/mutant.h"

#include "policy/duration.h"
#include "tests/profiles/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct policy *mutant_parse(const char *text, size_t len, const char *name)
{
    struct policy *policy = NULL;
    char *whole = NULL;
    size_t size;
    FILE *to = open_memstream(&whole, &size);

    /* What is late is late at once. */
    fprintf(to, "adopt-at-start none\nmax-flows 16\nlate-memory 1h 10\n%.*s\ndefault use %s\n",
            (int)len, text, name);
    if (fclose(to) != 0 || policy_parse(&policy, name, whole, size, NULL, NULL) < 0)
        policy = NULL;
    free(whole);
    return policy;
}

/* Which setting a figure is, in that profile. */
static unsigned setting_of(enum scene scene, const struct policy_profile *profile)
{
    bool late_close = profile->half_close == HALF_CLOSE_BOTH_FINS;

    switch (scene) {
    case SCENE_SYN_SENT:
        return TIMEOUT_TCP_SYN_SENT;
    case SCENE_SYN_RECV:
        return TIMEOUT_TCP_SYN_RECV;
    case SCENE_ESTABLISHED:
        return TIMEOUT_TCP_ESTABLISHED;
    case SCENE_FIN_WAIT:
        return late_close ? (unsigned)SETTING_HALF_CLOSE : TIMEOUT_TCP_FIN_WAIT;
    case SCENE_CLOSE_WAIT:
        return late_close ? (unsigned)SETTING_HALF_CLOSE : TIMEOUT_TCP_CLOSE_WAIT;
    case SCENE_LAST_ACK:
        return TIMEOUT_TCP_LAST_ACK;
    case SCENE_TIME_WAIT:
        return TIMEOUT_TCP_TIME_WAIT;
    case SCENE_RESET:
        return profile->rst == RST_TIMER ? TIMEOUT_TCP_CLOSE : (unsigned)SETTING_RST;
    case SCENE_NO_DATA:
        return TIMEOUT_TCP_NO_DATA;
    case SCENE_UDP_FIRST:
        return profile->timeout[TIMEOUT_UDP_FIRST] ? TIMEOUT_UDP_FIRST : TIMEOUT_UDP;
    case SCENE_UDP_SINGLE:
        return TIMEOUT_UDP;
    case SCENE_UDP_STREAM:
        return TIMEOUT_UDP_STREAM;
    case SCENE_ICMP_FIRST:
        return TIMEOUT_ICMP;
    case SCENE_ICMP_REPLIED:
        return profile->timeout[TIMEOUT_ICMP_REPLIED] ? TIMEOUT_ICMP_REPLIED : TIMEOUT_ICMP;
    case SCENE_GENERIC_FIRST:
        return profile->timeout[TIMEOUT_GENERIC_FIRST] ? TIMEOUT_GENERIC_FIRST : TIMEOUT_GENERIC;
    case SCENE_GENERIC_SINGLE:
        return TIMEOUT_GENERIC;
    case SCENE_GENERIC_REPLIED:
        return profile->timeout[TIMEOUT_GENERIC_REPLIED] ? TIMEOUT_GENERIC_REPLIED
                                                         : TIMEOUT_GENERIC;
    }
    return POLICY_SETTINGS;
}

static bool ends(const struct expect *expect)
{
    return expect->figure[SCENE_ESTABLISHED] != EXPECT_NONE &&
           expect->figure[SCENE_ESTABLISHED] != MTIME_NEVER;
}

bool mutant_expected(const struct expect *expect, const struct policy_profile *profile,
                     unsigned setting)
{
    bool tcp = ends(expect) && expect->tcp != REFRESH_IS_UNSAID;

    for (unsigned scene = 0; scene < SCENES; scene++)
        if (expect->figure[scene] != EXPECT_NONE &&
            setting_of((enum scene)scene, profile) == setting)
            return true;
    switch (setting) {
    case SETTING_ON_EXPIRY:
        return expect->expiry != EXPIRY_UNSAID && ends(expect);
    case SETTING_ON_LATE:
        return expect->late != LATE_UNSAID;
    case SETTING_REFRESH:
        return tcp && expect->tcp != REFRESH_IS_PAYLOAD;
    case SETTING_REFRESH_BY:
        return tcp && expect->tcp == REFRESH_IS_PAYLOAD;
    case SETTING_REFRESH_IN:
        return expect->tcp == REFRESH_IS_IN_ESTABLISHED;
    case SETTING_REFRESH_UDP:
        return expect->udp == REFRESH_IS_CLIENT ||
               (expect->udp == REFRESH_IS_EACH && expect->tcp != REFRESH_IS_EACH);
    case SETTING_DCD_TO:
        return expect->probes && expect->probes->to_both;
    case SETTING_DCD_BEFORE:
        return expect->probes && expect->probes->before_s > 0;
    case SETTING_DCD_INTERVAL:
    case SETTING_DCD_COUNT:
    case SETTING_DCD_THEN:
        return expect->probes;
    default:
        return false;
    }
}

/* Another value for the same setting. */
static void other_value(const char *value, char *to, size_t size)
{
    static const char *const words[][2] = {
        {"silent", "reset-both"},
        {"reset-both", "reset-client"},
        {"dcd", "silent"},
        {"drop", "reset"},
        {"reset", "reset-client"},
        {"reset-client", "reset"},
        {"reset-server", "drop"},
        {"adopt", "drop"},
        {"each", "both"},
        {"client", "both"},
        {"payload", "any"},
        {"established", "all"},
        {"both-fins", "one-fin"},
        {"ignored", "timer"},
        {"ends", "timer"},
        {"both", "client"},
        {"4", "3"},
        {"5", "4"},
        {"1", "2"},
        {"never", "1d"},
    };
    const char *why;
    mtime_t duration;
    char buf[DURATION_TEXT];

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(words[i][0], value) == 0) {
            snprintf(to, size, "%s", words[i][1]);
            return;
        }
    if (duration_parse(value, &duration, &why) == 0)
        snprintf(to, size, "%s", duration_format(duration + MTIME_SEC, buf, sizeof(buf)));
    else
        snprintf(to, size, "%s", value); /* which will not be found */
}

/* The text with that setting's value changed, to be freed. NULL: it is not in there. */
static char *changed(const struct policy_shipped *text, const char *setting)
{
    char line[80], value[64], other[64], *whole = NULL;
    const char *at, *after;
    size_t size, len;
    FILE *to;

    snprintf(line, sizeof(line), "\n    %s ", setting);
    at = strstr(text->text, line);
    if (!at)
        return NULL;
    at += strlen(line);
    at += strspn(at, " ");
    len = strcspn(at, " \n");
    after = at + len;
    snprintf(value, sizeof(value), "%.*s", (int)len, at);
    other_value(value, other, sizeof(other));
    to = open_memstream(&whole, &size);
    fprintf(to, "%.*s%s%s", (int)(at - text->text), text->text, other, after);
    fclose(to);
    return whole;
}

static bool is_found(const struct expect *expect, const struct policy_shipped *text,
                     const char *setting, char *why, size_t size)
{
    char *mutant = changed(text, setting), said[300];
    struct policy *policy = mutant ? mutant_parse(mutant, strlen(mutant), expect->profile) : NULL;
    bool found = policy && !measure(expect, policy, said, sizeof(said));

    if (!mutant)
        snprintf(why, size, "the profile does not say %s", setting);
    else if (!policy)
        snprintf(why, size, "%s: the changed profile has faults", setting);
    else if (!found)
        snprintf(why, size, "%s was changed, and nothing was found", setting);
    policy_unref(policy);
    free(mutant);
    return found;
}

bool mutants_are_found(const struct expect *expect, const struct policy_shipped *text,
                       const struct policy_profile *profile, char *why, size_t size)
{
    for (unsigned i = 0; i < POLICY_SETTINGS; i++)
        if (mutant_expected(expect, profile, i) &&
            !is_found(expect, text, policy_setting_name(i), why, size))
            return false;
    return true;
}
