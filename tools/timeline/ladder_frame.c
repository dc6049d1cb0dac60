/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Around the rows: what the story is, who stands where, what the signs mean, what came of it. */
#include "tools/timeline/ladder_private.h"

#include "tools/timeline/outcome.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BOX_LINES 7
#define ABOUT ((size_t)4 * LADDER_TEXT)

static const struct svg_font small = {.size = 10.5, .fill = COLOUR_INK};
static const struct svg_font heading = {.size = 13, .bold = true, .fill = COLOUR_INK};

void ladder_wrapped(struct ladder *ladder, double x, double *y, double width, double step,
                    enum svg_anchor anchor, const struct svg_font *font, const char *text,
                    unsigned lines)
{
    for (; *text && lines > 0; lines--) {
        size_t fit = svg_fit(font, text, width);
        const char *next = svg_next_line(text, fit);

        if (lines == 1 && *next && fit > 1) { /* there is more than room for it */
            char *cut = strndup(text, fit - 1);

            if (cut) {
                char *end = strrchr(cut, ' ');

                strcpy(end ? end : cut + strlen(cut), "");
                svg_text(ladder->to, x, *y, anchor, font, cut);
                free(cut);
            }
            *y += step;
            return;
        }
        svg_text_n(ladder->to, x, *y, anchor, font, text, fit);
        *y += step;
        text = next;
    }
}

static void about_application(char *text, size_t size, const struct scenario_host *host)
{
    const struct {
        const char *what;
        mtime_t t;
    } times[] = {{"heartbeat every", host->behaviour.heartbeat},
                 {"read timeout", host->behaviour.read_timeout},
                 {"TCP_USER_TIMEOUT", host->user_timeout},
                 {"closes when idle for", host->behaviour.idle_close}};
    char duration[LADDER_TEXT];

    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        if (times[i].t > 0) {
            snprintf(text, size, "\n%s %.60s", times[i].what,
                     ladder_text_limit(duration, times[i].t));
            size -= strlen(text);
            text += strlen(text);
        }
}

/* What is known of an end: its system, its program, its keepalive. */
static void about_host(char *text, size_t size, const struct ladder *ladder, unsigned side)
{
    const struct scenario_host *host = &ladder->scenario->host[side];
    bool on = host->keepalive == SOFTWARE_KEEPALIVE_ON ||
              (host->keepalive == SOFTWARE_KEEPALIVE_UNSET && host->system.keepalive_always);
    char idle[LADDER_TEXT], interval[LADDER_TEXT];

    snprintf(text, size, "%s%s%s", host->system.product ? host->system.product : "",
             host->software ? ", " : "", host->software ? host->software->name : "");
    size -= strlen(text);
    text += strlen(text);
    if (!on)
        snprintf(text, size, "\nkeepalive off");
    else
        snprintf(text, size, "\nkeepalive: after %.60s,\n%u probes, %.60s apart",
                 ladder_text_limit(idle, host->times.idle), host->times.count,
                 ladder_text_limit(interval, host->times.interval));
    about_application(text + strlen(text), size - strlen(text), host);
}

static void about_firewall(char *text, size_t size, const struct ladder *ladder, unsigned place)
{
    static const char *const late[] = {
        [ON_LATE_DROP] = "dropped silently",
        [ON_LATE_RESET] = "answered with a reset",
        [ON_LATE_RESET_CLIENT] = "reset to the client",
        [ON_LATE_RESET_SERVER] = "reset to the server",
        [ON_LATE_ICMP] = "answered with ICMP",
        [ON_LATE_ADOPT] = "taken up again",
    };
    static const char *const expiry[] = {
        [ON_EXPIRY_SILENT] = "forgets silently",
        [ON_EXPIRY_RESET_CLIENT] = "resets the client",
        [ON_EXPIRY_RESET_SERVER] = "resets the server",
        [ON_EXPIRY_RESET_BOTH] = "resets both ends",
        [ON_EXPIRY_DCD] = "asks both ends",
    };
    const struct scenario_firewall *firewall = &ladder->scenario->firewall[place - 1];
    const struct policy_profile *profile = NULL;
    char idle[LADDER_TEXT];

    snprintf(text, size, "%s", firewall->profile ? firewall->profile : "policy");
    size -= strlen(text);
    text += strlen(text);
    if (firewall->policy && firewall->policy->n_rules > 0)
        profile = &firewall->policy
                       ->profiles[firewall->policy->rules[firewall->policy->n_rules - 1].profile];
    if (!profile)
        return;
    if (profile->timeout[TIMEOUT_TCP_ESTABLISHED] == MTIME_NEVER)
        snprintf(text, size, "\nnever forgets");
    else
        snprintf(text, size, "\nafter %.60s idle %s\nlate packets: %s",
                 ladder_text_limit(idle, profile->timeout[TIMEOUT_TCP_ESTABLISHED]),
                 expiry[profile->on_expiry], late[profile->on_late]);
}

static double box_width(const struct ladder *ladder)
{
    return fmin(ladder->segment - 16, 240);
}

static void about_place(char *text, size_t size, const struct ladder *ladder, unsigned place)
{
    if (place == SCENARIO_CLIENT)
        about_host(text, size, ladder, FLOW_CLIENT);
    else if (place == ladder->places - 1)
        about_host(text, size, ladder, FLOW_SERVER);
    else
        about_firewall(text, size, ladder, place);
}

/* The lines that the fullest box needs. */
static unsigned box_lines(const struct ladder *ladder)
{
    char about[ABOUT];
    unsigned most = 1;

    for (unsigned i = 0; i < ladder->places; i++) {
        unsigned n = 0;

        about_place(about, sizeof(about), ladder, i);
        for (const char *p = about; *p; n++)
            p = svg_next_line(p, svg_fit(&small, p, box_width(ladder) - 12));
        most = n > most ? n : most;
    }
    return most < BOX_LINES ? most : BOX_LINES;
}

static void draw_box(struct ladder *ladder, unsigned place, double y, unsigned lines)
{
    bool host = place == SCENARIO_CLIENT || place == ladder->places - 1;
    double width = box_width(ladder), x = ladder->x[place];
    char about[ABOUT];

    svg_rect(ladder->to, x - width / 2, y, width, 26 + 13.0 * lines, 5,
             &(struct svg_pen){.fill = host ? "#eef4ea" : "#fdf1e3",
                               .stroke = host ? "#6f9460" : "#c98a3c",
                               .width = 1.2});
    y += 17;
    ladder_wrapped(ladder, x, &y, width - 12, 15, SVG_MIDDLE, &heading,
                   scenario_place_name(ladder->scenario, place), 1);
    about_place(about, sizeof(about), ladder, place);
    ladder_wrapped(ladder, x, &y, width - 12, 13, SVG_MIDDLE, &small, about, lines);
}

void ladder_draw_head(struct ladder *ladder)
{
    const struct svg_font title = {.size = 17, .bold = true, .fill = COLOUR_INK};
    const struct svg_font story = {.size = 12, .fill = "#3d4852"};
    const struct scenario *scenario = ladder->scenario;
    double y = 28, width = ladder->width - 48;
    unsigned lines = box_lines(ladder);

    ladder_wrapped(ladder, 24, &y, width, 22, SVG_START, &title,
                   scenario->title  ? scenario->title
                   : scenario->name ? scenario->name
                                    : "A story",
                   3);
    if (scenario->story)
        ladder_wrapped(ladder, 24, &y, width, 16, SVG_START, &story, scenario->story, 8);
    y += 4;
    for (unsigned i = 0; i < ladder->places; i++)
        draw_box(ladder, i, y, lines);
    y += 26 + 13.0 * lines;
    svg_text(ladder->to, LADDER_MARGIN - 8, y + 2, SVG_END,
             &(struct svg_font){.size = 10, .italic = true, .fill = COLOUR_GREY}, "h:mm:ss");
    ladder->top = y;
    ladder->y = ladder->top + 6;
    ladder->side_y[0] = ladder->side_y[1] = ladder->top - 4;
}

/* One sign and its word; moves on. */
struct legend {
    struct ladder *ladder;
    double x, y;
};

static double next_sign(struct legend *legend, const char *word)
{
    double width = 44 + svg_width(&small, word) + 18, x = legend->x;

    if (x + width > legend->ladder->width - 16 && x > 24) {
        x = 24;
        legend->y += 20;
    }
    svg_text(legend->ladder->to, x + 44, legend->y + 4, SVG_START, &small, word);
    legend->x = x + width;
    return x;
}

static void draw_legend(struct ladder *ladder)
{
    struct legend legend = {ladder, 24, ladder->y + 10};
    const struct svg_pen packet = {.stroke = COLOUR_PACKET, .width = 1.5};
    const struct svg_pen made = {.stroke = COLOUR_MADE, .width = 1.5};
    const struct svg_pen bad = {.stroke = COLOUR_BAD, .width = 2.4};
    double x = next_sign(&legend, "packet");

    svg_line(ladder->to, x + 2, legend.y, x + 36, legend.y, &packet);
    svg_arrow_head(ladder->to, x + 38, legend.y, 1, COLOUR_PACKET);
    x = next_sign(&legend, "dropped or lost here");
    svg_line(ladder->to, x + 2, legend.y, x + 32, legend.y, &packet);
    svg_cross(ladder->to, x + 32, legend.y, 5, &bad);
    if (ladder->places > 2) {
        double points[3][2] = {{14, -8}, {32, -8}, {23, 8}};

        x = next_sign(&legend, "made by a firewall");
        svg_line(ladder->to, x + 2, legend.y, x + 36, legend.y, &made);
        svg_arrow_head(ladder->to, x + 38, legend.y, 1, COLOUR_MADE);
        x = next_sign(&legend, "time until the firewall forgets");
        for (size_t i = 0; i < 3; i++) {
            points[i][0] += x;
            points[i][1] += legend.y;
        }
        svg_path(ladder->to, (const double(*)[2])points, 3, true,
                 &(struct svg_pen){.fill = COLOUR_BAND});
        x = next_sign(&legend, "it has forgotten");
        svg_rect(ladder->to, x + 14, legend.y - 8, 18, 16, 0,
                 &(struct svg_pen){.fill = "url(#forgotten)"});
    }
    if (ladder->shaded) {
        x = next_sign(&legend, "blocked or down");
        svg_rect(ladder->to, x + 10, legend.y - 8, 24, 16, 0,
                 &(struct svg_pen){.fill = "url(#blocked)"});
    }
    x = next_sign(&legend, "has a socket");
    svg_line(ladder->to, x + 22, legend.y - 8, x + 22, legend.y + 8,
             &(struct svg_pen){.stroke = COLOUR_ALIVE, .width = 4});
    x = next_sign(&legend, "has one, the other end not");
    svg_line(ladder->to, x + 22, legend.y - 8, x + 22, legend.y + 8,
             &(struct svg_pen){.stroke = COLOUR_ALONE, .width = 4});
    x = next_sign(&legend,
                  "beside the ends: state, and timer (seconds left/retransmissions/probes)");
    svg_text(ladder->to, x + 20, legend.y + 4, SVG_MIDDLE,
             &(struct svg_font){.size = 9, .mono = true, .fill = "#22663c"}, "(9/0/0)");
    ladder->y = legend.y + 24;
}

int ladder_draw_foot(struct ladder *ladder)
{
    const struct svg_font font = {.size = 12.5, .fill = COLOUR_INK};
    double y, width = ladder->width - 72;
    char *text = NULL;
    size_t len;
    FILE *to = open_memstream(&text, &len);
    int r;

    if (!to)
        return -ENOMEM;
    r = story_outcome_text(to, ladder->timeline, 100000);
    if (fclose(to) != 0 && r == 0)
        r = -ENOMEM;
    if (r == 0) {
        ladder->y = fmax(ladder->y, fmax(ladder->side_y[0], ladder->side_y[1]) + 6) + 10;
        draw_legend(ladder);
        y = ladder->y + 18;
        svg_text(ladder->to, 36, y, SVG_START, &heading, "What came of it");
        y += 20;
        ladder_wrapped(ladder, 36, &y, width, 17, SVG_START, &font, text, 40);
        svg_rect(ladder->to, 24, ladder->y, ladder->width - 48, y - ladder->y, 6,
                 &(struct svg_pen){.stroke = COLOUR_GREY, .width = 1});
        ladder->y = y + 20;
    }
    free(text);
    return r;
}
