#!/usr/bin/env bash
# down.sh: stops Carrel and, where up.sh started it, Incus with the desktops. Everything is kept: make up goes on there.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034 # for server.sh
carrel="$here/../bin/carrel"
# shellcheck source=scripts/server.sh
. "$here/server.sh"

stop_server
if [ "$(id -u)" = 0 ] && command -v incus >/dev/null; then "$here/incus-down.sh"; fi
