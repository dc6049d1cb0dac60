# SPDX-License-Identifier: GPL-2.0-or-later
"""Which short story of stories/*.scenario plays a shipped case (`idlewall simulate --list`) live. Both must end in the same
way: states, errors, who forgot, what was answered. `--set` lines make one story of a case that is a grid."""

# case: (story, settings)
LIVE = {
    "fin-lost-crash": ("fin-lost-rebooted", ()),
    "fin-lost-crash-keepalive": ("fin-lost-reboot", ()),
    "fin-lost-nobody-closes": ("fin-ignored-half-closed", ()),
    "fin-lost-on-the-way": ("fin-lost-unnoticed", ()),
    "fin-lost-on-the-way-resent": ("fin-lost-resent", ()),
    "firewall-shorter-than-keepalive-linux": ("shorter-reset", ()),
    "firewall-shorter-than-keepalive-lower-idle-linux": ("shorter-idle-lowered", ()),
    "firewall-shorter-than-keepalive-silent-linux": ("shorter-silent", ()),
    "imapd-vanished-client": ("vanished-off-back", ()),
    "imapd-vanished-client-keepalive": ("vanished-keepalive-back", ()),
    "imapd-vanished-daily-off": ("vanished-daily-off", ()),
    "imapd-vanished-daily-on": ("vanished-daily-on", ()),
    "oracle-dcd-all-well": ("dcd-all-well", ()),
    "oracle-dcd-answers-lost": ("dcd-both-ways", ()),
    "oracle-dcd-block-lifted": ("dcd-block-lifted", ()),
    "oracle-dcd-data-pending": ("dcd-data-pending", ()),
    "oracle-dcd-data-pending-short": ("dcd-data-pending", ()),
    "oracle-dcd-data-pending-user-timeout": ("dcd-user-timeout", ()),
    "oracle-dcd-heartbeat": ("heartbeat-retransmits", ()),
    "oracle-dcd-heartbeat-timeout": ("heartbeat-timeout", ()),
    "oracle-dcd-killed-process": ("killed", ()),
    "oracle-dcd-read-timeout": ("read-timeout-crash", ()),
    "oracle-dcd-read-timeout-too-short": ("read-timeout", ()),
    "oracle-dcd-traffic": ("dcd-traffic", ()),
    "stuck-close-wait": ("close-wait-killed", ()),
    "stuck-close-wait-cleared": ("close-wait-cleared", ()),
    "stuck-fin-wait-2-linux": ("fin-wait-2", ()),
    "stuck-zero-window-linux": ("zero-window-held", ()),
    "three-firewalls": ("three-firewalls-unused", ()),
    "three-firewalls-aligned": ("three-firewalls-aligned", ()),
}

AIX = "the server is IBM AIX, and here is a Linux kernel"
STCP = "the server is OpenVOS STCP, newer releases, and here is a Linux kernel"
STCP_OLD = "the server is OpenVOS STCP, older releases, and here is a Linux kernel"
ITSELF = "it is virtual only, as it says itself"
GRID = "it has lists or ranges of values"
HZ = "the server's hz is not this kernel's"

# case: (story with Linux in that place, settings, or None where there is no single story to compare, why the lab refuses)
VIRTUAL = {
    "firewall-price-of-both": ("shorter-same-silent", None, (GRID,)),
    "firewall-price-of-keepalive": ("shorter-idle-lowered", None, (GRID,)),
    "firewall-price-of-limit": ("shorter-limit-raised", None, (GRID,)),
    "firewall-shorter-than-keepalive": ("shorter-reset", (), (ITSELF, AIX)),
    "firewall-shorter-than-keepalive-lower-idle": ("shorter-idle-lowered", (), (ITSELF, AIX)),
    "firewall-shorter-than-keepalive-raise-limit": ("shorter-limit-raised", (), (ITSELF, AIX)),
    "firewall-shorter-than-keepalive-silent": ("shorter-silent", (), (ITSELF, AIX)),
    "imapd-vanished-daily": ("vanished-daily-on", ("server keepalive on 7200 75 9",), (GRID,)),
    "keepalive-300-limit-350": ("shorter-idle-lowered", ("server jiffy 8000",), (GRID,)),
    "keepalive-320-limit-350": ("shorter-same", (), (ITSELF,)),
    "keepalive-3200-limit-3650": ("shorter-idle-lowered", ("server jiffy 60000",), (GRID,)),
    "keepalive-3600-limit-3650": ("shorter-same-silent", (), (ITSELF,)),
    "stuck-established": ("fin-lost-crash", (), (ITSELF, STCP)),
    "stuck-established-keepalive": ("crash-keepalive", (), (ITSELF, STCP)),
    "stuck-fin-wait-2": ("fin-wait-2", (), (ITSELF, STCP)),
    "stuck-fin-wait-2-old": ("fin-wait-2-held", (), (ITSELF, STCP_OLD)),
    "stuck-zero-window": ("zero-window-held", (), (ITSELF, STCP)),
    # STCP resets its peer when it gives up, Linux does not.
    "stuck-zero-window-abort": ("zero-window-user-timeout", None, (ITSELF, STCP)),
    "stuck-zero-window-recovers": ("zero-window", (), (ITSELF, STCP)),
}
