/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/live/options.h"
#include "middlebox/live/parent.h"

#include <stdio.h>

int main(int argc, char *argv[])
{
    struct options options;
    char why[256];

    switch (options_parse(&options, argc, argv, why, sizeof(why))) {
    case OPTIONS_HELP:
        fputs(options_help, stdout);
        return 0;
    case OPTIONS_VERSION:
        puts("idlewalld " IDLEWALL_VERSION);
        return 0;
    case OPTIONS_WRONG:
        fprintf(stderr, "idlewalld: %s\n", why);
        return 2;
    case OPTIONS_RUN:
        break;
    }
    return parent_run(&options);
}
