/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_FUZZ_CORPUS_H
#define IDLEWALL_FUZZ_CORPUS_H

/* The examples a fuzz run starts from. */

#include <stddef.h>
#include <stdint.h>

#define CORPUS_INPUT_MAX 65536

struct corpus_input {
    uint8_t *data; /* owned */
    size_t size;   /* at most CORPUS_INPUT_MAX */
};

struct corpus {
    struct corpus_input *inputs; /* owned; never none: the empty input is one */
    size_t n;
};

/* The target's own examples, then files and the files of directories, in order of name. 0 or
 * negative errno; a file that is too large is -EFBIG. */
int corpus_load(struct corpus **out, char *const *paths, size_t n_paths);
struct corpus *corpus_destroy(struct corpus *corpus);

/* Each example to a file in a directory that exists. */
int corpus_write(const struct corpus *corpus, const char *directory);

#endif
