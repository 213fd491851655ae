#!/usr/bin/env bash
# postgres-up.sh DIR: starts a private PostgreSQL for tests in DIR and prints its URL.
#
# The cluster is made on the first run; when it is already up, the script only prints the URL. It listens on a socket in
# DIR and on no port, asks for no password, and does not care for its data after a crash: it is for tests only. The
# distribution's own clusters are left alone. Set CARREL_TEST_POSTGRES to the URL. postgres-down.sh DIR stops it.
#
# Needs: the packages of install-packages.sh test. PostgreSQL refuses to run as root; for root it runs as "postgres".
set -euo pipefail

die() {
  echo "postgres-up.sh: $*" >&2
  exit 1
}

# find_bin: prints the folder of the newest PostgreSQL server here. Debian keeps it out of the PATH.
find_bin() {
  local newest
  newest=$(printf '%s\n' /usr/lib/postgresql/*/bin/pg_ctl | sort -V | sed -n '$p')
  if [ ! -x "$newest" ]; then newest=$(command -v pg_ctl) || return 1; fi
  dirname "$(readlink -f "$newest")"
}

# as_owner COMMAND...: runs it as the user that the cluster belongs to, in a folder that every user may be in.
as_owner() {
  if [ "$(id -u)" = 0 ]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi
}

[ $# = 1 ] || die "usage: postgres-up.sh DIR"
bin=$(find_bin) || die "no PostgreSQL server here; run scripts/install-packages.sh test"
mkdir -p "$1"
dir=$(readlink -f "$1")
data=$dir/data
# The socket's whole path has to fit into the 107 bytes that the system has for it.
[ ${#dir} -le 90 ] || die "$dir is too long a path for a socket to be in"
[[ $dir =~ ^[a-zA-Z0-9/._-]+$ ]] || die "$dir has characters that a URL would have to escape"

exec 9>"$dir/lock" # two runs at once: the second waits, then finds it up
flock 9

if [ "$(id -u)" = 0 ]; then
  id postgres >/dev/null 2>&1 || die "there is no user postgres for the server to run as"
  chown postgres: "$dir"
  as_owner test -x "$dir" || die "the user postgres cannot get into $dir: a folder above it keeps other users out"
fi

if [ ! -f "$data/PG_VERSION" ]; then
  as_owner "$bin/initdb" -D "$data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >/dev/null
  as_owner tee -a "$data/postgresql.conf" >/dev/null <<CONF
listen_addresses = ''
unix_socket_directories = '$dir'
max_connections = 300
fsync = off
synchronous_commit = off
full_page_writes = off
CONF
fi
if ! as_owner "$bin/pg_ctl" status -D "$data" >/dev/null; then
  # The lock's file descriptor is not for the server: it would hold it as long as it lives.
  as_owner "$bin/pg_ctl" start -w -s -D "$data" -l "$dir/log" 9>&- || die "it does not start; see $dir/log"
fi
echo "postgres:///postgres?host=$dir&user=postgres"
