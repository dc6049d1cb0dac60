/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/align/template_parts.h"

#include "policy/duration.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TEMPLATES_MAX 96

static struct template loaded[TEMPLATES_MAX];
static char also_names[TEMPLATES_MAX][32];
static size_t n_loaded;

bool template_next(const char **p, struct piece *word, struct piece *text)
{
    for (size_t n; **p; *p += n + ((*p)[n] == '\n')) {
        const char *line = *p;

        n = strcspn(line, "\n");
        if (n == 0 || *line == '#')
            continue;
        word->at = line;
        word->n = strcspn(line, " \n");
        text->at = line + word->n + (line[word->n] == ' ');
        text->n = (size_t)(line + n - text->at);
        *p += n + (line[n] == '\n');
        return true;
    }
    return false;
}

bool template_is(struct piece piece, const char *word)
{
    return piece.n == strlen(word) && memcmp(piece.at, word, piece.n) == 0;
}

static bool next_word(struct piece *rest, struct piece *word)
{
    while (rest->n > 0 && *rest->at == ' ')
        rest->at++, rest->n--;
    word->at = rest->at;
    word->n = 0;
    while (word->n < rest->n && word->at[word->n] != ' ')
        word->n++;
    rest->at += word->n;
    rest->n -= word->n;
    return word->n > 0;
}

static bool take_duration(struct piece text, mtime_t *out)
{
    char copy[32];
    const char *why;

    if (text.n >= sizeof(copy))
        return false;
    memcpy(copy, text.at, text.n);
    copy[text.n] = '\0';
    return duration_parse(copy, out, &why) == 0;
}

static bool take_rule(struct piece text, enum figure_rule *rule, mtime_t *fixed)
{
    if (template_is(text, "free"))
        *rule = FIGURE_FREE;
    else if (template_is(text, "system"))
        *rule = FIGURE_SYSTEM;
    else if (template_is(text, "third"))
        *rule = FIGURE_THIRD;
    else if (template_is(text, "same"))
        *rule = FIGURE_SAME;
    else {
        *rule = FIGURE_FIXED;
        return take_duration(text, fixed);
    }
    return true;
}

static bool good_match(struct piece text)
{
    struct piece word;

    return next_word(&text, &word) &&
           (template_is(word, "client") || template_is(word, "server") ||
            template_is(word, "any")) &&
           next_word(&text, &word) && (template_is(word, "process") || template_is(word, "port"));
}

/* Words that template_render() and template_of() read again, as they are needed. */
static bool is_later(struct piece word, struct piece text)
{
    static const char *const words[] = {"file", "set", "then", "note", "source"};

    if (template_is(word, "match"))
        return good_match(text);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (template_is(word, words[i]))
            return true;
    return false;
}

static bool take(struct template *t, struct piece word, struct piece text, bool *heartbeat)
{
    size_t index = (size_t)(t - loaded);
    mtime_t count = 0;

    if (template_is(word, "set"))
        *(*heartbeat ? &t->has_heartbeat : &t->has_keepalive) = true;
    if (template_is(word, "title")) {
        t->title = text.at;
        t->title_len = (int)text.n;
    } else if (template_is(word, "system")) {
        t->system = true;
    } else if (template_is(word, "heartbeat")) {
        *heartbeat = true;
    } else if (template_is(word, "prefer")) {
        t->prefers_heartbeat = true;
        return template_is(text, "heartbeat");
    } else if (template_is(word, "unit")) {
        return take_duration(text, &t->unit);
    } else if (template_is(word, "most")) {
        return take_duration(text, &t->most);
    } else if (template_is(word, "interval")) {
        return take_rule(text, &t->interval_rule, &t->interval);
    } else if (template_is(word, "count")) {
        if (!take_rule(text, &t->count_rule, &count))
            return false;
        t->count = (unsigned)(count / MTIME_SEC);
    } else if (template_is(word, "also")) {
        snprintf(also_names[index], sizeof(also_names[index]), "%.*s", (int)text.n, text.at);
        t->also = also_names[index];
    } else {
        return is_later(word, text);
    }
    return true;
}

static void ignore(void *arg, enum template_line kind, const char *text)
{
    (void)arg;
    (void)kind;
    (void)text;
}

static int load(struct template *t, const struct template_shipped *shipped, char *why, size_t size)
{
    static const struct figures some = {MTIME_SEC, MTIME_SEC, 1, MTIME_SEC};
    const char *p = shipped->text;
    struct piece word, text;
    bool heartbeat = false;

    *t = (struct template){
        .name = shipped->name, .unit = MTIME_SEC, .most = MTIME_NEVER, .text = shipped->text};
    while (template_next(&p, &word, &text))
        if (!take(t, word, text, &heartbeat)) {
            snprintf(why, size, "%s: %.*s", t->name, (int)(text.at + text.n - word.at), word.at);
            return -EINVAL;
        }
    for (unsigned part = 0; part < 2; part++) {
        int r = template_render(t, (enum template_part)part, &some, ignore, NULL);

        if (r < 0) {
            snprintf(why, size, "%s: a figure or unit that is none", t->name);
            return r;
        }
    }
    if (!t->title) {
        snprintf(why, size, "%s: no title", t->name);
        return -EINVAL;
    }
    return 0;
}

int templates_load(const struct template **templates, size_t *n, char *why, size_t why_size)
{
    int r = 0;

    for (; r == 0 && n_loaded < template_shipped_count && n_loaded < TEMPLATES_MAX; n_loaded++)
        r = load(&loaded[n_loaded], &template_shipped[n_loaded], why, why_size);
    *templates = loaded;
    *n = n_loaded;
    for (size_t i = 0; r == 0 && i < n_loaded; i++)
        if (loaded[i].also && !template_find(loaded[i].also)) {
            snprintf(why, why_size, "%s: also %s: there is none", loaded[i].name, loaded[i].also);
            r = -EINVAL;
        }
    return r;
}

const struct template *template_find(const char *name)
{
    for (size_t i = 0; i < n_loaded; i++)
        if (strcmp(loaded[i].name, name) == 0)
            return &loaded[i];
    return NULL;
}

/* The kernel cuts a process's name off after 15 characters. */
#define COMM_MAX 15

static bool process_is(struct piece word, const char *process)
{
    size_t n = word.n > COMM_MAX ? COMM_MAX : word.n;

    if (n > 0 && word.at[n - 1] == '*')
        return strncmp(word.at, process, n - 1) == 0;
    return strlen(process) == n && memcmp(word.at, process, n) == 0;
}

/* How well one `match` line fits: 0 not, 1 by the port alone, 2 by the process, 3 by both. */
static unsigned fits(struct piece text, const struct socket_fact *fact)
{
    bool by_process = false, by_port = false, process = false, port = false, ports = false;
    unsigned own = fact->listened ? fact->local_port : fact->peer_port;
    struct piece word;

    next_word(&text, &word);
    if (!template_is(word, "any") && template_is(word, "server") != fact->listened)
        return 0;
    while (next_word(&text, &word)) {
        if (template_is(word, "process") || template_is(word, "port")) {
            ports = template_is(word, "port");
            *(ports ? &by_port : &by_process) = true;
        } else if (ports) {
            port = port || strtoul(word.at, NULL, 10) == own;
        } else {
            process = process || process_is(word, fact->process);
        }
    }
    if ((by_process && !process) || (by_port && !port))
        return 0;
    if (!by_process) /* a port says little of a known but strange process */
        return fact->process[0] == '\0' ? 1 : 0;
    return by_port ? 3 : 2;
}

const struct template *template_of(const struct socket_fact *fact)
{
    const struct template *best = NULL;
    unsigned most = 0;

    for (size_t i = 0; i < n_loaded; i++) {
        const char *p = loaded[i].text;
        struct piece word, text;

        while (template_next(&p, &word, &text)) {
            unsigned fit = template_is(word, "match") ? fits(text, fact) : 0;

            if (fit > most) {
                most = fit;
                best = &loaded[i];
            }
        }
    }
    return best;
}
