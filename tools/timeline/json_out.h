/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_JSON_OUT_H
#define IDLEWALL_JSON_OUT_H

/* Members of one JSON object, to a stream. The first one opens it. Errors stay in the stream. */

#include "policy/mtime.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Opens the object that the lines of our own files are: `{"type":"packet","v":1`. */
void json_out_begin(FILE *to, const char *type);
void json_out_end(FILE *to);                       /* and a newline */
void json_out_string(FILE *to, const char *value); /* the bare value; NULL: null */
/* Each writes `,"name":value`. */
void json_out_text(FILE *to, const char *name, const char *value); /* NULL: null */
void json_out_number(FILE *to, const char *name, uint64_t value);
void json_out_bool(FILE *to, const char *name, bool value);
void json_out_null(FILE *to, const char *name);
void json_out_seconds(FILE *to, const char *name, mtime_t value); /* MTIME_NEVER: null */
/* `,"name":{` or `[`: what follows has no comma before its first member. */
void json_out_name(FILE *to, const char *name);

#endif
