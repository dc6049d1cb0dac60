/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/policy_build.h"
#include "policy/policy_lex.h"

#include "policy_grammar.h"
#define YYSTYPE POLICY_YYSTYPE
#define YYLTYPE POLICY_YYLTYPE
#include "policy_scan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void policy_build_text(struct policy_build *build, const char *text, size_t len)
{
    /* Behind a byte order mark, as editors on Windows write it. */
    size_t skip = len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    struct policy_lex lex = {
        .text = text + skip, .at = {1, 1}, .faults = &build->faults, .last = &build->last};
    void *scanner = NULL;
    char *buffer;

    if (len > POLICY_TEXT_MAX) {
        policy_fault(&build->faults, lex.at, "the text is too long; allowed: at most %zu bytes",
                     POLICY_TEXT_MAX);
        return;
    }
    /* flex writes into what it scans, and wants two NULs behind it. */
    len -= skip;
    buffer = calloc(1, len + 2);
    if (!buffer) {
        build->faults.error = -ENOMEM;
        return;
    }
    if (len > 0)
        memcpy(buffer, lex.text, len);
    policy_lex_lex_init_extra(&lex, &scanner);
    policy_lex__scan_buffer(buffer, len + 2, scanner);
    if (policy_yyparse(build, scanner) == 2)
        build->faults.error = -ENOMEM;
    policy_lex_lex_destroy(scanner);
    free(buffer);
    build->end = lex.at;
    policy_build_complete(build);
}

int policy_parse(struct policy **out, const char *name, const char *text, size_t len,
                 policy_fault_fn fault, void *arg)
{
    struct policy_build build;
    int r = policy_build_init(&build);

    if (r < 0)
        return r;
    build.faults.name = name;
    build.faults.report = fault;
    build.faults.arg = arg;
    policy_build_text(&build, text, len);
    r = build.faults.error ? build.faults.error : build.faults.count > 0 ? -EINVAL : 0;
    if (r == 0) {
        *out = build.policy;
        build.policy = NULL;
    }
    policy_build_finish(&build);
    return r;
}

const struct policy_shipped *policy_shipped_find(const char *name, size_t len)
{
    for (size_t i = 0; i < policy_shipped_count; i++)
        if (strlen(policy_shipped[i].name) == len && memcmp(policy_shipped[i].name, name, len) == 0)
            return &policy_shipped[i];
    return NULL;
}

int policy_build_shipped(struct policy_profile *profile, struct policy_word name)
{
    const struct policy_shipped *shipped = policy_shipped_find(name.text, name.len);
    struct policy_build build;
    int r;

    if (!shipped)
        return -ENOENT;
    r = policy_build_init(&build);
    if (r < 0)
        return r;
    build.shipped = true;
    build.faults.name = shipped->name;
    policy_build_text(&build, shipped->text, shipped->len);
    if (build.faults.error == 0 && build.faults.count == 0 && build.policy->n_profiles == 1) {
        *profile = build.policy->profiles[0];
        build.policy->n_profiles = 0;
    } else {
        /* The tests parse every shipped text, so only memory can be short. */
        r = -ENOMEM;
    }
    policy_build_finish(&build);
    return r;
}

int policy_from_profile(struct policy **out, const char *profile)
{
    char text[POLICY_NAME_MAX + 32];

    if (!policy_shipped_find(profile, strlen(profile)))
        return -ENOENT;
    snprintf(text, sizeof(text), "default use %s\n", profile);
    return policy_parse(out, profile, text, strlen(text), NULL, NULL);
}
