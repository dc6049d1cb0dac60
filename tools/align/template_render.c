/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/align/template_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Static figures only: nothing of the caller's text is a format. */
static mtime_t figure(struct piece name, const struct figures *f)
{
    if (template_is(name, "idle"))
        return f->idle;
    if (template_is(name, "interval"))
        return f->interval;
    if (template_is(name, "abort"))
        return f->interval * f->count;
    if (template_is(name, "dead"))
        return f->idle + f->interval * f->count;
    if (template_is(name, "heartbeat"))
        return f->heartbeat;
    return template_is(name, "double") ? 2 * f->heartbeat : -1;
}

static bool put_figure(FILE *to, struct piece inside, const struct figures *f)
{
    const char *colon = memchr(inside.at, ':', inside.n);
    struct piece name = {inside.at, colon ? (size_t)(colon - inside.at) : inside.n};
    struct piece unit = {colon ? colon + 1 : NULL, colon ? inside.n - name.n - 1 : 0};
    mtime_t t = figure(name, f);

    if (template_is(inside, "count")) {
        fprintf(to, "%u", f->count);
        return true;
    }
    if (!colon || t < 0)
        return false;
    if (template_is(unit, "s"))
        fprintf(to, "%lld", (long long)(t / MTIME_SEC));
    else if (template_is(unit, "ms"))
        fprintf(to, "%lld", (long long)(t / MTIME_MSEC));
    else if (template_is(unit, "half"))
        fprintf(to, "%lld", (long long)(t / (MTIME_SEC / 2)));
    else if (template_is(unit, "min"))
        fprintf(to, "%lld", (long long)(t / (60 * MTIME_SEC)));
    else if (template_is(unit, "span") && t % (60 * MTIME_SEC) == 0)
        fprintf(to, "%lldm", (long long)(t / (60 * MTIME_SEC)));
    else if (template_is(unit, "span"))
        fprintf(to, "%llds", (long long)(t / MTIME_SEC));
    else
        return false;
    return true;
}

/* `{` that no letter follows is text: JSON and YAML are full of them. */
static bool put_line(FILE *to, struct piece text, const struct figures *f)
{
    for (size_t i = 0; i < text.n; i++) {
        const char *end = memchr(text.at + i, '}', text.n - i);

        if (text.at[i] != '{' || !end || i + 1 >= text.n || text.at[i + 1] < 'a' ||
            text.at[i + 1] > 'z') {
            fputc(text.at[i], to);
            continue;
        }
        if (!put_figure(to, (struct piece){text.at + i + 1, (size_t)(end - text.at) - i - 1}, f))
            return false;
        i = (size_t)(end - text.at);
    }
    return true;
}

static int kind_of(struct piece word)
{
    static const char *const words[] = {[LINE_FILE] = "file",
                                        [LINE_SET] = "set",
                                        [LINE_THEN] = "then",
                                        [LINE_NOTE] = "note",
                                        [LINE_SOURCE] = "source"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (template_is(word, words[i]))
            return (int)i;
    return -1;
}

int template_render(const struct template *t, enum template_part part,
                    const struct figures *figures,
                    void (*line)(void *arg, enum template_line kind, const char *text), void *arg)
{
    enum template_part at = PART_KEEPALIVE;
    const char *p = t->text;
    struct piece word, text;
    int r = 0;

    while (r == 0 && template_next(&p, &word, &text)) {
        int kind = kind_of(word);
        char *shown = NULL;
        size_t size;
        FILE *to;

        if (template_is(word, "heartbeat"))
            at = PART_HEARTBEAT;
        if (kind < 0 || (at != part && kind != LINE_SOURCE))
            continue;
        to = open_memstream(&shown, &size);
        if (!to)
            return -ENOMEM;
        if (!put_line(to, text, figures))
            r = -EINVAL;
        if (fclose(to) != 0)
            r = -ENOMEM;
        if (r == 0)
            line(arg, (enum template_line)kind, shown);
        free(shown);
    }
    return r;
}
