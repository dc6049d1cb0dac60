# SPDX-License-Identifier: GPL-2.0-or-later
# Mosquitto. It asks for no TCP keepalive: MQTT has its own, which the client announces (-k, seconds).
case $1 in
package)
    echo "mosquitto mosquitto-clients"
    [ -x /usr/sbin/mosquitto ] && command -v mosquitto_sub >/dev/null
    ;;
server)
    printf 'listener %s %s\nallow_anonymous true\n' "$LAB_PORT" "$LAB_SERVER" >"$LAB_DIR/mosquitto.conf"
    exec /usr/sbin/mosquitto -c "$LAB_DIR/mosquitto.conf"
    ;;
client) exec mosquitto_sub -h "$LAB_SERVER" -p "$LAB_PORT" -t lab -k "${LAB_HEARTBEAT:-60}" ;;
line) ;;
esac
