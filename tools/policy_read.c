/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/policy_read.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads at most one byte more than a policy may have: the parser says that it is too long. */
static int read_file(FILE *file, char **text, size_t *len)
{
    size_t cap = 0;
    size_t n = 0;

    *text = NULL;
    *len = 0;
    do {
        if (*len == cap) {
            char *grown = realloc(*text, cap = cap == 0 ? 65536 : cap * 2);

            if (!grown)
                return -ENOMEM;
            *text = grown;
        }
        n = fread(*text + *len, 1, cap - *len, file);
        *len += n;
    } while (n > 0 && *len <= POLICY_TEXT_MAX);
    return ferror(file) ? -errno : 0;
}

int policy_read(struct policy **out, const char *path, policy_fault_fn report, void *arg)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "re");
    char *text = NULL;
    size_t len;
    int r;

    if (!file)
        return -errno;
    r = read_file(file, &text, &len);
    if (!standard)
        fclose(file);
    if (r == 0)
        r = policy_parse(out, standard ? "standard input" : path, text, len, report, arg);
    free(text);
    return r;
}
