/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/policy_fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void policy_fault(struct policy_faults *faults, struct policy_at at, const char *format, ...)
{
    char *what = NULL, *line = NULL;
    va_list args;

    if (faults->count > POLICY_FAULTS_MAX)
        return;
    if (faults->count++ == POLICY_FAULTS_MAX)
        format = "more faults follow, only the first 100 are shown";
    va_start(args, format);
    if (vasprintf(&what, format, args) < 0)
        what = NULL;
    va_end(args);
    if (!what || asprintf(&line, "%s:%u:%u: %s", faults->name, at.line, at.column, what) < 0) {
        faults->error = -ENOMEM;
        line = NULL;
    }
    if (line && faults->report)
        faults->report(faults->arg, line);
    free(line);
    free(what);
}
