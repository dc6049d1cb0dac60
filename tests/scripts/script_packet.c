/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/scripts/script.h"

#include "middlebox/engine/checksum.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* Longer payloads are cut off, as a queue that copies headers only does. */
#define PAYLOAD_COPIED 1200

static void put16(uint8_t *to, uint32_t v)
{
    to[0] = (uint8_t)(v >> 8);
    to[1] = (uint8_t)v;
}

static void put32(uint8_t *to, uint32_t v)
{
    put16(to, v >> 16);
    put16(to + 2, v);
}

struct script_flow *script_flow_find(struct script *s, const char *name)
{
    for (unsigned i = 0; i < s->n_flows; i++)
        if (strcmp(s->flows[i].name, name) == 0)
            return &s->flows[i];
    script_fault(s, "no flow is called \"%s\"", name);
    return NULL;
}

struct script_flow *script_end(struct script *s, const char *word, unsigned *side)
{
    const char *at = strchr(word, '@');
    size_t len = at ? (size_t)(at - word) : strlen(word);

    if (len != 6 || (memcmp(word, "client", 6) != 0 && memcmp(word, "server", 6) != 0)) {
        script_fault(s, "\"%s\" is neither client nor server", word);
        return NULL;
    }
    *side = word[0] == 's';
    return script_flow_find(s, at ? at + 1 : "a");
}

bool script_number(struct script *s, const char *word, uint32_t *out)
{
    char *end;

    *out = (uint32_t)strtoul(word ? word : "", &end, 0);
    return (word && *word && !*end) || script_fault(s, "\"%s\" is no number", word ? word : "");
}

bool script_range(struct script *s, const char *word, uint32_t *seq, uint32_t *len)
{
    long long from, to, size;
    char rest;

    if (sscanf(word, "%lld:%lld(%lld)%c", &from, &to, &size, &rest) != 3)
        return script_fault(s, "\"%s\" is not SEQ:END(LENGTH)", word);
    if (from + size != to)
        return script_fault(s, "%s: the length is %lld", word, to - from);
    *seq = (uint32_t)from;
    *len = (uint32_t)size;
    return true;
}

bool script_tcp_flags(struct script *s, const char *word, uint8_t *flags)
{
    static const char letters[] = "FSRP.U";

    *flags = 0;
    for (const char *c = word; *c && strcmp(word, "-") != 0; c++) {
        const char *at = strchr(letters, *c);

        if (!at)
            return script_fault(s, "\"%s\" are not TCP flags (letters of %s, or -)", word, letters);
        *flags |= (uint8_t)(1u << (at - letters));
    }
    return true;
}

struct build {
    struct script *s;
    const struct script_flow *flow;
    unsigned side;
    char **words;
    unsigned n, i;
    uint8_t l4[SCRIPT_PACKET_MAX];
    uint32_t l4_len;  /* header and payload, all of it */
    uint32_t l4_copy; /* as much as is there */
    uint8_t proto;
    bool fragment_header, more, spoil, unready, padding;
    uint32_t fragment_id, offset;
    uint32_t mark, cut;
};

static const char *next_word(struct build *b)
{
    return b->i < b->n ? b->words[b->i++] : NULL;
}

static bool next_number(struct build *b, uint32_t *out)
{
    return script_number(b->s, next_word(b), out);
}

static void payload(struct build *b, uint32_t header, uint32_t len)
{
    uint32_t copied = len < PAYLOAD_COPIED ? len : PAYLOAD_COPIED;

    memset(b->l4 + header, 'x', copied);
    b->l4_len = header + len;
    b->l4_copy = header + copied;
}

/* `<wscale 7,sack,timestamp 1 2,blocks 10-20>` is written as words: wscale 7 sack-ok ... */
static bool tcp_options(struct build *b, uint32_t *header, uint32_t *ack, uint16_t *win, bool *raw)
{
    uint8_t *o = b->l4 + 20;
    const char *word;
    uint32_t v, w;

    *win = 65535;
    while ((word = next_word(b))) {
        if (strcmp(word, "ack") == 0) {
            if (!next_number(b, ack))
                return false;
        } else if (strcmp(word, "win") == 0) {
            if (!next_number(b, &v))
                return false;
            *win = (uint16_t)v;
        } else if (strcmp(word, "raw") == 0) {
            *raw = true;
        } else if (strcmp(word, "wscale") == 0) {
            if (!next_number(b, &v))
                return false;
            *o++ = 1;
            *o++ = 3;
            *o++ = 3;
            *o++ = (uint8_t)v;
        } else if (strcmp(word, "sack-ok") == 0) {
            *o++ = 1;
            *o++ = 1;
            *o++ = 4;
            *o++ = 2;
        } else if (strcmp(word, "block") == 0) {
            if (!next_number(b, &v) || !next_number(b, &w))
                return false;
            *o++ = 1;
            *o++ = 1;
            *o++ = 5;
            *o++ = 10;
            put32(o, v + b->flow->isn[!b->side]);
            put32(o + 4, w + b->flow->isn[!b->side]);
            o += 8;
        } else {
            b->i--;
            break;
        }
    }
    *header = (uint32_t)(o - b->l4);
    return true;
}

static bool tcp(struct build *b)
{
    const char *flag_word = next_word(b), *range = next_word(b);
    uint32_t seq = 0, len = 0, ack = 0, header;
    uint8_t flags;
    uint16_t win;
    bool raw = false;

    if (!range)
        return script_fault(b->s, "FLAGS SEQ:END(LENGTH) is missing");
    if (!script_tcp_flags(b->s, flag_word, &flags) || !script_range(b->s, range, &seq, &len) ||
        !tcp_options(b, &header, &ack, &win, &raw))
        return false;
    if (!raw) {
        seq += b->flow->isn[b->side];
        if (flags & TCP_ACK)
            ack += b->flow->isn[!b->side];
    }
    put16(b->l4, b->flow->port[b->side]);
    put16(b->l4 + 2, b->flow->port[!b->side]);
    put32(b->l4 + 4, seq);
    put32(b->l4 + 8, ack);
    b->l4[12] = (uint8_t)(header / 4 << 4);
    b->l4[13] = flags;
    put16(b->l4 + 14, win);
    payload(b, header, len);
    return true;
}

static bool echo(struct build *b, const char *word)
{
    bool v4 = b->flow->family == 4, reply = strcmp(word, "echo-reply") == 0;
    uint32_t len;

    if (!next_number(b, &len))
        return false;
    b->l4[0] = v4 ? (reply ? 0 : 8) : (reply ? 129 : 128);
    put16(b->l4 + 4, b->flow->port[0]);
    put16(b->l4 + 6, 1);
    payload(b, 8, len);
    return true;
}

/* An ICMP error of this side, about a packet of the other one. */
static bool unreachable(struct build *b)
{
    const struct script_flow *flow = b->flow;
    uint8_t *quote = b->l4 + 8, *t;
    uint32_t seq = 0;

    if (b->i < b->n && !next_number(b, &seq))
        return false;
    b->proto = flow->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
    b->l4[0] = flow->family == 4 ? 3 : 1;
    b->l4[1] = flow->family == 4 ? 1 : 3;
    if (flow->family == 4) {
        quote[0] = 0x45;
        put16(quote + 2, 40);
        quote[8] = 60;
        quote[9] = flow->proto;
        memcpy(quote + 12, flow->addr[!b->side], 4);
        memcpy(quote + 16, flow->addr[b->side], 4);
        t = quote + 20;
    } else {
        quote[0] = 0x60;
        put16(quote + 4, 20);
        quote[6] = flow->proto;
        quote[7] = 60;
        memcpy(quote + 8, flow->addr[!b->side], 16);
        memcpy(quote + 24, flow->addr[b->side], 16);
        t = quote + 40;
    }
    if (flow->proto == IPPROTO_ICMP || flow->proto == IPPROTO_ICMPV6) {
        t[0] = flow->proto == IPPROTO_ICMP ? 8 : 128;
        put16(t + 4, flow->port[0]);
    } else {
        put16(t, flow->port[!b->side]);
        put16(t + 2, flow->port[b->side]);
        put32(t + 4, seq + flow->isn[!b->side]);
    }
    b->l4_len = b->l4_copy = (uint32_t)(t + 20 - b->l4);
    return true;
}

static bool transport(struct build *b)
{
    const char *word = b->n ? b->words[0] : "";
    uint32_t len;

    b->proto = b->flow->proto;
    if (strcmp(word, "unreachable") == 0) {
        b->i = 1;
        return unreachable(b);
    }
    if (strcmp(word, "piece") == 0) { /* of a fragment that is not the first */
        b->i = 1;
        if (!next_number(b, &len))
            return false;
        payload(b, 0, len);
        return true;
    }
    if (strcmp(word, "udp") == 0) {
        b->i = 1;
        if (!next_number(b, &len))
            return false;
        put16(b->l4, b->flow->port[b->side]);
        put16(b->l4 + 2, b->flow->port[!b->side]);
        put16(b->l4 + 4, 8 + len);
        payload(b, 8, len);
        return true;
    }
    if (strncmp(word, "echo", 4) == 0) {
        b->i = 1;
        return echo(b, word);
    }
    if (strcmp(word, "generic") == 0) {
        b->i = 1;
        if (!next_number(b, &len))
            return false;
        payload(b, 4, len);
        return true;
    }
    return tcp(b);
}

static bool attributes(struct build *b)
{
    const char *word;

    while ((word = next_word(b))) {
        bool fine = true;

        if (strcmp(word, "fragment") == 0) { /* ID OFFSET */
            b->fragment_header = true;
            fine = next_number(b, &b->fragment_id) && next_number(b, &b->offset);
        } else if (strcmp(word, "more") == 0) {
            b->more = true;
        } else if (strcmp(word, "mark") == 0) {
            fine = next_number(b, &b->mark);
        } else if (strcmp(word, "cut") == 0) {
            fine = next_number(b, &b->cut);
        } else if (strcmp(word, "bad-checksum") == 0) {
            b->spoil = true;
        } else if (strcmp(word, "offloaded") == 0) {
            b->spoil = b->unready = true;
        } else if (strcmp(word, "padding") == 0) {
            b->padding = true;
        } else {
            return script_fault(b->s, "\"%s\" says nothing about a packet", word);
        }
        if (!fine)
            return false;
    }
    return true;
}

static void transport_checksum(struct build *b)
{
    const uint8_t *src = b->flow->addr[b->side], *dst = b->flow->addr[!b->side];
    uint64_t sum = 0;
    uint32_t at;

    if (b->offset > 0)
        return;
    switch (b->proto) {
    case IPPROTO_TCP:
        at = 16;
        break;
    case IPPROTO_UDP:
        at = 6;
        break;
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
        at = 2;
        break;
    default:
        return;
    }
    if (b->proto != IPPROTO_ICMP)
        sum = checksum_pseudo(b->flow->family, src, dst, b->proto, b->l4_len);
    put16(b->l4 + at, checksum_fold(checksum_add(sum, b->l4, b->l4_copy)));
    if (b->spoil)
        b->l4[at] ^= 0x55;
}

static uint32_t ip_header(const struct build *b, uint8_t *d)
{
    const struct script_flow *flow = b->flow;
    uint32_t header = 20;

    if (flow->family == 4) {
        d[0] = 0x45;
        put16(d + 2, 20 + b->l4_len);
        put16(d + 4, b->fragment_id);
        put16(d + 6, b->offset / 8 | (b->more ? 0x2000 : 0));
        d[8] = 63;
        d[9] = b->proto;
        memcpy(d + 12, flow->addr[b->side], 4);
        memcpy(d + 16, flow->addr[!b->side], 4);
        put16(d + 10, checksum_fold(checksum_add(0, d, 20)));
        return header;
    }
    header = b->fragment_header ? 48 : 40;
    d[0] = 0x60;
    put16(d + 4, header - 40 + b->l4_len);
    d[6] = b->fragment_header ? IPPROTO_FRAGMENT : b->proto;
    d[7] = 63;
    memcpy(d + 8, flow->addr[b->side], 16);
    memcpy(d + 24, flow->addr[!b->side], 16);
    if (b->fragment_header) {
        d[40] = b->proto;
        put16(d + 42, b->offset | b->more);
        put32(d + 44, b->fragment_id);
    }
    return header;
}

bool script_packet(struct script *s, struct script_flow *flow, unsigned side, char **words,
                   unsigned n, struct script_packet *out)
{
    struct build b = {.s = s, .flow = flow, .side = side, .words = words, .n = n};
    uint32_t header;

    if (!transport(&b) || !attributes(&b))
        return false;
    transport_checksum(&b);
    memset(out, 0, sizeof(*out));
    header = ip_header(&b, out->data);
    memcpy(out->data + header, b.l4, b.l4_copy);
    out->caplen = header + b.l4_copy;
    out->len = header + b.l4_len;
    if (b.padding) {
        out->caplen += 6;
        out->len += 6;
    }
    if (b.cut && b.cut < out->caplen)
        out->caplen = b.cut;
    out->mark = b.mark;
    out->checksum_unready = b.unready;
    return true;
}
