/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/packet.h"
#include "middlebox/record/event.h"
#include "tools/scenario/scenario_build.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define HOST_WHAT                                                                                  \
    "error ERRNO|none, eof, state STATE|gone, timer TIMER [FROM..TO [RETRANSMITS PROBES]], "       \
    "probes "                                                                                      \
    "N, retransmits N, connections N, believes, sends PACKET, receives PACKET|nothing"
#define FIREWALL_WHAT                                                                              \
    "flow STATE|gone, event new|update|expired|late|ended, drops PACKET, sends PACKET"
#define PACKETS                                                                                    \
    "packet, flags such as S. or R., probe, probe-answer, window-probe, window-answer, "           \
    "retransmit, tail-probe, challenge, window-update, heartbeat, dcd, icmp"

static void take_error(struct words *words, struct expectation *e)
{
    struct policy_word word;

    e->kind = EXPECT_ERROR;
    if (words_accept(words, "none") ||
        !words_take(words, &word, "an errno such as ETIMEDOUT, none"))
        return;
    e->error = errno_parse(word.text, word.len);
    if (e->error == 0)
        words_fault_last(words,
                         "\"%.*s\" is no error of a connection; allowed: none, ETIMEDOUT, "
                         "ECONNRESET, ECONNREFUSED, EPIPE, EHOSTUNREACH, ENETUNREACH, ...",
                         POLICY_WORD_ARG(word));
}

static void take_state(struct words *words, struct expectation *e)
{
    struct policy_word word;

    e->kind = EXPECT_STATE;
    if (!words_take(words, &word, "a state as ss names it, gone"))
        return;
    e->state = socket_state_parse(word.text, word.len);
    if (e->state < 0)
        words_fault_last(words,
                         "\"%.*s\" is no state of a socket; allowed: gone, SYN_SENT, SYN_RECV, "
                         "ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, CLOSE_WAIT, CLOSING, LAST_ACK, "
                         "TIME_WAIT",
                         POLICY_WORD_ARG(word));
}

static bool digit_next(const struct words *words)
{
    return words_more(words) && words->all[words->i].word.text[0] >= '0' &&
           words->all[words->i].word.text[0] <= '9';
}

static void take_timer(struct words *words, struct expectation *e)
{
    struct policy_word word;
    struct value retransmits, probes;
    uint64_t from, to;

    e->kind = EXPECT_TIMER;
    e->left_to = MTIME_NEVER;
    if (!words_take(words, &word, "off, on, keepalive, timewait, persist"))
        return;
    e->timer = socket_timer_parse(word.text, word.len);
    if (e->timer < 0)
        words_fault_last(words,
                         "\"%.*s\" is no timer; allowed: off, on, keepalive, timewait, persist",
                         POLICY_WORD_ARG(word));
    if (!digit_next(words) || !value_take_range(words, "what it shows: FROM..TO", VALUE_DURATION, 0,
                                                SCENARIO_UNTIL_MAX, &from, &to))
        return;
    e->left_from = (mtime_t)from;
    e->left_to = (mtime_t)to;
    if (!digit_next(words))
        return;
    if (value_take_one(words, "retransmissions", VALUE_NUMBER, 0, 255, &retransmits) &&
        value_take_one(words, "unanswered probes", VALUE_NUMBER, 0, 255, &probes)) {
        e->retransmits = (int)retransmits.number;
        e->probes = (int)probes.number;
    }
}

static void take_count(struct words *words, struct expectation *e, enum expect_kind kind)
{
    uint64_t from, to;

    e->kind = kind;
    if (value_take_range(words, "how many: N or N..M", VALUE_NUMBER, 0, UINT32_MAX, &from, &to)) {
        e->number_from = (uint32_t)from;
        e->number_to = (uint32_t)to;
    }
}

/* Flags as tcpdump prints them. -1: these are none. */
static int flags_of(struct policy_word word)
{
    static const struct {
        char letter;
        uint8_t flag;
    } letters[] = {{'S', TCP_SYN}, {'F', TCP_FIN}, {'R', TCP_RST},
                   {'P', TCP_PSH}, {'U', TCP_URG}, {'.', TCP_ACK}};
    int flags = 0;

    for (size_t i = 0; i < word.len; i++) {
        int flag = 0;

        for (size_t k = 0; k < sizeof(letters) / sizeof(letters[0]); k++)
            if (letters[k].letter == word.text[i])
                flag = letters[k].flag;
        if (flag == 0 || flags & flag)
            return -1;
        flags |= flag;
    }
    return word.len > 0 ? flags : -1;
}

/* Nobody sends, and nobody gets, what could only come from another. */
static void check_sender(struct words *words, const struct expectation *e)
{
    bool client = e->place == SCENARIO_CLIENT;
    bool host = client || e->place == words->build->scenario->n_firewalls + 1;
    enum flow_side own = client ? FLOW_CLIENT : FLOW_SERVER;

    if (e->flags == EXPECT_ICMP)
        return;
    if (host && e->passage == EXPECT_SENDS && e->note == NOTE_DCD)
        words_fault_last(words, "only a firewall asks so; allowed: FIREWALL sends dcd");
    else if (!host && e->passage == EXPECT_SENDS && e->note >= 0 && e->note != NOTE_DCD)
        words_fault_last(words, "a firewall sends none of its own; allowed: packet, flags, dcd, "
                                "icmp");
    else if (host && e->side_given && (e->side == own) != (e->passage == EXPECT_SENDS))
        words_fault_last(words, "the %s %s; allowed: from %s, or without it", flow_side_name(own),
                         e->passage == EXPECT_SENDS ? "sends nothing in the other's name"
                                                    : "receives nothing of its own",
                         flow_side_name(e->passage == EXPECT_SENDS ? own : (enum flow_side) !own));
}

static void take_packet(struct words *words, struct expectation *e, enum expect_passage passage)
{
    struct policy_word word;

    e->kind = EXPECT_PACKET;
    e->passage = passage;
    if (!words_take(words, &word, PACKETS))
        return;
    e->note = packet_note_parse(word.text, word.len);
    e->flags = EXPECT_ANY;
    if (word_equals(word, "icmp"))
        e->flags = EXPECT_ICMP;
    else if (e->note < 0 && !word_equals(word, "packet")) {
        e->flags = flags_of(word);
        if (e->flags < 0)
            words_fault_last(words, "\"%.*s\" is no packet; allowed: " PACKETS,
                             POLICY_WORD_ARG(word));
    }
    if (words_accept(words, "from")) {
        e->side_given = true;
        e->side = words_accept(words, "client") ? FLOW_CLIENT : FLOW_SERVER;
        if (e->side == FLOW_SERVER && !words_accept(words, "server"))
            words_fault(words, "from whom? allowed: client, server");
    }
    check_sender(words, e);
    if (words_accept(words, "times"))
        take_count(words, e, EXPECT_PACKET);
}

static void host_expectation(struct words *words, struct expectation *e)
{
    if (words_accept(words, "error"))
        take_error(words, e);
    else if (words_accept(words, "eof"))
        e->kind = EXPECT_EOF;
    else if (words_accept(words, "state"))
        take_state(words, e);
    else if (words_accept(words, "timer"))
        take_timer(words, e);
    else if (words_accept(words, "probes"))
        take_count(words, e, EXPECT_PROBES);
    else if (words_accept(words, "retransmits"))
        take_count(words, e, EXPECT_RETRANSMITS);
    else if (words_accept(words, "connections"))
        take_count(words, e, EXPECT_CONNECTIONS);
    else if (words_accept(words, "believes"))
        e->kind = EXPECT_BELIEVES;
    else if (words_accept(words, "sends"))
        take_packet(words, e, EXPECT_SENDS);
    else if (!words_accept(words, "receives"))
        words_fault(words, "what of it? allowed: " HOST_WHAT);
    else if (words_accept(words, "nothing"))
        e->kind = EXPECT_HEARD;
    else
        take_packet(words, e, EXPECT_RECEIVES);
}

static void take_flow(struct words *words, struct expectation *e)
{
    struct policy_word word;
    char name[32];

    e->kind = EXPECT_FLOW;
    if (!words_take(words, &word, "a state as conntrack names it, gone"))
        return;
    snprintf(name, sizeof(name), "%.*s", (int)(word.len < 31 ? word.len : 31), word.text);
    e->state = strcmp(name, "gone") == 0 ? -1 : flow_state_parse(name);
    if ((e->state < 0 && strcmp(name, "gone") != 0) || e->state == FLOW_UNREPLIED ||
        e->state == FLOW_REPLIED || e->state == FLOW_NONE)
        words_fault_last(words,
                         "\"%.*s\" is no state of a flow; allowed: gone, SYN_SENT, SYN_RECV, "
                         "ESTABLISHED, FIN_WAIT, CLOSE_WAIT, LAST_ACK, TIME_WAIT, CLOSE",
                         POLICY_WORD_ARG(word));
}

static void take_event(struct words *words, struct expectation *e)
{
    struct policy_word word;
    char name[32];

    e->kind = EXPECT_EVENT;
    if (!words_take(words, &word, "new, update, expired, late, ended"))
        return;
    snprintf(name, sizeof(name), "%.*s", (int)(word.len < 31 ? word.len : 31), word.text);
    e->event = event_kind_parse(name);
    if (e->event < 0)
        words_fault_last(words, "\"%.*s\" is no event; allowed: new, update, expired, late, ended",
                         POLICY_WORD_ARG(word));
}

static void firewall_expectation(struct words *words, struct expectation *e)
{
    if (words_accept(words, "flow"))
        take_flow(words, e);
    else if (words_accept(words, "event"))
        take_event(words, e);
    else if (words_accept(words, "drops"))
        take_packet(words, e, EXPECT_DROPS);
    else if (words_accept(words, "sends"))
        take_packet(words, e, EXPECT_SENDS);
    else
        words_fault(words, "what of it? allowed: " FIREWALL_WHAT);
}

/* Of what lasts, the end of the story is meant; of what happens, all of it. */
static bool lasts(enum expect_kind kind)
{
    return kind == EXPECT_STATE || kind == EXPECT_TIMER || kind == EXPECT_FLOW ||
           kind == EXPECT_CONNECTIONS || kind == EXPECT_BELIEVES;
}

static void take_when(struct words *words, struct expectation *e)
{
    mtime_t until = words->build->scenario->until;
    uint64_t from, to;

    e->to = until;
    e->from = lasts(e->kind) ? until : 0;
    e->at_given = words_accept(words, "at");
    if (!e->at_given || !value_take_range(words, "when: a time or FROM..TO", VALUE_DURATION, 0,
                                          SCENARIO_UNTIL_MAX, &from, &to))
        return;
    e->from = (mtime_t)from;
    e->to = (mtime_t)to;
    if (words->build->until_given && e->to > until)
        words_fault_last(words, "this is after the story's end; allowed: times up to `until`");
}

/* Its words, one blank between two. */
static char *line_text(struct words *words)
{
    struct policy_word first = words->all[1].word, last = words->all[words->n - 1].word;
    char *text = malloc((size_t)(last.text + last.len - first.text) + words->n);
    size_t used = 0;

    if (!text) {
        words->build->faults.error = -ENOMEM;
        return NULL;
    }
    for (size_t i = 1; i < words->n; i++) {
        struct policy_word word = words->all[i].word;

        if (i > 1)
            text[used++] = ' ';
        memcpy(text + used, word.text, word.len);
        used += word.len;
    }
    text[used] = '\0';
    return text;
}

void expect_statement(struct words *words, struct policy_at at)
{
    struct scenario_build *build = words->build;
    struct scenario *s = build->scenario;
    struct expectation e = {.line = at.line,
                            .column = at.column,
                            .retransmits = -1,
                            .probes = -1,
                            .note = -1,
                            .flags = EXPECT_ANY,
                            .number_from = 1,
                            .number_to = UINT32_MAX};
    struct expectation *room;
    char people[600];
    int place;

    words->i++; /* `expect` */
    e.negated = words_accept(words, "not");
    place = place_take(words, place_names(build, people, sizeof(people)));
    if (place < 0)
        return;
    e.place = (uint8_t)place;
    if (place == 0 || place == (int)s->n_firewalls + 1)
        host_expectation(words, &e);
    else
        firewall_expectation(words, &e);
    take_when(words, &e);
    words_finish(words);
    if (words->faulty)
        return;
    room = scenario_build_room(build, s->expectations, s->n_expectations, &build->room_expectations,
                               sizeof(*room));
    if (!room || !(e.text = line_text(words)))
        return;
    s->expectations = room;
    room[s->n_expectations++] = e;
}
