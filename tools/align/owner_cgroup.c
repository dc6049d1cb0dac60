/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/align/socket_parts.h"

#include <ctype.h>

#define ID_DIGITS 64 /* an OCI runtime's id */
#define ID_SHOWN 12  /* as its tools show it */

static size_t hex_digits(struct slice s)
{
    size_t n = 0;

    while (n < s.n && isxdigit((unsigned char)s.at[n]))
        n++;
    return n;
}

/* `/docker/ID`, `docker-ID.scope`, `cri-containerd-ID.scope`, `crio-ID`,
 * `libpod-ID.scope/container`: 64 hexadecimal digits, whatever is before. */
static bool find_id(struct slice path, struct slice *id)
{
    while (path.n >= ID_DIGITS) {
        size_t n = hex_digits(path);

        if (n == ID_DIGITS) {
            *id = (struct slice){path.at, ID_SHOWN};
            return true;
        }
        path = slice_after(path, n > 0 ? n : 1);
    }
    return false;
}

/* Those that are told by their names: LXC, systemd-nspawn. */
static bool find_name(struct slice path, struct slice *name)
{
    static const char *const before[] = {"/lxc.payload.", "/lxc.payload/", "/lxc/", "/machine-"};

    for (; path.n > 0; path = slice_after(path, 1))
        for (size_t i = 0; i < sizeof(before) / sizeof(*before); i++) {
            const char *end;

            if (!slice_starts(path, before[i]))
                continue;
            *name = slice_after(path, strlen(before[i]));
            end = memchr(name->at, '/', name->n);
            if (end)
                name->n = (size_t)(end - name->at);
            end = memmem(name->at, name->n, ".scope", 6);
            if (end)
                name->n = (size_t)(end - name->at);
            if (name->n > 0)
                return true;
        }
    return false;
}

bool owner_container(struct slice path, char *to, size_t room)
{
    struct slice name;

    if (!find_id(path, &name) && !find_name(path, &name))
        return false;
    slice_copy(name, to, room);
    return true;
}

/* instance_from_socket() of systemd: `ssh@3-192.0.2.1:22-192.0.2.2:50000.service`, since 252 with
 * another number before the addresses. */
bool owner_is_instance(struct slice path)
{
    const char *slash = memrchr(path.at, '/', path.n);
    struct slice unit = slice_after(path, slash ? (size_t)(slash - path.at) + 1 : 0);
    const char *at = memchr(unit.at, '@', unit.n);
    uint64_t number;

    if (!at || !memmem(unit.at, unit.n, ".service", 8))
        return false;
    unit = slice_after(unit, (size_t)(at - unit.at) + 1);
    return slice_number(&unit, UINT32_MAX, &number) && slice_starts(unit, "-") &&
           memchr(unit.at, ':', unit.n) != NULL;
}
