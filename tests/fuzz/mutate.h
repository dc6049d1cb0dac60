/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_FUZZ_MUTATE_H
#define IDLEWALL_FUZZ_MUTATE_H

/* Random changes of examples; the same seed and examples give the same sequence. */

#include "tests/fuzz/corpus.h"

struct mutator {
    uint64_t state; /* the seed at first */
    const struct corpus *corpus;
};

/* Writes the next input; data holds CORPUS_INPUT_MAX. Returns its size. */
size_t mutate(struct mutator *mutator, uint8_t *data);

#endif
