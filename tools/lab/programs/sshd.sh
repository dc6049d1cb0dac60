# SPDX-License-Identifier: GPL-2.0-or-later
# OpenSSH. TCPKeepAlive is on or off; the times are the system's (sshd_config(5)), which the lab sets for its namespace.
case $1 in
package)
    echo "openssh-server openssh-client"
    [ -x /usr/sbin/sshd ] && command -v ssh >/dev/null
    ;;
server)
    keepalive=yes
    [ "$LAB_KEEPALIVE" = off ] && keepalive=no
    ssh-keygen -q -t ed25519 -N "" -f "$LAB_DIR/host"
    ssh-keygen -q -t ed25519 -N "" -f "$LAB_DIR/user"
    mkdir -p /run/sshd
    cat >"$LAB_DIR/sshd_config" <<EOF
ListenAddress $LAB_SERVER
Port $LAB_PORT
HostKey $LAB_DIR/host
PidFile none
AuthorizedKeysFile $LAB_DIR/user.pub
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
TCPKeepAlive $keepalive
EOF
    exec /usr/sbin/sshd -D -e -f "$LAB_DIR/sshd_config"
    ;;
client)
    keepalive=yes
    [ "$LAB_KEEPALIVE" = off ] && keepalive=no
    exec ssh -F none -p "$LAB_PORT" -i "$LAB_DIR/user" -o BatchMode=yes -o StrictHostKeyChecking=no \
        -o UserKnownHostsFile="$LAB_DIR/known" -o TCPKeepAlive=$keepalive "root@$LAB_SERVER" cat
    ;;
line) echo "a line that comes back" ;;
esac
