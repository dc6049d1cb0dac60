/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said to be a result of `idlewall replay -o json`: what is taken of it can be shown, and
 * is the same when it is written and read again. */
#include "tests/fuzz/fuzz.h"

#include "tools/replay/replay_summary.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

static char *written(void (*write)(FILE *, const struct summary *), const struct summary *summary)
{
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);

    FUZZ_CHECK(to);
    write(to, summary);
    FUZZ_CHECK(fclose(to) == 0 && strlen(text) == len);
    return text;
}

static int read_from(const void *data, size_t size, struct summary *into, unsigned long *line)
{
    FILE *from = fmemopen((void *)(uintptr_t)data, size, "r");
    int r;

    FUZZ_CHECK(from);
    r = summary_read(from, into, line);
    fclose(from);
    return r;
}

static void show(const struct summary *summary)
{
    char *text = written(summary_text, summary), *csv = written(summary_csv, summary);

    FUZZ_CHECK(strstr(text, "Connections"));
    FUZZ_CHECK(strncmp(csv, "server,", 7) == 0);
    free(text);
    free(csv);
}

static void read_again(const struct summary *summary)
{
    char *text = written(summary_json, summary), *more;
    struct summary *again = summary_create();
    unsigned long line;

    FUZZ_CHECK(again);
    FUZZ_CHECK(read_from(text, strlen(text), again, &line) == 0);
    more = written(summary_json, again);
    FUZZ_CHECK(strcmp(text, more) == 0);
    FUZZ_CHECK(summary_merge(again, summary) == 0);
    show(again);
    summary_destroy(again);
    free(text);
    free(more);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct summary *summary = summary_create();
    unsigned long line = 0, lines = 1;
    int r;

    FUZZ_CHECK(summary);
    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    r = size == 0 ? -EINVAL : read_from(data, size, summary, &line);
    FUZZ_CHECK((r == 0 || r == -EINVAL) && line <= lines);
    show(summary);
    if (r == 0)
        read_again(summary);
    summary_destroy(summary);
    return 0;
}

static struct replay_flow broken(unsigned n)
{
    struct replay_flow f = {
        .flow = {.id = n + 1,
                 .family = n % 2 ? 6 : 4,
                 .proto = n % 3 ? IPPROTO_TCP : IPPROTO_UDP,
                 .addr = {{192, 0, 2, (uint8_t)n}, {198, 51, 100, (uint8_t)(n / 2)}},
                 .port = {(uint16_t)(40000 + n), 443},
                 .state = FLOW_ESTABLISHED,
                 .opened = MTIME_SEC,
                 .last = 9000 * MTIME_SEC,
                 .packets = {7, n},
                 .keepalive = {{.seen = n % 5, .answered = n % 5, .interval = n * MTIME_SEC}}},
        .outcome = (enum replay_outcome)(n % REPLAY_OUTCOMES),
        .midstream = n % 7 == 0,
        .first_number = n,
        .last_number = 10 * n,
        .longest_idle = 5000 * MTIME_SEC + n,
        .limit = n % 4 * 350 * MTIME_SEC,
        .end = FLOW_END_IDLE};

    if (f.outcome != REPLAY_BROKEN)
        return f;
    f.late_packets = n;
    f.late = (struct replay_late){.number = n + 2,
                                  .time = 7000 * MTIME_SEC,
                                  .silence = 4000 * MTIME_SEC,
                                  .tcp_flags = 16,
                                  .action = ACTED_DROPPED};
    return f;
}

/* Of 1, 3, 9 and 27 connections, and two results one behind the other. */
size_t fuzz_seed(size_t index, uint8_t *data, size_t max)
{
    static const char *const paths[] = {"monday.pcap"};
    static const unsigned sizes[] = {1, 3, 9, 27, 9};
    struct summary *summary;
    struct replay_totals totals = {.packets = 100, .first = 0, .last = 9000 * MTIME_SEC};
    char *text;
    size_t len;

    if (index >= sizeof(sizes) / sizeof(sizes[0]))
        return 0;
    summary = summary_create();
    FUZZ_CHECK(summary && summary_set_policy(summary, "aws-nat-gateway") == 0);
    summary_set_captures(summary, paths, 1);
    for (unsigned i = 0; i < sizes[index]; i++) {
        struct replay_flow f = broken(i + 2);

        FUZZ_CHECK(summary_add(summary, &f) == 0);
        totals.flows++;
        totals.by_outcome[f.outcome]++;
    }
    summary_totals(summary, &totals);
    text = written(summary_json, summary);
    len = strlen(text);
    if (index == 4 && 2 * len <= max) {
        memcpy(data, text, len);
        memcpy(data + len, text, len);
        len *= 2;
    } else if (len <= max) {
        memcpy(data, text, len);
    } else {
        len = 0;
    }
    free(text);
    summary_destroy(summary);
    return len;
}
