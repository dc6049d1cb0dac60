/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_PLACES_WORDS_H
#define IDLEWALL_PLACES_WORDS_H

/* What texts of places share; put.h says how they write. */

#include "tools/replay/places.h"

#define PLACES_WORDS 256

struct places_page {
    FILE *to;
    const struct places_totals *totals;
    const struct place *places;
};

/* `192.0.2.2:40001`: an end, as it is called at a place. */
char *put_place_end(char *p, const struct places_connection *k, unsigned place, unsigned end);
char *put_places_server(char *p, const struct places_server *server);
/* `12.345 s`; rounded to what clocks of two places tell: `3605 s (1h5s)`. */
char *put_silence(char *p, mtime_t silence);

/* places_text_limit.c: what broke, and the limits that follow. `all`: every server's. */
void places_text_limit(const struct places_page *page, bool all);

#endif
