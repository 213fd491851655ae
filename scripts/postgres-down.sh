#!/usr/bin/env bash
# postgres-down.sh DIR: stops the PostgreSQL that postgres-up.sh started in DIR. Its files stay; delete DIR to be rid of them.
set -euo pipefail

[ $# = 1 ] || {
  echo "usage: postgres-down.sh DIR" >&2
  exit 1
}
[ -f "$1/data/PG_VERSION" ] || exit 0
data=$(readlink -f "$1/data")
pg_ctl=$(printf '%s\n' /usr/lib/postgresql/*/bin/pg_ctl | sort -V | sed -n '$p')
if [ ! -x "$pg_ctl" ]; then pg_ctl=pg_ctl; fi
run=()
if [ "$(id -u)" = 0 ]; then run=(runuser -u postgres --); fi
cd / # a folder that the user postgres may be in
# Status 3: no server is running there.
status=0
"${run[@]}" "$pg_ctl" status -D "$data" >/dev/null || status=$?
if [ "$status" = 3 ]; then exit 0; fi
"${run[@]}" "$pg_ctl" stop -s -m fast -D "$data"
