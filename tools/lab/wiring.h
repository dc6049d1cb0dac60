/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_WIRING_H
#define IDLEWALL_WIRING_H

/* client --- firewall --- server: interfaces, addresses, routes, forwarding. */

#include "tools/lab/space.h"

#define WIRING_CLIENT "192.0.2.2"
#define WIRING_CLIENT6 "2001:db8:1::2"
#define WIRING_SERVER "198.51.100.2"
#define WIRING_SERVER6 "2001:db8:2::2"

/* Connects the three. DONE, or the exit status after a message. In a namespace that is not ours it
 * adds one interface, its addresses and the routes to the other end, and nothing else. */
int wiring_make(const struct space *client, const struct space *firewall,
                const struct space *server);
/* Takes away what was added to a namespace that is not ours. */
void wiring_remove(const struct space *space);

#endif
