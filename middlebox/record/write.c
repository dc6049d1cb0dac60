/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/write.h"

#include "middlebox/record/line.h"
#include "middlebox/record/put.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Makes room and returns where to write; NULL without memory. */
static char *reserve(struct record_buf *buf, size_t room)
{
    size_t cap = buf->cap;
    char *data;

    if (cap - buf->len >= room)
        return buf->data + buf->len;
    if (room > SIZE_MAX / 4 || buf->len > SIZE_MAX / 4)
        return NULL;
    cap = cap < 4096 ? 4096 : cap;
    while (cap - buf->len < room)
        cap *= 2;
    data = realloc(buf->data, cap);
    if (!data)
        return NULL;
    buf->data = data;
    buf->cap = cap;
    return data + buf->len;
}

static void finish(struct record_buf *buf, const char *end)
{
    buf->len = (size_t)(end - buf->data);
}

static size_t string_room(const char *text)
{
    return PUT_STRING(text ? strlen(text) : 0);
}

static size_t line_room(const struct line *line)
{
    return PUT_LINE + string_room(line->rule) + string_room(line->profile);
}

int record_flow_header(struct record_buf *buf, enum record_format format)
{
    char *p = reserve(buf, PUT_LINE);

    if (!p)
        return -ENOMEM;
    if (format == RECORD_TEXT)
        finish(buf, text_header(p));
    else if (format == RECORD_CSV)
        finish(buf, csv_header(p));
    return 0;
}

int record_flow(struct record_buf *buf, enum record_format format, const struct record_clock *clock,
                const struct flow *flow)
{
    struct line line;
    char *p;

    line_init(&line, clock->now, flow);
    p = reserve(buf, line_room(&line));
    if (!p)
        return -ENOMEM;
    switch (format) {
    case RECORD_TEXT:
        p = text_flow(p, &line);
        break;
    case RECORD_JSON:
        p = json_flow(p, &line);
        break;
    case RECORD_CSV:
        p = csv_flow(p, &line);
        break;
    case RECORD_CONNTRACK:
        p = conntrack_flow(p, &line);
        break;
    }
    finish(buf, p);
    return 0;
}

int record_event(struct record_buf *buf, enum record_format format,
                 const struct record_clock *clock, const struct event *event)
{
    struct event_line line;
    char *p;

    if (format != RECORD_TEXT && format != RECORD_JSON)
        return -EINVAL;
    event_line_init(&line, clock, event);
    p = reserve(buf, line_room(&line.line));
    if (!p)
        return -ENOMEM;
    finish(buf, format == RECORD_JSON ? json_event(p, &line) : text_event(p, &line));
    return 0;
}

int record_lost(struct record_buf *buf, enum record_format format, uint64_t count)
{
    char *p;

    if (format != RECORD_TEXT && format != RECORD_JSON)
        return -EINVAL;
    p = reserve(buf, PUT_LINE);
    if (!p)
        return -ENOMEM;
    if (format == RECORD_JSON) {
        p = put_u64(put_text(p, "{\"type\":\"lost\",\"v\":1,\"count\":"), count);
        p = put_text(p, "}\n");
    } else {
        p = put_text(p, "# this reader was too slow and missed ");
        p = put_text(put_u64(p, count), count == 1 ? " event\n" : " events\n");
    }
    finish(buf, p);
    return 0;
}

int record_status(struct record_buf *buf, enum record_format format,
                  const struct record_clock *clock, const struct record_status *status)
{
    char *p;

    if (format != RECORD_TEXT && format != RECORD_JSON)
        return -EINVAL;
    p = reserve(buf, STATUS_ROOM + string_room(status->version) + string_room(status->profile) +
                         string_room(status->policy) + string_room(status->hook) +
                         string_room(status->metrics));
    if (!p)
        return -ENOMEM;
    finish(buf,
           format == RECORD_JSON ? status_json(p, clock, status) : status_text(p, clock, status));
    return 0;
}
