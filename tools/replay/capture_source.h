/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_CAPTURE_SOURCE_H
#define IDLEWALL_CAPTURE_SOURCE_H

/* The bytes of a file or a pipe, decompressed where they are gzip (RFC 1952) or zstd (RFC 8878). */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct capture_source; /* opaque */

/* 0, or a negative errno and why. "-" is standard input. */
int capture_source_open(struct capture_source **out, const char *path, const char **why);
struct capture_source *capture_source_close(struct capture_source *source); /* takes NULL */

/* As read(): at least one byte, 0 at the end, or a negative errno and why. */
ssize_t capture_source_read(struct capture_source *source, uint8_t *to, size_t room,
                            const char **why);

uint64_t capture_source_bytes(const struct capture_source *source); /* as they lie on disk */
uint64_t capture_source_size(const struct capture_source *source);  /* 0: not known */

#endif
