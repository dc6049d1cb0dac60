/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_FUZZ_H
#define IDLEWALL_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* A target defines this, as libFuzzer wants it: it returns 0, or ends the process when something is
 * wrong. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A target may define this: its index-th example, written to data. 0: there is none. */
size_t fuzz_seed(size_t index, uint8_t *data, size_t max) __attribute__((weak));

/* Unlike assert() it stays with NDEBUG. */
#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);         \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
