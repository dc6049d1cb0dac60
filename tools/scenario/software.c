/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What programs ask of their sockets, and do by themselves, as shipped. Each entry names the rows
 * of tests/profiles/keepalives.tsv that its figures are from; sources are given again where they
 * say more than a number. A program that does not touch SO_KEEPALIVE is UNSET: its system decides.
 * Heartbeat sizes are those of the protocol's smallest such message.
 */
#include "tools/scenario/software.h"

#include "middlebox/record/flow.h"

#include <string.h>

#define SEC(n) ((mtime_t)(n)*MTIME_SEC)
#define MIN(n) SEC((n)*60)
#define ON .keepalive = SOFTWARE_KEEPALIVE_ON
#define TIMES(i, v, c) .times = {.idle = SEC(i), .interval = SEC(v), .count = (c)}

const struct software softwares[] = {
    /* databases */
    {
        /* postgres config.sgml: 0 uses the system default; libpq: keepalives=1 */
        .name = "postgresql",
        .id = {"postgresql-libpq", "postgresql-server"},
        .port = 5432,
        .side = {{ON, .unverified = true}, {ON, .unverified = true}},
    },
    {
        /* the provider's own values, below Azure's idle limit of 240 s */
        .name = "azure-postgresql",
        .id = {NULL, "azure-postgresql-flexible"},
        .port = 5432,
        .side[FLOW_SERVER] = {ON, TIMES(120, 30, 9), .unverified = true},
    },
    {
        /* pgbouncer config.md: towards the database server_idle_timeout 600; towards clients
         * client_idle_timeout 0 */
        .name = "pgbouncer",
        .id = {"pgbouncer", "pgbouncer"},
        .port = 6432,
        .side = {{ON, .behaviour.idle_close = MIN(10)}, {ON}},
    },
    {
        /* pgjdbc use.md: tcpKeepAlive default false */
        .name = "pgjdbc",
        .id = {"pgjdbc", NULL},
        .port = 5432,
    },
    {
        .name = "mysql", /* wait_timeout closes an idle session after 8 h */
        .id = {NULL, "mysql-server"},
        .port = 3306,
        .side[FLOW_SERVER] = {ON, .behaviour.idle_close = SEC(28800), .unverified = true},
    },
    {
        .name = "mysql-connector-j", /* tcpKeepAlive, the opposite default of pgjdbc */
        .id = {"mysql-connector-j", NULL},
        .port = 3306,
        .side[FLOW_CLIENT] = {ON, .unverified = true},
    },
    {
        .name = "mariadb", /* tcp_keepalive_time 0: system default (MDEV-22137: seconds) */
        .id = {NULL, "mariadb-server"},
        .port = 3306,
        .side[FLOW_SERVER] = {ON, .unverified = true},
    },
    {
        .name = "sqlserver", /* Keep Alive 30000 ms, Keep Alive Interval 1000 ms, both ends */
        .id = {"sqlserver", "sqlserver"},
        .port = 1433,
        .side = {{ON, TIMES(30, 1, 0), .unverified = true},
                 {ON, TIMES(30, 1, 0), .unverified = true}},
    },
    {
        /* the server caps the system's idle time; the drivers' specification says 300, and the Ruby
         * driver shows 300/10/9 */
        .name = "mongodb",
        .id = {"mongodb-drivers", "mongodb-server"},
        .port = 27017,
        .side = {{ON, TIMES(300, 10, 9)}, {ON, TIMES(300, 0, 0), .unverified = true}},
    },
    {
        /* redis anet.c: interval = idle / 3, count 3; `timeout 0`: no idle close */
        .name = "redis",
        .id = {NULL, "redis-server"},
        .port = 6379,
        .side[FLOW_SERVER] = {ON, TIMES(300, 100, 3)},
    },
    {
        /* SQLNET.EXPIRE_TIME and (EXPIRE_TIME=...) are off as shipped. Where they are set, in
         * minutes, interval and count are the product's own: `app oracle keepalive idle 600`. */
        .name = "oracle",
        .id = {"oracle-client-19c", "oracle-sqlnet-12c"},
        .port = 1521,
        .side = {{TIMES(0, 6, 10), .unverified = true}, {TIMES(0, 6, 10), .unverified = true}},
    },
    {
        /* before 12c, and with USE_NS_PROBES_FOR_DCD: 10 bytes of TNS every EXPIRE_TIME; off too:
         * `app oracle-ns-probe heartbeat 600` */
        .name = "oracle-ns-probe",
        .id = {NULL, "oracle-sqlnet-ns-probe"},
        .port = 1521,
        .side[FLOW_SERVER] = {.behaviour.heartbeat_bytes = 10},
    },
    {
        .name = "oracle-broken", /* (ENABLE=BROKEN): only SO_KEEPALIVE */
        .id = {"oracle-ora-enable-broken", NULL},
        .port = 1521,
        .side[FLOW_CLIENT] = {ON, .unverified = true},
    },
    {
        /* One number for the whole, 15 s. IBM's note on the JDBC driver's keepAliveTimeOut, above
         * 10: idle = a third, count = 10, interval = a tenth of the rest, at least 1. */
        .name = "db2",
        .id = {"db2-dsdriver db2-jcc db2-registry", NULL},
        .port = 50000,
        .side[FLOW_CLIENT] = {ON, TIMES(5, 1, 10), .unverified = true},
    },
    {
        .name = "sybase-ase", /* the system's parameters only */
        .id = {NULL, "sybase-ase"},
        .port = 5000,
        .side[FLOW_SERVER] = {ON, .unverified = true},
    },
    {
        .name = "iris", /* TCPKeepAlive in [SQL]: 30 to 432000, default 300 */
        .id = {NULL, "intersystems-iris"},
        .port = 1972,
        .side[FLOW_SERVER] = {ON, TIMES(300, 0, 0)},
    },
    {
        /* config.zig, both ends; TCP_USER_TIMEOUT of the same length: 5 + 3 * 4 */
        .name = "tigerbeetle",
        .id = {"tigerbeetle", "tigerbeetle"},
        .port = 3001,
        .side = {{ON, TIMES(5, 4, 3), .user_timeout = SEC(17), .unverified = true},
                 {ON, TIMES(5, 4, 3), .user_timeout = SEC(17), .unverified = true}},
    },

    /* messages */
    {
        /* KAINT does nothing but on z/OS, and KeepAlive=NO; HBINT 300, dead after about 600 */
        .name = "ibm-mq",
        .id = {"ibm-mq-hbint ibm-mq-kaint", "ibm-mq-hbint ibm-mq-kaint"},
        .port = 1414,
        .side = {{.behaviour = {.heartbeat = MIN(5),
                                .heartbeat_bytes = 28,
                                .heartbeat_timeout = MIN(10)},
                  .unverified = true},
                 {.behaviour = {.heartbeat = MIN(5),
                                .heartbeat_bytes = 28,
                                .heartbeat_timeout = MIN(10)},
                  .unverified = true}},
    },
    {
        /* AMQP 0-9-1: the timeout is 60, frames go out at half of it, both ways; TCP keepalive is
         * false */
        .name = "rabbitmq",
        .id = {"rabbitmq-heartbeat", "rabbitmq-heartbeat rabbitmq-tcp-keepalive"},
        .port = 5672,
        .side = {{.behaviour = {.heartbeat = SEC(30),
                                .heartbeat_bytes = 8,
                                .heartbeat_timeout = MIN(1)}},
                 {.behaviour = {.heartbeat = SEC(30),
                                .heartbeat_bytes = 8,
                                .heartbeat_timeout = MIN(1)}}},
    },
    {
        /* nats-server const.go: PING every 2 min, 2 may be out; the client answers PONG */
        .name = "nats",
        .id = {"nats-server", "nats-server"},
        .port = 4222,
        .side =
            {{.behaviour.answer_bytes = 6, .unverified = true},
             {.behaviour = {.heartbeat = MIN(2), .heartbeat_bytes = 6, .heartbeat_timeout = MIN(6)},
              .unverified = true}},
    },
    {
        /* the client's keepalive 60; the broker answers PINGREQ, and gives up after 1.5 times
         * (MQTT 3.1.2.10); max_keepalive 0: no limit of its own */
        .name = "mosquitto",
        .id = {"mqtt-mosquitto-client", "mqtt-mosquitto-client mqtt-broker-max"},
        .port = 1883,
        .side = {{.behaviour = {.heartbeat = MIN(1), .heartbeat_bytes = 2}, .unverified = true},
                 {.behaviour = {.heartbeat_timeout = SEC(90), .answer_bytes = 2},
                  .unverified = true}},
    },
    {
        /* idle-time-out is the peer's to ask for; off unless one end does, then empty frames of 8
         * bytes at half of it: `app amqp10 heartbeat 120` */
        .name = "amqp10",
        .id = {"amqp10-idle", "amqp10-idle"},
        .port = 5672,
        .side = {{.behaviour.heartbeat_bytes = 8, .unverified = true},
                 {.behaviour.heartbeat_bytes = 8, .unverified = true}},
    },
    {
        /* connections.max.idle.ms: the client closes first; Selector.java sets SO_KEEPALIVE */
        .name = "kafka",
        .id = {"kafka-client", "kafka-broker"},
        .port = 9092,
        .side = {{ON, .behaviour.idle_close = MIN(9)}, {ON, .behaviour.idle_close = MIN(10)}},
    },
    {
        .name = "webmethods", /* watt.server.brokerTransport.dur 60, .max 60, .ret 3 */
        .id = {"webmethods-broker", NULL},
        .port = 6849,
        .side[FLOW_CLIENT] = {.behaviour = {.heartbeat = MIN(1),
                                            .heartbeat_bytes = 64,
                                            .heartbeat_timeout = MIN(4)},
                              .unverified = true},
    },

    /* shells, mail, directories */
    {
        /* ServerAliveInterval 0; TCPKeepAlive yes is SO_KEEPALIVE and nothing more. Debian's 300
         * with BatchMode: `app ssh heartbeat 300 timeout 900` */
        .name = "ssh",
        .id = {"openssh-ssh-serveralive openssh-tcpkeepalive", NULL},
        .port = 22,
        .side[FLOW_CLIENT] = {ON, .behaviour.heartbeat_bytes = 60, .unverified = true},
    },
    {
        .name = "sshd", /* ClientAliveInterval 0; CountMax 3: `heartbeat 60 timeout 180` */
        .id = {NULL, "openssh-sshd-clientalive openssh-tcpkeepalive"},
        .port = 22,
        .side[FLOW_SERVER] = {ON, .behaviour.heartbeat_bytes = 60},
    },
    {
        .name = "cyrus-imapd", /* tcp_keepalive 0; its other options are the system's */
        .id = {NULL, "cyrus-imapd"},
        .port = 993,
    },
    {
        /* imap-settings.c: "* OK Still here" every 2 min to clients in IDLE; 30 min without a word
         * from the client end the session */
        .name = "dovecot",
        .id = {NULL, "dovecot-imap-idle"},
        .port = 993,
        .side[FLOW_SERVER] = {.behaviour = {.heartbeat = MIN(2),
                                            .heartbeat_bytes = 17,
                                            .heartbeat_timeout = MIN(30)},
                              .unverified = true},
    },
    {
        .name = "exim", /* keepalive (smtp transport), smtp_accept_keepalive: both true */
        .id = {"exim", "exim"},
        .port = 25,
        .side = {{ON}, {ON}},
    },
    {
        /* libldap KEEPALIVE_IDLE, and slapd as somebody's client: not set; idletimeout 0 */
        .name = "openldap",
        .id = {"openldap-client openldap-slapd-keepalive", "openldap-slapd-idletimeout"},
        .port = 389,
        .side[FLOW_CLIENT].unverified = true,
    },

    /* proxies */
    {
        .name = "nginx", /* so_keepalive not set; proxy_socket_keepalive off */
        .id = {"nginx-proxy-socket-keepalive", "nginx-so-keepalive"},
        .port = 80,
    },
    {
        .name = "haproxy", /* option clitcpka, srvtcpka: off */
        .id = {"haproxy-tcpka", "haproxy-tcpka"},
        .port = 80,
    },
    {
        .name = "envoy", /* without a tcp_keepalive message: off */
        .id = {"envoy-tcp-keepalive", "envoy-tcp-keepalive"},
        .port = 80,
    },

    /* libraries and languages */
    {
        /* keepalive.md: the client sends no PING (INT_MAX), but answers with 17 bytes; the server
         * asks every 2 h and waits 20 s */
        .name = "grpc",
        .id = {"grpc-core-client", "grpc-core-server"},
        .port = 443,
        .side = {{.behaviour = {.heartbeat_bytes = 17, .answer_bytes = 17}},
                 {.behaviour = {.heartbeat = SEC(7200),
                                .heartbeat_bytes = 17,
                                .heartbeat_timeout = SEC(7220)}}},
    },
    {
        .name = "grpc-go", /* proposal A8 (Java too): infinite; below 10 s counts as 10 */
        .id = {"grpc-spec-a8", NULL},
        .port = 443,
        .side[FLOW_CLIENT] = {.behaviour = {.heartbeat_bytes = 17, .answer_bytes = 17},
                              .unverified = true},
    },
    {
        .name = "curl", /* the tool: on; --keepalive-time is idle and interval */
        .id = {"curl-tool", NULL},
        .port = 443,
        .side[FLOW_CLIENT] = {ON, TIMES(60, 60, 9)},
    },
    {
        .name = "libcurl", /* CURLOPT_TCP_KEEPALIVE 0; the figures once it is 1 */
        .id = {"libcurl", NULL},
        .port = 443,
        .side[FLOW_CLIENT] = {TIMES(60, 60, 9)},
    },
    {
        .name = "systemd", /* KeepAlive=false; the figures once it is true */
        .id = {NULL, "systemd-socket"},
        .side[FLOW_SERVER] = {TIMES(7200, 75, 9), .unverified = true},
    },
    {
        .name = "go", /* net/dial.go: 15 s, 15 s, 9; dialled and accepted */
        .id = {"go-net", "go-net"},
        .side = {{ON, TIMES(15, 15, 9)}, {ON, TIMES(15, 15, 9)}},
    },
    {
        /* setKeepAlive(false); once true, libuv's tcp.c forces interval 1 s and 10 probes */
        .name = "nodejs",
        .id = {"nodejs-libuv", "nodejs-libuv"},
        .side = {{TIMES(0, 1, 10), .unverified = true}, {TIMES(0, 1, 10), .unverified = true}},
    },
    {
        .name = "python", /* requests and urllib3 neither */
        .id = {"python-socket", "python-socket"},
        .side = {{.unverified = true}, {.unverified = true}},
    },
    {
        .name = "java",
        .id = {"java-jdk", "java-jdk"},
        .side = {{.unverified = true}, {.unverified = true}},
    },
    {
        .name = "dotnet",
        .id = {"dotnet", "dotnet"},
        .side = {{.unverified = true}, {.unverified = true}},
    },

    /* storage, routing */
    {
        /* net/sunrpc/xprtsock.c xs_tcp_set_socket_timeouts(): idle = interval = the RPC timeout,
         * count = retrans + 1, TCP_USER_TIMEOUT = timeout * (retrans + 1); timeo=600,retrans=2 */
        .name = "nfs",
        .id = {"nfs-client", NULL},
        .port = 2049,
        .side[FLOW_CLIENT] = {ON, TIMES(60, 60, 3), .user_timeout = MIN(3), .unverified = true},
    },
    {
        /* iscsid.conf: a NOP-Out (48 bytes) after 5 s, 5 s for the NOP-In */
        .name = "iscsi",
        .id = {"iscsi-open-iscsi", "iscsi-open-iscsi"},
        .port = 3260,
        .side = {{.behaviour = {.heartbeat = SEC(5),
                                .heartbeat_bytes = 48,
                                .heartbeat_timeout = SEC(10)}},
                 {.behaviour.answer_bytes = 48}},
    },
    {
        /* bgpd.h: KEEPALIVE (19 bytes, RFC 4271 4.4) every 60 s, hold time 180; TCP keepalive off
         */
        .name = "bgp-frr",
        .id = {"bgp-frr", "bgp-frr"},
        .port = 179,
        .side = {{.behaviour = {.heartbeat = MIN(1),
                                .heartbeat_bytes = 19,
                                .heartbeat_timeout = MIN(3)}},
                 {.behaviour = {.heartbeat = MIN(1),
                                .heartbeat_bytes = 19,
                                .heartbeat_timeout = MIN(3)}}},
    },
};
const size_t software_count = sizeof(softwares) / sizeof(softwares[0]);

const struct software *software_find(const char *name, size_t len)
{
    for (size_t i = 0; i < software_count; i++)
        if (strlen(softwares[i].name) == len && memcmp(softwares[i].name, name, len) == 0)
            return &softwares[i];
    return NULL;
}
