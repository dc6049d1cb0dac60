/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/filter.h"

#include "policy/filter_words.h"

#include <errno.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The longest header (IPv6) and what a program may look at behind it. A load beyond the packet ends
 * a program with "no match", even under `not`: so there is always something to load. */
#define PACKET_SIZE 128

/* libpcap's optimiser finds expressions that can never match, but its time grows with the cube of
 * the terms. */
#define OPTIMISE_TERMS 32

struct filter {
    struct bpf_program program; /* bf_insns NULL: matches all */
    unsigned terms;
};

static int compile(struct filter *filter, const char *words, bool optimise, char *why,
                   size_t why_size)
{
    /* pcap_compile() keeps its state in the handle since libpcap 1.8: no lock is needed. */
    pcap_t *pcap = pcap_open_dead(DLT_RAW, PACKET_SIZE);
    int r = 0;

    if (!pcap)
        return -ENOMEM;
    if (pcap_compile(pcap, &filter->program, words, optimise, PCAP_NETMASK_UNKNOWN) != 0) {
        const char *said = pcap_geterr(pcap);
        size_t skip = strlen("can't parse filter expression: "); /* libpcap before 1.10.5 */

        if (strncmp(said, "can't parse filter expression: ", skip) == 0)
            said += skip;
        snprintf(why, why_size,
                 "filter: %s; allowed: pcap-filter(7) on addresses, ports and protocols", said);
        r = -EINVAL;
    }
    pcap_close(pcap);
    return r;
}

int filter_compile(struct filter **out, const char *expression, char *why, size_t why_size)
{
    size_t len = strlen(expression);
    struct filter *filter = NULL;
    char *words = NULL;
    int r = -ENOMEM;

    if (why_size > 0)
        why[0] = '\0';
    if (len > FILTER_TEXT_MAX) {
        snprintf(why, why_size, "filter: the expression is too long; allowed: at most %zu bytes",
                 FILTER_TEXT_MAX);
        return -EINVAL;
    }
    filter = calloc(1, sizeof(*filter));
    words = malloc(FILTER_WORDS_SIZE(len));
    if (!filter || !words)
        goto out;
    r = filter_words(expression, words, why, why_size);
    if (r < 0)
        goto out;
    filter->terms = (unsigned)r;
    r = words[0] == '\0' ? 0 : compile(filter, words, r <= OPTIMISE_TERMS, why, why_size);
    if (r == 0) {
        *out = filter;
        filter = NULL;
    }
out:
    free(words);
    free(filter);
    return r;
}

struct filter *filter_destroy(struct filter *filter)
{
    if (filter && filter->program.bf_insns)
        pcap_freecode(&filter->program);
    free(filter);
    return NULL;
}

unsigned filter_terms(const struct filter *filter)
{
    return filter->terms;
}

/* An IPv4 or IPv6 header and the two ports, as if the client had sent the packet. */
static void headers(unsigned char *packet, const struct filter_tuple *tuple)
{
    bool six = tuple->family == 6;
    unsigned char *ports = packet + (six ? 40 : 20);

    packet[0] = six ? 0x60 : 0x45;
    if (six) {
        packet[5] = PACKET_SIZE - 40;
        packet[6] = tuple->proto;
        memcpy(packet + 8, tuple->client, 16);
        memcpy(packet + 24, tuple->server, 16);
    } else {
        packet[3] = PACKET_SIZE;
        packet[9] = tuple->proto;
        memcpy(packet + 12, tuple->client, 4);
        memcpy(packet + 16, tuple->server, 4);
    }
    if (tuple->proto == IPPROTO_TCP || tuple->proto == IPPROTO_UDP ||
        tuple->proto == IPPROTO_SCTP) {
        ports[0] = (unsigned char)(tuple->client_port >> 8);
        ports[1] = (unsigned char)tuple->client_port;
        ports[2] = (unsigned char)(tuple->server_port >> 8);
        ports[3] = (unsigned char)tuple->server_port;
    }
}

bool filter_match(const struct filter *filter, const struct filter_tuple *tuple)
{
    unsigned char packet[PACKET_SIZE] = {0};

    if (!filter->program.bf_insns)
        return true;
    headers(packet, tuple);
    return bpf_filter(filter->program.bf_insns, packet, sizeof(packet), sizeof(packet)) != 0;
}
