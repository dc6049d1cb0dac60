/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/filter_words.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the next value is, as libpcap takes it over `and` and `or` too: `port 80 or 443`. */
enum kind { KIND_ADDRESS, KIND_HOST, KIND_NET, KIND_PORT, KIND_PORTRANGE, KIND_PROTO };

struct words {
    char *out;
    size_t used;
    char *why;
    size_t why_size;
    enum kind kind;
    unsigned terms;
};

static const char *const joints[] = {"and", "or", "not", "mask"};
static const char *const starts[] = {"src",   "dst",  "ip",   "ip6", "tcp",  "udp",  "sctp", "icmp",
                                     "icmp6", "igmp", "igrp", "pim", "vrrp", "carp", "ah",   "esp"};
static const struct {
    const char *name;
    enum kind kind;
} kinds[] = {{"host", KIND_HOST},
             {"net", KIND_NET},
             {"port", KIND_PORT},
             {"portrange", KIND_PORTRANGE},
             {"proto", KIND_PROTO}};

#define ALLOWED                                                                                    \
    "allowed: host net mask port portrange proto src dst ip ip6 tcp udp sctp icmp icmp6 and or "   \
    "not ( ) "                                                                                     \
    "with numeric addresses"

static int refuse(struct words *w, const char *word, const char *reason)
{
    snprintf(w->why, w->why_size, "filter: \"%.60s\" %s", word, reason);
    return -EINVAL;
}

static void put(struct words *w, const char *text)
{
    size_t len = strlen(text);

    memcpy(w->out + w->used, text, len);
    w->out[w->used + len] = ' ';
    w->used += len + 1;
}

static bool listed(const char *const *list, size_t n, const char *word)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i], word) == 0)
            return true;
    return false;
}

static bool number(const char *word, unsigned long most, unsigned long *out)
{
    if (*word == '\0' || strspn(word, "0123456789") != strlen(word) || strlen(word) > 9)
        return false;
    *out = strtoul(word, NULL, 10);
    return *out <= most;
}

static bool port_number(const char *word, unsigned long *out)
{
    static const char *const transports[] = {"tcp", "udp", "sctp"};
    struct servent service, *found = NULL;
    char buf[1024];

    if (number(word, 65535, out))
        return true;
    for (size_t i = 0; i < 3; i++) {
        if (getservbyname_r(word, transports[i], &service, buf, sizeof(buf), &found) == 0 &&
            found) {
            *out = ntohs((uint16_t)service.s_port);
            return true;
        }
    }
    return false;
}

static int put_port(struct words *w, const char *word)
{
    unsigned long port;
    char text[16];

    if (!port_number(word, &port))
        return refuse(w, word, "is no port; allowed: 0 to 65535 or a name in /etc/services");
    snprintf(text, sizeof(text), "%lu", port);
    put(w, text);
    return 0;
}

/* `a-b`; a service's name may hold a dash itself. */
static int put_portrange(struct words *w, char *word)
{
    unsigned long first, last;
    char text[32];

    for (char *dash = strchr(word, '-'); dash; dash = strchr(dash + 1, '-')) {
        bool good;

        *dash = '\0';
        good = port_number(word, &first) && port_number(dash + 1, &last);
        *dash = '-';
        if (good) {
            snprintf(text, sizeof(text), "%lu-%lu", first, last);
            put(w, text);
            return 0;
        }
    }
    return refuse(w, word, "is no range of ports; allowed: FIRST-LAST");
}

static int put_proto(struct words *w, const char *word)
{
    struct protoent proto, *found = NULL;
    unsigned long n;
    char buf[1024], text[16];

    if (!number(word, 255, &n)) {
        if (strcmp(word, "icmp6") == 0)
            word = "ipv6-icmp";
        if (getprotobyname_r(word, &proto, buf, sizeof(buf), &found) != 0 || !found)
            return refuse(w, word, "is no protocol; allowed: 0 to 255 or a name in /etc/protocols");
        n = (unsigned long)found->p_proto;
    }
    snprintf(text, sizeof(text), "%lu", n);
    put(w, text);
    return 0;
}

/* Dotted numbers, one to four of them. */
static unsigned dotted(const char *word)
{
    unsigned parts = 0;
    unsigned value, digits;

    for (;; word++) {
        for (value = 0, digits = 0; *word >= '0' && *word <= '9' && digits < 4; word++, digits++)
            value = value * 10 + (unsigned)(*word - '0');
        if (digits == 0 || value > 255 || ++parts > 4)
            return 0;
        if (*word != '.')
            return *word == '\0' ? parts : 0;
    }
}

static int put_address(struct words *w, char *word)
{
    char *slash = strchr(word, '/');
    unsigned char address[16];
    unsigned long prefix = 0;
    unsigned parts;
    bool six;

    if (slash)
        *slash = '\0';
    parts = dotted(word);
    six = inet_pton(AF_INET6, word, address) == 1;
    if (slash)
        *slash = '/';
    if (parts == 0 && !six)
        return refuse(
            w, word, "is neither a word nor a numeric address (names are not looked up); " ALLOWED);
    if (slash && (w->kind != KIND_NET || !number(slash + 1, six ? 128 : 32, &prefix)))
        return refuse(w, word, "is no network; allowed: net ADDRESS/LENGTH");
    if (!six && parts < 4 && w->kind != KIND_NET)
        return refuse(w, word, "is no whole address; allowed: host 192.0.2.1, net 192.0.2.0/24");
    put(w, word);
    return 0;
}

static int count_term(struct words *w)
{
    if (++w->terms <= FILTER_TERMS_MAX)
        return 0;
    snprintf(
        w->why, w->why_size,
        "filter: too many addresses, ports and protocols; allowed: at most %u in an expression",
        FILTER_TERMS_MAX);
    return -EINVAL;
}

static int put_term(struct words *w, char *word)
{
    int r = count_term(w);

    if (r < 0)
        return r;
    switch (w->kind) {
    case KIND_PORT:
        return put_port(w, word);
    case KIND_PORTRANGE:
        return put_portrange(w, word);
    case KIND_PROTO:
        return put_proto(w, word);
    case KIND_ADDRESS:
    case KIND_HOST:
    case KIND_NET:
        break;
    }
    return put_address(w, word);
}

static int put_word(struct words *w, char *word)
{
    if (listed(joints, sizeof(joints) / sizeof(joints[0]), word)) {
        put(w, word);
        return 0;
    }
    /* After `proto` a name is a value, escaped with a backslash in libpcap's own notation. */
    if (w->kind == KIND_PROTO && w->used >= 6 && memcmp(w->out + w->used - 6, "proto ", 6) == 0)
        return put_term(w, word);
    if (listed(starts, sizeof(starts) / sizeof(starts[0]), word)) {
        w->kind = KIND_ADDRESS;
        put(w, word);
        return count_term(w);
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].name, word) == 0) {
            w->kind = kinds[i].kind;
            put(w, word);
            return 0;
        }
    }
    return put_term(w, word);
}

int filter_words(const char *expression, char *out, char *why, size_t why_size)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:/-";
    struct words w = {.out = out, .why = why, .why_size = why_size};
    const char *at = expression;

    while (*(at += strspn(at, " \t\n\r")) != '\0') {
        char word[64], sign[5];
        size_t len = strspn(at, letters);
        int r = 0;

        if (len == 0 && *at == '\\' && w.kind == KIND_PROTO) {
            at++;
            continue;
        }
        if (len >= sizeof(word))
            return refuse(&w, at, "is too long a word; " ALLOWED);
        if (len > 0) {
            memcpy(word, at, len);
            word[len] = '\0';
            r = put_word(&w, word);
        } else if (*at == '(' || *at == ')' || *at == '!') {
            snprintf(sign, sizeof(sign), "%c", *at);
            put(&w, sign);
            len = 1;
        } else if (strncmp(at, "&&", 2) == 0 || strncmp(at, "||", 2) == 0) {
            put(&w, *at == '&' ? "and" : "or");
            len = 2;
        } else if (*at == '[') {
            return refuse(&w, "[", "reads header offsets, which see IPv4 only; " ALLOWED);
        } else {
            bool shown = *at > ' ' && *at < 0x7f;

            snprintf(sign, sizeof(sign), shown ? "%c" : "\\x%02x", (unsigned)(unsigned char)*at);
            return refuse(&w, sign, "is not allowed here; " ALLOWED);
        }
        if (r < 0)
            return r;
        at += len;
    }
    w.out[w.used] = '\0';
    return (int)w.terms;
}
