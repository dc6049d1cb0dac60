/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/capture_unpack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

/* What a decoder should have room for at least (RFC 8878 3.1.1.1.2), and all that `zstd -19` asks
 * for. A frame may claim gigabytes. */
#define ZSTD_WINDOW_LOG 23

struct capture_unpack {
    bool gzip;
    bool whole; /* between two of them */
    z_stream z;
    ZSTD_DStream *zstd;
};

static const char cut[] = "the compressed data ends too early";

static int create(struct capture_unpack **out, bool gzip)
{
    struct capture_unpack *u = calloc(1, sizeof(*u));
    bool ok;

    if (!u)
        return -ENOMEM;
    u->gzip = gzip;
    if (gzip) {
        ok = inflateInit2(&u->z, 15 + 16) == Z_OK; /* the largest window; gzip's header only */
    } else {
        u->zstd = ZSTD_createDStream();
        ok = u->zstd &&
             !ZSTD_isError(ZSTD_DCtx_setParameter(u->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG));
    }
    *out = ok ? u : capture_unpack_destroy(u);
    return ok ? 0 : -ENOMEM;
}

int capture_unpack_create(struct capture_unpack **out, const uint8_t *magic, size_t n)
{
    *out = NULL;
    if (n >= 2 && memcmp(magic, "\x1f\x8b", 2) == 0)
        return create(out, true);
    if (n >= 4 && memcmp(magic, "\x28\xb5\x2f\xfd", 4) == 0)
        return create(out, false);
    /* a skippable frame (3.1.2), as pzstd begins with */
    if (n >= 4 && (magic[0] & 0xf0) == 0x50 && memcmp(magic + 1, "\x2a\x4d\x18", 3) == 0)
        return create(out, false);
    return 0;
}

struct capture_unpack *capture_unpack_destroy(struct capture_unpack *u)
{
    if (!u)
        return NULL;
    if (u->gzip)
        inflateEnd(&u->z);
    ZSTD_freeDStream(u->zstd);
    free(u);
    return NULL;
}

static int gzip_some(struct capture_unpack *u, const uint8_t *from, size_t *took, uint8_t *to,
                     size_t *made, const char **why)
{
    int r;

    u->z.next_in = (z_const Bytef *)from;
    u->z.avail_in = (uInt)*took;
    u->z.next_out = to;
    u->z.avail_out = (uInt)*made;
    r = inflate(&u->z, Z_NO_FLUSH);
    *took -= u->z.avail_in;
    *made -= u->z.avail_out;
    u->whole = r == Z_STREAM_END;
    if (r == Z_STREAM_END)
        r = inflateReset(&u->z);
    if (r == Z_OK)
        return 0;
    if (r == Z_MEM_ERROR)
        *why = strerror(ENOMEM);
    else if (r == Z_BUF_ERROR)
        *why = cut;
    else
        *why = "the gzip data is damaged";
    return r == Z_MEM_ERROR ? -ENOMEM : -EBADMSG;
}

static const char *zstd_reason(size_t r)
{
    /* ZSTD_error_frameParameter_windowTooLarge is for those who link statically */
    if (strstr(ZSTD_getErrorName(r), "too much memory"))
        return "the zstd data needs more than 8 MiB of memory; `zstd -dc --memory=2048MB` can "
               "unpack it into a pipe";
    return "the zstd data is damaged";
}

static int zstd_some(struct capture_unpack *u, const uint8_t *from, size_t *took, uint8_t *to,
                     size_t *made, const char **why)
{
    ZSTD_inBuffer in = {from, *took, 0};
    ZSTD_outBuffer out = {to, *made, 0};
    size_t r = ZSTD_decompressStream(u->zstd, &out, &in);

    *took = in.pos;
    *made = out.pos;
    if (ZSTD_isError(r)) {
        *why = zstd_reason(r);
        return -EBADMSG;
    }
    u->whole = r == 0;
    if (in.size == 0 && out.pos == 0 && r != 0) {
        *why = cut;
        return -EBADMSG;
    }
    return 0;
}

int capture_unpack_some(struct capture_unpack *u, const uint8_t *from, size_t *took, uint8_t *to,
                        size_t *made, const char **why)
{
    return u->gzip ? gzip_some(u, from, took, to, made, why)
                   : zstd_some(u, from, took, to, made, why);
}

bool capture_unpack_whole(const struct capture_unpack *u)
{
    return u->whole;
}
