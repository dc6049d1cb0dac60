/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values of settings, and the lists and ranges that make a grid. */
#include "policy/duration.h"
#include "tools/scenario/scenario_build.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define TEXT 80
#define AXIS_VALUES_MAX 1000

static bool text_of(struct policy_word word, char text[TEXT])
{
    if (word.len >= TEXT)
        return false;
    memcpy(text, word.text, word.len);
    text[word.len] = '\0';
    return true;
}

static bool number_of(const char *text, uint64_t *out)
{
    char *end;

    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return *end == '\0' && errno == 0;
}

/* duration_parse() refuses nothing as a duration; as a point in time 0 is one. */
static bool duration_of(const char *text, uint64_t *out, const char **why)
{
    static const char *const units[] = {"", "d", "h", "min", "s", "ms", "us", "ns"};
    size_t zeros = strspn(text, "0");
    mtime_t duration;

    for (size_t i = 0; zeros > 0 && i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(text + zeros, units[i]) == 0) {
            *out = 0;
            return true;
        }
    if (duration_parse(text, &duration, why) < 0)
        return false;
    *out = (uint64_t)duration;
    return true;
}

/* A bare number, or a duration that is one. */
static bool seconds_of(const char *text, uint64_t *out, const char **why)
{
    if (number_of(text, out))
        return true;
    if (strcmp(text, "never") == 0 || !duration_of(text, out, why) ||
        *out % (uint64_t)MTIME_SEC != 0)
        return false;
    *out /= (uint64_t)MTIME_SEC;
    return true;
}

static bool percent_of(const char *text, uint64_t *out)
{
    char *end;
    double value;

    if (!isdigit((unsigned char)*text) || strspn(text, "0123456789.%") != strlen(text))
        return false;
    value = strtod(text, &end);
    if (strcmp(end, "%") != 0 || !(value >= 0) || value > 100)
        return false;
    *out = (uint64_t)llround(value * 10000);
    return true;
}

static const char *limit_text(enum value_kind kind, uint64_t limit, char *buf, size_t size)
{
    if (kind == VALUE_DURATION && limit > 0 && limit < (uint64_t)MTIME_NEVER)
        return duration_format((mtime_t)limit, buf, size);
    if (kind == VALUE_PERCENT)
        snprintf(buf, size, "%g%%", (double)limit / 10000);
    else
        snprintf(buf, size, "%llu", (unsigned long long)limit);
    return buf;
}

static void out_of_bounds(struct words *words, struct policy_word word, enum value_kind kind,
                          uint64_t least, uint64_t most)
{
    char low[DURATION_TEXT], high[DURATION_TEXT];
    static const char *const kinds[] = {"a duration", "whole seconds", "a whole number",
                                        "a percentage such as 0.5%", "a word"};

    words_fault_at(words, word.at, "\"%.*s\" is not possible here; allowed: %s from %s to %s",
                   POLICY_WORD_ARG(word), kinds[kind], limit_text(kind, least, low, sizeof(low)),
                   limit_text(kind, most, high, sizeof(high)));
}

bool value_parse(struct words *words, struct policy_word word, enum value_kind kind, uint64_t least,
                 uint64_t most, bool never, struct value *out)
{
    const char *why = "";
    char text[TEXT];
    bool ok = text_of(word, text);
    uint64_t n = 0;

    *out = (struct value){.word = word};
    if (kind == VALUE_WORD) {
        if (!ok)
            words_fault_at(words, word.at, "\"%.*s...\" is too long; allowed: words up to %d bytes",
                           POLICY_WORD_ARG(word), TEXT - 1);
        return ok;
    }
    if (ok && never && strcmp(text, "never") == 0) {
        out->number = (uint64_t)MTIME_NEVER;
        return true;
    }
    if (kind == VALUE_DURATION)
        ok = ok && strcmp(text, "never") != 0 && duration_of(text, &n, &why);
    else if (kind == VALUE_SECONDS)
        ok = ok && seconds_of(text, &n, &why);
    else if (kind == VALUE_PERCENT)
        ok = ok && percent_of(text, &n);
    else
        ok = ok && number_of(text, &n);
    if (!ok || n < least || n > most) {
        out_of_bounds(words, word, kind, least, most);
        return false;
    }
    out->number = kind == VALUE_SECONDS ? n * (uint64_t)MTIME_SEC : n;
    return true;
}

static size_t dots(struct policy_word word)
{
    for (size_t i = 0; i + 1 < word.len; i++)
        if (word.text[i] == '.' && word.text[i + 1] == '.')
            return i;
    return word.len;
}

static struct policy_word part(struct policy_word word, size_t from, size_t to)
{
    return (struct policy_word){
        word.text + from, to - from, {word.at.line, word.at.column + (unsigned)from}};
}

bool value_take_range(struct words *words, const char *what, enum value_kind kind, uint64_t least,
                      uint64_t most, uint64_t *from, uint64_t *to)
{
    struct policy_word word;
    struct value low, high;
    size_t at;

    if (!words_take(words, &word, what))
        return false;
    at = dots(word);
    if (!value_parse(words, part(word, 0, at), kind, least, most, false, &low))
        return false;
    high = low;
    if (at < word.len &&
        !value_parse(words, part(word, at + 2, word.len), kind, least, most, false, &high))
        return false;
    if (high.number < low.number) {
        words_fault_last(words, "\"%.*s\" runs backwards; allowed: the smaller value first",
                         POLICY_WORD_ARG(word));
        return false;
    }
    *from = low.number;
    *to = high.number;
    return true;
}

bool value_take_one(struct words *words, const char *what, enum value_kind kind, uint64_t least,
                    uint64_t most, struct value *out)
{
    struct policy_word word;

    return words_take(words, &word, what) &&
           value_parse(words, word, kind, least, most, false, out);
}

void value_replace(struct words *words, const char *label)
{
    struct scenario_build *build = words->build;
    struct scenario *s = build->scenario;

    for (size_t i = 0; i < s->n_axes; i++) {
        struct axis *room;

        if (strcmp(s->axis[i].label, label) != 0)
            continue;
        room = scenario_build_room(build, build->replaced, build->n_replaced, &build->room_replaced,
                                   sizeof(*room));
        if (!room)
            return;
        build->replaced = room;
        room[build->n_replaced++] = s->axis[i];
        s->n_axes--;
        memmove(&s->axis[i], &s->axis[i + 1], (s->n_axes - i) * sizeof(s->axis[0]));
        return;
    }
}

/* A new axis; the words from `first` on are replaced by its values. */
static struct axis *axis_add(struct words *words, const char *label, struct policy_word first)
{
    struct scenario *s = words->build->scenario;
    struct axis *axis;

    for (size_t i = 0; i < s->n_axes; i++)
        if (strcmp(s->axis[i].label, label) == 0) {
            words_fault_last(words, "%s is a list already, in line %u; allowed: once", label,
                             s->axis[i].line);
            return NULL;
        }
    if (s->n_axes == SCENARIO_AXES) {
        words_fault_last(words, "too many lists and ranges; allowed: %d", SCENARIO_AXES);
        return NULL;
    }
    axis = &s->axis[s->n_axes];
    *axis = (struct axis){.label = strdup(label),
                          .offset = (size_t)(first.text - s->text),
                          .line = first.at.line,
                          .column = first.at.column};
    if (!axis->label) {
        words->build->faults.error = -ENOMEM;
        words->faulty = true;
        return NULL;
    }
    s->n_axes++;
    return axis;
}

static bool axis_value(struct words *words, struct axis *axis, size_t *room, const char *text,
                       size_t len)
{
    char **values =
        scenario_build_room(words->build, axis->values, axis->n_values, room, sizeof(*values));

    if (values)
        axis->values = values;
    if (axis->n_values == AXIS_VALUES_MAX) {
        words_fault_last(words, "too many values; allowed: %d", AXIS_VALUES_MAX);
        return false;
    }
    if (!values || !(values[axis->n_values] = strndup(text, len))) {
        words->build->faults.error = -ENOMEM;
        words->faulty = true;
        return false;
    }
    axis->n_values++;
    return true;
}

/* Each is looked at where it stands; of a word only its owner knows what it means. */
static bool list(struct words *words, struct axis *axis, struct policy_word word,
                 enum value_kind kind, uint64_t least, uint64_t most, bool never)
{
    size_t room = 0, start = 0;
    struct value value;

    for (size_t i = 0; i <= word.len; i++) {
        if (i < word.len && word.text[i] != ',')
            continue;
        if (i == start) {
            words_fault_last(words,
                             "\"%.*s\": a value is missing beside a comma; allowed: as 60,300",
                             POLICY_WORD_ARG(word));
            return false;
        }
        if (!value_parse(words, part(word, start, i), kind, least, most, never, &value) ||
            !axis_value(words, axis, &room, word.text + start, i - start))
            return false;
        start = i + 1;
    }
    return true;
}

/* Two significant digits: what a person would have written. */
static uint64_t rounded(double value)
{
    double scale = pow(10, floor(log10(value)) - 1);

    value = scale > 1 ? round(value / scale) * scale : round(value);
    return value < 0x1p64 ? (uint64_t)value : UINT64_MAX;
}

static bool ranged_value(struct words *words, struct axis *axis, size_t *room, enum value_kind kind,
                         uint64_t value)
{
    char text[DURATION_TEXT + 16];

    if (kind == VALUE_DURATION && value > 0)
        duration_format((mtime_t)value, text, sizeof(text));
    else if (kind == VALUE_DURATION)
        strcpy(text, "0s");
    else if (kind == VALUE_PERCENT)
        snprintf(text, sizeof(text), "%g%%", (double)value / 10000);
    else
        snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    if (axis->n_values > 0 && strcmp(axis->values[axis->n_values - 1], text) == 0)
        return true;
    return axis_value(words, axis, room, text, strlen(text));
}

static bool steps(struct words *words, struct axis *axis, enum value_kind kind, uint64_t from,
                  uint64_t to, uint64_t step)
{
    size_t room = 0;

    for (uint64_t value = from;; value += step) {
        if (!ranged_value(words, axis, &room, kind, value < to ? value : to))
            return false;
        if (value >= to || to - value < step)
            return true;
    }
}

static bool spread(struct words *words, struct axis *axis, enum value_kind kind, uint64_t from,
                   uint64_t to, uint64_t n)
{
    uint64_t unit = kind == VALUE_DURATION ? from >= 10 * (uint64_t)MTIME_SEC ? (uint64_t)MTIME_SEC
                                                                              : (uint64_t)MTIME_MSEC
                                           : 1;
    size_t room = 0;

    for (uint64_t i = 0; i < n; i++) {
        double share = n > 1 ? (double)i / (double)(n - 1) : 0;
        uint64_t value =
            i == 0       ? from
            : i + 1 == n ? to
            : from == 0
                ? rounded(share * (double)to / (double)unit) * unit
                : rounded((double)from * pow((double)to / (double)from, share) / (double)unit) *
                      unit;

        value = value < from ? from : value > to ? to : value;
        if (!ranged_value(words, axis, &room, kind, value))
            return false;
    }
    return true;
}

/* What a range of settings whose kind only their owner knows is made of. */
static enum value_kind guess(struct policy_word word)
{
    for (size_t i = 0; i < word.len; i++)
        if (isalpha((unsigned char)word.text[i]))
            return VALUE_DURATION;
    return memchr(word.text, '%', word.len) ? VALUE_PERCENT : VALUE_NUMBER;
}

static bool is_choice(struct words *words, const struct axis *axis, struct policy_word word)
{
    if (axis->n_values > 1)
        return true;
    words_fault_last(words, "the step is longer than \"%.*s\"; allowed: at least two values",
                     POLICY_WORD_ARG(word));
    return false;
}

static bool range(struct words *words, struct axis *axis, struct policy_word word, size_t at,
                  enum value_kind kind, uint64_t least, uint64_t most)
{
    struct value from, to, step;

    if (kind == VALUE_WORD || kind == VALUE_SECONDS) {
        enum value_kind seen = guess(word);

        if (kind == VALUE_WORD) {
            least = 0;
            most = (uint64_t)MTIME_NEVER - 1;
        } else if (seen == VALUE_DURATION) {
            least *= (uint64_t)MTIME_SEC;
            most *= (uint64_t)MTIME_SEC;
        }
        kind = seen;
    }
    if (!value_parse(words, part(word, 0, at), kind, least, most, false, &from) ||
        !value_parse(words, part(word, at + 2, word.len), kind, least, most, false, &to))
        return false;
    if (to.number <= from.number) {
        words_fault_last(words,
                         "\"%.*s\" runs backwards or nowhere; allowed: the smaller value first",
                         POLICY_WORD_ARG(word));
        return false;
    }
    if (words_accept(words, "step"))
        return value_take_one(words, "a step", kind, 1, most, &step) &&
               steps(words, axis, kind, from.number, to.number, step.number) &&
               is_choice(words, axis, word);
    if (words_accept(words, "in"))
        return value_take_one(words, "how many values", VALUE_NUMBER, 2, 1000, &step) &&
               spread(words, axis, kind, from.number, to.number, step.number);
    return spread(words, axis, kind, from.number, to.number, 8);
}

bool value_take(struct words *words, const char *label, enum value_kind kind, uint64_t least,
                uint64_t most, bool never, struct value *out)
{
    struct policy_word word, last;
    struct axis *axis;
    size_t at;
    bool ok;

    if (!words_take(words, &word, label))
        return false;
    if (words->replaces)
        value_replace(words, label);
    at = dots(word);
    if (at == word.len && !memchr(word.text, ',', word.len))
        return value_parse(words, word, kind, least, most, never, out);
    axis = axis_add(words, label, word);
    if (!axis)
        return false;
    ok = at < word.len ? range(words, axis, word, at, kind, least, most)
                       : list(words, axis, word, kind, least, most, never);
    if (!ok) {
        value_replace(words, label);
        return false;
    }
    last = words->all[words->i - 1].word;
    axis->len = (size_t)(last.text + last.len - word.text);
    /* The first point's; every value is tried when all of the text is known. */
    return value_parse(words,
                       (struct policy_word){axis->values[0], strlen(axis->values[0]), word.at},
                       kind, least, most, never, out);
}
