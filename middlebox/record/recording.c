/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/recording.h"
#include "middlebox/record/recording_format.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER (1 << 20)
#define OPTIONS_ROOM 256

struct recording {
    FILE *to;
    uint16_t queue;
    int error;
};

struct options {
    _Alignas(uint32_t) char data[OPTIONS_ROOM];
    size_t len;
};

static size_t padded(size_t len)
{
    return (len + 3) & ~(size_t)3;
}

static void option(struct options *o, uint16_t code, const void *value, uint16_t len)
{
    uint16_t head[2] = {code, len};

    memset(o->data + o->len, 0, 4 + padded(len));
    memcpy(o->data + o->len, head, sizeof(head));
    if (len)
        memcpy(o->data + o->len + 4, value, len);
    o->len += 4 + padded(len);
}

static void option_text(struct options *o, uint16_t code, const char *text)
{
    option(o, code, text, (uint16_t)strlen(text));
}

/* One block: its own head and body, data padded to four bytes, options. */
static int block(struct recording *rec, uint32_t type, const void *body, size_t body_len,
                 const void *data, size_t len, const struct options *o)
{
    static const char zeros[4];
    uint32_t total = (uint32_t)(12 + body_len + padded(len) + (o ? o->len : 0));
    uint32_t head[2] = {type, total};

    if (rec->error)
        return rec->error;
    if (fwrite(head, sizeof(head), 1, rec->to) != 1 ||
        fwrite(body, 1, body_len, rec->to) != body_len || fwrite(data, 1, len, rec->to) != len ||
        fwrite(zeros, 1, padded(len) - len, rec->to) != padded(len) - len ||
        (o && fwrite(o->data, 1, o->len, rec->to) != o->len) ||
        fwrite(&total, sizeof(total), 1, rec->to) != 1)
        rec->error = errno ? -errno : -EIO;
    return rec->error;
}

static int own_block(struct recording *rec, enum recording_kind kind, mtime_t now, const char *text,
                     size_t len)
{
    struct recording_own body = {.magic = RECORDING_MAGIC,
                                 .kind = kind,
                                 .time_high = (uint32_t)((uint64_t)now >> 32),
                                 .time_low = (uint32_t)now,
                                 .len = (uint32_t)len};

    return block(rec, PCAPNG_OWN, &body, sizeof(body), text, len, NULL);
}

static int section(struct recording *rec, const struct recording_config *config)
{
    const uint32_t body[4] = {PCAPNG_ORDER, 1, UINT32_MAX, UINT32_MAX}; /* 1.0, length unknown */
    struct options o = {.len = 0};
    char comment[128];

    snprintf(comment, sizeof(comment),
             "Times are the firewall's own, which ran %u times as fast as the clock on the wall.",
             config->speed);
    option_text(&o, PCAPNG_OPT_COMMENT, comment);
    option_text(&o, PCAPNG_SHB_USERAPPL, "idlewalld " IDLEWALL_VERSION);
    option(&o, PCAPNG_OPT_END, NULL, 0);
    return block(rec, PCAPNG_SECTION, body, sizeof(body), "", 0, &o);
}

static int interface(struct recording *rec, const struct recording_config *config)
{
    const uint16_t body[4] = {PCAPNG_LINKTYPE_RAW, 0, 0, 0};
    const uint8_t nanoseconds = 9;
    const int64_t offset = config->wall_start_ns / MTIME_SEC;
    struct options o = {.len = 0};
    char name[32];

    snprintf(name, sizeof(name), "nfqueue:%u", config->queue);
    option_text(&o, PCAPNG_IF_NAME, name);
    option(&o, PCAPNG_IF_TSRESOL, &nanoseconds, sizeof(nanoseconds));
    option(&o, PCAPNG_IF_TSOFFSET, &offset, sizeof(offset));
    option(&o, PCAPNG_OPT_END, NULL, 0);
    return block(rec, PCAPNG_INTERFACE, body, sizeof(body), "", 0, &o);
}

static int configuration(struct recording *rec, const struct recording_config *config)
{
    char text[256];
    int len = snprintf(text, sizeof(text),
                       "queue %u speed %u start %" PRId64 " linger %" PRId64 " wall %" PRId64 "\n",
                       config->queue, config->speed, config->start, config->linger,
                       config->wall_start_ns);

    return own_block(rec, RECORDING_CONFIG, config->start, text, (size_t)len);
}

int recording_create(struct recording **out, int fd, const struct recording_config *config)
{
    struct recording *rec = calloc(1, sizeof(*rec));
    int r = -ENOMEM;

    *out = NULL;
    if (rec) {
        rec->to = fdopen(fd, "w");
        r = rec->to ? 0 : -errno;
    }
    if (r < 0) {
        close(fd);
        free(rec);
        return r;
    }
    setvbuf(rec->to, NULL, _IOFBF, BUFFER);
    rec->queue = config->queue;
    r = section(rec, config);
    if (r == 0)
        r = interface(rec, config);
    if (r == 0)
        r = configuration(rec, config);
    if (r < 0)
        rec = recording_destroy(rec);
    *out = rec;
    return r;
}

struct recording *recording_destroy(struct recording *recording)
{
    if (recording) {
        fclose(recording->to);
        free(recording);
    }
    return NULL;
}

int recording_policy(struct recording *recording, mtime_t now, const char *text, size_t len)
{
    return own_block(recording, RECORDING_POLICY, now, text, len);
}

int recording_command(struct recording *recording, mtime_t now, const char *text, size_t len)
{
    return own_block(recording, RECORDING_COMMAND, now, text, len);
}

int recording_gap(struct recording *recording, mtime_t now, const char *why)
{
    return own_block(recording, RECORDING_GAP, now, why, strlen(why));
}

static int packet(struct recording *rec, const struct packet *p, const struct judgement *j)
{
    const uint64_t time = (uint64_t)p->time;
    const uint32_t body[5] = {0, (uint32_t)(time >> 32), (uint32_t)time, p->caplen, p->len};
    const struct recording_option own = {.pen = RECORDING_PEN,
                                         .mark = p->mark,
                                         .checksum_ready = p->checksum_ready,
                                         .reason = j->reason};
    const uint32_t queue = rec->queue;
    uint8_t verdict[9] = {PCAPNG_VERDICT_TC,
                          j->verdict == VERDICT_ACCEPT ? PCAPNG_TC_OK : PCAPNG_TC_SHOT};
    struct options o = {.len = 0};

    option(&o, PCAPNG_EPB_QUEUE, &queue, sizeof(queue));
    option(&o, PCAPNG_EPB_VERDICT, verdict, sizeof(verdict));
    option(&o, PCAPNG_OPT_CUSTOM, &own, sizeof(own));
    option(&o, PCAPNG_OPT_END, NULL, 0);
    return block(rec, PCAPNG_PACKET, body, sizeof(body), p->data ? p->data : (const void *)"",
                 p->caplen, &o);
}

int recording_packets(struct recording *recording, const struct packet *packets,
                      const struct judgement *judgements, size_t n)
{
    for (size_t i = 0; i < n; i++)
        packet(recording, &packets[i], &judgements[i]);
    return recording->error;
}

int recording_flush(struct recording *recording)
{
    if (!recording->error && fflush(recording->to) != 0)
        recording->error = -errno;
    return recording->error;
}
