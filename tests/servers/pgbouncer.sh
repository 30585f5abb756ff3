#!/usr/bin/env bash
# A pgbouncer in front of a PostgreSQL, pooling by transaction.
#   pgbouncer.sh up DIR HOST PORT USER PASSWORD   start it, print PORT=
#   pgbouncer.sh down DIR                         stop it, remove DIR
set -euo pipefail
DO=${1:?what} D=${2:?folder}
case $DO in
  up)
    mkdir -p "$D"; chmod 755 "$D"
    port=$(python3 -c 'import socket;s=socket.socket();s.bind(("127.0.0.1",0));print(s.getsockname()[1])')
    printf '"%s" "%s"\n' "$5" "$6" >"$D/users"
    # No ignore_startup_parameters: what a client may set here is what the program may need.
    cat >"$D/pgbouncer.ini" <<I
[databases]
* = host=$3 port=$4
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = plain
auth_file = $D/users
pool_mode = transaction
default_pool_size = 4
max_client_conn = 200
logfile = $D/log
pidfile = $D/pid
I
    as=(); if [ "$(id -u)" = 0 ]; then chown -R linkstar-pg "$D"; as=(-u linkstar-pg); fi
    PATH=$PATH:/usr/sbin pgbouncer -q -d "${as[@]}" "$D/pgbouncer.ini" </dev/null >/dev/null 2>&1
    for _ in $(seq 100); do [ -s "$D/pid" ] && break; sleep .05; done
    echo "PORT=$port" ;;
  down) [ ! -s "$D/pid" ] || kill "$(cat "$D/pid")"; rm -rf --one-file-system "$D" ;;
  *) sed -n 2,5p "$0"; exit 2 ;;
esac
