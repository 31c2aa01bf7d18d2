#!/usr/bin/env bash
# Starts a private PostgreSQL for one test run and tells its address to the tests.
# It listens on a socket in its own folder only, and stops when the test runner has ended.
set -euo pipefail

bin=""
for folder in /usr/lib/postgresql/*/bin /usr/local/pgsql/bin; do
  [ -x "$folder/initdb" ] && bin="$folder"
done
if [ -z "$bin" ] && command -v initdb >/dev/null; then
  bin="$(dirname "$(readlink -f "$(command -v initdb)")")"
fi
if [ -z "$bin" ]; then
  echo "no PostgreSQL server programs found; install PostgreSQL 15 or later (Debian: apt-get install postgresql)" >&2
  exit 1
fi

folder="$(mktemp -d /tmp/anteroom-postgres.XXXXXX)"
as_owner=()
if [ "$(id -u)" = 0 ]; then # PostgreSQL refuses to run as root
  chown postgres "$folder"
  as_owner=(runuser -u postgres --)
fi
cd "$folder"
"${as_owner[@]}" "$bin/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --no-locale --no-sync >"$folder/initdb.log" 2>&1 ||
  { cat "$folder/initdb.log" >&2; exit 1; }
"${as_owner[@]}" "$bin/pg_ctl" -D "$folder/data" -w -t 30 -l "$folder/data/log" \
  -o "-c listen_addresses='' -c unix_socket_directories='$folder' -c max_connections=200" start >/dev/null 2>&1 </dev/null ||
  { cat "$folder/data/log" >&2; exit 1; }

# When the runner, the parent of this script, has ended: stop, clean up.
setsid bash -c '
  tail --pid="$1" -f /dev/null
  cd /
  shift
  folder="$1"; shift
  "$@" -m immediate stop
  rm -rf "$folder"
' watchdog "$PPID" "$folder" "${as_owner[@]}" "$bin/pg_ctl" -D "$folder/data" >/dev/null 2>&1 </dev/null &

echo "ANTEROOM_TEST_POSTGRES=postgres://postgres@localhost/postgres?host=$folder" >>"$NEXTEST_ENV"
echo "ANTEROOM_TEST_POSTGRES_BIN=$bin" >>"$NEXTEST_ENV"
