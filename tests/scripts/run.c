/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * run FILE...: every case of every script, as TAP. A case is done several times: at another origin
 * of time, and with nothing remembered of flows that are gone; neither may change a verdict.
 */
#include "tests/scripts/script.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 8

struct line {
    char *text;
    const char *file;
    unsigned number;
};

struct lines {
    struct line *at;
    unsigned n, room;
};

struct block { /* `define NAME ... end`, or a case */
    char name[128];
    struct lines lines;
    char limit[64];    /* of a case: `limit DURATION` makes three of it; empty: one */
    char each[16][64]; /* `each WORD...` makes one for every word, named $1 in it */
    unsigned n_each;
};

struct program {
    struct lines paths; /* of the files; their lines name them */
    struct lines head;  /* before the first case */
    struct block *defines, *cases;
    unsigned n_defines, n_cases;
    char policy[SCRIPT_TEXT];
};

static void die(const char *file, unsigned line, const char *why)
{
    fprintf(stderr, "%s:%u: %s\n", file, line, why);
    exit(2);
}

static void add_line(struct lines *to, struct line line)
{
    if (to->n == to->room) {
        to->room = to->room ? 2 * to->room : 16;
        to->at = realloc(to->at, to->room * sizeof(*to->at));
        if (!to->at)
            die(line.file, line.number, strerror(ENOMEM));
    }
    to->at[to->n++] = line;
}

static struct block *add_block(struct block **blocks, unsigned *n, const struct line *line)
{
    struct block *grown = realloc(*blocks, (*n + 1) * sizeof(*grown));

    if (!grown)
        die(line->file, line->number, strerror(ENOMEM));
    *blocks = grown;
    memset(&grown[*n], 0, sizeof(*grown));
    return &grown[(*n)++];
}

static bool is(const char *text, const char *word)
{
    size_t n = strlen(word);

    return strncmp(text, word, n) == 0 && (!text[n] || strchr(" \t\n", text[n]));
}

/* case "name" [limit DURATION | each WORD...] */
static struct block *read_case(struct program *p, const struct line *line)
{
    struct block *b = add_block(&p->cases, &p->n_cases, line);
    int used = 0;
    char *rest;

    if (sscanf(line->text, " case \"%127[^\"]\"%n", b->name, &used) != 1 || used == 0)
        die(line->file, line->number, "case \"NAME\" [limit DURATION | each WORD...]");
    rest = line->text + used;
    if (sscanf(rest, " limit %63s", b->limit) == 1)
        return b;
    if (sscanf(rest, " each%n", &used) == 0 && is(rest + strspn(rest, " "), "each")) {
        for (char *word = strtok(strstr(rest, "each") + 4, " \t\n"); word && b->n_each < 16;
             word = strtok(NULL, " \t\n"))
            snprintf(b->each[b->n_each++], sizeof(b->each[0]), "%s", word);
    }
    return b;
}

static void read_file(struct program *p, const char *path, struct lines *to);

static void read_policy(struct program *p, FILE *f, const char *path, unsigned *number)
{
    char buf[1024];
    size_t used = 0;

    while (fgets(buf, sizeof(buf), f)) {
        (*number)++;
        if (buf[0] == '}')
            return;
        if (used + strlen(buf) >= sizeof(p->policy))
            break;
        used += (size_t)sprintf(p->policy + used, "%s", buf);
    }
    die(path, *number, "the policy does not end");
}

static void include(struct program *p, const struct line *line, struct lines *to)
{
    char path[512], name[128];
    const char *slash = strrchr(line->file, '/');

    if (sscanf(line->text, " include %127s", name) != 1)
        die(line->file, line->number, "include FILE");
    snprintf(path, sizeof(path), "%.*s%s", slash ? (int)(slash - line->file) + 1 : 0, line->file,
             name);
    read_file(p, path, to);
}

static void read_file(struct program *p, const char *path, struct lines *to)
{
    FILE *f = fopen(path, "re");
    char *kept = strdup(path);
    struct lines *outer = to;
    char buf[1024];
    unsigned number = 0;

    if (!f || !kept)
        die(path, 0, strerror(errno));
    add_line(&p->paths, (struct line){kept, path, 0});
    while (fgets(buf, sizeof(buf), f)) {
        struct line line = {strdup(buf + strspn(buf, " \t")), kept, ++number};

        if (!line.text)
            die(path, number, strerror(ENOMEM));
        if (is(line.text, "include")) {
            include(p, &line, to);
        } else if (is(line.text, "policy")) {
            read_policy(p, f, path, &number);
        } else if (is(line.text, "case")) {
            to = &read_case(p, &line)->lines;
        } else if (is(line.text, "define")) {
            struct block *b = add_block(&p->defines, &p->n_defines, &line);

            if (sscanf(line.text, "define %127s", b->name) != 1)
                die(path, number, "define NAME");
            to = &b->lines;
        } else if (is(line.text, "end")) {
            to = outer;
        } else if (line.text[0] && line.text[0] != '\n' && line.text[0] != '#') {
            add_line(to, line);
            continue;
        }
        free(line.text);
    }
    fclose(f);
}

/* One run of one case. */
struct variant {
    const struct program *program;
    const char *dollar; /* what $1 stands for; NULL: nothing */
    bool before;        /* the one that comes just before the limit */
    mtime_t origin;
    bool forget_all;
};

static void substitute(char *to, size_t size, const char *text, const char *dollar)
{
    size_t used = 0;

    to[0] = '\0';
    while (*text && used + 1 < size) {
        if (dollar && text[0] == '$' && text[1] == '1') {
            used += (size_t)snprintf(to + used, size - used, "%s", dollar);
            text += 2;
        } else {
            to[used++] = *text++;
            to[used] = '\0';
        }
    }
}

static bool run_lines(struct script *s, const struct variant *v, const struct lines *lines,
                      unsigned depth);

static bool use(struct script *s, const struct variant *v, const char *text, unsigned depth)
{
    char name[128];

    if (sscanf(text, "use %127s", name) != 1 || depth == DEPTH_MAX)
        return script_fault(s, "use NAME");
    for (unsigned i = 0; i < v->program->n_defines; i++)
        if (strcmp(v->program->defines[i].name, name) == 0)
            return run_lines(s, v, &v->program->defines[i].lines, depth + 1);
    return script_fault(s, "\"%s\" is not defined", name);
}

static bool run_lines(struct script *s, const struct variant *v, const struct lines *lines,
                      unsigned depth)
{
    for (unsigned i = 0; i < lines->n; i++) {
        char text[1024];
        char *at = text;

        substitute(text, sizeof(text), lines->at[i].text, v->dollar);
        s->file = lines->at[i].file;
        s->line = lines->at[i].number;
        if (strncmp(at, "before:", 7) == 0 || strncmp(at, "after:", 6) == 0) {
            if ((at[0] == 'b') != v->before)
                continue;
            at = strchr(at, ':') + 1;
            at += strspn(at, " \t");
        }
        if (is(at, "use") ? !use(s, v, at, depth) : !script_line(s, at))
            return false;
    }
    return true;
}

static bool run_once(const struct block *b, const struct variant *v, char *fault, size_t size)
{
    struct script *s = calloc(1, sizeof(*s));
    char first[] = "flow a tcp 192.0.2.2 40000 198.51.100.2 5432";
    bool fine;

    if (!s)
        die("run", 0, strerror(ENOMEM));
    s->origin = v->origin;
    s->forget_all = v->forget_all;
    s->linger = 10 * MTIME_SEC;
    strcpy(s->text, v->program->policy);
    fine = script_line(s, first) && run_lines(s, v, &v->program->head, 0) &&
           run_lines(s, v, &b->lines, 0) && script_settled(s);
    snprintf(fault, size, "%s", s->fault);
    script_finish(s);
    free(s);
    return fine;
}

static bool run_variant(const struct program *p, const struct block *b, const char *dollar,
                        bool before, const char *script, unsigned *n)
{
    static const mtime_t origins[] = {0, INT64_C(987654321123456789)};
    char fault[700] = "";
    bool fine = true;

    for (unsigned i = 0; fine && i < 4; i++) {
        struct variant v = {p, dollar, before, origins[i & 1], i & 2};

        fine = run_once(b, &v, fault, sizeof(fault));
        if (!fine)
            printf("# %s%s%s\n", fault, i & 1 ? " (started late)" : "",
                   i & 2 ? " (with late-memory 0)" : "");
    }
    printf("%sok %u - %s: %s%s%s\n", fine ? "" : "not ", ++*n, script, b->name, dollar ? ": " : "",
           dollar ? dollar : "");
    return fine;
}

static bool run_case(const struct program *p, const struct block *b, const char *script,
                     unsigned *n)
{
    static const char *const around[] = {"-1ns", "", "+1ns"};
    bool fine = true;

    if (b->limit[0]) {
        for (unsigned i = 0; i < 3; i++) {
            char dollar[80];

            snprintf(dollar, sizeof(dollar), "%s%s", b->limit, around[i]);
            fine &= run_variant(p, b, dollar, i == 0, script, n);
        }
        return fine;
    }
    for (unsigned i = 0; i < b->n_each; i++)
        fine &= run_variant(p, b, b->each[i], false, script, n);
    return b->n_each ? fine : run_variant(p, b, NULL, false, script, n);
}

static void free_lines(struct lines *lines)
{
    for (unsigned i = 0; i < lines->n; i++)
        free(lines->at[i].text);
    free(lines->at);
}

int main(int argc, char **argv)
{
    unsigned n = 0;
    bool fine = true;

    for (int i = 1; i < argc; i++) {
        const char *slash = strrchr(argv[i], '/');
        struct program p = {0};

        read_file(&p, argv[i], &p.head);
        for (unsigned k = 0; k < p.n_cases; k++)
            fine &= run_case(&p, &p.cases[k], slash ? slash + 1 : argv[i], &n);
        for (unsigned k = 0; k < p.n_cases; k++)
            free_lines(&p.cases[k].lines);
        for (unsigned k = 0; k < p.n_defines; k++)
            free_lines(&p.defines[k].lines);
        free_lines(&p.head);
        free_lines(&p.paths);
        free(p.cases);
        free(p.defines);
    }
    printf("1..%u\n", n);
    return fine && n > 0 ? 0 : 1;
}
