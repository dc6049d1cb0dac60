/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/scenario/scenario_build.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void *scenario_build_room(struct scenario_build *build, void *array, size_t n, size_t *room,
                          size_t size)
{
    size_t more = *room ? 2 * *room : 16;
    void *moved;

    if (n < *room)
        return array;
    moved = reallocarray(array, more, size);
    if (!moved) {
        build->faults.error = -ENOMEM;
        return NULL;
    }
    *room = more;
    return moved;
}

char *scenario_build_string(struct scenario_build *build, struct policy_word word, bool quoted)
{
    char *text = malloc(word.len + 1);
    size_t used = 0;

    if (!text) {
        build->faults.error = -ENOMEM;
        return NULL;
    }
    for (size_t i = quoted ? 1 : 0; i + (quoted ? 1 : 0) < word.len; i++) {
        if (quoted && word.text[i] == '\\')
            i++;
        text[used++] = word.text[i];
    }
    text[used] = '\0';
    return text;
}

static void fault_at(struct words *words, struct policy_at at, const char *format, va_list args)
{
    char text[512];

    if (words->faulty)
        return;
    words->faulty = true;
    words->fault_line = at.line;
    if (words->broken && words->i >= words->n)
        return;
    vsnprintf(text, sizeof(text), format, args);
    policy_fault(&words->build->faults, at, "%s", text);
}

void words_fault(struct words *words, const char *format, ...)
{
    struct policy_at at = words->i < words->n ? words->all[words->i].word.at : words->end;
    va_list args;

    va_start(args, format);
    fault_at(words, at, format, args);
    va_end(args);
}

void words_fault_at(struct words *words, struct policy_at at, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fault_at(words, at, format, args);
    va_end(args);
}

void words_fault_last(struct words *words, const char *format, ...)
{
    struct policy_at at = words->all[words->i > 0 ? words->i - 1 : 0].word.at;
    va_list args;

    va_start(args, format);
    fault_at(words, at, format, args);
    va_end(args);
}

bool words_more(const struct words *words)
{
    return !words->faulty && words->i < words->n;
}

bool words_resume(struct words *words)
{
    if (!words->faulty)
        return words->i < words->n;
    while (words->i < words->n && words->all[words->i].word.at.line <= words->fault_line)
        words->i++;
    if (words->i == words->n)
        return false;
    words->faulty = false;
    return true;
}

bool words_once(struct words *words, uint64_t *given, unsigned bit, const char *label)
{
    if (*given >> bit & 1) {
        words_fault_last(words, "%s is set twice; allowed: once", label);
        return false;
    }
    *given |= UINT64_C(1) << bit;
    return true;
}

bool words_next_is(const struct words *words, const char *text)
{
    return words_more(words) && !words->all[words->i].quoted &&
           word_equals(words->all[words->i].word, text);
}

bool words_accept(struct words *words, const char *text)
{
    if (!words_next_is(words, text))
        return false;
    words->i++;
    return true;
}

static bool take(struct words *words, struct policy_word *out, const char *what, bool quoted)
{
    if (words->faulty)
        return false;
    if (words->i >= words->n) {
        words_fault(words, "the line ends too early; allowed: %s", what);
        return false;
    }
    if (words->all[words->i].quoted != quoted) {
        words_fault(words, "%.*s does not belong here; allowed: %s",
                    POLICY_WORD_ARG(words->all[words->i].word), what);
        return false;
    }
    *out = words->all[words->i++].word;
    return true;
}

bool words_take(struct words *words, struct policy_word *out, const char *what)
{
    return take(words, out, what, false);
}

bool words_take_string(struct words *words, struct policy_word *out, const char *what)
{
    return take(words, out, what, true);
}

void words_finish(struct words *words)
{
    if (words_more(words))
        words_fault(words, "%.*s does not belong here; allowed: the end of the line",
                    POLICY_WORD_ARG(words->all[words->i].word));
}

int place_find(const struct scenario_build *build, struct policy_word word)
{
    size_t n = build->scenario->n_firewalls;

    if (word_equals(word, "client"))
        return SCENARIO_CLIENT;
    if (word_equals(word, "server"))
        return (int)n + 1;
    for (size_t i = 0; i < n; i++)
        if (word_equals(word, build->scenario->firewall[i].name))
            return (int)i + 1;
    return n == 1 && word_equals(word, "firewall") ? 1 : -1;
}

const char *place_names(const struct scenario_build *build, char *buf, size_t size)
{
    size_t used = (size_t)snprintf(buf, size, "client, server");

    for (size_t i = 0; i < build->scenario->n_firewalls && used < size; i++)
        used +=
            (size_t)snprintf(buf + used, size - used, ", %s", build->scenario->firewall[i].name);
    return buf;
}

int place_take(struct words *words, const char *allowed)
{
    char names[512];
    struct policy_word word;
    int place;

    if (!words_take(words, &word, allowed))
        return -1;
    place = place_find(words->build, word);
    if (place < 0)
        words_fault_last(words, "\"%.*s\" is nobody here; allowed: %s", POLICY_WORD_ARG(word),
                         place_names(words->build, names, sizeof(names)));
    return place;
}
