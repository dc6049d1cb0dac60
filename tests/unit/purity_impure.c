/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Everything the engine must not do: the purity test fails if it does not object to each. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

time_t impure_clock(void);
int impure_counter(void);
const char *impure_environment(void);
void impure_print(void);

static int impure_bss;
static int impure_data = 7;
int impure_global;

time_t impure_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

int impure_counter(void)
{
    static _Thread_local int impure_tls;

    return ++impure_bss + ++impure_data + ++impure_global + ++impure_tls;
}

const char *impure_environment(void)
{
    return getenv("HOME");
}

void impure_print(void)
{
    puts("hello");
}
