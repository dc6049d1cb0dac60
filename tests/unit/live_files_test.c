/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "middlebox/live/command.h"
#include "middlebox/live/link.h"
#include "middlebox/live/listener.h"
#include "middlebox/live/policy_file.h"
#include "policy/policy_parse.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char directory[] = "/tmp/idlewall-test-XXXXXX";
static char path[64], inner[64];

static int make_directory(void **state)
{
    (void)state;
    if (!mkdtemp(directory))
        return -1;
    snprintf(inner, sizeof(inner), "%s/inner", directory);
    snprintf(path, sizeof(path), "%s/inner/socket", directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    unlink(path);
    rmdir(inner);
    return rmdir(directory);
}

static int dial(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

static void socket_file(void **state)
{
    int fd = listener_open(path), other;
    struct stat st;
    FILE *file;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0660);
    other = dial();
    assert_true(other >= 0);
    close(other);
    assert_int_equal(listener_open(path), -EADDRINUSE);
    close(fd); /* a dead daemon's */
    assert_int_equal(dial(), -1);
    fd = listener_open(path);
    assert_true(fd >= 0);
    close(fd);
    unlink(path);
    file = fopen(path, "w");
    fclose(file);
    assert_int_equal(listener_open(path), -EEXIST);
    assert_int_equal(stat(path, &st), 0); /* and it is still there */
    unlink(path);
}

static void policy_text(void **state)
{
    char text[16] = "";
    FILE *file = fopen(path, "w");
    int fd, fifo;

    (void)state;
    fputs("hello", file);
    fclose(file);
    fd = policy_file_open(path);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, text, sizeof(text), 0), 5);
    assert_string_equal(text, "hello");
    assert_int_equal(ftruncate(fd, 0), -1); /* nobody may change it later */
    assert_int_equal(pwrite(fd, "j", 1, 0), -1);
    close(fd);
    assert_int_equal(truncate(path, (off_t)POLICY_TEXT_MAX + 1), 0);
    assert_int_equal(policy_file_open(path), -EFBIG);
    unlink(path);
    assert_int_equal(policy_file_open(path), -ENOENT);
    assert_int_equal(policy_file_open(directory), -EISDIR);
    assert_int_equal(mkfifo(path, 0600), 0); /* must not wait for a writer */
    fifo = open(path, O_RDWR);
    assert_int_equal(policy_file_open(path), -EAGAIN);
    close(fifo);
    unlink(path);
}

static void handing_over(void **state)
{
    struct link_message out = {.kind = LINK_POLICY, .flag = true, .why = "because"}, in;
    char letter = 0;
    int pair[2], ends[2], passed;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(link_send(pair[0], &out, ends[0]), 0);
    close(ends[0]);
    assert_int_equal(link_receive(pair[1], &in, &passed), 1);
    assert_int_equal(in.kind, LINK_POLICY);
    assert_true(in.flag);
    assert_string_equal(in.why, "because");
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(read(passed, &letter, 1), 1);
    assert_int_equal(letter, 'x');
    close(passed);
    close(ends[1]);
    assert_int_equal(link_send(pair[0], &out, -1), 0);
    assert_int_equal(link_receive(pair[1], &in, &passed), 1);
    assert_int_equal(passed, -1);
    assert_int_equal(send(pair[0], "short", 5, 0), 5);
    assert_int_equal(link_receive(pair[1], &in, &passed), -EPROTO);
    close(pair[0]);
    assert_int_equal(link_receive(pair[1], &in, &passed), 0);
    assert_int_equal(link_send(pair[1], &out, -1), -EPIPE);
    close(pair[1]);
}

static void other_programs(void **state)
{
    const char *const cat[] = {"cat", NULL}, *const none[] = {"no-such-program-here", NULL};
    const char *const shell[] = {"sh", "-c", "echo out; echo err >&2; exit 3", NULL};
    static char big[1 << 20];
    struct command_output output;

    (void)state;
    memset(big, 'x', sizeof(big));
    assert_int_equal(command_run(&output, cat, big, sizeof(big)), 0);
    assert_int_equal(output.status, 0);
    assert_int_equal(output.out_len, sizeof(big));
    assert_memory_equal(output.out, big, sizeof(big));
    command_output_finish(&output);
    assert_int_equal(command_run(&output, shell, NULL, 0), 0);
    assert_int_equal(output.status, 3);
    assert_string_equal(output.out, "out\n");
    assert_string_equal(output.err, "err\n");
    command_output_finish(&output);
    assert_int_equal(command_run(&output, none, NULL, 0), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(socket_file),
        cmocka_unit_test(policy_text),
        cmocka_unit_test(handing_over),
        cmocka_unit_test(other_programs),
    };

    return cmocka_run_group_tests_name("files", tests, make_directory, remove_directory);
}
