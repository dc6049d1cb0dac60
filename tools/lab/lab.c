/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/lab/lab.h"

#include "tools/command.h"
#include "tools/lab/child.h"
#include "tools/lab/daemon.h"
#include "tools/lab/directory.h"
#include "tools/lab/listening.h"
#include "tools/lab/story.h"
#include "tools/lab/wiring.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ip, iptables and nft are not in an ordinary user's PATH, and this program may not be in
 * anybody's. */
void lab_extend_path(void)
{
    const char *path = getenv("PATH");
    char self[PATH_MAX] = "";
    char *longer = NULL;

    if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
        return;
    if (asprintf(&longer, "%s:/usr/local/sbin:/usr/sbin:/sbin:%s",
                 path && *path ? path : "/usr/bin:/bin", dirname(self)) < 0)
        return;
    setenv("PATH", longer, 1);
    free(longer);
}

static int make_spaces(struct lab *lab)
{
    int r;

    if (lab->client_netns) {
        r = space_open(&lab->client, lab->client_netns);
        if (r == DONE)
            r = space_open(&lab->server, lab->server_netns);
    } else {
        r = space_create(&lab->client, "client");
        if (r == DONE)
            r = space_create(&lab->server, "server");
    }
    if (r == DONE)
        r = space_create(&lab->firewall, "firewall");
    if (r == DONE)
        r = wiring_make(&lab->client, &lab->firewall, &lab->server);
    return r;
}

static void set_environment(const struct lab *lab)
{
    setenv("IDLEWALL_CLIENT", WIRING_CLIENT, 1);
    setenv("IDLEWALL_CLIENT6", WIRING_CLIENT6, 1);
    setenv("IDLEWALL_SERVER", WIRING_SERVER, 1);
    setenv("IDLEWALL_SERVER6", WIRING_SERVER6, 1);
    setenv("IDLEWALL_CONTROL", lab->daemon.control, 1);
    setenv("IDLEWALL_CLIENT_NETNS", lab->client.name, 1);
    setenv("IDLEWALL_SERVER_NETNS", lab->server.name, 1);
    setenv("IDLEWALL_FIREWALL_NETNS", lab->firewall.name, 1);
}

static int start_server(struct lab *lab)
{
    char *argv[] = {(char *)"/bin/sh", (char *)"-c", (char *)lab->server_command, NULL};
    struct child_spec spec = {.netns = lab->server.path,
                              .output = -1,
                              .to_stderr = true,
                              .own_group = true,
                              .no_input = true,
                              .argv = argv};
    pid_t pid;

    if (!lab->server_command)
        return DONE;
    pid = child_start(&spec);
    if (pid < 0)
        return command_failed("lab", "--server: %s", strerror((int)-pid));
    lab->server_pid = pid;
    return listening_wait(&lab->server_pid, &lab->server);
}

static void explain(const struct lab *lab)
{
    char speed[64] = "";

    if (lab->daemon.speed > 1)
        snprintf(speed, sizeof(speed), ", its time runs %u times as fast", lab->daemon.speed);
    fprintf(stderr,
            "This is the client, " WIRING_CLIENT " and " WIRING_CLIENT6 ".\n"
            "Behind the firewall (%s%s): the server, " WIRING_SERVER "\nand " WIRING_SERVER6 ".\n\n"
            "  ip netns exec %s COMMAND    runs something on the server\n"
            "  idlewall list | events | status          what the firewall sees\n"
            "  exit                                     removes all of it\n\n",
            lab->daemon.profile ? lab->daemon.profile : lab->daemon.policy, speed,
            lab->server.name);
}

/* Waits for COMMAND, hands signals on to it, and looks after the firewall. */
static int follow(struct lab *lab)
{
    bool lost = false;
    siginfo_t caught;
    int status;

    while (!child_wait(lab->command_pid, 200 * MTIME_MSEC, &status, &caught)) {
        lost = lost || daemon_lost(&lab->daemon);
        /* What the terminal sends, COMMAND gets as well, and decides what to make of it. */
        if (caught.si_signo != 0 && caught.si_code != SI_KERNEL) {
            kill(lab->command_pid, caught.si_signo);
            if (child_wait(lab->command_pid, 5 * MTIME_SEC, &status, &caught))
                break;
            status = child_end(&lab->command_pid, false);
            break;
        }
    }
    lab->command_pid = 0;
    lost = lost || daemon_lost(&lab->daemon);
    return lost ? COULD_NOT : child_exit_status(status);
}

static int run_command(struct lab *lab)
{
    const char *shell = getenv("SHELL");
    char *interactive[] = {(char *)(shell && *shell ? shell : "/bin/sh"), NULL};
    struct child_spec spec = {
        .netns = lab->client.path, .output = -1, .argv = lab->shell ? interactive : lab->command};

    set_environment(lab);
    if (lab->shell)
        explain(lab);
    lab->command_pid = child_start(&spec);
    if (lab->command_pid < 0)
        return command_failed("lab", "%s", strerror((int)-lab->command_pid));
    return follow(lab);
}

static int take_down(struct lab *lab)
{
    int r;

    child_end(&lab->command_pid, false);
    child_end(&lab->server_pid, true);
    r = daemon_stop(&lab->daemon);
    wiring_remove(&lab->client);
    wiring_remove(&lab->server);
    space_remove(&lab->client);
    space_remove(&lab->server);
    space_remove(&lab->firewall);
    directory_remove(lab->directory);
    return r;
}

int lab_run(int argc, char **argv)
{
    struct lab *lab = calloc(1, sizeof(*lab));
    siginfo_t caught;
    int status = COULD_NOT;
    int r, ended;

    if (story_asked(argc, argv)) {
        free(lab);
        return story_run(argc, argv);
    }
    if (!lab)
        return command_failed("lab", "out of memory");
    lab->daemon.space = &lab->firewall;
    lab->daemon.directory = lab->directory;
    lab->daemon.name = "control";
    r = lab_options(lab, argc, argv, &status);
    if (r != DONE)
        goto out;
    lab_extend_path();
    if (geteuid() != 0 && lab->client_netns) {
        r = command_failed("lab", "--client-netns and --server-netns take root");
        goto out;
    }
    if (geteuid() != 0 && (r = space_without_root()) != DONE)
        goto out;
    child_init();
    space_remove_leftovers();
    directory_remove_leftovers();
    r = directory_create(lab->directory, sizeof(lab->directory));
    if (r == DONE)
        r = make_spaces(lab);
    if (r == DONE && child_interrupted(&caught))
        r = 128 + caught.si_signo;
    if (r == DONE)
        r = daemon_start(&lab->daemon);
    if (r == DONE)
        r = start_server(lab);
    if (r == DONE)
        r = run_command(lab);
    ended = take_down(lab);
    if (r == DONE)
        r = ended;
out:
    free(lab);
    return r == COMMAND_OVER ? status : r;
}
