/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/timeline/tally.h"

#include <stdlib.h>

void tally_finish(struct tally *tally)
{
    free(tally->samples);
    tally->samples = NULL;
    tally->n_samples = 0;
}
