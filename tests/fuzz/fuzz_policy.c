/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policies from anywhere: every text ends in faults or in a policy that survives being printed. */
#include "tests/fuzz/fuzz.h"

#include "policy/policy_equal.h"
#include "policy/policy_parse.h"
#include "policy/policy_print.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check_fault(void *arg, const char *message)
{
    unsigned *faults = arg;
    unsigned line, column;
    int end = 0;

    ++*faults;
    FUZZ_CHECK(sscanf(message, "fuzz:%u:%u: %n", &line, &column, &end) == 2 && end > 0);
    FUZZ_CHECK(line > 0 && column > 0 && message[end] != '\0' && !strchr(message, '\n'));
}

static void print_again(const struct policy *policy)
{
    struct policy *again = NULL;
    unsigned faults = 0;
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);

    policy_print(policy, to);
    fclose(to);
    FUZZ_CHECK(policy_parse(&again, "fuzz", text, len, check_fault, &faults) == 0);
    FUZZ_CHECK(policy_equal(policy, again));
    policy_unref(again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct policy *policy = NULL;
    unsigned faults = 0;
    int r = policy_parse(&policy, "fuzz", (const char *)data, size, check_fault, &faults);

    FUZZ_CHECK(r == (faults > 0 ? -EINVAL : 0));
    if (r == 0) {
        print_again(policy);
        policy_unref(policy);
    }
    return 0;
}
