/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_REQUEST_H
#define IDLEWALL_REQUEST_H

/* A request to idlewalld over its control socket (docs/control.md). */

#include <jansson.h>
#include <stdbool.h>

#define REQUEST_CONTROL "/run/idlewall/control"

struct request {
    const char *name;    /* of the command, for messages */
    const char *control; /* the socket; NULL: IDLEWALL_CONTROL, then REQUEST_CONTROL */
    json_t *json;        /* NULL without memory */
    bool endless;        /* SIGINT is how it ends */
    int output;          /* descriptor that the answer's data goes to: standard output */
};

/* argv[0] is the command. request_run() frees what this made; on an error before it,
 * request_drop(). */
void request_init(struct request *request, char **argv);
void request_drop(struct request *request);

/* Each sets one member; DONE, or the status to exit with after a message. */
int request_text(struct request *request, const char *member, const char *text);
int request_word(struct request *request, const char *option, const char *member, const char *text,
                 const char *const *allowed); /* ends with NULL */
int request_duration(struct request *request, const char *option, const char *member,
                     const char *text);
int request_id(struct request *request, const char *text);
/* The remaining arguments, joined by spaces as tcpdump does; none: no filter. */
int request_filter(struct request *request, int argc, char **argv);

/* Asks, copies the answer out, and returns the exit status it came with. */
int request_run(struct request *request);

/* What all forms of --help end with. */
#define REQUEST_HELP                                                                               \
    "  --control PATH        idlewalld's socket (default: $IDLEWALL_CONTROL, then\n"               \
    "                        " REQUEST_CONTROL ")\n"                                               \
    "  --help                this text\n"
#define REQUEST_FILTER_HELP                                                                        \
    "FILTER is a pcap-filter expression (see pcap-filter(7)) about the flow's client-to-server\n"  \
    "tuple, such as `tcp dst port 5432` or `host 192.0.2.2`; the words may stand unquoted.\n"
#define REQUEST_OPTIONS {"control", required_argument, NULL, 'C'}, COMMAND_HELP

#endif
