/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A target with a fault, for the test of the driver: it must be found, kept and found again. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FUZZ_CHECK(size < 4 || memcmp(data, "bad", 3) != 0);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *data, size_t max)
{
    if (index > 0 || max < 4)
        return 0;
    memcpy(data, "bat!", 4);
    return 4;
}
