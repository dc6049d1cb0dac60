/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/pages.h"

#include <sys/mman.h>

void *pages_map(size_t bytes, bool huge)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        return NULL;
    if (huge)
        pages_make_huge(p, bytes);
    return p;
}

void pages_make_huge(void *pages, size_t bytes)
{
    madvise(pages, bytes, MADV_HUGEPAGE); /* where there are none it is only slower */
}

void pages_unmap(void *pages, size_t bytes)
{
    if (pages)
        munmap(pages, bytes);
}
