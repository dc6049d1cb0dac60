/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/live/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#define NOBODY 65534 /* where there is no such name */

static const cap_value_t kept[] = {CAP_NET_ADMIN, CAP_NET_RAW};

/* A user namespace with a single id has no nobody (EINVAL), and one made without help may not call
 * setgroups (EPERM): there the uid means nothing outside anyway. */
static int become_nobody(void)
{
    const struct passwd *user = getpwnam("nobody");
    uid_t uid = user ? user->pw_uid : NOBODY;
    gid_t gid = user ? user->pw_gid : NOBODY;

    if (geteuid() != 0)
        return 0;
    if (setgroups(0, NULL) < 0 && errno != EPERM)
        return -errno;
    if (setresgid(gid, gid, gid) < 0)
        return errno == EINVAL ? 0 : -errno;
    if (setresuid(uid, uid, uid) < 0)
        return errno == EINVAL ? 0 : -errno;
    return 0;
}

static int limit_capabilities(void)
{
    cap_t caps = cap_init();
    int r = 0;

    if (!caps)
        return -ENOMEM;
    if (cap_set_flag(caps, CAP_PERMITTED, 2, kept, CAP_SET) < 0 ||
        cap_set_flag(caps, CAP_EFFECTIVE, 2, kept, CAP_SET) < 0 || cap_set_proc(caps) < 0)
        r = -errno;
    cap_free(caps);
    return r;
}

int privileges_drop(void)
{
    int r;

    for (cap_value_t cap = 0; cap < cap_max_bits(); cap++) {
        if (cap != CAP_NET_ADMIN && cap != CAP_NET_RAW)
            cap_drop_bound(cap); /* no_new_privs below makes sure where this is not allowed */
    }
    if (prctl(PR_SET_KEEPCAPS, 1) < 0)
        return -errno;
    r = become_nobody();
    if (r == 0)
        r = limit_capabilities();
    if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        r = -errno;
#ifdef __SANITIZE_ADDRESS__
    /* The leak checker traces its own process, which a change of user forbids. */
    prctl(PR_SET_DUMPABLE, 1);
#endif
    return r;
}
