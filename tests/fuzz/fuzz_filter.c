/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Filters from anywhere, libpcap's compiler behind them. */
#include "tests/fuzz/fuzz.h"

#include "policy/filter.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct filter_tuple tuple = {
        .family = 4, .proto = IPPROTO_TCP, .client_port = 40000, .server_port = 443};
    struct filter *filter = NULL;
    char *text = strndup((const char *)data, size), why[100];
    int r = filter_compile(&filter, text, why, sizeof(why));

    if (r == 0) {
        filter_match(filter, &tuple);
        tuple.family = 6;
        tuple.proto = IPPROTO_ICMPV6;
        filter_match(filter, &tuple);
    } else {
        FUZZ_CHECK(r == -EINVAL && filter == NULL);
        FUZZ_CHECK(memchr(why, '\0', sizeof(why)) && strncmp(why, "filter: ", 8) == 0);
    }
    filter_destroy(filter);
    free(text);
    return 0;
}
