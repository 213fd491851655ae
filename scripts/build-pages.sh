#!/usr/bin/env bash
# build-pages.sh: makes web/assets/novnc.js, the one part of the portal's pages that comes from npm, unless it is there and
# as new as what it is made of. Where there is no npm, root gets it from the distribution; anybody else is told what is missing.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../web"

made=assets/novnc.js
if [ -e "$made" ] && [ "$made" -nt package.json ] && [ "$made" -nt package-lock.json ]; then exit; fi

if ! command -v npm >/dev/null; then
  if [ "$(id -u)" != 0 ]; then
    echo "build-pages.sh: no npm here, so that users cannot open desktops in their browsers; install nodejs and npm, then run make build again" >&2
    exit
  fi
  "$here/install-packages.sh" build
fi
# The scripts of packages are not run: nothing here needs them.
npm ci --ignore-scripts --loglevel=error
npm run --silent build
