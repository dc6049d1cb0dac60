/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The shipped profiles against firewalls.tsv: profile_check FIREWALLS.TSV. A test a profile, and
 * one for each: every figure and behaviour that the survey gives, changed in the profile, must be
 * found.
 */

#include "tests/profiles/measure.h"
#include "tests/profiles/mutant.h"

#include "policy/policy_parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned tests, failed;

static void report(bool fine, const char *what, const char *name, const char *why)
{
    tests++;
    failed += !fine;
    if (!fine)
        printf("# %s\n", why);
    printf("%sok %u - %s%s\n", fine ? "" : "not ", tests, name, what);
}

static const struct policy_shipped *shipped(const char *name)
{
    for (size_t i = 0; i < policy_shipped_count; i++)
        if (strcmp(policy_shipped[i].name, name) == 0)
            return &policy_shipped[i];
    return NULL;
}

static bool column_is_blank(const struct expect *expect, unsigned setting)
{
    static const struct {
        unsigned setting;
        enum column column;
    } of[] = {
        {TIMEOUT_TCP_SYN_SENT, COLUMN_SYN_SENT},
        {TIMEOUT_TCP_SYN_RECV, COLUMN_SYN_RECV},
        {TIMEOUT_TCP_ESTABLISHED, COLUMN_ESTABLISHED},
        {TIMEOUT_TCP_FIN_WAIT, COLUMN_HALF_CLOSED},
        {TIMEOUT_TCP_TIME_WAIT, COLUMN_TIME_WAIT},
        {TIMEOUT_TCP_CLOSE, COLUMN_CLOSE_RESET},
        {TIMEOUT_UDP, COLUMN_UDP_SINGLE},
        {TIMEOUT_UDP_STREAM, COLUMN_UDP_MULTIPLE},
        {TIMEOUT_ICMP, COLUMN_ICMP},
        {TIMEOUT_GENERIC, COLUMN_GENERIC},
        {SETTING_ON_EXPIRY, COLUMN_ON_EXPIRY},
    };

    for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++)
        if (of[i].setting == setting)
            return strcmp(expect->row->cell[of[i].column], "-") == 0;
    return false;
}

/* A blank is left out, and what nobody verified is marked. */
static bool honest(const struct expect *expect, const struct policy_profile *profile, char *why,
                   size_t size)
{
    const char *unverified = expect->row->cell[COLUMN_UNVERIFIED];
    bool none = strcmp(expect->row->cell[COLUMN_VERIFIED], "yes") != 0 ||
                strncmp(unverified, "all", 3) == 0;

    for (unsigned i = 0; i < POLICY_SETTINGS; i++) {
        if (profile->origin[i] == ORIGIN_SET && none)
            snprintf(why, size, "%s is not marked as unverified", policy_setting_name(i));
        else if (profile->origin[i] != ORIGIN_ASSUMED && column_is_blank(expect, i) &&
                 !mutant_expected(expect, profile, i))
            snprintf(why, size, "%s is said, but the survey has a blank", policy_setting_name(i));
        else
            continue;
        return false;
    }
    if (strstr(unverified, "on_expiry") && profile->origin[SETTING_ON_EXPIRY] == ORIGIN_SET &&
        profile->origin[SETTING_ON_LATE] == ORIGIN_SET)
        snprintf(why, size, "what happens at expiry is not marked as unverified");
    else if ((profile->kind == KIND_PROXY) != expect->proxy)
        snprintf(why, size, "it is of another kind");
    else
        return true;
    return false;
}

static void check_profile(const struct row *row, unsigned variant)
{
    const struct policy_shipped *text;
    struct policy *policy = NULL;
    struct expect expect;
    char why[300] = "";
    bool fine = expect_read(&expect, row, variant, why, sizeof(why));

    text = shipped(expect.profile);
    if (fine && !text)
        snprintf(why, sizeof(why), "no such profile");
    if (fine && text)
        policy = mutant_parse(text->text, text->len, expect.profile);
    fine = policy && measure(&expect, policy, why, sizeof(why)) &&
           honest(&expect, &policy->profiles[0], why, sizeof(why));
    report(fine, "", expect.profile, why);
    fine = policy && mutants_are_found(&expect, text, &policy->profiles[0], why, sizeof(why));
    report(fine, ": every changed figure is found", expect.profile, why);
    policy_unref(policy);
}

static bool known(const struct survey *survey, const char *profile)
{
    for (size_t i = 1; i < survey->n; i++) {
        const char *id = survey->rows[i].cell[COLUMN_ID];
        struct expect expect;
        char why[300];

        for (unsigned v = 0; v < expect_variants(id) && !expect_no_profile(id); v++)
            if (expect_read(&expect, &survey->rows[i], v, why, sizeof(why)) &&
                strcmp(expect.profile, profile) == 0)
                return true;
    }
    return false;
}

static void check_table(const struct survey *survey)
{
    const char *unused = expect_unused();

    for (size_t i = 0; i < policy_shipped_count; i++)
        if (!known(survey, policy_shipped[i].name))
            report(false, "", policy_shipped[i].name, "a profile without a row");
    report(!unused, "", "every entry of the check's tables is of a cell", unused);
}

int main(int argc, char **argv)
{
    struct survey survey;
    const char *why;

    if (argc != 2 || !survey_read(&survey, argv[1], &why)) {
        printf("Bail out! %s: %s\n", argc > 1 ? argv[1] : "profile_check", argc > 1 ? why : "");
        return 1;
    }
    for (size_t i = 1; i < survey.n; i++) {
        const char *id = survey.rows[i].cell[COLUMN_ID];

        if (expect_no_profile(id)) {
            printf("# %s has no profile: %s\n", id, expect_no_profile(id));
            report(!shipped(id), ": no profile", id, "but it has one");
            continue;
        }
        for (unsigned variant = 0; variant < expect_variants(id); variant++)
            check_profile(&survey.rows[i], variant);
    }
    check_table(&survey);
    survey_finish(&survey);
    printf("1..%u\n", tests);
    return failed > 0;
}
