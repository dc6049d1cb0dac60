/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/scenario/host_setting.h"
#include "tools/scenario/scenario_build.h"

#include <stdio.h>

/* Of a socket, on Linux: MAX_TCP_KEEPIDLE, MAX_TCP_KEEPINTVL, MAX_TCP_KEEPCNT (include/net/tcp.h).
 * Others take more. */
#define LINUX_SECONDS 32767
#define LINUX_COUNT 127
#define OTHER_SECONDS (SCENARIO_UNTIL_MAX / MTIME_SEC)
#define OTHER_COUNT 10000

static void put(struct scenario_host *host, const struct host_setting *setting, uint64_t value)
{
    void *field = (char *)host + setting->offset;
    uint8_t one = (uint8_t)value;
    uint16_t two = (uint16_t)value;
    uint32_t four = (uint32_t)value;

    if (setting->size == 1)
        memcpy(field, &one, 1);
    else if (setting->size == 2)
        memcpy(field, &two, 2);
    else if (setting->size == 4)
        memcpy(field, &four, 4);
    else
        memcpy(field, &value, 8);
}

/* `on|off` as any value: a list of both makes a grid. */
static bool take_switch(struct words *words, const char *label, bool *out)
{
    struct value value;

    if (!value_take(words, label, VALUE_WORD, 0, 0, false, &value))
        return false;
    *out = word_equals(value.word, "on");
    if (*out || word_equals(value.word, "off"))
        return true;
    words_fault_last(words, "\"%.*s\" is no value for %s; allowed: on, off",
                     POLICY_WORD_ARG(value.word), label);
    return false;
}

static bool take_figure(struct words *words, const char *label, const char *figure, uint64_t most,
                        enum value_kind kind, uint64_t *out)
{
    char full[160];
    struct value value;

    snprintf(full, sizeof(full), "%s %s", label, figure);
    if (!value_take(words, full, kind, 1, most, false, &value))
        return false;
    *out = value.number;
    return true;
}

enum figure { FIGURE_IDLE, FIGURE_INTERVAL, FIGURE_COUNT, FIGURES };
static const char *const figures[] = {"idle", "interval", "count"};

static int figure_next(const struct words *words)
{
    for (int i = 0; i < FIGURES; i++)
        if (words_next_is(words, figures[i]))
            return i;
    return -1;
}

static bool take_time(struct words *words, const char *label, enum figure figure,
                      const struct system *system, struct keepalive_times *times)
{
    bool is_linux = strcmp(system->name, "linux") == 0;
    uint64_t n;

    if (!take_figure(words, label, figures[figure],
                     figure == FIGURE_COUNT ? (is_linux ? LINUX_COUNT : OTHER_COUNT)
                                            : (is_linux ? LINUX_SECONDS : OTHER_SECONDS),
                     figure == FIGURE_COUNT ? VALUE_NUMBER : VALUE_SECONDS, &n))
        return false;
    if (figure == FIGURE_IDLE)
        times->idle = (mtime_t)n;
    else if (figure == FIGURE_INTERVAL)
        times->interval = (mtime_t)n;
    else
        times->count = (unsigned)n;
    return true;
}

static bool starts_with_digit(const struct words *words)
{
    return words_more(words) && words->all[words->i].word.text[0] >= '0' &&
           words->all[words->i].word.text[0] <= '9';
}

/* Positional figures come as three; named ones as many as one likes, in any order. Bits of what was
 * given; 0 after a fault. */
static unsigned keepalive_figures(struct words *words, const char *label,
                                  const struct system *system, struct keepalive_times *times)
{
    uint64_t given = 0;
    int figure;

    if (starts_with_digit(words)) {
        for (figure = FIGURE_IDLE; figure < FIGURES; figure++)
            if (!take_time(words, label, (enum figure)figure, system, times))
                return 0;
        return 7;
    }
    while ((figure = figure_next(words)) >= 0) {
        words->i++;
        if (!words_once(words, &given, (unsigned)figure, figures[figure]) ||
            !take_time(words, label, (enum figure)figure, system, times))
            return 0;
    }
    if (given == 0)
        words_fault(words,
                    "%s needs its figures; allowed: on, off, IDLE INTERVAL COUNT, idle N, "
                    "interval N, count N",
                    label);
    return (unsigned)given;
}

/* `off` can have figures too: a list of both needs them in one place. */
bool keepalive_take(struct words *words, const char *label, struct scenario_host *host)
{
    bool on = true;
    unsigned given;

    if (!starts_with_digit(words) && figure_next(words) < 0) {
        if (!take_switch(words, label, &on))
            return false;
        host->keepalive = on ? SOFTWARE_KEEPALIVE_ON : SOFTWARE_KEEPALIVE_OFF;
        host->set |= HOST_SET_KEEPALIVE;
        if (figure_next(words) < 0 && !starts_with_digit(words))
            return true;
    } else if (words->replaces) {
        value_replace(words, label);
    }
    given = keepalive_figures(words, label, &host->system, &host->times);
    host->keepalive = on ? SOFTWARE_KEEPALIVE_ON : SOFTWARE_KEEPALIVE_OFF;
    host->set |= HOST_SET_KEEPALIVE | (given & 1 ? HOST_SET_IDLE : 0) |
                 (given & 2 ? HOST_SET_INTERVAL : 0) | (given & 4 ? HOST_SET_COUNT : 0);
    return given != 0;
}

static void take_app(struct words *words, const char *label, enum flow_side side,
                     struct scenario_host *host)
{
    struct value value;

    if (!value_take(words, label, VALUE_WORD, 0, 0, false, &value))
        return;
    host->software = software_find(value.word.text, value.word.len);
    if (!host->software)
        words_fault_last(words,
                         "no program \"%.*s\" is known; allowed: one of `idlewall simulate "
                         "--apps`",
                         POLICY_WORD_ARG(value.word));
    else if (!host->software->id[side])
        words_fault_last(words, "of %s only the %s's side is known; allowed: %s app %s",
                         host->software->name, flow_side_name(!side), flow_side_name(!side),
                         host->software->name);
}

static void take_heartbeat(struct words *words, const char *label, struct scenario_host *host)
{
    struct behaviour *b = &host->behaviour;
    char part[128];
    struct value value;
    uint64_t given = 0;

    if (words_next_is(words, "bytes") || words_next_is(words, "timeout")) {
        words_fault(words, "the heartbeat's period is missing; allowed: heartbeat DURATION "
                           "[bytes N] [timeout DURATION]");
        return;
    }
    if (!value_take(words, label, VALUE_DURATION, (uint64_t)MTIME_MSEC, SCENARIO_UNTIL_MAX, false,
                    &value))
        return;
    b->heartbeat = (mtime_t)value.number;
    host->set |= HOST_SET_HEARTBEAT;
    while (words_next_is(words, "bytes") || words_next_is(words, "timeout")) {
        bool bytes = words_accept(words, "bytes");

        words->i += !bytes;
        snprintf(part, sizeof(part), "%s %s", label, bytes ? "bytes" : "timeout");
        if (!words_once(words, &given, bytes, part) ||
            !value_take(words, part, bytes ? VALUE_NUMBER : VALUE_DURATION,
                        bytes ? 1 : (uint64_t)MTIME_MSEC, bytes ? 1000000 : SCENARIO_UNTIL_MAX,
                        false, &value))
            return;
        if (bytes)
            b->heartbeat_bytes = (uint32_t)value.number;
        else
            b->heartbeat_timeout = (mtime_t)value.number;
        host->set |= bytes ? HOST_SET_HEARTBEAT_BYTES : HOST_SET_HEARTBEAT_TIMEOUT;
    }
}

static void take_answer(struct words *words, const char *label, struct scenario_host *host)
{
    char part[128];
    struct value value;

    if (!value_take(words, label, VALUE_NUMBER, 1, 100000000, false, &value))
        return;
    host->behaviour.answer_bytes = (uint32_t)value.number;
    host->behaviour.answer_after = 0;
    snprintf(part, sizeof(part), "%s after", label);
    if (words->replaces)
        value_replace(words, part);
    host->set |= HOST_SET_ANSWER;
    if (!words_accept(words, "after"))
        return;
    if (!value_take(words, part, VALUE_DURATION, 0, SCENARIO_UNTIL_MAX, false, &value))
        return;
    host->behaviour.answer_after = (mtime_t)value.number;
}

static void take_table_setting(struct words *words, const char *label,
                               const struct host_setting *setting, struct scenario_host *host)
{
    struct value value;
    bool on;

    if (setting->kind == HOST_FLAG) {
        put(host, setting, 1);
    } else if (setting->kind == HOST_SWITCH) {
        if (!take_switch(words, label, &on))
            return;
        put(host, setting, on);
    } else {
        if (!value_take(words, label, setting->kind == HOST_NUMBER ? VALUE_NUMBER : VALUE_DURATION,
                        setting->least, setting->most, setting->kind == HOST_DURATION_NEVER,
                        &value))
            return;
        put(host, setting, value.number);
    }
    host->set |= UINT64_C(1) << (setting - host_settings);
    host->jiffy_given = host->jiffy_given || strcmp(setting->name, "jiffy") == 0;
}

/* What would be ignored is refused. */
static bool fits(struct words *words, enum flow_side side, const struct host_setting *setting,
                 const struct scenario_host *host)
{
    if (side == FLOW_CLIENT && strcmp(setting->name, "port") == 0) {
        words_fault_last(words, "a client has no port of its own; allowed: server port N");
        return false;
    }
    if (side == FLOW_SERVER && strcmp(setting->name, "reconnect") == 0) {
        words_fault_last(words, "a server does not connect; allowed: client reconnect DURATION");
        return false;
    }
    if (host->system.clock != CLOCK_WHEEL &&
        (strcmp(setting->name, "hz") == 0 || strcmp(setting->name, "jiffy") == 0)) {
        words_fault_last(words, "%s is Linux's; allowed: with linux, not with %s", setting->name,
                         host->system.name);
        return false;
    }
    return true;
}

static void take_setting(struct words *words, enum flow_side side, struct scenario_host *host,
                         uint64_t *given)
{
    struct policy_word word;
    const struct host_setting *setting;
    char label[96];

    if (!words_take(words, &word, "a setting"))
        return;
    setting = host_setting_find(word.text, word.len);
    snprintf(label, sizeof(label), "%s %.*s", flow_side_name(side), POLICY_WORD_ARG(word));
    if (!setting) {
        words_fault_last(words, "\"%.*s\" is no setting of a host; allowed: %s",
                         POLICY_WORD_ARG(word), host_setting_names());
        return;
    }
    if (!words_once(words, given, (unsigned)(setting - host_settings), label) ||
        !fits(words, side, setting, host))
        return;
    if (setting->kind == HOST_KEEPALIVE)
        keepalive_take(words, label, host);
    else if (setting->kind == HOST_SYSTEM_KEEPALIVE) {
        if (keepalive_figures(words, label, &host->system, &host->system.keepalive))
            host->set |= UINT64_C(1) << (setting - host_settings);
    } else if (setting->kind == HOST_APP)
        take_app(words, label, side, host);
    else if (setting->kind == HOST_HEARTBEAT)
        take_heartbeat(words, label, host);
    else if (setting->kind == HOST_ANSWER)
        take_answer(words, label, host);
    else
        take_table_setting(words, label, setting, host);
}

static void take_system(struct words *words, enum flow_side side, struct scenario_host *host)
{
    const struct system *system = system_find("linux", 5);
    struct value value = {0};
    char label[32];

    snprintf(label, sizeof(label), "%s system", flow_side_name(side));
    host->system = *system;
    if (!words_more(words) ||
        host_setting_find(words->all[words->i].word.text, words->all[words->i].word.len))
        return;
    if (!value_take(words, label, VALUE_WORD, 0, 0, false, &value))
        return;
    system = system_find(value.word.text, value.word.len);
    if (system)
        host->system = *system;
    else
        words_fault_last(
            words,
            "\"%.*s\" is neither an operating system nor a setting; allowed: a system of "
            "`idlewall simulate --systems`, or %s",
            POLICY_WORD_ARG(value.word), host_setting_names());
}

void host_statement(struct words *words, enum flow_side side, bool again)
{
    struct scenario_host *host = &words->build->scenario->host[side];

    uint64_t given = 0;

    words->replaces = again;
    if (again && !words_more(words))
        words_fault(words, "what is set? allowed: %s", host_setting_names());
    if (!again)
        take_system(words, side, host);
    while (words_resume(words))
        take_setting(words, side, host, &given);
}

/* What the program asks for, where the text does not. */
static void apply_software(struct scenario_host *host, enum flow_side side)
{
    const struct software *app = host->software;
    struct behaviour *b = &host->behaviour;
    const struct behaviour *d = &app->side[side].behaviour;

    if (!(host->set & HOST_SET_KEEPALIVE))
        host->keepalive = app->side[side].keepalive;
    if (!(host->set & HOST_SET_IDLE) && app->side[side].times.idle)
        host->times.idle = app->side[side].times.idle;
    if (!(host->set & HOST_SET_INTERVAL) && app->side[side].times.interval)
        host->times.interval = app->side[side].times.interval;
    if (!(host->set & HOST_SET_COUNT) && app->side[side].times.count)
        host->times.count = app->side[side].times.count;
    if (host->user_timeout == 0)
        host->user_timeout = app->side[side].user_timeout;
    b->read_timeout = b->read_timeout ? b->read_timeout : d->read_timeout;
    b->idle_close = b->idle_close ? b->idle_close : d->idle_close;
    b->reconnect = b->reconnect ? b->reconnect : d->reconnect;
    if (!(host->set & HOST_SET_HEARTBEAT))
        b->heartbeat = d->heartbeat;
    if (!(host->set & HOST_SET_HEARTBEAT_BYTES))
        b->heartbeat_bytes = d->heartbeat_bytes;
    if (!(host->set & HOST_SET_HEARTBEAT_TIMEOUT))
        b->heartbeat_timeout = d->heartbeat_timeout;
    if (!(host->set & HOST_SET_ANSWER)) {
        b->answer_bytes = d->answer_bytes;
        b->answer_after = d->answer_after;
    }
    b->ignores_eof = b->ignores_eof || d->ignores_eof;
    b->reads_not = b->reads_not || d->reads_not;
    if (side == FLOW_SERVER && host->port == 0)
        host->port = app->port;
}

void host_settings_finish(struct scenario_build *build)
{
    for (unsigned side = 0; side < 2; side++) {
        struct scenario_host *host = &build->scenario->host[side];
        const struct keepalive_times *own = &host->system.keepalive;

        if (!(host->set & HOST_SET_IDLE))
            host->times.idle = own->idle;
        if (!(host->set & HOST_SET_INTERVAL))
            host->times.interval = own->interval;
        if (!(host->set & HOST_SET_COUNT))
            host->times.count = own->count;
        if (host->software)
            apply_software(host, (enum flow_side)side);
        if (side == FLOW_SERVER && host->port == 0)
            host->port = 5000;
    }
}
