/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_METRICS_ADDRESS_H
#define IDLEWALL_METRICS_ADDRESS_H

/* Where the counters are served: an address of this machine's loopback, so that no one else reads
 * them. */

#include <netinet/in.h>

union metrics_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* `127.0.0.1:9180` or `[::1]:9180`. NULL, or what is wrong with it. */
const char *metrics_address_parse(union metrics_address *address, const char *text);
/* A listening socket or a negative errno. */
int metrics_listen(const union metrics_address *address);

#endif
