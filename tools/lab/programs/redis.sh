# SPDX-License-Identifier: GPL-2.0-or-later
# Redis. tcp-keepalive is the idle time in seconds; the interval is a third of it and the count 3, both fixed in its anet.c.
case $1 in
package)
    echo "redis-server redis-tools"
    command -v redis-server >/dev/null && command -v redis-cli >/dev/null
    ;;
server)
    idle=0
    [ "$LAB_KEEPALIVE" = on ] && idle=$LAB_IDLE
    exec redis-server --bind "$LAB_SERVER" --port "$LAB_PORT" --save "" --dir "$LAB_DIR" --protected-mode no --tcp-keepalive "$idle"
    ;;
client) exec redis-cli -h "$LAB_SERVER" -p "$LAB_PORT" ;;
line) echo "ping" ;;
esac
