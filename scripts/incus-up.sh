#!/usr/bin/env bash
# incus-up.sh: brings up the Incus daemon of this machine, and in it the storage pool "carrel".
#
# Safe to run at any time: a first installation, a machine that restarted, a daemon that died and a daemon that is already
# there all end in the same state. Nothing else that the administrator has in this Incus is touched; an Incus that
# somebody else started is used as it is. Networks, profiles and images are made by Carrel itself.
#
#   CARREL_POOL_SIZE   size of the pool's file when the pool is first made, as Incus writes sizes (60GiB). The file is
#                      sparse. Default: 80 % of what is free where Incus keeps its volumes. To enlarge it later:
#                      incus storage set carrel size=SIZE
#
# Needs: root, and the packages of install-packages.sh. Go, only to build scripts/squota when bin/squota is missing.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/incus-processes.sh
. "$here/incus-processes.sh"

pool=carrel
# Every desktop takes 65,536 ids of its own (security.idmap.isolated). What the packages of a distribution write by
# default ranges from one desktop to 15,000; below this many we enlarge.
ids_needed=500000000
ids_wanted=1000000000

say() { echo "incus-up.sh: $*"; }
warn() { echo "incus-up.sh: warning: $*" >&2; }
die() {
  echo "incus-up.sh: $*" >&2
  exit 1
}

# The client waits for ever on an open standard input in some commands; none of ours has any.
client() { command incus "$@" </dev/null; }

answers() { timeout 5 incus query /1.0 </dev/null >/dev/null 2>&1; }

# --- users' ids -----------------------------------------------------------------------------------------------------

# enlarge_ids FILE: gives root a range in /etc/subuid or /etc/subgid that is wide enough, and says so. Incus hands out
# isolated ranges from root's first line only, so that line is rewritten, behind the ranges of all other users. Small
# lines of root (an administrator's map of one id) stay, after it. Fails when there was nothing to change.
enlarge_ids() {
  local file=$1 new
  touch -a "$file"
  if awk -F: -v needed="$ids_needed" '$1 == "root" { enough = $3 >= needed; exit } END { exit !enough }' "$file"; then
    return 1
  fi
  new=$(mktemp "$file.XXXXXX")
  if ! awk -F: -v OFS=: -v wanted="$ids_wanted" '
    $1 == "root" && $3 >= 65536 { next }
    { line[++lines] = $0; if ($1 != "root" && $2 + $3 > start) start = $2 + $3 }
    END {
      if (start < 1000000) start = 1000000
      if (start + wanted > 4294967294) exit 1
      print "root", start, wanted
      for (i = 1; i <= lines; i++) print line[i]
    }' "$file" >"$new"; then
    rm -f "$new"
    warn "$file: the ranges of other users leave no room for $ids_wanted ids of root: only few desktops will start"
    return 1
  fi
  chmod --reference="$file" "$new"
  mv "$new" "$file"
  say "$file: root now has $ids_wanted ids for desktops"
}

# --- daemons --------------------------------------------------------------------------------------------------------

# spare_from_oom PID: as the systemd unit of lxcfs does, for when it dies, /proc breaks in every desktop. A machine that
# is itself a guest may not be allowed to, and works without.
spare_from_oom() {
  if [ -n "$1" ]; then { echo -1000 >"/proc/$1/oom_score_adj"; } 2>/dev/null || true; fi
}

# Desktops see their own memory and processors in /proc only if lxcfs was there when they started: hence before incusd,
# which starts them.
start_lxcfs() {
  if [ -e "$lxcfs_mount/proc/uptime" ]; then return; fi
  # A mount whose process died answers every access with an error until it is taken away.
  while grep -q " $lxcfs_mount " /proc/self/mountinfo; do umount -l "$lxcfs_mount"; done
  if with_systemd; then
    systemctl start lxcfs
  else
    mkdir -p "$lxcfs_mount"
    start_daemon lxcfs lxcfs "$lxcfs_mount"
  fi
  local try
  for ((try = 0; try < 100; try++)); do
    if [ -e "$lxcfs_mount/proc/uptime" ]; then
      spare_from_oom "$(recorded_pid lxcfs)"
      return
    fi
    sleep 0.05
  done
  die "lxcfs did not come up; see $daemon_logs/lxcfs.out"
}

# forget_network_helpers: on its start, incusd kills the pid that it finds in each network's pid files, whatever process
# that is today. After a restart of the machine it may be anybody's, so the files go first; and a helper that outlived
# its incusd goes too, because it would hold the address that the new one needs.
forget_network_helpers() {
  local pid
  for pid in $(network_helpers); do kill -TERM "$pid" 2>/dev/null || true; done
  rm -f "$incus_state"/networks/*/dnsmasq.pid "$incus_state"/networks/*/forkdns.pid
}

start_incusd() {
  if with_systemd; then
    systemctl start incus.socket incus.service
  elif [ -z "$(recorded_pid incusd)" ]; then
    forget_network_helpers
    # The limits and the search path of the package's own service file.
    ulimit -n 1048576 2>/dev/null || ulimit -n "$(ulimit -H -n)"
    ulimit -u unlimited 2>/dev/null || true
    PATH=/usr/libexec/incus:$PATH \
      start_daemon incusd incusd --group incus-admin --logfile "$daemon_logs/incus.log"
  fi
  local try
  for ((try = 0; try < 120; try++)); do
    if client admin waitready --timeout=1 2>/dev/null; then return; fi
    with_systemd || [ -n "$(recorded_pid incusd)" ] || break
  done
  die "incusd did not become ready; see $daemon_logs/incus.log and $daemon_logs/incusd.out"
}

# restart_incusd: makes a running daemon read its id ranges again. Desktops keep running meanwhile.
restart_incusd() {
  if with_systemd; then
    systemctl restart incus.service
  elif [ -n "$(recorded_pid incusd)" ]; then
    stop_daemon incusd 60 || die "incusd did not stop within a minute"
    start_incusd
  else
    warn "the id ranges were enlarged, but this incusd was started by somebody else: restart it to make it read them"
  fi
}

# --- network --------------------------------------------------------------------------------------------------------

prepare_forwarding() {
  sysctl -qw net.ipv4.ip_forward=1
  nft list tables >/dev/null || die "nftables does not work on this kernel; desktops would have no network"
  # Docker drops all forwarded packets that it does not know. Its own chain for exceptions is the place to say that
  # traffic of Carrel's bridges (all called carrel…) is ours to filter.
  if command -v iptables >/dev/null && iptables -n -L DOCKER-USER >/dev/null 2>&1; then
    local direction
    for direction in -i -o; do
      iptables -C DOCKER-USER $direction carrel+ -j ACCEPT 2>/dev/null ||
        iptables -I DOCKER-USER $direction carrel+ -j ACCEPT
    done
  fi
}

# --- storage --------------------------------------------------------------------------------------------------------

kernel_has_btrfs() {
  modprobe -q btrfs 2>/dev/null || true
  grep -qw btrfs /proc/filesystems && command -v mkfs.btrfs >/dev/null
}

default_pool_size() {
  local free_mib
  free_mib=$(df -m --output=avail "$incus_state" | tail -1)
  ((free_mib >= 8192)) || die "less than 8 GiB free under $incus_state: too little for a pool of desktops (or set CARREL_POOL_SIZE)"
  echo "$((free_mib * 8 / 10))MiB"
}

create_pool() {
  local size=${CARREL_POOL_SIZE:-} reason
  if kernel_has_btrfs; then
    if [ -z "$size" ]; then size=$(default_pool_size); fi
    if reason=$(client storage create "$pool" btrfs "size=$size" 2>&1); then
      say "storage pool $pool: btrfs, $size"
      return
    fi
  else
    reason="this kernel has no btrfs, or btrfs-progs is not installed"
  fi
  warn "no btrfs pool: $reason"
  client storage create "$pool" dir >/dev/null
}

squota() {
  local tool=$here/../bin/squota
  if [ ! -x "$tool" ]; then (cd "$here/.." && CGO_ENABLED=0 go build -o bin/squota ./scripts/squota); fi
  "$tool" "$@"
}

# settle_quotas: must run before Incus sets the first size, see scripts/squota.
settle_quotas() {
  local mount=$incus_state/storage-pools/$pool state
  if [ "$(client storage show "$pool" | awk '$1 == "driver:" { print $2 }')" != btrfs ]; then
    warn "pool $pool is not btrfs: desktops work, more slowly, and the sizes of their volumes are NOT ENFORCED"
    return
  fi
  mountpoint -q "$mount" || die "pool $pool is not mounted at $mount; see $daemon_logs/incus.log"
  state=$(squota status "$mount")
  if [[ $state == mode=disabled* ]]; then
    squota enable "$mount" ||
      warn "this kernel (older than 6.7?) has no simple quotas: Incus will use full qgroups, and creating desktops is slower"
    state=$(squota status "$mount")
  fi
  case $state in
    "mode=squota inconsistent=0" | mode=disabled*) ;;
    mode=qgroup*inconsistent=0)
      warn "pool $pool counts with full qgroups: sizes are enforced, but creating desktops is several times slower" ;;
    *) warn "pool $pool: $state: sizes may NOT BE ENFORCED; 'btrfs quota rescan -w $mount' repairs full qgroups" ;;
  esac
  say "pool $pool: $state"
}

main() {
  [ "$(id -u)" = 0 ] || die "must run as root"
  local program
  for program in incus lxcfs /usr/libexec/incus/incusd; do
    command -v "$program" >/dev/null || die "$program is not installed; run install-packages.sh first"
  done

  # Two at once (two terminals, two tests) would each start a daemon.
  mkdir -p "$daemon_records"
  exec 9>"$daemon_records/lock"
  flock 9

  local file ids_changed=no was_running=no
  for file in /etc/subuid /etc/subgid; do
    if enlarge_ids "$file"; then ids_changed=yes; fi
  done
  prepare_forwarding
  start_lxcfs
  if answers; then was_running=yes; else start_incusd; fi
  if [ $ids_changed = yes ] && [ $was_running = yes ]; then restart_incusd; fi
  client storage show "$pool" >/dev/null 2>&1 || create_pool
  settle_quotas
  say "incus $(client query /1.0 | sed -n 's/.*"server_version": *"\([^"]*\)".*/\1/p') is up"
}

main "$@"
