/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/profiles/expect.h"

#include "tests/profiles/cells.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool same(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

const char *expect_no_profile(const char *row)
{
    for (size_t i = 0; i < COUNT(without); i++)
        if (same(without[i].row, row))
            return without[i].why;
    return NULL;
}

static const char *suffix_of(const char *row, unsigned variant)
{
    for (size_t i = 0; i < COUNT(variants); i++)
        if (same(variants[i].row, row))
            return variant < 2 ? variants[i].suffix[variant] : NULL;
    return variant == 0 ? "" : NULL;
}

unsigned expect_variants(const char *row)
{
    return suffix_of(row, 1) ? 2 : 1;
}

static bool special_fits(const struct special *s, const struct row *row, unsigned variant,
                         enum column column)
{
    const char *cell = row->cell[column];

    if (s->column != column || s->variant != variant ||
        (s->row && !same(s->row, row->cell[COLUMN_ID])))
        return false;
    return column == COLUMN_OTHER ? strstr(cell, s->cell) != NULL : same(s->cell, cell);
}

static bool read_special(struct expect *out, unsigned variant, enum column column)
{
    bool found = false;

    for (size_t i = 0; i < COUNT(specials); i++) {
        if (!special_fits(&specials[i], out->row, variant, column))
            continue;
        special_used[i] = found = true;
        for (size_t k = 0; specials[i].is[k].scene != END; k++)
            out->figure[specials[i].is[k].scene] = specials[i].is[k].seconds == NEVER
                                                       ? MTIME_NEVER
                                                       : specials[i].is[k].seconds * MTIME_SEC;
    }
    return found;
}

static bool read_number(struct expect *out, size_t i)
{
    const char *cell = out->row->cell[plain[i].column];
    mtime_t seconds = 0;

    for (const char *c = cell; *c; c++) {
        if (!isdigit((unsigned char)*c) || seconds > 1000000000)
            return false;
        seconds = seconds * 10 + (*c - '0');
    }
    for (size_t k = 0; plain[i].scenes[k] != END; k++)
        out->figure[plain[i].scenes[k]] = seconds * MTIME_SEC;
    if (plain[i].column == COLUMN_HALF_CLOSED && same(out->row->cell[COLUMN_CLOSE_WAIT], "-"))
        out->figure[SCENE_CLOSE_WAIT] = seconds * MTIME_SEC;
    return true;
}

static bool read_figures(struct expect *out, unsigned variant, char *why, size_t size)
{
    for (size_t i = 0; i < SCENES; i++)
        out->figure[i] = EXPECT_NONE;
    for (size_t i = 0; i < COUNT(plain); i++) {
        const char *cell = out->row->cell[plain[i].column];

        if (same(cell, "-") || read_special(out, variant, plain[i].column) || read_number(out, i))
            continue;
        snprintf(why, size, "\"%s\": what is this cell?", cell);
        return false;
    }
    read_special(out, variant, COLUMN_OTHER);
    return true;
}

static bool read_ending(struct expect *out, char *why, size_t size)
{
    const char *cell = out->row->cell[COLUMN_ON_EXPIRY];

    for (size_t i = 0; i < COUNT(endings); i++) {
        if ((endings[i].row && !same(endings[i].row, out->row->cell[COLUMN_ID])) ||
            !same(endings[i].cell, cell))
            continue;
        ending_used[i] = true;
        out->expiry = endings[i].expiry;
        out->late = endings[i].late;
        return true;
    }
    snprintf(why, size, "\"%s\": how does it end?", cell);
    return false;
}

static bool read_refresh(struct expect *out, char *why, size_t size)
{
    const char *cell = out->row->cell[COLUMN_REFRESH];

    for (size_t i = 0; i < COUNT(refreshers); i++) {
        if (strncmp(cell, refreshers[i].begins, strlen(refreshers[i].begins)) != 0)
            continue;
        refresher_used[i] = true;
        out->tcp = refreshers[i].tcp;
        out->udp = refreshers[i].udp;
        return true;
    }
    snprintf(why, size, "\"%s\": what refreshes?", cell);
    return false;
}

static bool read_probes(struct expect *out, char *why, size_t size)
{
    for (size_t i = 0; i < COUNT(probes); i++)
        if (same(probes[i].row, out->row->cell[COLUMN_ID]))
            out->probes = &probes[i];
    if (out->probes && !strstr(out->row->cell[out->probes->where], out->probes->quote))
        snprintf(why, size, "the survey does not say \"%s\"", out->probes->quote);
    else if ((out->probes != NULL) != (out->expiry == EXPIRY_PROBES))
        snprintf(why, size, "probes, and nobody says which");
    else
        return true;
    return false;
}

bool expect_read(struct expect *out, const struct row *row, unsigned variant, char *why,
                 size_t size)
{
    const char *id = row->cell[COLUMN_ID];

    *out = (struct expect){.row = row};
    snprintf(out->profile, sizeof(out->profile), "%s%s", id, suffix_of(id, variant));
    for (size_t i = 0; i < COUNT(proxies); i++)
        out->proxy |= same(proxies[i], id);
    return read_figures(out, variant, why, size) && read_ending(out, why, size) &&
           read_refresh(out, why, size) && read_probes(out, why, size);
}

const char *expect_unused(void)
{
    for (size_t i = 0; i < COUNT(specials); i++)
        if (!special_used[i])
            return specials[i].cell;
    for (size_t i = 0; i < COUNT(endings); i++)
        if (!ending_used[i])
            return endings[i].cell;
    for (size_t i = 0; i < COUNT(refreshers); i++)
        if (!refresher_used[i])
            return refreshers[i].begins;
    return NULL;
}
