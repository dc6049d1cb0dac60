/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands in the picture: short, for somebody who has nothing but the picture. */
#include "tools/timeline/ladder_private.h"

#include "tools/timeline/timeline_text.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static char *say(char *text, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(text, LADDER_TEXT, format, args);
    va_end(args);
    return text;
}

__attribute__((format(printf, 2, 3))) static void add(char *text, const char *format, ...)
{
    size_t used = strlen(text);
    va_list args;

    va_start(args, format);
    vsnprintf(text + used, LADDER_TEXT - used, format, args);
    va_end(args);
}

/* `1h59min54s` -> `1h 59min 54s` */
static char *spaced(char *text, const char *packed)
{
    size_t n = 0;

    for (const char *p = packed; *p; p++) {
        if (p > packed && *p >= '0' && *p <= '9' && p[-1] >= 'a' && p[-1] <= 'z')
            text[n++] = ' ';
        text[n++] = *p;
    }
    text[n] = '\0';
    return text;
}

char *ladder_text_limit(char *text, mtime_t duration)
{
    char packed[STORY_TEXT];

    return spaced(text, story_duration(duration, packed));
}

char *ladder_text_duration(char *text, mtime_t duration)
{
    long long s = (duration + MTIME_SEC / 2) / MTIME_SEC, day = 86400;

    if (duration == MTIME_NEVER || duration < 10 * MTIME_SEC)
        return ladder_text_limit(text, duration);
    if (s < 120) {
        long long tenths = (duration + 50 * MTIME_MSEC) / (100 * MTIME_MSEC);

        say(text, "%lld", tenths / 10);
        if (tenths % 10)
            add(text, ".%lld", tenths % 10);
        add(text, "s");
        return text;
    }
    /* An end in seconds tells nothing of days. */
    if (s >= day)
        s = (s + 30) / 60 * 60;
    *text = '\0';
    if (s >= day)
        add(text, "%lldd ", s / day);
    if (s % day >= 3600)
        add(text, "%lldh ", s % day / 3600);
    if (s % 3600 >= 60)
        add(text, "%lldmin ", s % 3600 / 60);
    if (s % 60 > 0)
        add(text, "%llds ", s % 60);
    text[strlen(text) - 1] = '\0';
    return text;
}

/* As tcpdump of the reports: `[P.] 1:501(500) ack 1`. */
char *ladder_text_flags(char *text, const struct timeline_packet *p)
{
    char full[LADDER_TEXT], *end;

    text_packet(full, sizeof(full), p);
    if (!p->tcp) {
        end = strstr(full, ", quoting");
        if (end)
            *end = '\0';
        return say(text, "%s", full);
    }
    end = strchr(full, ']');
    if (end)
        end[1] = '\0';
    say(text, "%s", strchr(full, '[') ? strchr(full, '[') : "");
    if (p->len > 0)
        add(text, " %u:%u(%u)", p->rel_seq, p->rel_seq + p->len, p->len);
    else if (p->flags & (TCP_SYN | TCP_FIN | TCP_RST) || !(p->flags & TCP_ACK) || p->note)
        add(text, " seq %u", p->rel_seq);
    if (p->flags & TCP_ACK)
        add(text, " ack %u", p->rel_ack);
    if (p->window == 0 && !(p->flags & TCP_RST))
        add(text, " win 0");
    return text;
}

char *ladder_text_note(char *text, const struct ladder *ladder, const struct ladder_row *row)
{
    const struct timeline_packet *p = &row->event->packet;
    bool made = p->passage == PASSAGE_INJECTED;

    *text = '\0';
    if (p->note == NOTE_DCD) {
        add(text, "%s asks, in the %s's name: still there?",
            scenario_place_name(ladder->scenario, row->event->place), flow_side_name(p->from));
        return text;
    }
    if (p->note != NOTE_NONE)
        add(text, "%s", packet_note_name(p->note));
    if (p->nth > 0 && p->note != NOTE_NONE)
        add(text, " %u", p->nth);
    if (p->note == NOTE_NONE && p->tcp && p->flags & TCP_RST)
        add(text, "reset");
    if (p->note == NOTE_NONE && p->tcp && p->window == 0 && !(p->flags & (TCP_RST | TCP_SYN)))
        add(text, "its window is closed");
    if (made && p->tcp)
        add(text, "%sin the %s's name", *text ? ", " : "", flow_side_name(p->from));
    return text;
}

static unsigned destination(const struct ladder *ladder, const struct timeline_packet *p)
{
    return p->from == FLOW_CLIENT ? scenario_server(ladder->scenario) : SCENARIO_CLIENT;
}

bool ladder_is_blocked(const struct ladder *ladder, const struct ladder_hop *hop)
{
    const struct scenario *scenario = ladder->scenario;
    bool blocked = false;

    for (size_t i = 0; i < scenario->n_deeds && scenario->deeds[i].at <= hop->t; i++) {
        const struct deed *deed = &scenario->deeds[i];

        if (deed->place == hop->place && (!deed->side_given || deed->side == hop->packet->from))
            blocked = deed->verb == DEED_BLOCK || deed->verb == DEED_PROHIBIT ||
                      (blocked && deed->verb != DEED_UNBLOCK);
    }
    return blocked;
}

static char *late(char *text, const struct ladder_row *row)
{
    const struct event *event = row->late ? &row->late->flow : NULL;
    char ago[LADDER_TEXT];

    say(text, "dropped: not in its table");
    if (event && event->remembered)
        add(text, " any more (for %s)",
            ladder_text_duration(ago, row->late->t - event->expired_at));
    return text;
}

char *ladder_text_end(char *text, const struct ladder *ladder, const struct ladder_row *row,
                      const struct ladder_hop *hop)
{
    const struct timeline_packet *p = hop->packet;
    const char *name = scenario_place_name(ladder->scenario, hop->place);

    switch (p->passage) {
    case PASSAGE_RECEIVED:
        break;
    case PASSAGE_DROPPED:
        if (p->reason == REASON_LATE)
            return late(text, row);
        return say(text, "dropped: %s", reason_name(p->reason));
    case PASSAGE_LOST:
        if (hop->place == destination(ladder, p))
            return say(text, p->silent_link ? "nobody there" : "blocked at the %s", name);
        if (!p->silent_link && ladder_is_blocked(ladder, hop))
            return say(text, "blocked at the %s", name);
        return say(text, p->silent_link ? "lost: nobody there" : "lost on the way");
    case PASSAGE_SENT:
    case PASSAGE_FORWARDED:
    case PASSAGE_INJECTED:
        return say(text, "still on its way");
    }
    *text = '\0';
    return text;
}

char *ladder_text_forgot(char *text, const struct ladder *ladder, const struct timeline_event *e)
{
    const struct event *event = &e->flow;
    const char *name = scenario_place_name(ladder->scenario, e->place);
    char idle[LADDER_TEXT];

    say(text, "%s FORGETS the connection", name);
    if (event->kind == EVENT_EXPIRED && event->flow.probing)
        add(text, ": nobody answers its questions");
    else if (event->kind == EVENT_EXPIRED)
        add(text, event->reason == FLOW_END_ACTIVE ? ": %s old (its %s)" : ": %s idle (its %s)",
            ladder_text_limit(idle, event->flow.timeout),
            policy_timeout_name(event->flow.timeout_name));
    else if (event->reason == FLOW_END_RESOURCES)
        add(text, ": its table is full");
    return text;
}

bool ladder_is_alarm(const struct timeline_event *e)
{
    if (e->kind != TIMELINE_APP)
        return false;
    switch (e->app.act) {
    case APP_ERROR:
    case APP_READ_TIMEOUT:
    case APP_HEARTBEAT_TIMEOUT:
    case APP_ENDED:
    case APP_EXITED:
        return true;
    case APP_CONNECT:
    case APP_CONNECTED:
    case APP_ACCEPTED:
    case APP_SEND:
    case APP_READ:
    case APP_EOF:
    case APP_CLOSE:
    case APP_IDLE_CLOSE:
        break;
    }
    return false;
}

/* What an application did that leads to no event of its own. */
static char *own_deed(char *text, const struct deed *deed)
{
    char limit[LADDER_TEXT];

    if (deed->verb == DEED_STOP_READING)
        return say(text, "stops reading");
    if (deed->verb == DEED_READ)
        return say(text, "reads again");
    if (deed->verb == DEED_SHUTDOWN)
        return say(text, "shutdown()");
    if (deed->verb == DEED_USER_TIMEOUT)
        return say(text, "TCP_USER_TIMEOUT %.60s", ladder_text_limit(limit, deed->duration));
    if (deed->verb == DEED_KEEPALIVE && deed->keepalive == SOFTWARE_KEEPALIVE_ON)
        return say(text, "keepalive on: after %.60s", ladder_text_limit(limit, deed->times.idle));
    if (deed->verb == DEED_KEEPALIVE)
        return say(text, "keepalive off");
    return say(text, "%s", deed_name(deed->verb));
}

char *ladder_text_app(char *text, const struct timeline_event *e)
{
    if (e->kind == TIMELINE_DEED)
        return own_deed(text, e->deed);
    switch (e->app.act) {
    case APP_CONNECT:
        return say(text, "connect()");
    case APP_SEND:
        return say(text, "write(%u byte%s)", e->app.bytes, e->app.bytes == 1 ? "" : "s");
    case APP_EOF:
        return say(text, "read() = 0 (closed)");
    case APP_ERROR:
        return say(text, "%s() = %s", app_call_name(e->app.call),
                   errno_name(e->app.error) ? errno_name(e->app.error) : "error");
    case APP_CLOSE:
        return say(text, "close()");
    case APP_READ_TIMEOUT:
        return say(text, "gives up: read timeout");
    case APP_HEARTBEAT_TIMEOUT:
        return say(text, "gives up: no heartbeat");
    case APP_IDLE_CLOSE:
        return say(text, "closes: idle too long");
    case APP_ENDED:
        return say(text, "process killed");
    case APP_EXITED:
        return say(text, "program ended");
    case APP_CONNECTED:
    case APP_ACCEPTED:
    case APP_READ:
        break;
    }
    *text = '\0';
    return text;
}

char *ladder_text_deed(char *text, const struct ladder *ladder, const struct deed *deed)
{
    const char *place = scenario_place_name(ladder->scenario, deed->place);
    const char *whose = deed->side_given ? flow_side_name(deed->side) : NULL;
    bool firewall = deed->place > 0 && deed->place < ladder->places - 1;

    switch (deed->verb) {
    case DEED_BLOCK:
    case DEED_PROHIBIT:
        say(text, "from here on %s drops what %s%s sends%s, ", place, whose ? "the " : "either end",
            whose ? whose : "",
            firewall && deed->verb == DEED_BLOCK ? " on connections it has" : "");
        add(text, deed->verb == DEED_BLOCK ? "silently" : "with ICMP \"prohibited\"");
        return text;
    case DEED_UNBLOCK:
        return say(text, "the block at the %s is lifted", place);
    case DEED_LOSE:
        return say(text, "the next %u packet%s of the %s %s lost", deed->number,
                   deed->number == 1 ? "" : "s", whose ? whose : "ends",
                   deed->number == 1 ? "is" : "are");
    case DEED_CRASH:
        return say(text, "the %s crashes: power lost, silence", place);
    case DEED_REBOOT:
        return say(text, "the %s has rebooted: it knows no connection", place);
    case DEED_LINK_DOWN:
        return say(text, "the %s's link is cut", place);
    case DEED_LINK_UP:
        return say(text, "the %s's link is back%s", place,
                   deed->new_address ? ", with another address" : "");
    case DEED_UNREACHABLE:
        return say(text, "from here on the %s is unreachable (ICMP)", place);
    case DEED_CONNECT:
    case DEED_SEND:
    case DEED_CLOSE:
    case DEED_SHUTDOWN:
    case DEED_ABORT:
    case DEED_KILL:
    case DEED_STOP_READING:
    case DEED_READ:
    case DEED_KEEPALIVE:
    case DEED_USER_TIMEOUT:
    case DEED_EXPIRE:
    case DEED_FORGET:
    case DEED_FLOW_KILL:
    case DEED_RESTART:
        break;
    }
    return text_deed(text, LADDER_TEXT, ladder->scenario, deed);
}
