/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/timeline/json_out.h"

#include "middlebox/record/put.h"

#include <stdlib.h>
#include <string.h>

void json_out_begin(FILE *to, const char *type)
{
    fprintf(to, "{\"type\":\"%s\",\"v\":1", type);
}

void json_out_end(FILE *to)
{
    fputs("}\n", to);
}

void json_out_name(FILE *to, const char *name)
{
    fprintf(to, ",\"%s\":", name);
}

/* Piece by piece, so that no text is too long: a piece ends before the first byte of a character.
 */
void json_out_string(FILE *to, const char *value)
{
    enum { PIECE = 256 };
    char quoted[PUT_STRING(PIECE) + 1], piece[PIECE + 1];

    if (!value) {
        fputs("null", to);
        return;
    }
    fputc('"', to);
    while (*value) {
        size_t len = strnlen(value, PIECE);

        while (len > PIECE - 4 && ((unsigned char)value[len] & 0xc0) == 0x80)
            len--;
        memcpy(piece, value, len);
        piece[len] = '\0';
        value += len;
        /* Without its quotes. */
        len = (size_t)(put_json_string(quoted, piece) - quoted);
        fwrite(quoted + 1, 1, len - 2, to);
    }
    fputc('"', to);
}

void json_out_text(FILE *to, const char *name, const char *value)
{
    json_out_name(to, name);
    json_out_string(to, value);
}

void json_out_number(FILE *to, const char *name, uint64_t value)
{
    json_out_name(to, name);
    fprintf(to, "%llu", (unsigned long long)value);
}

void json_out_bool(FILE *to, const char *name, bool value)
{
    json_out_name(to, name);
    fputs(value ? "true" : "false", to);
}

void json_out_null(FILE *to, const char *name)
{
    json_out_name(to, name);
    fputs("null", to);
}

void json_out_seconds(FILE *to, const char *name, mtime_t value)
{
    char text[PUT_LINE];

    json_out_name(to, name);
    fwrite(text, 1, (size_t)(put_seconds(text, value) - text), to);
}
