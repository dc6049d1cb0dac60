/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/capture_source.h"

#include "tools/replay/capture_unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Small enough for the second level cache, where the unpacked bytes have to find room as well. */
#define PIECE (64 * 1024)
#define MAGIC 4

struct capture_source {
    int fd;
    uint64_t bytes, size;
    struct capture_unpack *unpack; /* NULL: the bytes are as they are */
    uint8_t *piece;                /* read, but not handed out or unpacked yet */
    size_t at, end;
    bool ended;
    int failed; /* what the next read says: some bytes came before */
    const char *why;
};

static int read_some(struct capture_source *s, uint8_t *to, size_t room)
{
    ssize_t n;

    do
        n = read(s->fd, to, room);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
        s->why = strerror(errno);
        return -errno;
    }
    s->ended = n == 0;
    s->bytes += (uint64_t)n;
    return (int)n;
}

/* A pipe may give its first bytes one by one. */
static int read_magic(struct capture_source *s)
{
    while (s->end < MAGIC && !s->ended) {
        int n = read_some(s, s->piece + s->end, PIECE - s->end);

        if (n < 0)
            return n;
        s->end += (size_t)n;
    }
    return capture_unpack_create(&s->unpack, s->piece, s->end);
}

int capture_source_open(struct capture_source **out, const char *path, const char **why)
{
    struct capture_source *s = calloc(1, sizeof(*s));
    struct stat st;
    int r = -ENOMEM;

    *why = strerror(ENOMEM);
    if (!s)
        return r;
    s->piece = malloc(PIECE);
    s->fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (s->fd < 0 || fstat(s->fd, &st) < 0) {
        r = -errno;
        *why = strerror(-r);
        goto out;
    }
    if (!s->piece)
        goto out;
    if (S_ISREG(st.st_mode))
        s->size = (uint64_t)st.st_size;
    r = read_magic(s);
    if (r < 0)
        *why = s->why ? s->why : strerror(-r);
out:
    *out = r < 0 ? capture_source_close(s) : s;
    return r;
}

struct capture_source *capture_source_close(struct capture_source *s)
{
    if (!s)
        return NULL;
    if (s->fd >= 0)
        close(s->fd);
    capture_unpack_destroy(s->unpack);
    free(s->piece);
    free(s);
    return NULL;
}

static ssize_t read_plain(struct capture_source *s, uint8_t *to, size_t room)
{
    size_t n = s->end - s->at < room ? s->end - s->at : room;

    if (n == 0)
        return read_some(s, to, room);
    memcpy(to, s->piece + s->at, n);
    s->at += n;
    return (ssize_t)n;
}

/* As much as the bytes read so far give; more is read only while that is nothing. */
static ssize_t read_unpacked(struct capture_source *s, uint8_t *to, size_t room)
{
    size_t made = 0;

    while (made < room) {
        size_t took = s->end - s->at, n = room - made;
        int r;

        if (took == 0 && made > 0)
            break;
        if (took == 0 && !s->ended) {
            r = read_some(s, s->piece, PIECE);
            if (r < 0)
                return r;
            s->at = 0;
            s->end = took = (size_t)r;
        }
        if (took == 0 && capture_unpack_whole(s->unpack))
            break;
        r = capture_unpack_some(s->unpack, s->piece + s->at, &took, to + made, &n, &s->why);
        s->at += took;
        made += n;
        if (r < 0) {
            s->failed = r;
            return made > 0 ? (ssize_t)made : r;
        }
    }
    return (ssize_t)made;
}

ssize_t capture_source_read(struct capture_source *s, uint8_t *to, size_t room, const char **why)
{
    ssize_t n = s->failed;

    if (!s->failed)
        n = s->unpack ? read_unpacked(s, to, room) : read_plain(s, to, room);
    *why = s->why;
    return n;
}

uint64_t capture_source_bytes(const struct capture_source *s)
{
    return s->bytes;
}

uint64_t capture_source_size(const struct capture_source *s)
{
    return s->size;
}
