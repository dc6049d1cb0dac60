/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/summary_member.h"

#include "tools/replay/replay.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

bool member_line_init(struct member_line *line, const char *text)
{
    *line = (struct member_line){.text = text,
                                 .object = json_loads(text, JSON_REJECT_DUPLICATES, NULL)};
    return json_is_object(line->object);
}

void member_line_finish(struct member_line *line)
{
    json_decref(line->object);
}

const char *member_text(struct member_line *line, const char *name)
{
    json_t *member = json_object_get(line->object, name);

    if (!json_is_string(member) && !json_is_null(member))
        line->broken = true;
    return json_string_value(member);
}

uint64_t member_number(struct member_line *line, const char *name, uint64_t most)
{
    json_t *member = json_object_get(line->object, name);
    json_int_t value = json_integer_value(member);

    if (!json_is_integer(member) || value < 0 || (uint64_t)value > most) {
        line->broken = true;
        return 0;
    }
    return (uint64_t)value;
}

bool member_bool(struct member_line *line, const char *name)
{
    json_t *member = json_object_get(line->object, name);

    line->broken = line->broken || !json_is_boolean(member);
    return json_is_true(member);
}

/* Where the member's value stands. The line is known to be JSON, and no name of ours needs an
 * escape: a quote in a string has a backslash before it, so that this is no string's inside. */
static const char *find(const char *text, const char *name)
{
    char quoted[80];
    size_t len = (size_t)snprintf(quoted, sizeof(quoted), "\"%s\"", name);

    for (const char *p = text; (p = strstr(p, quoted)); p += len) {
        const char *value = p + len + strspn(p + len, " \t");

        if (*value == ':')
            return value + 1 + strspn(value + 1, " \t");
    }
    return NULL;
}

/* `1767225600.123456789`, which a double does not hold; false for other notations. */
static bool read_decimal(const char *p, mtime_t *out)
{
    mtime_t whole = 0, part = 0, scale = MTIME_SEC;

    if (*p < '0' || *p > '9')
        return false;
    for (; *p >= '0' && *p <= '9'; p++) {
        whole = 10 * whole + (*p - '0');
        if (whole >= MTIME_NEVER / MTIME_SEC)
            return false;
    }
    if (*p == '.')
        for (p++; *p >= '0' && *p <= '9' && scale > 1; p++)
            part += (*p - '0') * (scale /= 10);
    *out = whole * MTIME_SEC + part;
    return strspn(p, "0123456789") == 0 && *p != 'e' && *p != 'E';
}

mtime_t member_seconds(struct member_line *line, const char *name)
{
    json_t *member = json_object_get(line->object, name);
    const char *text = find(line->text, name);
    double value = json_number_value(member);
    mtime_t time;

    if (json_is_null(member))
        return MTIME_NEVER;
    if (!json_is_number(member) || value < 0 || value >= (double)(MTIME_NEVER / MTIME_SEC)) {
        line->broken = true;
        return 0;
    }
    /* Another program may have written it anew, with an exponent or sixteen digits. */
    return text && read_decimal(text, &time) ? time : (mtime_t)llround(value * 1e9);
}

mtime_t member_seconds_or_none(struct member_line *line, const char *name)
{
    mtime_t time = member_seconds(line, name);

    return time == MTIME_NEVER ? 0 : time;
}

uint8_t member_address(struct member_line *line, const char *name, uint8_t address[16])
{
    const char *text = member_text(line, name);

    if (text && inet_pton(AF_INET, text, address) == 1)
        return 4;
    if (text && inet_pton(AF_INET6, text, address) == 1)
        return 6;
    line->broken = true;
    return 0;
}

unsigned member_word(struct member_line *line, const char *name, unsigned n,
                     const char *(*word)(unsigned))
{
    const char *text = member_text(line, name);

    for (unsigned i = 0; text && i < n; i++)
        if (strcmp(text, word(i)) == 0)
            return i;
    line->broken = true;
    return 0;
}

const char *state_word(unsigned i)
{
    return flow_state_name((enum flow_state)i);
}

const char *side_word(unsigned i)
{
    return flow_side_name((enum flow_side)i);
}

const char *action_word(unsigned i)
{
    return event_action_name((enum event_action)i);
}

const char *outcome_word(unsigned i)
{
    return replay_outcome_name((enum replay_outcome)i);
}

const char *end_word(unsigned i)
{
    return flow_end_name((enum flow_end)i);
}
