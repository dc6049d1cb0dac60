# SPDX-License-Identifier: GPL-2.0-or-later
# HAProxy. clitcpka and its -idle, -intvl, -cnt on the client's side (configuration manual, 4.2).
case $1 in
package)
    echo "haproxy netcat-openbsd"
    command -v haproxy >/dev/null && command -v nc >/dev/null
    ;;
server)
    keepalive=
    [ "$LAB_KEEPALIVE" = on ] && keepalive="    option clitcpka
    clitcpka-idle ${LAB_IDLE}s
    clitcpka-intvl ${LAB_INTERVAL}s
    clitcpka-cnt $LAB_COUNT"
    cat >"$LAB_DIR/haproxy.cfg" <<EOF
defaults
    mode http
    timeout connect 5s
    timeout client 24d
    timeout server 24d
    timeout http-keep-alive 24d
frontend lab
    bind $LAB_SERVER:$LAB_PORT
$keepalive
    http-request return status 200 content-type text/plain string here
EOF
    exec haproxy -W -f "$LAB_DIR/haproxy.cfg"
    ;;
client) exec nc "$LAB_SERVER" "$LAB_PORT" ;;
line) printf 'GET / HTTP/1.1\r\nHost: lab\r\n\r\n' ;;
esac
