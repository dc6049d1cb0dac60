# SPDX-License-Identifier: GPL-2.0-or-later
# PostgreSQL and psql. https://www.postgresql.org/docs/15/runtime-config-connection.html (seconds)
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -n 1)
case $1 in
package)
    echo "postgresql"
    [ -x "$bin/postgres" ] && command -v psql >/dev/null
    ;;
server)
    # It does not run as root. Tables are made once for each start; nothing in them matters.
    user=postgres
    mkdir -m 700 "$LAB_DIR/data"
    chown $user "$LAB_DIR/data"
    chmod 711 "$LAB_DIR"
    cd /
    setpriv --reuid=$user --regid=$user --clear-groups "$bin/initdb" --no-sync -A trust -D "$LAB_DIR/data" >/dev/null
    echo "host all all 0.0.0.0/0 trust" >"$LAB_DIR/data/pg_hba.conf"
    case $LAB_KEEPALIVE in
    on) set -- "tcp_keepalives_idle=$LAB_IDLE" "tcp_keepalives_interval=$LAB_INTERVAL" "tcp_keepalives_count=$LAB_COUNT" ;;
    *) set -- tcp_keepalives_idle=0 tcp_keepalives_interval=0 tcp_keepalives_count=0 ;;
    esac
    exec setpriv --reuid=$user --regid=$user --clear-groups "$bin/postgres" -D "$LAB_DIR/data" -h "$LAB_SERVER" \
        -p "$LAB_PORT" -c "$1" -c "$2" -c "$3" -c "tcp_user_timeout=${LAB_USER_TIMEOUT_MS:-0}" \
        -c "unix_socket_directories=" -c fsync=off -c autovacuum=off
    ;;
client)
    case $LAB_KEEPALIVE in
    on) keepalive="keepalives=1 keepalives_idle=$LAB_IDLE keepalives_interval=$LAB_INTERVAL keepalives_count=$LAB_COUNT" ;;
    off) keepalive="keepalives=0" ;;
    *) keepalive= ;;
    esac
    exec psql -X -A -t -q "host=$LAB_SERVER port=$LAB_PORT user=postgres dbname=postgres sslmode=disable $keepalive"
    ;;
line) echo "select 1;" ;;
esac
