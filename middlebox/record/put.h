/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_PUT_H
#define IDLEWALL_PUT_H

/*
 * Values as characters. Each function writes at p, where the caller made room, and returns the
 * place after the last character; nothing is NUL-terminated. By hand, because a table of a million
 * flows goes this way.
 */

#include "middlebox/record/flow.h"

#include <stddef.h>
#include <stdint.h>

/* What numbers, times, addresses and fixed words of one line can take together, at most. */
#define PUT_LINE 2048
/* What a string of this length can take, in any notation. */
#define PUT_STRING(len) (6 * (len) + 2)

char *put_text(char *p, const char *text); /* NULL: nothing */
char *put_char(char *p, char c);
char *put_u64(char *p, uint64_t value);
/* Spaces until p is width characters after start, and always one. */
char *put_pad(char *p, const char *start, size_t width);
/* What stands between start and p, moved to the right end of width characters, then one space. */
char *put_right(char *p, char *start, size_t width);

/* Seconds with as many of the nine decimals as needed; never is `null`. */
char *put_seconds(char *p, mtime_t time);
/* Seconds with exactly three decimals, cut off. */
char *put_millis(char *p, mtime_t time);
/* For people, cut off: `12.5s`, `350s`, `15min5s`, `2h4min`, `3d1h`, `never`; duration_parse()
 * reads it. */
char *put_duration(char *p, mtime_t duration);
/* For people, cut off: `812`, `65.5K`, `1.2M`: decimal thousands. */
char *put_amount(char *p, uint64_t value);

/* RFC 5952 for IPv6. */
char *put_address(char *p, uint8_t family, const uint8_t *address);
/* The name, or the number of a protocol without one. */
char *put_proto(char *p, uint8_t proto);
/* One end of a flow: `192.0.2.2:40000`, `[2001:db8::1]:53`, no port where the protocol has none. */
char *put_end(char *p, const struct flow *flow, enum flow_side side);

/* With its quotes; what is not UTF-8 becomes U+FFFD. NULL: `null`. */
char *put_json_string(char *p, const char *text);
/* RFC 4180, quoted only where it must be. NULL: nothing. */
char *put_csv_string(char *p, const char *text);
/* Control characters as `?`, for a terminal. NULL: `-`. */
char *put_plain(char *p, const char *text);

#endif
