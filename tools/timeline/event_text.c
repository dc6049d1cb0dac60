/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/timeline/timeline_text.h"

#include "middlebox/record/write.h"
#include "tools/timeline/story_clock.h"

#include <stdlib.h>
#include <string.h>

/* Appends to what is in text. */
__attribute__((format(printf, 3, 4))) static void add(char *text, size_t size, const char *format,
                                                      ...)
{
    size_t used = strlen(text);
    va_list args;

    va_start(args, format);
    vsnprintf(text + used, size - used, format, args);
    va_end(args);
}

/* tcpdump's order of letters: print-tcp.c, tcp_flag_values. */
static void add_flags(char *text, size_t size, uint8_t flags)
{
    static const struct {
        uint8_t flag;
        char letter;
    } letters[] = {{TCP_FIN, 'F'}, {TCP_SYN, 'S'}, {TCP_RST, 'R'},
                   {TCP_PSH, 'P'}, {TCP_ACK, '.'}, {TCP_URG, 'U'}};

    for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
        if (flags & letters[i].flag)
            add(text, size, "%c", letters[i].letter);
    if (!(flags & 0x3f))
        add(text, size, "none");
}

static const char *icmp_text(uint8_t type, uint8_t code)
{
    static const char *const codes[] = {
        [0] = "net unreachable",      [1] = "host unreachable",
        [2] = "protocol unreachable", [3] = "port unreachable",
        [4] = "need to frag",         [9] = "net prohibited",
        [10] = "host prohibited",     [13] = "admin prohibited filter",
    };

    if (type == 3 && code < sizeof(codes) / sizeof(codes[0]) && codes[code])
        return codes[code];
    return type == 11 ? "time exceeded" : "error";
}

char *text_packet(char *text, size_t size, const struct timeline_packet *p)
{
    *text = '\0';
    if (!p->tcp) {
        add(text, size, "ICMP %s, quoting seq %u", icmp_text(p->icmp_type, p->icmp_code),
            p->rel_seq);
        return text;
    }
    add(text, size, "Flags [");
    add_flags(text, size, p->flags);
    add(text, size, "]");
    /* As tcpdump: the number itself where there is something to number, or no ACK says it. */
    if (p->len > 0)
        add(text, size, ", seq %u:%u", p->rel_seq, p->rel_seq + p->len);
    else if (p->flags & (TCP_SYN | TCP_FIN | TCP_RST) || !(p->flags & TCP_ACK) || p->note)
        add(text, size, ", seq %u", p->rel_seq);
    if (p->flags & TCP_ACK)
        add(text, size, ", ack %u", p->rel_ack);
    add(text, size, ", win %u, length %u", p->window, p->len);
    return text;
}

static void add_fate(char *text, size_t size, const struct timeline *timeline,
                     const struct timeline_event *e, const struct text_fate *fate)
{
    const char *place = scenario_place_name(timeline->scenario, fate->place);
    bool to_server = e->packet.from == FLOW_CLIENT;

    switch (fate->last) {
    case PASSAGE_RECEIVED:
        break;
    case PASSAGE_DROPPED:
        add(text, size, "; dropped by %s: %s", place, reason_name(fate->reason));
        break;
    case PASSAGE_LOST:
        if (fate->silent)
            add(text, size, "; nobody there to get it");
        else if (fate->place == (to_server ? scenario_server(timeline->scenario) : SCENARIO_CLIENT))
            add(text, size, "; blocked at the %s", place);
        else
            add(text, size, "; lost on the way, after %s", place);
        break;
    case PASSAGE_SENT:
    case PASSAGE_FORWARDED:
    case PASSAGE_INJECTED:
        add(text, size, "; still on its way at the end");
        break;
    }
}

char *text_fate(char *text, size_t size, const struct timeline *timeline,
                const struct timeline_event *e, const struct text_fate *fate)
{
    const struct timeline_packet *p = &e->packet;

    *text = '\0';
    if (p->passage == PASSAGE_INJECTED && p->tcp && p->note == NOTE_NONE)
        add(text, size, "; in the %s's name", flow_side_name(p->from));
    if (p->note != NOTE_NONE)
        add(text, size, "; %s", packet_note_name(p->note));
    if (p->note != NOTE_NONE && p->nth > 0)
        add(text, size, " %u", p->nth);
    add_fate(text, size, timeline, e, fate);
    if (*text)
        memcpy(text, "  ", *text == ';' ? 1 : 0);
    return text;
}

/* ss.c, print_ms_timer(): milliseconds behind seconds without a unit of their own. */
static void add_ss_time(char *text, size_t size, mtime_t left)
{
    long long ms = left / MTIME_MSEC, minutes = ms / 60000, seconds = ms / 1000 % 60;

    ms %= 1000;
    if (minutes) {
        ms = 0;
        add(text, size, "%lldmin", minutes);
        if (minutes > 9)
            seconds = 0;
    }
    if (seconds) {
        if (seconds > 9)
            ms = 0;
        add(text, size, ms ? "%lld." : "%lldsec", seconds);
    }
    if (ms)
        add(text, size, "%03lldms", ms);
}

static mtime_t left_of(const struct socket_view *view, mtime_t now)
{
    return view->timer != TIMER_OFF && view->expires != MTIME_NEVER && view->expires > now
               ? view->expires - now
               : 0;
}

char *text_netstat_timer(char *text, size_t size, const struct socket_view *view, mtime_t now)
{
    /* netstat.c, tcp_do_one(): window probes are `probe`. */
    const char *name = view->timer == TIMER_PERSIST ? "probe" : socket_timer_name(view->timer);
    mtime_t left = left_of(view, now) / (10 * MTIME_MSEC) * (10 * MTIME_MSEC);

    snprintf(text, size, "%s (%.2f/%u/%u)", name, mtime_seconds(left), view->retransmits,
             view->probes);
    return text;
}

char *text_socket(char *text, size_t size, const struct socket_view *view, mtime_t now)
{
    char netstat[96];

    snprintf(text, size, "%s", socket_state_name(view->state));
    if (view->timer != TIMER_OFF) {
        add(text, size, "  timer:(%s,", socket_timer_name(view->timer));
        add_ss_time(text, size, left_of(view, now));
        add(text, size, ",%u)", view->timer == TIMER_ON ? view->retransmits : view->probes);
    }
    add(text, size, "  %s", text_netstat_timer(netstat, sizeof(netstat), view, now));
    if (view->send_queue || view->receive_queue)
        add(text, size, "  Recv-Q %u Send-Q %u", view->receive_queue, view->send_queue);
    if (view->orphaned && view->state != SOCKET_TIME_WAIT)
        add(text, size, "  orphaned");
    return text;
}

char *text_app(char *text, size_t size, const struct timeline_app *app)
{
    switch (app->act) {
    case APP_CONNECT:
        snprintf(text, size, "connect() ...");
        break;
    case APP_CONNECTED:
        snprintf(text, size, "connect() = 0");
        break;
    case APP_ACCEPTED:
        snprintf(text, size, "accept() = a connection");
        break;
    case APP_SEND:
        snprintf(text, size, "write(%u) = %u", app->bytes, app->bytes);
        break;
    case APP_READ:
        snprintf(text, size, "read() = %u", app->bytes);
        break;
    case APP_EOF:
        snprintf(text, size, "read() = 0: end of file");
        break;
    case APP_ERROR:
        snprintf(text, size, "%s() = -1 %s (%s)", app_call_name(app->call), errno_name(app->error),
                 strerror(app->error));
        break;
    case APP_CLOSE:
        snprintf(text, size, "close()");
        break;
    case APP_READ_TIMEOUT:
        snprintf(text, size, "gives up: nothing came within its read timeout");
        break;
    case APP_HEARTBEAT_TIMEOUT:
        snprintf(text, size, "gives up: its heartbeats were not answered");
        break;
    case APP_IDLE_CLOSE:
        snprintf(text, size, "closes what has been idle for its limit");
        break;
    case APP_ENDED:
        snprintf(text, size, "the process was killed; its kernel closes");
        break;
    case APP_EXITED:
        snprintf(text, size, "the program ended, exit status %u", app->bytes);
        break;
    }
    return text;
}

/* The rule and profile are the same in every line of a story, too. */
static void drop_names(char *text)
{
    char *from = strstr(text, ", rule "), *to;

    if (!from)
        from = strstr(text, "(rule ");
    if (!from)
        return;
    to = from + 1 + strcspn(from + 1, "):");
    if (*from == '(' && *to == ')') { /* nothing else is in the brackets */
        to++;
        from -= from > text && from[-1] == ' ';
    }
    memmove(from, to, strlen(to) + 1);
}

char *text_flow_event(char *text, size_t size, const struct event *event)
{
    const struct record_clock clock = {.now = event->time, .speed = 1};
    struct record_buf buf = {0};
    const char *kind = event_kind_name(event->kind), *end;
    char *from = NULL;

    /* As `idlewall events` says it, without the time and the addresses, which are the same in every
     * line of a story. */
    if (record_event(&buf, RECORD_TEXT, &clock, event) == 0 && buf.len > 0) {
        buf.data[buf.len - 1] = '\0';
        from = strstr(buf.data, " > ");
        from = from ? strchr(from + 3, ' ') : NULL;
    }
    end = from ? from + 1 : "";
    snprintf(text, size, "%-8s %s", kind, end);
    drop_names(text);
    free(buf.data);
    return text;
}

static void add_keepalive(char *text, size_t size, const struct deed *deed)
{
    if (deed->keepalive == SOFTWARE_KEEPALIVE_ON)
        add(text, size, " %lld %lld %u", (long long)(deed->times.idle / MTIME_SEC),
            (long long)(deed->times.interval / MTIME_SEC), deed->times.count);
    else
        add(text, size, " off");
}

char *text_deed(char *text, size_t size, const struct scenario *scenario, const struct deed *deed)
{
    const char *place = scenario_place_name(scenario, deed->place);
    char duration[STORY_TEXT];

    *text = '\0';
    switch (deed->verb) {
    case DEED_BLOCK:
    case DEED_UNBLOCK:
    case DEED_PROHIBIT:
        add(text, size, "%s", deed_name(deed->verb));
        if (deed->side_given)
            add(text, size, " what the %s sends", flow_side_name(deed->side));
        add(text, size, ", at %s", place);
        break;
    case DEED_LOSE:
        add(text, size, "lose the next %u packets of the %s after %s", deed->number,
            flow_side_name(deed->side), place);
        break;
    default:
        add(text, size, "%s: %s", place, deed_name(deed->verb));
    }
    if (deed->verb == DEED_SEND)
        add(text, size, " %u", deed->number);
    if (deed->verb == DEED_KEEPALIVE)
        add_keepalive(text, size, deed);
    if (deed->verb == DEED_USER_TIMEOUT)
        add(text, size, " %s", story_duration(deed->duration, duration));
    if (deed->verb == DEED_LINK_UP && deed->new_address)
        add(text, size, ", with a new address");
    return text;
}
