#!/usr/bin/env bash
# clean.sh: removes everything that make up made: the desktops WITH THEIR USERS' FILES, the image, the pool, Carrel's data
# and what was built. Packages stay.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034 # for server.sh
carrel="$here/../bin/carrel"
# shellcheck source=scripts/server.sh
. "$here/server.sh"

stop_server
if [ "$(id -u)" = 0 ] && command -v incus >/dev/null; then
  "$here/incus-up.sh"
  "$here/incus-clean.sh"
  "$here/incus-down.sh"
fi
rm -rf "$data" "$here/../bin" "$here/../.cache" "$here/../web/node_modules" "$here/../web/assets/novnc.js" \
  "$here/../scenario/javascript/node_modules"
