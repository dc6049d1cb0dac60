/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of policy_build.h that reads the statements outside profiles and rules. */
#include "policy/policy_build.h"
#include "policy/policy_setting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FLOWS_MAX (UINT32_C(1) << 28)
#define RATE_MAX UINT32_C(10000000)

enum global {
    GLOBAL_MAX_FLOWS,
    GLOBAL_ON_FULL,
    GLOBAL_FAIL,
    GLOBAL_ADOPT_AT_START,
    GLOBAL_LATE_MEMORY,
    GLOBAL_INJECT_RATE,
    GLOBAL_SERVER_PORTS,
    GLOBAL_ADAPTIVE_START,
    GLOBAL_ADAPTIVE_END,
};
_Static_assert(GLOBAL_ADAPTIVE_END + 1 == POLICY_GLOBALS, "one line number for each");

static const struct {
    const char *name, *takes;
    size_t least, most;
} globals[POLICY_GLOBALS] = {
    [GLOBAL_MAX_FLOWS] = {"max-flows", "a number", 1, 1},
    [GLOBAL_ON_FULL] = {"on-full", "one word: drop-new evict-oldest evict-unassured", 1, 1},
    [GLOBAL_FAIL] = {"fail", "one word: open closed", 1, 1},
    [GLOBAL_ADOPT_AT_START] = {"adopt-at-start", "a duration, or none", 1, 1},
    [GLOBAL_LATE_MEMORY] = {"late-memory", "a duration and a number, as 1h 100000", 2, 2},
    [GLOBAL_INJECT_RATE] = {"inject-rate", "a number, per second", 1, 1},
    [GLOBAL_SERVER_PORTS] = {"server-ports", "ports, 1 to 65535", 1, 65535},
    [GLOBAL_ADAPTIVE_START] = {"adaptive-start", "a number, or none", 1, 1},
    [GLOBAL_ADAPTIVE_END] = {"adaptive-end", "a number, or none", 1, 1},
};

static bool word_is(struct policy_word word, const char *text)
{
    return strlen(text) == word.len && memcmp(text, word.text, word.len) == 0;
}

void policy_build_arg(struct policy_build *build, struct policy_word arg)
{
    struct policy_word *room =
        policy_build_room(build, build->args, build->n_args, &build->room_args, sizeof(*room));

    if (!room)
        return;
    build->args = room;
    room[build->n_args++] = arg;
}

static uint32_t number(struct policy_build *build, struct policy_word word, uint32_t least,
                       uint32_t most)
{
    uint64_t n = 0;
    size_t i;

    for (i = 0; i < word.len && word.text[i] >= '0' && word.text[i] <= '9' && n <= most; i++)
        n = n * 10 + (uint64_t)(word.text[i] - '0');
    if (i == word.len && n >= least && n <= most)
        return (uint32_t)n;
    policy_fault(&build->faults, word.at, "\"%.*s\" is not a number that fits; allowed: %u to %u",
                 POLICY_WORD_ARG(word), least, most);
    return least;
}

static uint32_t number_or_none(struct policy_build *build, struct policy_word word)
{
    return word_is(word, "none") ? 0 : number(build, word, 1, FLOWS_MAX);
}

static int compare_ports(const void *a, const void *b)
{
    return *(const uint16_t *)a - *(const uint16_t *)b;
}

static void server_ports(struct policy_build *build)
{
    struct policy *policy = build->policy;
    uint16_t *ports = calloc(build->n_args, sizeof(*ports));
    unsigned faults;

    if (!ports) {
        build->faults.error = -ENOMEM;
        return;
    }
    faults = build->faults.count;
    for (size_t i = 0; i < build->n_args; i++)
        ports[i] = (uint16_t)number(build, build->args[i], 1, 65535);
    qsort(ports, build->n_args, sizeof(*ports), compare_ports);
    for (size_t i = 1; i < build->n_args; i++)
        if (ports[i] == ports[i - 1] && build->faults.count == faults)
            policy_fault(&build->faults, build->args[0].at,
                         "port %u is given twice; allowed: each port once", ports[i]);
    free(policy->server_ports); /* the defaults */
    policy->server_ports = ports;
    policy->n_server_ports = build->n_args;
}

static void on_full(struct policy_build *build, struct policy_word word)
{
    for (unsigned v = 0; policy_on_full_name((enum policy_on_full)v); v++) {
        if (word_is(word, policy_on_full_name((enum policy_on_full)v))) {
            build->policy->on_full = (enum policy_on_full)v;
            return;
        }
    }
    policy_fault(&build->faults, word.at,
                 "on-full cannot be \"%.*s\"; allowed: drop-new evict-oldest evict-unassured",
                 POLICY_WORD_ARG(word));
}

static void adopt_at_start(struct policy_build *build, struct policy_word word)
{
    mtime_t *adopt = &build->policy->adopt_at_start;

    if (word_is(word, "none"))
        *adopt = 0;
    else if (word_is(word, "never"))
        policy_fault(
            &build->faults, word.at,
            "adopt-at-start cannot be \"never\"; allowed: a duration, or none for no adoption");
    else
        policy_setting_duration(word, adopt, &build->faults);
}

static void assign(struct policy_build *build, enum global global)
{
    struct policy *policy = build->policy;
    struct policy_word *args = build->args;

    switch (global) {
    case GLOBAL_MAX_FLOWS:
        policy->max_flows = number(build, args[0], 1, FLOWS_MAX);
        return;
    case GLOBAL_ON_FULL:
        on_full(build, args[0]);
        return;
    case GLOBAL_FAIL:
        policy->fail_closed = word_is(args[0], "closed");
        if (!policy->fail_closed && !word_is(args[0], "open"))
            policy_fault(&build->faults, args[0].at,
                         "fail cannot be \"%.*s\"; allowed: open closed", POLICY_WORD_ARG(args[0]));
        return;
    case GLOBAL_ADOPT_AT_START:
        adopt_at_start(build, args[0]);
        return;
    case GLOBAL_LATE_MEMORY:
        policy_setting_duration(args[0], &policy->late_memory, &build->faults);
        policy->late_memory_count = number(build, args[1], 0, FLOWS_MAX);
        return;
    case GLOBAL_INJECT_RATE:
        policy->inject_rate = number(build, args[0], 1, RATE_MAX);
        return;
    case GLOBAL_SERVER_PORTS:
        server_ports(build);
        return;
    case GLOBAL_ADAPTIVE_START:
        policy->adaptive_start = number_or_none(build, args[0]);
        return;
    case GLOBAL_ADAPTIVE_END:
        policy->adaptive_end = number_or_none(build, args[0]);
        return;
    }
}

static size_t global_find(struct policy_build *build, struct policy_word word)
{
    char allowed[384] = "";
    size_t used = 0, i;

    for (i = 0; i < POLICY_GLOBALS; i++) {
        if (word_is(word, globals[i].name))
            return i;
        used += (size_t)snprintf(allowed + used, sizeof(allowed) - used, "%s ", globals[i].name);
    }
    if (policy_setting_find(word) < POLICY_SETTINGS || word_is(word, "product"))
        policy_fault(&build->faults, word.at,
                     "%.*s stands outside a profile; allowed: inside profile NAME { ... }",
                     POLICY_WORD_ARG(word));
    else
        policy_fault(&build->faults, word.at,
                     "unknown statement \"%.*s\"; allowed: %sprofile rule default",
                     POLICY_WORD_ARG(word), allowed);
    return i;
}

void policy_build_global(struct policy_build *build, struct policy_word word)
{
    size_t global = global_find(build, word);

    if (global == POLICY_GLOBALS)
        return;
    if (build->shipped) {
        policy_fault(&build->faults, word.at, "a shipped profile holds nothing else");
        return;
    }
    if (build->global_line[global] > 0) {
        policy_fault(&build->faults, word.at, "%s is set again, first in line %u; allowed: once",
                     globals[global].name, build->global_line[global]);
        return;
    }
    build->global_line[global] = word.at.line;
    if (build->n_args < globals[global].least || build->n_args > globals[global].most) {
        policy_fault(&build->faults, word.at, "%s with %zu words after it; allowed: %s",
                     globals[global].name, build->n_args, globals[global].takes);
        return;
    }
    assign(build, (enum global)global);
}

/* What people keep connections open to, above 1023: MQTT 1883 and 8883, databases (1433 1521 3306
 * 5432 6379 9042 27017), messaging (4222 5672 61616 9092), caches and search (9200 11211), desktops
 * (3389 5900), NFS, the usual HTTP. */
int policy_build_default_ports(struct policy *policy)
{
    static const uint16_t ports[] = {1433, 1521, 1883, 2049, 3306, 3389, 4222, 5432,  5672,  5900,
                                     6379, 8080, 8443, 8883, 9042, 9092, 9200, 11211, 27017, 61616};

    policy->server_ports = malloc(sizeof(ports));
    if (!policy->server_ports)
        return -ENOMEM;
    memcpy(policy->server_ports, ports, sizeof(ports));
    policy->n_server_ports = sizeof(ports) / sizeof(ports[0]);
    return 0;
}

/* pf.conf(5): both or none, and room between them to shrink in. */
void policy_build_check_globals(struct policy_build *build)
{
    const struct policy *policy = build->policy;
    unsigned line = build->global_line[GLOBAL_ADAPTIVE_START];
    struct policy_at at = {.line = line ? line : build->global_line[GLOBAL_ADAPTIVE_END],
                           .column = 1};

    if (policy->adaptive_start || policy->adaptive_end)
        if (policy->adaptive_start == 0 || policy->adaptive_end <= policy->adaptive_start)
            policy_fault(&build->faults, at,
                         "adaptive-start %u with adaptive-end %u; allowed: both, the end above the "
                         "start, or neither",
                         policy->adaptive_start, policy->adaptive_end);
}
