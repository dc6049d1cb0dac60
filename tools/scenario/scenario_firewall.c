/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A firewall becomes a policy: its settings are written down in the policy language and parsed, and
 * the faults of that text are told as faults of the scenario's words. */
#include "policy/policy_setting.h"
#include "tools/scenario/scenario_build.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define BASE "linux-nf-conntrack"

/* Statements of the policy language outside profiles, and how many words they take. */
static const struct {
    const char *name;
    unsigned values;
} globals[] = {
    {"max-flows", 1},   {"on-full", 1},     {"fail", 1},           {"adopt-at-start", 1},
    {"late-memory", 2}, {"inject-rate", 1}, {"adaptive-start", 1}, {"adaptive-end", 1},
};

static unsigned global_values(struct policy_word word)
{
    for (size_t i = 0; i < sizeof(globals) / sizeof(globals[0]); i++)
        if (word_equals(word, globals[i].name))
            return globals[i].values;
    return 0;
}

static bool is_setting(struct policy_word word)
{
    return global_values(word) > 0 || policy_setting_find(word) < POLICY_SETTINGS;
}

static unsigned bit_of(struct policy_word word)
{
    for (unsigned i = 0; i < sizeof(globals) / sizeof(globals[0]); i++)
        if (word_equals(word, globals[i].name))
            return i;
    return (unsigned)(sizeof(globals) / sizeof(globals[0])) + policy_setting_find(word);
}
_Static_assert(POLICY_SETTINGS + sizeof(globals) / sizeof(globals[0]) <= 64, "bits of a statement");

static void take_pair(struct words *words, struct build_firewall *f, const char *name,
                      uint64_t *given)
{
    struct build_pair pair = {0}, *room;
    struct value value;
    char label[128];

    if (!words_take(words, &pair.setting, "a setting of the policy language"))
        return;
    if (!is_setting(pair.setting)) {
        words_fault_last(
            words,
            "\"%.*s\" is no setting of a firewall; allowed: named NAME, and the settings "
            "of a profile or policy (man idlewall-policy), such as tcp-established 1h",
            POLICY_WORD_ARG(pair.setting));
        return;
    }
    snprintf(label, sizeof(label), "%s %.*s", name, POLICY_WORD_ARG(pair.setting));
    if (!words_once(words, given, bit_of(pair.setting), label) ||
        !value_take(words, label, VALUE_WORD, 0, 0, false, &value))
        return;
    pair.value = value.word;
    if (global_values(pair.setting) == 2 &&
        !value_take_one(words, "its second value", VALUE_NUMBER, 0, UINT32_MAX, &value))
        return;
    pair.second = global_values(pair.setting) == 2 ? value.word : (struct policy_word){0};
    /* What comes later wins: `set`. */
    for (size_t i = 0; i < f->n_settings; i++)
        if (f->settings[i].setting.len == pair.setting.len &&
            memcmp(f->settings[i].setting.text, pair.setting.text, pair.setting.len) == 0) {
            f->settings[i] = pair;
            return;
        }
    room = scenario_build_room(words->build, f->settings, f->n_settings, &f->room_settings,
                               sizeof(*room));
    if (!room)
        return;
    f->settings = room;
    room[f->n_settings++] = pair;
}

static void take_settings(struct words *words, struct build_firewall *f, const char *name)
{
    uint64_t given = 0;

    while (words_resume(words))
        take_pair(words, f, name, &given);
}

/* The name is looked for first: labels of a grid's axes have it. It stands before all settings. */
static char *name_of(struct words *words, size_t index)
{
    bool policy = words_next_is(words, "policy");
    size_t at = words->i + (policy ? 2 : words_next_is(words, "named") ? 0 : 1);
    char text[32];

    if (at + 1 < words->n && !words->all[at].quoted && word_equals(words->all[at].word, "named") &&
        !words->all[at + 1].quoted)
        return scenario_build_string(words->build, words->all[at + 1].word, false);
    if (index == 0)
        strcpy(text, "firewall");
    else
        snprintf(text, sizeof(text), "firewall%zu", index + 1);
    return strdup(text);
}

static bool name_fits(struct words *words, const char *name)
{
    static const char *const taken[] = {"client", "server", "block", "unblock", "prohibit", "lose",
                                        "not",    "link",   "from",  "to",      "at"};
    const struct scenario *s = words->build->scenario;
    size_t len = strlen(name);
    bool ok =
        len > 0 && len <= 32 &&
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == len &&
        name[0] != '-';

    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
        ok = ok && strcmp(taken[i], name) != 0;
    if (!ok)
        words_fault(words,
                    "\"%.60s\" cannot be a firewall's name; allowed: up to 32 letters, digits, _ "
                    "and -, and no word of the language",
                    name);
    for (size_t i = 0; ok && i < s->n_firewalls; i++)
        if (strcmp(s->firewall[i].name, name) == 0) {
            words_fault(words, "there is a firewall %s already; allowed: named NAME, another",
                        name);
            ok = false;
        }
    return ok;
}

void firewall_statement(struct words *words)
{
    struct scenario *s = words->build->scenario;
    struct build_firewall *f;
    struct policy_word named;
    struct value value;
    char label[64];
    char *name;

    if (s->n_firewalls == SCENARIO_FIREWALLS) {
        words_fault(words, "too many firewalls; allowed: %d", SCENARIO_FIREWALLS);
        return;
    }
    f = &words->build->firewalls[s->n_firewalls];
    f->at = words->all[0].word.at;
    name = name_of(words, s->n_firewalls);
    if (!name || !name_fits(words, name)) {
        words->build->faults.error = name ? words->build->faults.error : -ENOMEM;
        free(name);
        return;
    }
    s->firewall[s->n_firewalls++].name = name;
    words->build->place++;
    snprintf(label, sizeof(label), "%s profile", name);
    if (words_accept(words, "policy")) {
        words_take_string(words, &f->file, "a file's name in quotes");
    } else if (words_more(words) && !words_next_is(words, "named") &&
               !is_setting(words->all[words->i].word)) {
        if (!value_take(words, label, VALUE_WORD, 0, 0, false, &value))
            return;
        f->profile = value.word;
        if (!policy_shipped_find(value.word.text, value.word.len))
            words_fault_last(
                words,
                "\"%.*s\" is neither a shipped profile nor a setting; allowed: a profile of "
                "`idlewall profile list`, named NAME, and settings",
                POLICY_WORD_ARG(value.word));
    }
    if (words_accept(words, "named"))
        words_take(words, &named, "a name");
    if (f->file.text && words_more(words))
        words_fault(words, "a policy file has all the settings; allowed: nothing more");
    take_settings(words, f, name);
}

void firewall_set(struct words *words, size_t which)
{
    if (words->build->firewalls[which].file.text)
        words_fault(words,
                    "this firewall has a policy file; allowed: settings of firewalls without one");
    else if (!words_more(words))
        words_fault(words, "what is set? allowed: settings of the policy language");
    words->replaces = true;
    take_settings(words, &words->build->firewalls[which],
                  words->build->scenario->firewall[which].name);
}

/* Faults of the made text belong to the words that made its lines. */
struct made {
    struct scenario_build *build;
    struct made_line {
        const struct build_pair *pair; /* NULL: of no words */
        unsigned indent;
    } lines[POLICY_SETTINGS + 16];
    size_t n_lines;
    struct policy_at fallback;
    bool file; /* the text is a file's: its faults have their own place in it */
};

/* Columns count from 1; there is one blank between two words. */
static struct policy_at made_at(const struct made *made, unsigned line, unsigned column)
{
    const struct made_line *of = line >= 1 && line <= made->n_lines ? &made->lines[line - 1] : NULL;
    size_t value;

    if (!of || !of->pair)
        return made->fallback;
    value = of->indent + of->pair->setting.len + 2;
    if (column < value)
        return of->pair->setting.at;
    return of->pair->second.text && column > value + of->pair->value.len ? of->pair->second.at
                                                                         : of->pair->value.at;
}

static void made_fault(void *arg, const char *message)
{
    struct made *made = arg;
    unsigned line = 0, column = 0;
    int at = 0;

    if (made->file) {
        policy_fault(&made->build->faults, made->fallback, "%s", message);
        return;
    }
    if (sscanf(message, "policy:%u:%u: %n", &line, &column, &at) < 2)
        at = 0;
    policy_fault(&made->build->faults, made_at(made, line, column), "%s", message + at);
}

static void line(struct made *made, FILE *to, const char *indent, const struct build_pair *pair)
{
    if (made->n_lines < sizeof(made->lines) / sizeof(made->lines[0]))
        made->lines[made->n_lines++] = (struct made_line){pair, (unsigned)strlen(indent)};
    fprintf(to, "%s%.*s %.*s", indent, (int)pair->setting.len, pair->setting.text,
            (int)pair->value.len, pair->value.text);
    if (pair->second.text)
        fprintf(to, " %.*s", (int)pair->second.len, pair->second.text);
    fputc('\n', to);
}

static void other_line(struct made *made)
{
    if (made->n_lines < sizeof(made->lines) / sizeof(made->lines[0]))
        made->lines[made->n_lines++] = (struct made_line){0};
}

static void write_policy(struct made *made, FILE *to, const struct build_firewall *f)
{
    const char *base = f->profile.text ? f->profile.text : BASE;
    int base_len = (int)(f->profile.text ? f->profile.len : strlen(BASE));
    size_t profile_settings = 0;
    bool adopts = false, remembers = false;

    for (size_t i = 0; i < f->n_settings; i++) {
        adopts |= word_equals(f->settings[i].setting, "adopt-at-start");
        remembers |= word_equals(f->settings[i].setting, "late-memory");
        if (global_values(f->settings[i].setting))
            line(made, to, "", &f->settings[i]);
        else
            profile_settings++;
    }
    /* A story starts with a firewall that has been there: nothing is adopted but what the story
     * says. */
    if (!adopts) {
        fputs(FIREWALL_ADOPTS "\n", to);
        other_line(made);
    }
    /* For reports only: a story wants to be told whose packet came too late. */
    if (!remembers) {
        fputs(FIREWALL_REMEMBERS "\n", to);
        other_line(made);
    }
    if (profile_settings == 0) {
        fprintf(to, "default use %.*s\n", base_len, base);
        other_line(made);
        return;
    }
    fprintf(to, "profile %.*s-changed from %.*s {\n", base_len < 50 ? base_len : 50, base, base_len,
            base);
    other_line(made);
    for (size_t i = 0; i < f->n_settings; i++)
        if (!global_values(f->settings[i].setting))
            line(made, to, "    ", &f->settings[i]);
    fprintf(to, "}\ndefault use %.*s-changed\n", base_len < 50 ? base_len : 50, base);
    other_line(made);
    other_line(made);
}

/* A pipe could be waited for without end. */
static FILE *open_regular(const char *path)
{
    struct stat status;
    FILE *from = NULL;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return NULL;
    if (fstat(fd, &status) == 0) {
        if (S_ISREG(status.st_mode))
            from = fdopen(fd, "r");
        else
            errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
    }
    if (!from)
        close(fd);
    return from;
}

static void read_file(struct made *made, const struct build_firewall *f,
                      struct scenario_firewall *firewall)
{
    struct scenario_build *build = made->build;
    char *name = scenario_build_string(build, f->file, true);
    char *path = NULL;
    FILE *from = NULL;
    size_t len = 0;

    if (!name)
        return;
    if (!build->directory)
        policy_fault(&build->faults, f->file.at,
                     "a policy file cannot be named here; allowed: in a "
                     "scenario that is a file itself");
    else if (asprintf(&path, "%s%s%s", name[0] == '/' ? "" : build->directory,
                      name[0] == '/' ? "" : "/", name) < 0)
        path = NULL, build->faults.error = -ENOMEM;
    if (path && !(from = open_regular(path)))
        policy_fault(&build->faults, f->file.at, "%s: %s; allowed: a policy file", name,
                     strerror(errno));
    firewall->policy_text = from ? malloc(POLICY_TEXT_MAX + 2) : NULL;
    if (firewall->policy_text) {
        len = fread(firewall->policy_text, 1, POLICY_TEXT_MAX + 1, from);
        firewall->policy_text[len] = '\0';
        policy_parse(&firewall->policy, name, firewall->policy_text, len, made_fault, made);
        firewall->policy_file = name;
        name = NULL;
    } else if (from) {
        build->faults.error = -ENOMEM;
    }
    if (from)
        fclose(from);
    free(path);
    free(name);
}

static void finish(struct scenario_build *build, size_t i)
{
    const struct build_firewall *f = &build->firewalls[i];
    struct scenario_firewall *firewall = &build->scenario->firewall[i];
    struct made *made = calloc(1, sizeof(*made));
    size_t len = 0;
    FILE *to;

    if (!made) {
        build->faults.error = -ENOMEM;
        return;
    }
    made->build = build;
    made->fallback = f->profile.text ? f->profile.at : f->at;
    if (f->profile.text && !policy_shipped_find(f->profile.text, f->profile.len)) {
        free(made); /* reported */
        return;
    }
    if (f->file.text) {
        made->fallback = f->file.at;
        made->file = true;
        read_file(made, f, firewall);
        free(made);
        return;
    }
    firewall->profile =
        f->profile.text ? scenario_build_string(build, f->profile, false) : strdup(BASE);
    to = open_memstream(&firewall->policy_text, &len);
    if (to) {
        write_policy(made, to, f);
        if (fclose(to) != 0)
            build->faults.error = -ENOMEM;
    }
    if (!firewall->policy_text || !firewall->profile)
        build->faults.error = -ENOMEM;
    else if (policy_parse(&firewall->policy, "policy", firewall->policy_text, len, made_fault,
                          made) == -ENOMEM)
        build->faults.error = -ENOMEM;
    free(made);
}

void firewalls_finish(struct scenario_build *build)
{
    for (size_t i = 0; i < build->scenario->n_firewalls; i++)
        finish(build, i);
}
