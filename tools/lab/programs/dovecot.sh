# SPDX-License-Identifier: GPL-2.0-or-later
# Dovecot, IMAP over TLS. It has no setting for TCP keepalive: its socket comes from outside with keepalive set, as from a
# systemd unit with KeepAlive=yes (systemd.socket(5)); connections inherit it from the listening socket.
case $1 in
package)
    echo "dovecot-imapd openssl"
    [ -x /usr/sbin/dovecot ] && command -v openssl >/dev/null
    ;;
server)
    openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=lab -days 2 -keyout "$LAB_DIR/key" -out "$LAB_DIR/cert" 2>/dev/null
    mkdir -m 755 "$LAB_DIR/run" "$LAB_DIR/mail"
    chmod 711 "$LAB_DIR"
    chown mail "$LAB_DIR/mail"
    cat >"$LAB_DIR/dovecot.conf" <<EOF
base_dir = $LAB_DIR/run
log_path = /dev/stderr
protocols = imap
listen = $LAB_SERVER
ssl = required
ssl_cert = <$LAB_DIR/cert
ssl_key = <$LAB_DIR/key
mail_location = maildir:$LAB_DIR/mail/%u
first_valid_uid = 1
passdb {
  driver = static
  args = password=lab
}
userdb {
  driver = static
  args = uid=mail gid=mail home=$LAB_DIR/mail/%u
}
service imap-login {
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = $LAB_PORT
    ssl = yes
  }
}
EOF
    exec /usr/sbin/dovecot -F -c "$LAB_DIR/dovecot.conf"
    ;;
client)
    { printf 'a LOGIN lab lab\r\nb SELECT INBOX\r\n'; cat; } |
        openssl s_client -quiet -no_ign_eof -connect "$LAB_SERVER:$LAB_PORT" 2>/dev/null
    ;;
line) printf 'c NOOP\r\n' ;;
esac
