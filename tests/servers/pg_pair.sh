#!/usr/bin/env bash
# A PostgreSQL of its own that can be killed, and a synchronous standby beside it.
#   pg_pair.sh up DIR [alone]   start a (and b, its standby), print A_PORT= and B_PORT=
#   pg_pair.sh kill DIR a       kill -9 of the server
#   pg_pair.sh start DIR a      start it again after a kill
#   pg_pair.sh promote DIR b    the standby takes writes from now on
#   pg_pair.sh down DIR         stop both, remove DIR
# Loopback, free ports, no password. As root the servers run as the user that services.sh made.
set -euo pipefail
DO=${1:?what} D=${2:?folder} ONE=${3:-}
U=linkstar-pg
B=${PG_BIN:-$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)}
as() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=$U --regid=$U --init-groups --reset-env -- "$@"; else "$@"; fi; }
port() { python3 -c 'import socket;s=socket.socket();s.bind(("127.0.0.1",0));print(s.getsockname()[1])'; }
# Committed is committed, also when the server is killed; a disk that forgets is not what is tried here.
begin() { (cd / && as "$B/pg_ctl" -D "$D/$1" -w -l "$D/$1.log" -o "-p $(cat "$D/$1.port") -k $D -c listen_addresses=127.0.0.1 -c fsync=off -c synchronous_commit=on -c max_connections=60" start) >/dev/null; }
sql() { psql -X -w -qAt -h 127.0.0.1 -p "$(cat "$D/a.port")" -U linkstar -d postgres -c "$1"; }
case $DO in
  up)
    mkdir -p "$D"; chmod 755 "$D"
    if [ "$(id -u)" = 0 ]; then
      id $U >/dev/null 2>&1 || useradd --system --user-group --no-create-home --home-dir / --shell /usr/sbin/nologin $U
      chown $U:$U "$D"
    fi
    port >"$D/a.port"; port >"$D/b.port"
    (cd / && as "$B/initdb" -D "$D/a" -U linkstar -A trust -E UTF8 --locale=C.UTF-8 --no-sync) >/dev/null
    begin a
    sql "create database linkstar" >/dev/null
    if [ "$ONE" != alone ]; then
      (cd / && as "$B/pg_basebackup" -h 127.0.0.1 -p "$(cat "$D/a.port")" -U linkstar -D "$D/b" -R -X stream -c fast --no-sync)
      begin b
      sql "alter system set synchronous_standby_names='*'" >/dev/null
      sql "select pg_reload_conf()" >/dev/null
      for _ in $(seq 100); do [ "$(sql "select count(*) from pg_stat_replication where sync_state='sync'")" = 1 ] && break; sleep .1; done
    fi
    echo "A_PORT=$(cat "$D/a.port")"; echo "B_PORT=$(cat "$D/b.port")" ;;
  kill) kill -9 "$(head -1 "$D/$ONE/postmaster.pid")" ;;
  start)
    # The children notice that their parent is gone; until then the folder is theirs.
    for _ in $(seq 100); do begin "$ONE" 2>/dev/null && exit 0; sleep .1; done; exit 1 ;;
  promote) (cd / && as "$B/pg_ctl" -D "$D/$ONE" -w promote) >/dev/null ;;
  down)
    for one in a b; do [ ! -s "$D/$one/postmaster.pid" ] || (cd / && as "$B/pg_ctl" -D "$D/$one" -m immediate stop) >/dev/null 2>&1 || :; done
    rm -rf --one-file-system "$D" ;;
  *) sed -n 2,9p "$0"; exit 2 ;;
esac
