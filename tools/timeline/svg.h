/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_SVG_H
#define IDLEWALL_SVG_H

/*
 * SVG, written by hand: a few shapes, and text that is always escaped. Only the generic font
 * families; how wide a text comes out is estimated, on the wide side. Coordinates are pixels, y
 * downwards. Errors stay in the stream, for ferror().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum svg_anchor { SVG_START, SVG_MIDDLE, SVG_END };

struct svg_font {
    double size; /* pixels */
    bool mono, bold, italic;
    const char *fill; /* colour; NULL: black */
};

/* How lines are drawn, and areas filled; NULL or 0: not, or the default. */
struct svg_pen {
    const char *stroke, *fill, *dash;
    double width, opacity; /* opacity 0: opaque */
    const char *class;
};

/* From here on every shape is in px; title is what a browser shows and a screen reader reads. */
void svg_begin(FILE *to, double width, double height, const char *title);
void svg_end(FILE *to);

/* What is no UTF-8 or no XML character becomes U+FFFD. */
void svg_escape(FILE *to, const char *text, size_t len);

/* The baseline is at y. A halo keeps it readable over lines. */
void svg_text(FILE *to, double x, double y, enum svg_anchor anchor, const struct svg_font *font,
              const char *text);
void svg_text_n(FILE *to, double x, double y, enum svg_anchor anchor, const struct svg_font *font,
                const char *text, size_t len);
void svg_line(FILE *to, double x1, double y1, double x2, double y2, const struct svg_pen *pen);
void svg_rect(FILE *to, double x, double y, double width, double height, double radius,
              const struct svg_pen *pen);
/* n pairs of x, y; closed: back to the first. */
void svg_path(FILE *to, const double (*points)[2], size_t n, bool closed,
              const struct svg_pen *pen);
void svg_circle(FILE *to, double x, double y, double radius, const struct svg_pen *pen);
void svg_cross(FILE *to, double x, double y, double arm, const struct svg_pen *pen);
/* Its tip at x, y. direction 1: to the right, -1: to the left. */
void svg_arrow_head(FILE *to, double x, double y, int direction, const char *fill);
/* ` name="12.3"`: with a point, whatever the locale. */
void svg_number(FILE *to, const char *name, double value);

double svg_width_n(const struct svg_font *font, const char *text, size_t len);
double svg_width(const struct svg_font *font, const char *text);
/* How many bytes of text go into one line of that width: up to a blank, or cut within a word that
 * is wider. At least one character; 0 for an empty text. */
size_t svg_fit(const struct svg_font *font, const char *text, double width);
/* The same for the next line: blanks skipped. */
const char *svg_next_line(const char *text, size_t fit);

#endif
