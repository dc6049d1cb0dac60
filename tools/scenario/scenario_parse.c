/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/scenario/scenario_build.h"

#include "scenario_grammar.h"
#define YYSTYPE SCENARIO_YYSTYPE
#define YYLTYPE SCENARIO_YYLTYPE
#include "scenario_scan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define DELAY_DEFAULT (250 * INT64_C(1000))
#define TEXT_MAX 8000
#define EVENTS_MAX 100000000
#define WORDS                                                                                      \
    "title, story, remedy, seed, until, sample, plot, virtual-only, client, link, firewall, "      \
    "server, set, repeat, at, after, every, expect"

void scenario_build_word(struct scenario_build *build, struct policy_word word, bool quoted)
{
    struct build_word *words = scenario_build_room(build, build->words, build->n_words,
                                                   &build->room_words, sizeof(*words));

    if (!words)
        return;
    build->words = words;
    words[build->n_words++] = (struct build_word){word, quoted};
}

/* Of a line in braces with a fault, nothing is taken; the others are. */
void scenario_build_drop(struct scenario_build *build)
{
    build->n_words = build->line_start;
}

void scenario_build_line(struct scenario_build *build)
{
    build->line_start = build->n_words;
}

void scenario_build_open(struct scenario_build *build, struct policy_at at)
{
    build->brace = at;
    scenario_build_line(build);
}

static void statement(struct scenario_build *build, bool broken)
{
    struct build_statement *statements =
        scenario_build_room(build, build->statements, build->n_statements, &build->room_statements,
                            sizeof(*statements));

    if (statements && build->n_words > build->statement_start) {
        build->statements = statements;
        statements[build->n_statements++] = (struct build_statement){
            build->statement_start, build->n_words - build->statement_start, build->brace, broken};
    }
    build->statement_start = build->n_words;
    build->brace = (struct policy_at){0};
}

void scenario_build_statement(struct scenario_build *build)
{
    statement(build, false);
}

/* Its words are still understood, so that nobody is missing from the path because of it. */
void scenario_build_broken(struct scenario_build *build)
{
    statement(build, true);
}

void scenario_build_unclosed(struct scenario_build *build, struct policy_at at)
{
    policy_fault(&build->faults, at,
                 "this brace is never closed; allowed: } at the end of its settings");
    build->cut = true;
    for (size_t i = build->statement_start; i < build->n_words; i++)
        if (build->words[i].word.at.line > at.line)
            build->n_words = i;
    statement(build, true);
}

static struct words words_of(struct scenario_build *build, const struct build_statement *statement)
{
    const struct build_word *last = &build->words[statement->first + statement->n - 1];

    return (struct words){
        .build = build,
        .all = &build->words[statement->first],
        .n = statement->n,
        .broken = statement->broken,
        .end = {last->word.at.line, last->word.at.column + (unsigned)last->word.len}};
}

/* A statement that may stand once; false after reporting the second. */
static bool once(struct words *words, size_t which)
{
    unsigned *line = &words->build->once[which];

    if (*line == 0) {
        *line = words->all[0].word.at.line;
        return true;
    }
    words_fault_last(words, "%.*s is in line %u already; allowed: once",
                     POLICY_WORD_ARG(words->all[0].word), *line);
    return false;
}

static void take_text(struct words *words, char **to, bool joins)
{
    struct policy_word word;
    char *text, *both = NULL;

    if (!words_take_string(words, &word, "a text in quotes"))
        return;
    text = scenario_build_string(words->build, word, true);
    if (!text || !*to || !joins || strlen(*to) > TEXT_MAX) {
        free(*to);
        *to = text;
        return;
    }
    if (asprintf(&both, "%s %s", *to, text) < 0)
        words->build->faults.error = -ENOMEM;
    else {
        free(*to);
        *to = both;
    }
    free(text);
    if (*to && strlen(*to) > TEXT_MAX)
        words_fault_last(words, "too much text; allowed: %d bytes in all", TEXT_MAX);
}

static void take_host(struct words *words, enum flow_side side)
{
    struct scenario_build *build = words->build;

    if (build->line[side]) {
        words_fault_last(words, "the %s is in line %u already; allowed: once", flow_side_name(side),
                         build->line[side]);
        return;
    }
    if (side == FLOW_CLIENT && (build->line[FLOW_SERVER] || build->scenario->n_firewalls))
        words_fault_last(words, "the client stands first on the path; allowed: client, firewalls, "
                                "server, in this order");
    build->line[side] = words->all[0].word.at.line;
    host_statement(words, side, false);
}

static void take_firewall(struct words *words)
{
    if (!words->build->line[FLOW_CLIENT] || words->build->line[FLOW_SERVER])
        words_fault_last(words, "a firewall stands between client and server; allowed: client, "
                                "firewalls, server, in this order");
    else
        firewall_statement(words);
}

static void take_link(struct words *words)
{
    struct scenario_build *build = words->build;
    size_t which = build->scenario->n_firewalls;
    char label[32];

    snprintf(label, sizeof(label), "link %zu", which + 1);
    if (!build->line[FLOW_CLIENT] || build->line[FLOW_SERVER])
        words_fault_last(words,
                         "a link stands between the two that it joins; allowed: after client or "
                         "a firewall, before the next");
    else if (build->link_given[which])
        words_fault_last(words, "this link is described already; allowed: one line a link");
    else {
        build->link_given[which] = true;
        link_statement(words, &build->scenario->link[which], label);
    }
}

/* Of all links: those that were described one by one are given up. */
static void set_links(struct words *words)
{
    struct scenario *s = words->build->scenario;
    struct scenario_link changed = {0};
    char label[32];
    uint64_t given;

    if (!words->build->line[FLOW_SERVER]) {
        words_fault_last(words, "the path is not complete; allowed: after the server's line");
        return;
    }
    words->replaces = true;
    given = link_statement(words, &changed, "link");
    if (changed.n_lose[0] + changed.n_lose[1] > 0)
        words_fault_last(words, "which link loses it? allowed: delay, loss");
    free(changed.lose[0]);
    free(changed.lose[1]);
    for (size_t i = 0; i <= s->n_firewalls; i++) {
        if (given >> LINK_DELAY & 1) {
            s->link[i].delay = changed.delay;
            snprintf(label, sizeof(label), "link %zu delay", i + 1);
            value_replace(words, label);
        }
        if (given >> LINK_LOSS & 1) {
            s->link[i].loss = changed.loss;
            snprintf(label, sizeof(label), "link %zu loss", i + 1);
            value_replace(words, label);
        }
    }
}

static void take_set(struct words *words)
{
    struct scenario_build *build = words->build;
    struct scenario *s = build->scenario;
    char people[600];
    int place;

    if (words_accept(words, "link")) {
        set_links(words);
        return;
    }
    place = place_take(words, place_names(build, people, sizeof(people)));
    if (place < 0)
        return;
    if ((place == 0 || place == (int)s->n_firewalls + 1) && !build->line[place > 0])
        words_fault_last(words, "the %s does not stand above; allowed: after its line",
                         place == 0 ? "client" : "server");
    else if (place == 0 || place == (int)s->n_firewalls + 1)
        host_statement(words, place == 0 ? FLOW_CLIENT : FLOW_SERVER, true);
    else
        firewall_set(words, (size_t)place - 1);
}

static bool take_time(struct words *words, mtime_t *out)
{
    struct value value;

    if (!value_take_one(words, "a duration", VALUE_DURATION, (uint64_t)MTIME_MSEC,
                        SCENARIO_UNTIL_MAX, &value))
        return false;
    *out = (mtime_t)value.number;
    return true;
}

static void take_plot(struct words *words)
{
    struct scenario *s = words->build->scenario;

    if (words_accept(words, "time"))
        s->plot = PLOT_TIME;
    else if (!words_accept(words, "grid"))
        words_fault(words, "what is plotted? allowed: grid, time");
}

static bool is_second_pass(const struct words *words)
{
    static const char *const later[] = {"at", "after", "every", "expect"};

    for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++)
        if (!words->all[0].quoted && word_equals(words->all[0].word, later[i]))
            return true;
    return false;
}

/* Who is there, and the figures of the whole. */
static void declare(struct words *words)
{
    struct scenario_build *build = words->build;
    struct scenario *s = build->scenario;
    struct value value;

    if (words_accept(words, "title")) {
        if (once(words, 0))
            take_text(words, &s->title, false);
    } else if (words_accept(words, "story")) {
        take_text(words, &s->story, true);
    } else if (words_accept(words, "remedy")) {
        take_text(words, &s->remedy, true);
    } else if (words_accept(words, "seed")) {
        if (once(words, 1) && value_take(words, "seed", VALUE_NUMBER, 0, UINT64_MAX, false, &value))
            s->seed = value.number;
    } else if (words_accept(words, "until")) {
        if (once(words, 2))
            build->until_given = take_time(words, &s->until);
    } else if (words_accept(words, "sample")) {
        if (once(words, 3))
            take_time(words, &s->sample);
    } else if (words_accept(words, "plot")) {
        if (once(words, 4))
            take_plot(words);
    } else if (words_accept(words, "virtual-only")) {
        s->virtual_only = once(words, 6);
    } else if (words_accept(words, "repeat")) {
        if (once(words, 5))
            workload_statement(words);
    } else if (words_accept(words, "client")) {
        take_host(words, FLOW_CLIENT);
    } else if (words_accept(words, "server")) {
        take_host(words, FLOW_SERVER);
    } else if (words_accept(words, "firewall")) {
        take_firewall(words);
    } else if (words_accept(words, "link")) {
        take_link(words);
    } else if (words_accept(words, "set")) {
        take_set(words);
    } else {
        words_fault(words, "%.*s begins no statement; allowed: " WORDS,
                    POLICY_WORD_ARG(words->all[0].word));
    }
    words_finish(words);
}

static void happen(struct words *words)
{
    struct policy_at at = words->all[0].word.at;

    if (words_next_is(words, "expect"))
        expect_statement(words, at);
    else
        deed_statement(words);
}

/* "Unbounded repetition": what an application does by itself, again and again. */
static void check_host(struct scenario_build *build, unsigned side)
{
    const struct scenario *s = build->scenario;
    const struct scenario_host *host = &s->host[side];
    struct policy_at at = {build->line[side] ? build->line[side] : 1, 1};
    mtime_t least = s->until / EVENTS_MAX;

    if (host->behaviour.heartbeat > 0 && host->behaviour.heartbeat < least)
        policy_fault(&build->faults, at, "too many heartbeats until the end; allowed: %d",
                     EVENTS_MAX);
    if (host->behaviour.reconnect > 0 && host->behaviour.reconnect < least)
        policy_fault(&build->faults, at, "too many connections until the end; allowed: %d",
                     EVENTS_MAX);
    if (host->system.rto_min > host->system.rto_max)
        policy_fault(&build->faults, at,
                     "rto-min is more than rto-max with the %s; allowed: at most as much",
                     flow_side_name((enum flow_side)side));
}

static void check_whole(struct scenario_build *build)
{
    struct scenario *s = build->scenario;

    if (build->cut)
        return;
    if (!build->line[FLOW_CLIENT])
        policy_fault(&build->faults, build->end,
                     "there is no client; allowed: a line such as `client linux`");
    if (!build->line[FLOW_SERVER])
        policy_fault(&build->faults, build->end,
                     "there is no server; allowed: a line such as `server linux`");
    if (build->once[2] == 0)
        policy_fault(&build->faults, build->end,
                     "the story has no end; allowed: a line such as `until 10min`");
    if (s->workload.clients && s->n_deeds > 0)
        policy_fault(
            &build->faults, (struct policy_at){s->deeds[0].line, 1},
            "a story with `repeat` plays its clients' own deeds; allowed: no at, after, every");
    if (s->workload.clients && s->workload.over > s->until && build->until_given)
        policy_fault(&build->faults, (struct policy_at){build->once[5], 1},
                     "the clients come until after the story's end; allowed: `over` up to `until`");
    if (s->workload.clients && s->n_expectations > 0)
        policy_fault(
            &build->faults, (struct policy_at){s->expectations[0].line, s->expectations[0].column},
            "what many clients see is told in figures; allowed: no expect beside `repeat`");
    for (unsigned side = 0; side < 2; side++)
        check_host(build, side);
    if (s->sample == 0)
        s->sample = s->until / 400 > MTIME_SEC ? s->until / 400 : MTIME_SEC;
    if (s->until / s->sample > 1000000)
        policy_fault(&build->faults, (struct policy_at){build->once[3], 1},
                     "too many samples; allowed: a million, that is until / sample");
    if (scenario_points(s) > SCENARIO_POINTS_MAX)
        policy_fault(&build->faults,
                     (struct policy_at){s->axis[s->n_axes - 1].line, s->axis[s->n_axes - 1].column},
                     "the grid is too large; allowed: %d combinations", SCENARIO_POINTS_MAX);
}

static void check_brace(struct scenario_build *build, const struct build_statement *statement)
{
    static const char *const takers[] = {"client", "server", "firewall", "link", "set", "repeat"};
    const struct build_word *first = &build->words[statement->first];

    for (size_t i = 0; i < sizeof(takers) / sizeof(takers[0]); i++)
        if (statement->brace.line == 0 || (!first->quoted && word_equals(first->word, takers[i])))
            return;
    policy_fault(
        &build->faults, statement->brace,
        "a brace does not belong here; allowed: after client, server, firewall, link, set, "
        "repeat");
}

static void understand(struct scenario_build *build)
{
    struct scenario *s = build->scenario;

    for (unsigned pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < build->n_statements; i++) {
            struct words words = words_of(build, &build->statements[i]);

            if (is_second_pass(&words) != (pass == 1))
                continue;
            check_brace(build, &build->statements[i]);
            if (pass == 0)
                declare(&words);
            else
                happen(&words);
        }
        if (pass == 0) {
            for (size_t i = 0; i <= s->n_firewalls; i++)
                if (s->link[i].delay == 0)
                    s->link[i].delay = DELAY_DEFAULT;
            host_settings_finish(build);
            firewalls_finish(build);
        }
    }
    deeds_finish(build);
    check_whole(build);
}

static void read_text(struct scenario_build *build, const char *text, size_t len)
{
    struct scenario_lex lex = {.text = text, .at = {1, 1}, .faults = &build->faults};
    void *scanner = NULL;
    char *buffer = calloc(1, len + 2); /* flex writes into what it scans, and wants two NULs */

    if (!buffer) {
        build->faults.error = -ENOMEM;
        return;
    }
    if (len > 0)
        memcpy(buffer, text, len);
    scenario_lex_lex_init_extra(&lex, &scanner);
    scenario_lex__scan_buffer(buffer, len + 2, scanner);
    if (scenario_yyparse(build, scanner) == 2)
        build->faults.error = -ENOMEM;
    scenario_lex_lex_destroy(scanner);
    free(buffer);
    build->end = lex.at;
    if (build->faults.error == 0)
        understand(build);
}

static void finish(struct scenario_build *build)
{
    for (size_t i = 0; i < SCENARIO_FIREWALLS; i++)
        free(build->firewalls[i].settings);
    for (size_t i = 0; i < build->n_replaced; i++)
        scenario_axis_finish(&build->replaced[i]);
    free(build->replaced);
    free(build->words);
    free(build->statements);
    scenario_destroy(build->scenario);
}

int scenario_parse_text(struct scenario **out, const char *name, const char *text, size_t len,
                        const char *directory, policy_fault_fn fault, void *arg)
{
    struct scenario_build *build = calloc(1, sizeof(*build));
    struct scenario *s = calloc(1, sizeof(*s));
    int r = -ENOMEM;

    if (!build || !s)
        goto out;
    build->scenario = s;
    build->directory = directory;
    build->faults = (struct policy_faults){.name = name, .report = fault, .arg = arg};
    s->seed = 1;
    for (unsigned side = 0; side < 2; side++)
        s->host[side].system = *system_find("linux", 5); /* also of a host whose line is missing */
    s->name = strdup(name);
    s->directory = directory ? strdup(directory) : NULL;
    s->text = malloc(len + 1);
    if (!s->name || !s->text || (directory && !s->directory))
        goto out;
    memcpy(s->text, text, len);
    s->text[len] = '\0';
    read_text(build, s->text, len);
    r = build->faults.error ? build->faults.error : build->faults.count > 0 ? -EINVAL : 0;
    if (r == 0) {
        *out = s;
        build->scenario = NULL;
    }
    s = NULL;
out:
    if (build)
        finish(build);
    else
        scenario_destroy(s);
    free(build);
    return r;
}
