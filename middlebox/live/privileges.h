/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_PRIVILEGES_H
#define IDLEWALL_PRIVILEGES_H

/* Become `nobody` where that user exists here, keeping CAP_NET_ADMIN (verdicts) and CAP_NET_RAW
 * (injected packets) and nothing else, for good. To be called before there are threads. 0 or a
 * negative errno. */
int privileges_drop(void);

#endif
