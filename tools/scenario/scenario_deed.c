/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/scenario/scenario_build.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define BYTES_MAX 1000000000
#define DOES                                                                                       \
    "connect, send BYTES, close, shutdown, abort, kill, stop reading, read, set keepalive ..., "   \
    "set user-timeout DURATION, crash, reboot, link down, link up [with new address], unreachable"

static const char *const names[] = {
    [DEED_CONNECT] = "connect",
    [DEED_SEND] = "send",
    [DEED_CLOSE] = "close",
    [DEED_SHUTDOWN] = "shutdown",
    [DEED_ABORT] = "abort",
    [DEED_KILL] = "kill",
    [DEED_STOP_READING] = "stop reading",
    [DEED_READ] = "read",
    [DEED_KEEPALIVE] = "set keepalive",
    [DEED_USER_TIMEOUT] = "set user-timeout",
    [DEED_CRASH] = "crash",
    [DEED_REBOOT] = "reboot",
    [DEED_LINK_DOWN] = "link down",
    [DEED_LINK_UP] = "link up",
    [DEED_BLOCK] = "block",
    [DEED_UNBLOCK] = "unblock",
    [DEED_LOSE] = "lose",
    [DEED_PROHIBIT] = "prohibit",
    [DEED_UNREACHABLE] = "unreachable",
    [DEED_EXPIRE] = "expire",
    [DEED_FORGET] = "forget",
    [DEED_FLOW_KILL] = "kill",
    [DEED_RESTART] = "restart",
};

const char *deed_name(enum deed_verb verb)
{
    return (unsigned)verb < sizeof(names) / sizeof(names[0]) ? names[verb] : NULL;
}

static bool take_side(struct words *words, struct deed *deed, bool needed)
{
    if (words_accept(words, "from")) {
        deed->side_given = true;
        deed->side = words_accept(words, "client") ? FLOW_CLIENT : FLOW_SERVER;
        if (deed->side == FLOW_SERVER && !words_accept(words, "server")) {
            words_fault(words, "from whom? allowed: client, server");
            return false;
        }
        return true;
    }
    if (needed)
        words_fault(words, "from whom? allowed: from client, from server");
    return !needed;
}

/* Where it happens: by default at the first firewall, without one at the server. */
static void take_place(struct words *words, struct deed *deed)
{
    int place = 1; /* the server, if there is no firewall */

    if (words_accept(words, "at"))
        place = place_take(words, "a firewall, client or server");
    if (place >= 0)
        deed->place = (uint8_t)place;
}

static void path_deed(struct words *words, struct deed *deed)
{
    struct value value;

    if (deed->verb == DEED_LOSE) {
        if (!value_take_one(words, "how many packets", VALUE_NUMBER, 1, 1000000, &value))
            return;
        deed->number = (uint32_t)value.number;
    }
    if (!take_side(words, deed, deed->verb == DEED_LOSE))
        return;
    if (deed->verb == DEED_LOSE && !words_next_is(words, "at")) {
        /* On its way out of the sender. */
        deed->place = deed->side == FLOW_CLIENT
                          ? SCENARIO_CLIENT
                          : (uint8_t)(words->build->scenario->n_firewalls + 1);
        return;
    }
    take_place(words, deed);
}

static void set_deed(struct words *words, struct deed *deed)
{
    struct scenario_host *host = &words->build->scenario->host[deed->side];
    struct scenario_host wanted = {.system = host->system, .times = host->times};
    size_t n_axes = words->build->scenario->n_axes;
    struct value value;

    if (words_accept(words, "keepalive")) {
        deed->verb = DEED_KEEPALIVE;
        if (keepalive_take(words, "set keepalive", &wanted)) {
            deed->keepalive = wanted.keepalive;
            deed->times = wanted.times;
        }
    } else if (words_accept(words, "user-timeout")) {
        deed->verb = DEED_USER_TIMEOUT;
        if (value_take_one(words, "a duration", VALUE_DURATION, 0, USER_TIMEOUT_MAX, &value))
            deed->duration = (mtime_t)value.number;
    } else {
        words_fault(words, "what is set? allowed: keepalive ..., user-timeout DURATION");
    }
    if (words->build->scenario->n_axes > n_axes)
        words_fault_last(words, "no lists or ranges here; allowed: one value");
}

static void link_deed(struct words *words, struct deed *deed)
{
    if (words_accept(words, "down")) {
        deed->verb = DEED_LINK_DOWN;
        return;
    }
    deed->verb = DEED_LINK_UP;
    if (!words_accept(words, "up")) {
        words_fault(words, "what about the link? allowed: down, up [with new address]");
        return;
    }
    if (!words_accept(words, "with"))
        return;
    deed->new_address = words_accept(words, "new") && words_accept(words, "address");
    if (!deed->new_address)
        words_fault(words, "up with what? allowed: with new address");
    else if (deed->place != SCENARIO_CLIENT)
        words_fault_last(words,
                         "a server that moves is another server; allowed: client link up with "
                         "new address");
}

static void host_deed(struct words *words, struct deed *deed)
{
    static const enum deed_verb simple[] = {DEED_CLOSE,  DEED_SHUTDOWN,   DEED_ABORT,
                                            DEED_KILL,   DEED_READ,       DEED_CRASH,
                                            DEED_REBOOT, DEED_UNREACHABLE};
    struct value value;

    for (size_t i = 0; i < sizeof(simple) / sizeof(simple[0]); i++)
        if (words_accept(words, names[simple[i]])) {
            deed->verb = simple[i];
            return;
        }
    if (words_next_is(words, "connect") && deed->place == SCENARIO_CLIENT) {
        words->i++;
        deed->verb = DEED_CONNECT;
    } else if (words_accept(words, "send")) {
        deed->verb = DEED_SEND;
        if (value_take_one(words, "how many bytes", VALUE_NUMBER, 1, BYTES_MAX, &value))
            deed->number = (uint32_t)value.number;
    } else if (words_accept(words, "stop")) {
        deed->verb = DEED_STOP_READING;
        if (!words_accept(words, "reading"))
            words_fault(words, "stop what? allowed: stop reading");
    } else if (words_accept(words, "set")) {
        set_deed(words, deed);
    } else if (words_accept(words, "link")) {
        link_deed(words, deed);
    } else {
        words_fault(words, "%s does what? allowed: %s", flow_side_name(deed->side),
                    deed->place == SCENARIO_CLIENT ? DOES : &DOES[strlen("connect, ")]);
    }
}

static void firewall_deed(struct words *words, struct deed *deed)
{
    if (words_accept(words, "expire"))
        deed->verb = DEED_EXPIRE;
    else if (words_accept(words, "forget"))
        deed->verb = DEED_FORGET;
    else if (words_accept(words, "kill"))
        deed->verb = DEED_FLOW_KILL;
    else if (words_accept(words, "restart"))
        deed->verb = DEED_RESTART;
    else
        words_fault(words, "a firewall does what? allowed: expire, forget, kill, restart");
}

static void what(struct words *words, struct deed *deed)
{
    static const enum deed_verb path[] = {DEED_BLOCK, DEED_UNBLOCK, DEED_PROHIBIT, DEED_LOSE};
    char people[600];
    int place;

    for (size_t i = 0; i < sizeof(path) / sizeof(path[0]); i++)
        if (words_accept(words, names[path[i]])) {
            deed->verb = path[i];
            path_deed(words, deed);
            return;
        }
    place = place_take(words, place_names(words->build, people, sizeof(people)));
    if (place < 0)
        return;
    deed->place = (uint8_t)place;
    if (place == 0 || place == (int)words->build->scenario->n_firewalls + 1) {
        deed->side = place == 0 ? FLOW_CLIENT : FLOW_SERVER;
        host_deed(words, deed);
    } else {
        firewall_deed(words, deed);
    }
}

static bool add(struct words *words, const struct deed *deed)
{
    struct scenario_build *build = words->build;
    struct scenario *s = build->scenario;
    struct deed *deeds;

    if (s->n_deeds == SCENARIO_DEEDS_MAX) {
        words_fault_last(words, "too much happens; allowed: %d deeds", SCENARIO_DEEDS_MAX);
        return false;
    }
    deeds = scenario_build_room(build, s->deeds, s->n_deeds, &build->room_deeds, sizeof(*deeds));
    if (!deeds)
        return false;
    s->deeds = deeds;
    deeds[s->n_deeds++] = *deed;
    return true;
}

static bool take_time(struct words *words, const char *what_for, mtime_t least, mtime_t *out)
{
    struct value value;

    if (!value_take_one(words, what_for, VALUE_DURATION, (uint64_t)least, SCENARIO_UNTIL_MAX,
                        &value))
        return false;
    *out = (mtime_t)value.number;
    return true;
}

static bool in_time(struct words *words, mtime_t at)
{
    mtime_t until = words->build->scenario->until;

    if (!words->build->until_given || at <= until)
        return true;
    words_fault_last(words, "this is after the story's end; allowed: times up to `until`");
    return false;
}

static void every(struct words *words, struct deed *deed)
{
    mtime_t until = words->build->scenario->until;
    mtime_t period, from, to = until;

    if (!take_time(words, "a period", MTIME_MSEC, &period))
        return;
    from = period;
    if (words_accept(words, "from") && !take_time(words, "a time", 0, &from))
        return;
    if (words_accept(words, "to") && !take_time(words, "a time", 0, &to))
        return;
    if (!in_time(words, to))
        return;
    what(words, deed);
    words_finish(words);
    if (words->faulty)
        return;
    if (to > from && (to - from) / period > SCENARIO_DEEDS_MAX) {
        words_fault_last(words, "this happens too often; allowed: %d times", SCENARIO_DEEDS_MAX);
        return;
    }
    if (from > to && !words->build->until_given)
        return;
    if (from > to) {
        words_fault_last(words, "this never happens: it would begin after its end; allowed: a "
                                "period or `from` up to `to` and the story's end");
        return;
    }
    for (deed->at = from; deed->at <= to; deed->at = mtime_add(deed->at, period))
        if (!add(words, deed))
            return;
    words->build->last_deed = from;
}

void deed_statement(struct words *words)
{
    struct deed deed = {.line = words->end.line};

    if (words_accept(words, "every")) {
        every(words, &deed);
        return;
    }
    if (words_accept(words, "after")) {
        if (!take_time(words, "a duration", 0, &deed.at))
            return;
        deed.at = mtime_add(deed.at, words->build->last_deed);
    } else {
        words->i++; /* `at` */
        if (!take_time(words, "a time", 0, &deed.at))
            return;
    }
    if (!in_time(words, deed.at))
        return;
    words->build->last_deed = deed.at;
    what(words, &deed);
    words_finish(words);
    if (!words->faulty)
        add(words, &deed);
}

static int order(const void *a, const void *b)
{
    const struct deed *const *x = a, *const *y = b;

    if ((*x)->at != (*y)->at)
        return (*x)->at < (*y)->at ? -1 : 1;
    return *x < *y ? -1 : 1; /* as in the text */
}

void deeds_finish(struct scenario_build *build)
{
    struct scenario *s = build->scenario;
    struct deed **sorted = calloc(s->n_deeds + 1, sizeof(struct deed *));
    struct deed *deeds = calloc(s->n_deeds + 1, sizeof(*deeds));

    if (!sorted || !deeds) {
        build->faults.error = -ENOMEM;
        free(sorted);
        free(deeds);
        return;
    }
    for (size_t i = 0; i < s->n_deeds; i++)
        sorted[i] = &s->deeds[i];
    qsort(sorted, s->n_deeds, sizeof(*sorted), order);
    for (size_t i = 0; i < s->n_deeds; i++)
        deeds[i] = *sorted[i];
    free(sorted);
    free(s->deeds);
    s->deeds = deeds;
}
