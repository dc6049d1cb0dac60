/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy_golden [--write] FILE.in...: each policy must give exactly FILE.ok: its faults, or, when
 * there are none, the policy printed again, which in turn must parse to an equal policy. TAP on
 * standard output.
 */
#include "policy/policy_equal.h"
#include "policy/policy_parse.h"
#include "policy/policy_print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_file(const char *path, size_t *len)
{
    FILE *from = fopen(path, "rb");
    char *text = NULL;
    FILE *to = open_memstream(&text, len);
    int c;

    while (from && to && (c = getc(from)) != EOF)
        putc(c, to);
    if (from)
        fclose(from);
    fclose(to);
    return text;
}

static void write_fault(void *arg, const char *message)
{
    fprintf(arg, "%s\n", message);
}

/* False if it is not as good as its name says, or does not survive printing. */
static bool give(const char *name, const char *text, size_t len, FILE *to)
{
    struct policy *policy = NULL, *again = NULL;
    char *printed = NULL;
    size_t printed_len = 0;
    FILE *memory;
    bool same;

    if (policy_parse(&policy, name, text, len, write_fault, to) < 0)
        return strncmp(name, "bad-", 4) == 0;
    memory = open_memstream(&printed, &printed_len);
    policy_print(policy, memory);
    fclose(memory);
    fwrite(printed, 1, printed_len, to);
    same = policy_parse(&again, "printed", printed, printed_len, write_fault, stderr) == 0 &&
           policy_equal(policy, again) && strncmp(name, "good-", 5) == 0;
    policy_unref(policy);
    policy_unref(again);
    free(printed);
    return same;
}

static bool run(const char *path, bool write)
{
    size_t len = 0, expected_len = 0, given_len = 0;
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    char *text = read_file(path, &len), *expected, *given = NULL, *ok = strdup(path);
    FILE *memory = open_memstream(&given, &given_len);
    bool good = give(name, text, len, memory);

    fclose(memory);
    strcpy(ok + strlen(ok) - 3, ".ok");
    if (write) {
        FILE *to = fopen(ok, "wb");

        fwrite(given, 1, given_len, to);
        fclose(to);
    }
    expected = read_file(ok, &expected_len);
    if (!good)
        printf("# %s: neither bad-, nor good- and equal when printed and parsed again\n", name);
    if (expected_len != given_len || memcmp(expected, given, given_len) != 0) {
        printf("# %s: gave\n", name);
        for (char *line = strtok(given, "\n"); line; line = strtok(NULL, "\n"))
            printf("#   %s\n", line);
        good = false;
    }
    free(text);
    free(expected);
    free(given);
    free(ok);
    return good;
}

int main(int argc, char **argv)
{
    bool write = argc > 1 && strcmp(argv[1], "--write") == 0;
    int first = write ? 2 : 1, failed = 0;

    printf("1..%d\n", argc - first);
    for (int i = first; i < argc; i++) {
        bool good = run(argv[i], write);

        printf("%sok %d - %s\n", good ? "" : "not ", i - first + 1, argv[i]);
        failed += !good;
    }
    return failed > 0 || argc == first;
}
