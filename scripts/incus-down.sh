#!/usr/bin/env bash
# incus-down.sh: stops what incus-up.sh started on this machine, as a shutdown of the machine would: the desktops, then
# incusd, then lxcfs. Nothing is deleted; incus-up.sh brings it all back, with the desktops that were running.
#
# A daemon that systemd or somebody else started is left alone.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/incus-processes.sh
. "$here/incus-processes.sh"

say() { echo "incus-down.sh: $*"; }
die() {
  echo "incus-down.sh: $*" >&2
  exit 1
}

# stop_incusd: a shutdown asked for through the API, because the daemon leaves desktops running on a plain SIGTERM, and
# they would lose lxcfs. One that does not answer any more gets the signal.
stop_incusd() {
  if [ -z "$(recorded_pid incusd)" ]; then return; fi
  timeout 120 incus admin shutdown --timeout=90 </dev/null || say "incusd does not answer; sending it SIGTERM"
  stop_daemon incusd 30 || die "incusd (pid $(recorded_pid incusd)) did not stop; see $daemon_logs/incus.log"
  say "incusd has stopped"
}

stop_lxcfs() {
  if [ -z "$(recorded_pid lxcfs)" ]; then return; fi
  stop_daemon lxcfs 10 || die "lxcfs (pid $(recorded_pid lxcfs)) did not stop"
  while grep -q " $lxcfs_mount " /proc/self/mountinfo; do umount -l "$lxcfs_mount"; done
  say "lxcfs has stopped"
}

main() {
  [ "$(id -u)" = 0 ] || die "must run as root"
  if with_systemd; then
    say "systemd runs the daemons of this machine; stop them with: systemctl stop incus.socket incus lxcfs"
    return
  fi
  mkdir -p "$daemon_records"
  exec 9>"$daemon_records/lock"
  flock 9
  if [ -z "$(recorded_pid incusd)$(recorded_pid lxcfs)" ]; then
    say "incus-up.sh started nothing that still runs"
    return
  fi
  stop_incusd
  stop_lxcfs
}

main "$@"
