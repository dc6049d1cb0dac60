/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_FILTER_WORDS_H
#define IDLEWALL_FILTER_WORDS_H

#include <stddef.h>

#define FILTER_TEXT_MAX ((size_t)8192)
/* Addresses, ports and protocols. libpcap's time grows with the square of their number: this many
 * take it a tenth of a second at worst. */
#define FILTER_TERMS_MAX 128u

/*
 * Lets through the part of pcap-filter(7) that a flow's addresses, ports and protocol can answer,
 * and writes it anew into out with the names of ports and protocols as numbers: what libpcap gets
 * holds nothing that it could ask a name server for. out needs FILTER_WORDS_SIZE(length of
 * expression). The number of terms, or -EINVAL with a message in why.
 */
#define FILTER_WORDS_SIZE(len) ((len)*8 + 1)
int filter_words(const char *expression, char *out, char *why, size_t why_size);

struct filter;
unsigned filter_terms(const struct filter *filter);

#endif
