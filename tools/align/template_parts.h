/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_ALIGN_TEMPLATE_PARTS_H
#define IDLEWALL_ALIGN_TEMPLATE_PARTS_H

/* What reading and rendering a template share: nobody else's. */

#include "tools/align/template.h"

/* Text without a NUL at its end. */
struct piece {
    const char *at;
    size_t n;
};

/* The next line's word and text; false at the end. Remarks and blank lines are passed over. */
bool template_next(const char **p, struct piece *word, struct piece *text);
bool template_is(struct piece piece, const char *word);

#endif
