# SPDX-License-Identifier: GPL-2.0-or-later
# nginx. so_keepalive=idle:interval:count, in seconds with a unit (ngx_http_core_module, listen).
case $1 in
package)
    echo "nginx-light netcat-openbsd"
    [ -x /usr/sbin/nginx ] && command -v nc >/dev/null
    ;;
server)
    case $LAB_KEEPALIVE in
    on) keepalive="so_keepalive=${LAB_IDLE}s:${LAB_INTERVAL}s:$LAB_COUNT" ;;
    off) keepalive="so_keepalive=off" ;;
    *) keepalive= ;;
    esac
    cat >"$LAB_DIR/nginx.conf" <<EOF
daemon off;
worker_processes 1;
pid $LAB_DIR/nginx.pid;
error_log stderr;
events { }
http {
    access_log off;
    keepalive_timeout 1d;
    client_body_temp_path $LAB_DIR/body;
    proxy_temp_path $LAB_DIR/proxy;
    fastcgi_temp_path $LAB_DIR/fastcgi;
    uwsgi_temp_path $LAB_DIR/uwsgi;
    scgi_temp_path $LAB_DIR/scgi;
    server {
        listen $LAB_SERVER:$LAB_PORT $keepalive;
        location / { return 200 "here\n"; }
    }
}
EOF
    exec /usr/sbin/nginx -c "$LAB_DIR/nginx.conf"
    ;;
client) exec nc "$LAB_SERVER" "$LAB_PORT" ;;
line) printf 'GET / HTTP/1.1\r\nHost: lab\r\n\r\n' ;;
esac
