#!/usr/bin/env bash
# up.sh: from a checkout to a desktop. Installs what is missing, starts Incus, builds the desktop image, starts Carrel,
# and makes a directory, a user and a WorkSpace where there are none. Run it again at any time: what is there stays.
#
#   CARREL_DATA     the data folder; default: what carrel itself uses
#   CARREL_LISTEN   the address to answer on; default: what carrel itself uses
#
# Without root it cannot install or start Incus; it then runs Carrel with simulated desktops and says so.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
carrel="$here/../bin/carrel"
# shellcheck source=scripts/server.sh
. "$here/server.sh"

say() { printf '\n== %s\n' "$*"; }

engine=auto
if [ "$(id -u)" = 0 ]; then
  say "packages"
  "$here/install-packages.sh" run
  say "Incus"
  "$here/incus-up.sh"
  say "desktop image"
  "$carrel" image build
  engine=incus
else
  echo "up.sh: not root, so Incus cannot be set up here; desktops are simulated unless an Incus answers" >&2
fi

say "Carrel"
start_server --engine "$engine"

say "a directory, a user and a WorkSpace"
quickstart=$("$carrel" directory quickstart --user jane)
sed '/^$/,$d' <<<"$quickstart" # what it says to do next is done here
eval "$("$carrel" env)"
first_workspace jane

# said NAME: what quickstart said of something.
said() { sed -n "s/^$1  *//p" <<<"$quickstart"; }

cli=$(realpath --relative-to="$PWD" "$carrel")
cat <<WORDS

Open the desktop in a browser:   $(said 'In a browser')
Sign in as:                      $(said User)
Another password for jane:       $cli user passwd jane

Carrel answers the Amazon WorkSpaces API at the same address. In any shell:

  eval "\$($cli env)"
  aws workspaces describe-workspaces

A picture of the desktop's screen:    $cli screen $workspace desktop.png
All WorkSpaces and their states:      $cli watch
Stop: make down. Remove everything that this made: make clean.
WORDS
