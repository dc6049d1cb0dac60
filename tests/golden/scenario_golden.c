/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scenario_golden [--write] FILE.in...: each scenario must give exactly FILE.err, its faults, if it
 * is bad-*, or FILE.ok, the scenario printed again, if it is good-*: which must parse to an equal
 * scenario, and print the same once more. FILE.scenario, a shipped one, has no golden text: only
 * the latter. TAP on standard output.
 */
#include "tools/scenario/scenario_equal.h"
#include "tools/scenario/scenario_parse.h"
#include "tools/scenario/scenario_print.h"

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

static char *print(const struct scenario *scenario, size_t *len)
{
    char *text = NULL;
    FILE *to = open_memstream(&text, len);
    int r = scenario_print(to, scenario);

    fclose(to);
    if (r < 0)
        *text = '\0';
    return text;
}

static bool survives(const struct scenario *scenario, const char *printed, size_t len,
                     const char *directory)
{
    struct scenario *again = NULL;
    char *twice = NULL;
    size_t twice_len = 0;
    bool same =
        scenario_parse(&again, "printed", printed, len, directory, write_fault, stderr) == 0;

    if (same) {
        twice = print(again, &twice_len);
        same = scenario_equal(scenario, again) && strcmp(printed, twice) == 0;
    }
    scenario_destroy(again);
    free(twice);
    return same;
}

/* False if it is not as good as its name says, or does not survive printing. */
static bool give(const char *path, const char *name, const char *text, size_t len, FILE *to)
{
    struct scenario *scenario = NULL;
    char *directory = strndup(path, (size_t)(name - path));
    bool fine = strncmp(name, "bad-", 4) == 0;

    if (scenario_parse(&scenario, name, text, len, directory, write_fault, to) == 0) {
        size_t printed_len = 0;
        char *printed = print(scenario, &printed_len);

        fwrite(printed, 1, printed_len, to);
        fine = !fine && survives(scenario, printed, printed_len, directory);
        free(printed);
    }
    scenario_destroy(scenario);
    free(directory);
    return fine;
}

static bool as_expected(const char *path, const char *name, const char *given, size_t len,
                        bool write)
{
    char *wanted = NULL, *expected;
    size_t expected_len = 0;
    bool same;

    if (!strstr(name, ".in"))
        return true;
    if (asprintf(&wanted, "%.*s%s", (int)strlen(path) - 3, path,
                 strncmp(name, "bad-", 4) == 0 ? ".err" : ".ok") < 0)
        abort();
    if (write) {
        FILE *to = fopen(wanted, "wb");

        fwrite(given, 1, len, to);
        fclose(to);
    }
    expected = read_file(wanted, &expected_len);
    same = expected_len == len && memcmp(expected, given, len) == 0;
    free(expected);
    free(wanted);
    return same;
}

static bool run(const char *path, bool write)
{
    size_t len = 0, given_len = 0;
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    char *text = read_file(path, &len), *given = NULL;
    FILE *memory = open_memstream(&given, &given_len);
    bool good = give(path, name, text, len, memory);

    fclose(memory);
    if (!good)
        printf("# %s: neither bad-, nor equal when printed and parsed again\n", name);
    if (!as_expected(path, name, given, given_len, write)) {
        printf("# %s: gave\n", name);
        for (char *line = strtok(given, "\n"); line; line = strtok(NULL, "\n"))
            printf("#   %s\n", line);
        good = false;
    }
    free(text);
    free(given);
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
