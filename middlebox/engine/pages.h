/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_PAGES_H
#define IDLEWALL_PAGES_H

/* Memory in large pieces, zeroed and resident only where it was touched. Mapped rather than
 * malloc'ed, so that an emptied table really gives its memory back. */

#include <stdbool.h>
#include <stddef.h>

#define PAGES_HUGE ((size_t)2 << 20)

/* huge: ask for huge pages. A large table is read at random, and each access to a further page is a
 * miss of the TLB; a small table should stay small. NULL without memory. */
void *pages_map(size_t bytes, bool huge);
void pages_make_huge(void *pages, size_t bytes); /* as far as they are still untouched */
void pages_unmap(void *pages, size_t bytes);     /* takes NULL */

#endif
