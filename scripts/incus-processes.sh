# shellcheck shell=bash disable=SC2034 # its variables are for the scripts that source it
# incus-processes.sh: sourced by incus-up.sh and incus-down.sh. On a machine without systemd as init, Carrel starts lxcfs
# and incusd itself and records them here, so that the same two processes, and no others, can be recognised and stopped.

incus_state=/var/lib/incus    # where incusd keeps its database and volumes: the packages' own place
lxcfs_mount=/var/lib/lxcfs    # where liblxc looks for lxcfs
daemon_records=/run/carrel-up # one file per daemon we started: its pid and its start time
daemon_logs=/var/log/incus

# start_time PID: the process's start time in ticks after boot, nothing if there is no such process or only its zombie
# (not every init reaps). The pair (pid, start time) names a process for good; a pid alone may belong to another one
# after a restart of the machine.
start_time() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
  # The second field is the command name in brackets and may hold spaces: count fields from behind it.
  read -ra stat <<<"${stat##*) }"
  if [ "${stat[0]}" != Z ]; then echo "${stat[19]}"; fi
}

# recorded_pid NAME: the pid of the daemon if we started it and it still runs, else nothing.
recorded_pid() {
  local pid started
  { read -r pid started <"$daemon_records/$1"; } 2>/dev/null || return 0
  if [ "$(start_time "$pid")" = "$started" ]; then echo "$pid"; fi
}

# start_daemon NAME COMMAND...: runs the command so that it outlives this shell and its terminal: own session, no
# inherited descriptors (a pipe held open would make the caller's caller wait for ever), output to a log.
start_daemon() {
  local name=$1 log=$daemon_logs/$1.out pid
  shift
  mkdir -p "$daemon_records" "$daemon_logs"
  (
    for fd in /proc/self/fd/*; do
      fd=${fd##*/}
      if ((fd > 2)); then eval "exec $fd>&-" 2>/dev/null; fi
    done
    cd /
    exec setsid "$@"
  ) </dev/null >>"$log" 2>&1 &
  pid=$!
  echo "$pid $(start_time "$pid")" >"$daemon_records/$name"
}

# stop_daemon NAME SECONDS: asks the daemon we started to stop and waits for it. Fails when it has not gone in time.
stop_daemon() {
  local name=$1 seconds=$2 pid tenth
  pid=$(recorded_pid "$name")
  if [ -n "$pid" ]; then
    kill -TERM "$pid" 2>/dev/null || true
    for ((tenth = 0; tenth < seconds * 10; tenth++)); do
      [ -n "$(recorded_pid "$name")" ] || break
      sleep 0.1
    done
    if [ -n "$(recorded_pid "$name")" ]; then return 1; fi
  fi
  rm -f "$daemon_records/$name"
}

# network_helpers: the pids of the dnsmasq and forkdns processes that serve Incus's own networks.
network_helpers() {
  local process name
  for process in /proc/[0-9]*; do
    { read -r name <"$process/comm"; } 2>/dev/null || continue
    case $name in
      dnsmasq | incusd) ;;
      *) continue ;;
    esac
    if tr '\0' '\n' <"$process/cmdline" 2>/dev/null | grep -qE "^forkdns$|$incus_state/networks/"; then
      echo "${process##*/}"
    fi
  done
}

# with_systemd: whether systemd is this machine's init and runs the daemons from their packages' units.
with_systemd() { [ -d /run/systemd/system ]; }
