/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/lab/play/chain.h"

#include "tools/command.h"
#include "tools/lab/child.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* A few lines of shell inside the namespace; the first that fails ends them. */
__attribute__((format(printf, 2, 3))) static int run(const struct space *space, const char *format,
                                                     ...)
{
    char *script = NULL;
    char *argv[] = {(char *)"/bin/sh", (char *)"-ec", NULL, NULL};
    struct child_spec spec = {.netns = space->path,
                              .output = -1,
                              .to_stderr = true,
                              .own_group = true, /* or an interrupt would look like a failure */
                              .no_input = true,
                              .argv = argv};
    va_list values;
    int r;

    va_start(values, format);
    r = vasprintf(&script, format, values);
    va_end(values);
    if (r < 0)
        return command_failed("lab", "out of memory");
    argv[2] = script;
    r = child_run(&spec);
    if (r != 0)
        r = command_failed("lab", "in %s this failed:\n%s", space->name, script);
    free(script);
    return r;
}

/* The two ends of link i: addresses of the documentation ranges. */
struct ends {
    char near[16], far[16]; /* towards the client's, towards the server's end */
    unsigned bits;
};

static struct ends ends_of(const struct chain *chain, size_t link)
{
    struct ends e = {.bits = 24};

    if (link == 0)
        snprintf(e.near, sizeof(e.near), "192.0.2.%u", chain->client);
    else if (link + 2 == chain->n)
        snprintf(e.near, sizeof(e.near), "198.51.100.1");
    else
        snprintf(e.near, sizeof(e.near), "203.0.113.%zu", 4 * link + 1);
    if (link + 2 == chain->n)
        snprintf(e.far, sizeof(e.far), CHAIN_SERVER);
    else if (link == 0)
        snprintf(e.far, sizeof(e.far), "192.0.2.1");
    else
        snprintf(e.far, sizeof(e.far), "203.0.113.%zu", 4 * link + 2);
    if (link > 0 && link + 2 < chain->n)
        e.bits = 30;
    return e;
}

/* Offloads would let segments through that no wire has seen, larger than the MSS. */
static int no_offload(const struct space *space, const char *interface)
{
    static const uint32_t off[] = {ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO};
    int fd = space_socket(space, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int r = fd < 0 ? fd : 0;

    for (size_t i = 0; r == 0 && i < sizeof(off) / sizeof(off[0]); i++) {
        struct ethtool_value value = {.cmd = off[i]};
        struct ifreq request = {.ifr_data = (char *)&value};

        snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
        if (ioctl(fd, SIOCETHTOOL, &request) < 0)
            r = -errno;
    }
    if (fd >= 0)
        close(fd);
    return r == 0 ? DONE
                  : command_failed("lab", "%s: offloads cannot be turned off: %s", space->name,
                                   strerror(-r));
}

static int wire_link(struct chain *chain, size_t link)
{
    const struct space *near = &chain->place[link], *far = &chain->place[link + 1];
    struct ends e = ends_of(chain, link);
    char near_mac[24], far_mac[24];
    int r;

    snprintf(near_mac, sizeof(near_mac), "02:00:00:00:%02x:01", (unsigned)link & 0xff);
    snprintf(far_mac, sizeof(far_mac), "02:00:00:00:%02x:02", (unsigned)link & 0xff);
    r = run(near,
            "ip link add toserver address %s type veth peer name toclient address %s netns %s\n"
            "ip addr add %s/%u dev toserver\n"
            "ip link set toserver up\n"
            "ip neigh replace %s lladdr %s dev toserver nud permanent",
            near_mac, far_mac, far->name, e.near, e.bits, e.far, far_mac);
    if (r == DONE)
        r = no_offload(near, "toserver");
    if (r == DONE)
        r = no_offload(far, "toclient");
    return r != DONE ? r
                     : run(far,
                           "ip addr add %s/%u dev toclient\n"
                           "ip link set toclient up\n"
                           "ip neigh replace %s lladdr %s dev toclient nud permanent",
                           e.far, e.bits, e.near, near_mac);
}

static int route(const struct chain *chain, size_t place)
{
    const struct space *space = &chain->place[place];
    int r =
        run(space, "ip link set lo up\n"
                   "sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0");

    if (r == DONE && place > 0 && place + 1 < chain->n)
        r = run(space, "sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0");
    /* The nets at both ends; their own links are known already. */
    if (r == DONE && place + 2 < chain->n)
        r = run(space, "ip route replace 198.51.100.0/24 via %s dev toserver",
                ends_of(chain, place).far);
    if (r == DONE && place > 1)
        r = run(space, "ip route replace 192.0.2.0/24 via %s dev toclient",
                ends_of(chain, place - 1).near);
    /* Nothing between them: one link, two nets. */
    if (r == DONE && chain->n == 2)
        r = run(space, "ip route replace %s",
                place == 0 ? "198.51.100.0/24 dev toserver" : "192.0.2.0/24 dev toclient");
    return r;
}

static int make_space(struct chain *chain, const struct scenario *scenario, size_t place)
{
    char role[32];

    if (place == 0 || place + 1 == chain->n)
        return space_create(&chain->place[place], scenario_place_name(scenario, (unsigned)place));
    snprintf(role, sizeof(role), "firewall%zu", place);
    return space_create(&chain->place[place], role);
}

int chain_make(struct chain *chain, const struct scenario *scenario)
{
    int r = DONE;

    *chain = (struct chain){.n = scenario->n_firewalls + 2, .client = CHAIN_CLIENT};
    for (size_t i = 0; r == DONE && i < chain->n; i++)
        r = make_space(chain, scenario, i);
    for (size_t i = 0; r == DONE && i + 1 < chain->n; i++)
        r = wire_link(chain, i);
    for (size_t i = 0; r == DONE && i < chain->n; i++)
        r = route(chain, i);
    return r;
}

void chain_remove(struct chain *chain)
{
    for (size_t i = 0; i < CHAIN_PLACES; i++)
        space_remove(&chain->place[i]);
}

int chain_block(const struct chain *chain, unsigned place, enum flow_side from, bool on)
{
    bool server = place + 1 == chain->n;
    bool leaves = server == (from == FLOW_SERVER);
    unsigned at = !leaves ? place : server ? place - 1 : place + 1;

    return run(&chain->place[at], "iptables -w -t raw -%s PREROUTING -i %s -j DROP", on ? "I" : "D",
               (server == leaves) ? "toserver" : "toclient");
}

int chain_lose(const struct chain *chain, unsigned link, enum flow_side from, const uint32_t *nth,
               size_t n)
{
    unsigned at = from == FLOW_CLIENT ? link + 1 : link;
    int r = DONE;

    /* The highest first: a packet that one rule takes is not counted by those behind it. */
    for (size_t i = 0; r == DONE && i < n; i++)
        r = run(&chain->place[at],
                "iptables -w -t raw -I PREROUTING -i %s -p tcp -m statistic --mode nth "
                "--every 2000000000 --packet %u -j DROP",
                from == FLOW_CLIENT ? "toclient" : "toserver", nth[i] - 1);
    return r;
}

int chain_quiet(const struct chain *chain, unsigned place, bool on)
{
    const char *act = on ? "I" : "D";

    return run(&chain->place[place],
               "iptables -w -t raw -%s PREROUTING -j DROP\n"
               "iptables -w -t raw -%s OUTPUT ! -o lo -j DROP",
               act, act);
}

static int move_client(struct chain *chain)
{
    unsigned old = chain->client;
    int r;

    if (old == CHAIN_CLIENT_LAST)
        return command_failed("lab", "the client has had too many addresses");
    chain->client++;
    /* The old one first: a second of the same net goes with it (promote_secondaries). Routes go,
     * too. */
    r = run(&chain->place[0],
            "ip addr del 192.0.2.%u/24 dev toserver\n"
            "ip addr add 192.0.2.%u/24 dev toserver",
            old, chain->client);
    return r == DONE ? route(chain, 0) : r;
}

int chain_link(struct chain *chain, unsigned place, bool up, bool new_address)
{
    int r = DONE;

    if (new_address)
        r = move_client(chain);
    if (r == DONE && new_address)
        r = run(&chain->place[1],
                "ip neigh replace 192.0.2.%u lladdr 02:00:00:00:00:01 dev toclient nud permanent",
                chain->client);
    if (r == DONE)
        r = chain_block(chain, place, FLOW_CLIENT, !up);
    return r == DONE ? chain_block(chain, place, FLOW_SERVER, !up) : r;
}

int chain_forget_sockets(const struct chain *chain, unsigned place)
{
    return run(&chain->place[place], "ss -K -t -a >/dev/null");
}
