/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/scenario_read.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct source {
    const char *name; /* what faults call it */
    char *text;
    size_t len;
    unsigned lines; /* without the sets */
    const char *const *sets;
    size_t n_sets;
    policy_fault_fn fault;
    void *arg;
};

/* At most one byte more than a scenario may have: the parser says that it is too long. */
static int copy_stream(FILE *from, FILE *to)
{
    char buffer[65536];
    size_t total = 0, n;

    while (total <= SCENARIO_TEXT_MAX && (n = fread(buffer, 1, sizeof(buffer), from)) > 0) {
        fwrite(buffer, 1, n, to);
        total += n;
    }
    return ferror(from) ? -errno : 0;
}

static bool is_path(const char *what)
{
    return strchr(what, '/') || access(what, F_OK) == 0;
}

/* What was asked for, in memory. */
static int fetch(const char *what, const struct scenario_shipped *shipped, FILE *to)
{
    bool standard = strcmp(what, "-") == 0;
    FILE *from;
    int r;

    if (shipped) {
        fwrite(shipped->text, 1, shipped->len, to);
        return 0;
    }
    from = standard ? stdin : fopen(what, "re");
    if (!from)
        return -errno;
    r = copy_stream(from, to);
    if (!standard)
        fclose(from);
    return r;
}

static int load(struct source *source, const char *what, const struct scenario_shipped *shipped)
{
    FILE *to = open_memstream(&source->text, &source->len);
    int r;

    if (!to)
        return -ENOMEM;
    r = fetch(what, shipped, to);
    if (fflush(to) != 0 && r == 0)
        r = -ENOMEM;
    if (r == 0 && source->n_sets > 0) {
        if (source->len > 0 && source->text[source->len - 1] != '\n')
            fputc('\n', to);
        fflush(to);
        for (size_t i = 0; i < source->len; i++)
            source->lines += source->text[i] == '\n';
        for (size_t i = 0; i < source->n_sets; i++)
            fprintf(to, "set %s\n", source->sets[i]);
    }
    if (fclose(to) != 0 && r == 0)
        r = -ENOMEM;
    return r;
}

/* A fault in a line that was added: it is named as it was given. */
static void report(void *arg, const char *message)
{
    const struct source *source = arg;
    size_t len = strlen(source->name);
    unsigned line, column;
    char *named = NULL;
    int used = 0;

    if (source->n_sets > 0 && strncmp(message, source->name, len) == 0 &&
        sscanf(message + len, ":%u:%u:%n", &line, &column, &used) == 2 && used > 0 &&
        line > source->lines && line - source->lines <= source->n_sets &&
        asprintf(&named, "--set '%s':%s", source->sets[line - source->lines - 1],
                 message + len + used) >= 0)
        message = named;
    source->fault(source->arg, message);
    free(named);
}

/* Of a path, in a buffer of its own; policy files are found beside the scenario. */
static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return strdup(".");
    return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

int scenario_read(struct scenario **out, const char *what, const char *const *sets, size_t n_sets,
                  policy_fault_fn fault, void *arg)
{
    bool standard = strcmp(what, "-") == 0;
    const struct scenario_shipped *shipped =
        standard || is_path(what) ? NULL : scenario_shipped_find(what);
    struct source source = {.name = standard ? "standard input" : what,
                            .sets = sets,
                            .n_sets = n_sets,
                            .fault = fault,
                            .arg = arg};
    char *directory = NULL;
    int r;

    if (!standard && !shipped && !is_path(what))
        return -ENOENT;
    r = load(&source, what, shipped);
    if (r < 0)
        goto out;
    if (!shipped) {
        directory = directory_of(standard ? "" : what);
        if (!directory) {
            r = -ENOMEM;
            goto out;
        }
    }
    r = scenario_parse(out, source.name, source.text, source.len, directory, report, &source);
out:
    free(directory);
    free(source.text);
    return r;
}

#define NAME_MAX_LEN 63 /* of those that are shipped */

/* How many characters are added, removed or changed between the two (Levenshtein). */
static size_t distance(const char *a, const char *b)
{
    size_t row[NAME_MAX_LEN + 1];
    size_t len = strnlen(b, NAME_MAX_LEN);

    for (size_t k = 0; k <= len; k++)
        row[k] = k;
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];

        row[0] = i + 1;
        for (size_t k = 1; k <= len; k++) {
            size_t best = diagonal + (a[i] != b[k - 1]);

            diagonal = row[k];
            if (row[k] + 1 < best)
                best = row[k] + 1;
            if (row[k - 1] + 1 < best)
                best = row[k - 1] + 1;
            row[k] = best;
        }
    }
    return row[len];
}

/* One that holds the name is nearer than any that differs. */
static size_t farness(const char *name, const char *shipped)
{
    if (strstr(shipped, name))
        return 0;
    return distance(name, shipped);
}

size_t scenario_nearest(const char *name, const char **names, size_t n)
{
    size_t len = strlen(name), limit = len / 3 + 1, found = 0;

    if (len > limit + NAME_MAX_LEN) /* that many would have to go: none is near */
        return 0;
    for (size_t d = 0; d <= limit && found < n; d++)
        for (size_t i = 0; i < scenario_shipped_count && found < n; i++)
            if (farness(name, scenario_shipped[i].name) == d)
                names[found++] = scenario_shipped[i].name;
    return found;
}
