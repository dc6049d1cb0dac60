/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/scenario/host_setting.h"
#include "tools/scenario/scenario_build.h"

#include <stdio.h>

#define KEEPALIVE_SECONDS 32767 /* MAX_TCP_KEEPIDLE, MAX_TCP_KEEPINTVL */
#define KEEPALIVE_COUNT 127     /* MAX_TCP_KEEPCNT */

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

/* Named figures, in any order: bits of what was given. */
static unsigned take_times(struct words *words, const char *label, struct keepalive_times *times)
{
    unsigned given = 0;
    uint64_t n;

    for (;;) {
        if (words_accept(words, "idle")) {
            if (!take_figure(words, label, "idle", KEEPALIVE_SECONDS, VALUE_SECONDS, &n))
                return 0;
            times->idle = (mtime_t)n;
            given |= 1;
        } else if (words_accept(words, "interval")) {
            if (!take_figure(words, label, "interval", KEEPALIVE_SECONDS, VALUE_SECONDS, &n))
                return 0;
            times->interval = (mtime_t)n;
            given |= 2;
        } else if (words_accept(words, "count")) {
            if (!take_figure(words, label, "count", KEEPALIVE_COUNT, VALUE_NUMBER, &n))
                return 0;
            times->count = (unsigned)n;
            given |= 4;
        } else {
            return given;
        }
    }
}

static bool starts_with_digit(const struct words *words)
{
    return words_more(words) && words->all[words->i].word.text[0] >= '0' &&
           words->all[words->i].word.text[0] <= '9';
}

/* Positional figures come as three; named ones as many as one likes. */
static unsigned keepalive_figures(struct words *words, const char *label,
                                  struct keepalive_times *times)
{
    uint64_t idle, interval, count;

    if (!starts_with_digit(words)) {
        unsigned given = take_times(words, label, times);

        if (given == 0)
            words_fault(words,
                        "%s needs its figures; allowed: on, off, IDLE INTERVAL COUNT, "
                        "idle N, interval N, count N",
                        label);
        return given;
    }
    if (!take_figure(words, label, "idle", KEEPALIVE_SECONDS, VALUE_SECONDS, &idle) ||
        !take_figure(words, label, "interval", KEEPALIVE_SECONDS, VALUE_SECONDS, &interval) ||
        !take_figure(words, label, "count", KEEPALIVE_COUNT, VALUE_NUMBER, &count))
        return 0;
    *times = (struct keepalive_times){(mtime_t)idle, (mtime_t)interval, (unsigned)count};
    return 7;
}

bool keepalive_take(struct words *words, const char *label, struct scenario_host *host)
{
    bool on = true;
    unsigned given;

    if (!starts_with_digit(words) && !words_next_is(words, "idle") &&
        !words_next_is(words, "interval") && !words_next_is(words, "count")) {
        if (!take_switch(words, label, &on))
            return false;
        host->keepalive = on ? SOFTWARE_KEEPALIVE_ON : SOFTWARE_KEEPALIVE_OFF;
        host->set |= HOST_SET_KEEPALIVE;
        if (!on || (!words_next_is(words, "idle") && !words_next_is(words, "interval") &&
                    !words_next_is(words, "count")))
            return true;
    }
    given = keepalive_figures(words, label, &host->times);
    host->keepalive = SOFTWARE_KEEPALIVE_ON;
    host->set |= HOST_SET_KEEPALIVE | (given & 1 ? HOST_SET_IDLE : 0) |
                 (given & 2 ? HOST_SET_INTERVAL : 0) | (given & 4 ? HOST_SET_COUNT : 0);
    return given != 0;
}

static void take_app(struct words *words, const char *label, struct scenario_host *host)
{
    struct value value;

    if (!value_take(words, label, VALUE_WORD, 0, 0, false, &value))
        return;
    host->software = software_find(value.word.text, value.word.len);
    if (!host->software)
        words_fault_last(words,
                         "no program \"%.*s\" is known; `idlewall simulate --apps` lists them",
                         POLICY_WORD_ARG(value.word));
}

static void take_heartbeat(struct words *words, const char *label, struct scenario_host *host)
{
    char part[128];
    struct value value;

    if (!value_take(words, label, VALUE_DURATION, 1, SCENARIO_UNTIL_MAX, false, &value))
        return;
    host->behaviour.heartbeat = (mtime_t)value.number;
    host->set |= HOST_SET_HEARTBEAT;
    for (;;) {
        if (words_accept(words, "bytes")) {
            snprintf(part, sizeof(part), "%s bytes", label);
            if (!value_take(words, part, VALUE_NUMBER, 1, 1000000, false, &value))
                return;
            host->behaviour.heartbeat_bytes = (uint32_t)value.number;
            host->set |= HOST_SET_HEARTBEAT_BYTES;
        } else if (words_accept(words, "timeout")) {
            snprintf(part, sizeof(part), "%s timeout", label);
            if (!value_take(words, part, VALUE_DURATION, 1, SCENARIO_UNTIL_MAX, false, &value))
                return;
            host->behaviour.heartbeat_timeout = (mtime_t)value.number;
            host->set |= HOST_SET_HEARTBEAT_TIMEOUT;
        } else {
            return;
        }
    }
}

static void take_answer(struct words *words, const char *label, struct scenario_host *host)
{
    char part[128];
    struct value value;

    if (!value_take(words, label, VALUE_NUMBER, 1, 100000000, false, &value))
        return;
    host->behaviour.answer_bytes = (uint32_t)value.number;
    host->set |= HOST_SET_ANSWER;
    if (!words_accept(words, "after"))
        return;
    snprintf(part, sizeof(part), "%s after", label);
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

static bool repeated(const struct words *words, const struct host_setting *setting,
                     const struct scenario_host *host, uint64_t before, bool again)
{
    (void)words;
    return !again && (host->set & before & (UINT64_C(1) << (setting - host_settings)));
}

static void take_setting(struct words *words, enum flow_side side, struct scenario_host *host,
                         bool again)
{
    struct policy_word word;
    const struct host_setting *setting;
    char label[96];

    if (!words_take(words, &word, "a setting"))
        return;
    setting = host_setting_find(word.text, word.len);
    snprintf(label, sizeof(label), "%s %.*s", flow_side_name(side), POLICY_WORD_ARG(word));
    if (!setting)
        words_fault_last(words, "\"%.*s\" is no setting of a host; allowed: %s",
                         POLICY_WORD_ARG(word), host_setting_names());
    else if (repeated(words, setting, host, host->set, again))
        words_fault_last(words, "%s is set twice", label);
    else if (setting->kind == HOST_KEEPALIVE)
        keepalive_take(words, label, host);
    else if (setting->kind == HOST_SYSTEM_KEEPALIVE) {
        if (keepalive_figures(words, label, &host->system.keepalive))
            host->set |= UINT64_C(1) << (setting - host_settings);
    } else if (setting->kind == HOST_APP)
        take_app(words, label, host);
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

    if (!again)
        take_system(words, side, host);
    while (words_more(words))
        take_setting(words, side, host, again);
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
