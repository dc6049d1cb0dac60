/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/timeline/svg.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* One character; what cannot be decoded is one byte of U+FFFD. */
static uint32_t decode(const char *text, size_t len, size_t *used)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const uint8_t *s = (const uint8_t *)text;
    size_t n = s[0] < 0x80 ? 1 : s[0] >> 5 == 6 ? 2 : s[0] >> 4 == 14 ? 3 : s[0] >> 3 == 30 ? 4 : 0;
    uint32_t c = n == 1 ? s[0] : s[0] & (0x7fu >> n);

    *used = 1;
    if (n == 0 || n > len)
        return 0xfffd;
    for (size_t i = 1; i < n; i++) {
        if (s[i] >> 6 != 2)
            return 0xfffd;
        c = c << 6 | (s[i] & 0x3f);
    }
    if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return 0xfffd;
    *used = n;
    /* XML 1.0 2.2: what a document cannot contain, escaped or not. */
    if ((c < 0x20 && c != '\t' && c != '\n') || (c >= 0x7f && c < 0xa0) || c == 0xfffe ||
        c == 0xffff)
        return 0xfffd;
    return c;
}

void svg_escape(FILE *to, const char *text, size_t len)
{
    size_t used;

    for (size_t i = 0; i < len; i += used) {
        uint32_t c = decode(text + i, len - i, &used);

        if (c == '<')
            fputs("&lt;", to);
        else if (c == '>')
            fputs("&gt;", to);
        else if (c == '&')
            fputs("&amp;", to);
        else if (c == '"')
            fputs("&quot;", to);
        else if (c == 0xfffd)
            fputs("\xef\xbf\xbd", to);
        else if (c == '\n' || c == '\t')
            fputc(' ', to);
        else
            fwrite(text + i, 1, used, to);
    }
}

void svg_number(FILE *to, const char *name, double value)
{
    long tenths = lround(value * 10);

    fprintf(to, " %s=\"%s%ld", name, tenths < 0 ? "-" : "", labs(tenths) / 10);
    if (tenths % 10)
        fprintf(to, ".%ld", labs(tenths) % 10);
    fputc('"', to);
}

static void pair(FILE *to, double x, double y)
{
    long a = lround(x * 10), b = lround(y * 10);

    fprintf(to, "%s%ld.%ld %s%ld.%ld ", a < 0 ? "-" : "", labs(a) / 10, labs(a) % 10,
            b < 0 ? "-" : "", labs(b) / 10, labs(b) % 10);
}

static void put_pen(FILE *to, const struct svg_pen *pen)
{
    fprintf(to, " fill=\"%s\"", pen->fill ? pen->fill : "none");
    if (pen->stroke)
        fprintf(to, " stroke=\"%s\"", pen->stroke);
    if (pen->width > 0)
        svg_number(to, "stroke-width", pen->width);
    if (pen->dash)
        fprintf(to, " stroke-dasharray=\"%s\"", pen->dash);
    if (pen->opacity > 0)
        svg_number(to, "opacity", pen->opacity);
    if (pen->class)
        fprintf(to, " class=\"%s\"", pen->class);
    fputs("/>\n", to);
}

void svg_begin(FILE *to, double width, double height, const char *title)
{
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\"",
          to);
    svg_number(to, "width", ceil(width));
    svg_number(to, "height", ceil(height));
    fprintf(to, " viewBox=\"0 0 %.0f %.0f\">\n<title>", ceil(width), ceil(height));
    svg_escape(to, title, strlen(title));
    fputs("</title>\n", to);
    svg_rect(to, 0, 0, ceil(width), ceil(height), 0, &(struct svg_pen){.fill = "#ffffff"});
}

void svg_end(FILE *to)
{
    fputs("</svg>\n", to);
}

void svg_text_n(FILE *to, double x, double y, enum svg_anchor anchor, const struct svg_font *font,
                const char *text, size_t len)
{
    static const char *const anchors[] = {[SVG_START] = "",
                                          [SVG_MIDDLE] = " text-anchor=\"middle\"",
                                          [SVG_END] = " text-anchor=\"end\""};

    fputs("<text", to);
    svg_number(to, "x", x);
    svg_number(to, "y", y);
    fputs(anchors[anchor], to);
    fprintf(to, " font-family=\"%s\"", font->mono ? "monospace" : "sans-serif");
    svg_number(to, "font-size", font->size);
    if (font->bold)
        fputs(" font-weight=\"bold\"", to);
    if (font->italic)
        fputs(" font-style=\"italic\"", to);
    fprintf(to,
            " fill=\"%s\" stroke=\"#ffffff\" stroke-width=\"3\" stroke-linejoin=\"round\""
            " paint-order=\"stroke\" xml:space=\"preserve\">",
            font->fill ? font->fill : "#000000");
    svg_escape(to, text, len);
    fputs("</text>\n", to);
}

void svg_text(FILE *to, double x, double y, enum svg_anchor anchor, const struct svg_font *font,
              const char *text)
{
    svg_text_n(to, x, y, anchor, font, text, strlen(text));
}

void svg_line(FILE *to, double x1, double y1, double x2, double y2, const struct svg_pen *pen)
{
    fputs("<line", to);
    svg_number(to, "x1", x1);
    svg_number(to, "y1", y1);
    svg_number(to, "x2", x2);
    svg_number(to, "y2", y2);
    put_pen(to, pen);
}

void svg_rect(FILE *to, double x, double y, double width, double height, double radius,
              const struct svg_pen *pen)
{
    fputs("<rect", to);
    svg_number(to, "x", x);
    svg_number(to, "y", y);
    svg_number(to, "width", width);
    svg_number(to, "height", height);
    if (radius > 0)
        svg_number(to, "rx", radius);
    put_pen(to, pen);
}

void svg_path(FILE *to, const double (*points)[2], size_t n, bool closed, const struct svg_pen *pen)
{
    fputs("<path d=\"", to);
    for (size_t i = 0; i < n; i++) {
        fputs(i == 0 ? "M" : "L", to);
        pair(to, points[i][0], points[i][1]);
    }
    fputs(closed ? "Z\"" : "\"", to);
    put_pen(to, pen);
}

void svg_circle(FILE *to, double x, double y, double radius, const struct svg_pen *pen)
{
    fputs("<circle", to);
    svg_number(to, "cx", x);
    svg_number(to, "cy", y);
    svg_number(to, "r", radius);
    put_pen(to, pen);
}

void svg_cross(FILE *to, double x, double y, double arm, const struct svg_pen *pen)
{
    fputs("<path d=\"M", to);
    pair(to, x - arm, y - arm);
    fputs("L", to);
    pair(to, x + arm, y + arm);
    fputs("M", to);
    pair(to, x - arm, y + arm);
    fputs("L", to);
    pair(to, x + arm, y - arm);
    fputs("\"", to);
    put_pen(to, pen);
}

void svg_arrow_head(FILE *to, double x, double y, int direction, const char *fill)
{
    const double points[3][2] = {{x, y}, {x - 9 * direction, y - 4}, {x - 9 * direction, y + 4}};

    svg_path(to, points, 3, true, &(struct svg_pen){.fill = fill});
}

/* Widths in units of the size, after DejaVu Sans, the widest of the usual fonts. */
static double advance(uint32_t c, const struct svg_font *font)
{
    double width;

    if (c >= 0x1100 && c != 0xfffd && !(c >= 0x2000 && c < 0x2e80))
        return 1.1;
    if (font->mono)
        return 0.603;
    if (c < 0x80 && strchr("ijl.,:;'|! ", (int)c))
        width = 0.32;
    else if (c < 0x80 && strchr("ftrI()[]/\\-", (int)c))
        width = 0.41;
    else if (c < 0x80 && strchr("mwMW%@", (int)c))
        width = 0.98;
    else if (c >= 'A' && c <= 'Z')
        width = 0.72;
    else if (c == 0xfffd || (c >= 0x2000 && c < 0x2e80))
        width = 1.0;
    else
        width = 0.62;
    return font->bold ? width * 1.13 : width;
}

double svg_width_n(const struct svg_font *font, const char *text, size_t len)
{
    double width = 0;
    size_t used;

    for (size_t i = 0; i < len; i += used)
        width += advance(decode(text + i, len - i, &used), font);
    return width * font->size;
}

double svg_width(const struct svg_font *font, const char *text)
{
    return svg_width_n(font, text, strlen(text));
}

size_t svg_fit(const struct svg_font *font, const char *text, double width)
{
    size_t len = strlen(text), blank = 0, used;
    double x = 0;

    for (size_t i = 0; i < len; i += used) {
        x += advance(decode(text + i, len - i, &used), font) * font->size;
        if (text[i] == '\n')
            return i;
        if (x > width && i > 0)
            return text[i] == ' ' ? i : blank > 0 ? blank : i;
        if (text[i] == ' ')
            blank = i;
    }
    return len;
}

const char *svg_next_line(const char *text, size_t fit)
{
    text += fit;
    while (*text == ' ' || *text == '\n')
        text++;
    return text;
}
