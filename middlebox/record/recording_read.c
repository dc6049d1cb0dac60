/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/recording.h"
#include "middlebox/record/recording_format.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct recording_reader {
    FILE *from; /* borrowed */
    char *body;
    size_t room;
    bool begun;
};

int recording_reader_create(struct recording_reader **out, FILE *from)
{
    *out = calloc(1, sizeof(**out));
    if (!*out)
        return -ENOMEM;
    (*out)->from = from;
    return 0;
}

struct recording_reader *recording_reader_destroy(struct recording_reader *reader)
{
    if (reader) {
        free(reader->body);
        free(reader);
    }
    return NULL;
}

/* Reads a block's body into reader->body. 1, 0 at the end of the file, or a negative errno. */
static int read_block(struct recording_reader *reader, uint32_t *type, size_t *len)
{
    uint32_t head[2], total;
    size_t n = fread(head, 1, sizeof(head), reader->from);

    if (n == 0)
        return ferror(reader->from) ? -EIO : 0;
    if (n != sizeof(head) || head[1] < 12 || head[1] % 4 || head[1] > RECORDING_BLOCK_MAX)
        return -EINVAL;
    *type = head[0];
    *len = head[1] - 12;
    if (*len + 1 > reader->room) {
        char *body = realloc(reader->body, *len + 1);

        if (!body)
            return -ENOMEM;
        reader->body = body;
        reader->room = *len + 1;
    }
    if (fread(reader->body, 1, *len, reader->from) != *len ||
        fread(&total, 1, sizeof(total), reader->from) != sizeof(total) || total != head[1])
        return ferror(reader->from) ? -EIO : -EINVAL;
    reader->body[*len] = '\0';
    return 1;
}

static mtime_t join(uint32_t high, uint32_t low)
{
    return (mtime_t)(((uint64_t)high << 32 | low) & INT64_MAX);
}

/* 1: an item; 0: a block of somebody else. */
static int read_own(const struct recording_reader *reader, size_t len, struct recording_item *item)
{
    struct recording_own head;
    struct recording_config *c = &item->config;

    if (len < sizeof(head))
        return -EINVAL;
    memcpy(&head, reader->body, sizeof(head));
    if (head.magic != RECORDING_MAGIC)
        return 0;
    if (head.len > len - sizeof(head) || head.kind < RECORDING_CONFIG || head.kind > RECORDING_GAP)
        return -EINVAL;
    item->kind = head.kind;
    item->time = join(head.time_high, head.time_low);
    item->text = reader->body + sizeof(head);
    item->len = head.len;
    if (item->kind == RECORDING_CONFIG &&
        sscanf(item->text,
               "queue %5" SCNu16 " speed %9u start %19" SCNd64 " linger %19" SCNd64
               " wall %19" SCNd64,
               &c->queue, &c->speed, &c->start, &c->linger, &c->wall_start_ns) != 5)
        return -EINVAL;
    return 1;
}

static int read_option(uint16_t code, const char *value, uint16_t len, struct recording_item *item,
                       unsigned *seen)
{
    struct recording_option own;
    uint64_t verdict;

    if (code == PCAPNG_EPB_VERDICT && len == 9 && value[0] == PCAPNG_VERDICT_TC) {
        memcpy(&verdict, value + 1, sizeof(verdict));
        if (verdict != PCAPNG_TC_OK && verdict != PCAPNG_TC_SHOT)
            return -EINVAL;
        item->judgement.verdict = verdict == PCAPNG_TC_OK ? VERDICT_ACCEPT : VERDICT_DROP;
        *seen |= 1;
    } else if (code == PCAPNG_OPT_CUSTOM && len == sizeof(own)) {
        memcpy(&own, value, sizeof(own));
        if (own.pen != RECORDING_PEN)
            return 0;
        if (own.reason >= REASONS)
            return -EINVAL;
        item->packet.mark = own.mark;
        item->packet.checksum_ready = own.checksum_ready != 0;
        item->judgement.reason = own.reason;
        *seen |= 2;
    }
    return 0;
}

static int read_packet(const struct recording_reader *reader, size_t len,
                       struct recording_item *item)
{
    uint32_t head[5];
    size_t at;
    unsigned seen = 0;

    if (len < sizeof(head))
        return -EINVAL;
    memcpy(head, reader->body, sizeof(head));
    at = sizeof(head);
    if (head[3] > len - at || head[4] < head[3])
        return -EINVAL;
    item->kind = RECORDING_PACKET;
    item->time = join(head[1], head[2]);
    item->packet = (struct packet){.time = item->time,
                                   .data = (const uint8_t *)reader->body + at,
                                   .caplen = head[3],
                                   .len = head[4]};
    at += ((size_t)head[3] + 3) & ~(size_t)3;
    while (at + 4 <= len) {
        uint16_t option[2];
        int r;

        memcpy(option, reader->body + at, sizeof(option));
        at += sizeof(option);
        if (option[0] == PCAPNG_OPT_END)
            break;
        if (option[1] > len - at)
            return -EINVAL;
        r = read_option(option[0], reader->body + at, option[1], item, &seen);
        if (r < 0)
            return r;
        at += ((size_t)option[1] + 3) & ~(size_t)3;
    }
    return seen == 3 ? 1 : -EINVAL;
}

int recording_next(struct recording_reader *reader, struct recording_item *item)
{
    uint32_t type;
    size_t len;
    int r;

    *item = (struct recording_item){0};
    for (;;) {
        r = read_block(reader, &type, &len);
        if (r <= 0)
            return r;
        if (!reader->begun) { /* only what this machine's byte order wrote */
            uint32_t order = 0;

            if (type == PCAPNG_SECTION && len >= 16)
                memcpy(&order, reader->body, sizeof(order));
            if (order != PCAPNG_ORDER)
                return -EINVAL;
            reader->begun = true;
            continue;
        }
        if (type == PCAPNG_SECTION)
            return -EINVAL;
        r = 0;
        if (type == (uint32_t)PCAPNG_OWN)
            r = read_own(reader, len, item);
        else if (type == PCAPNG_PACKET)
            r = read_packet(reader, len, item);
        if (r != 0)
            return r;
    }
}
