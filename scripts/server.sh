#!/usr/bin/env bash
# shellcheck disable=SC2154 # carrel is set by who sources this
# server.sh: to be sourced. Starts and finds the Carrel that up.sh and down.sh are about. Expects $carrel, the program.

data=${CARREL_DATA:-${XDG_STATE_HOME:-$HOME/.local/state}/carrel}

# server_pid: the process id of the running server, nothing where none runs. The id alone could be
# another program's after a restart of the machine, so the program is looked at too.
server_pid() {
  local pid
  pid=$(sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' "$data/server.json" 2>/dev/null)
  if [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = carrel ]; then echo "$pid"; fi
}

endpoint() { sed -n 's/.*"endpoint": *"\([^"]*\)".*/\1/p' "$data/server.json" 2>/dev/null; }

# authority: the file with the certificate that a server with --tls-self-signed has to be trusted by.
authority() { sed -n 's/.*"authority": *"\([^"]*\)".*/\1/p' "$data/server.json" 2>/dev/null; }

answers() {
  local trust
  trust=$(authority)
  [ -n "$(server_pid)" ] && curl -fsS -o /dev/null --max-time 5 ${trust:+--cacert "$trust"} "$(endpoint)/healthz" 2>/dev/null
}

# start_server FLAG...: starts the server, unless it runs, and waits until it answers.
start_server() {
  if answers; then
    if cmp -s "/proc/$(server_pid)/exe" "$carrel"; then
      echo "already running, process $(server_pid)"
      return
    fi
    echo "an older build is running; starting the new one in its place, desktops go on"
    stop_server
  fi
  mkdir -p "$data"
  chmod 700 "$data"
  setsid "$carrel" serve --data "$data" "$@" >>"$data/log" 2>&1 </dev/null &
  local started=$!
  for _ in $(seq 300); do
    if answers; then
      echo "running, process $(server_pid), log $data/log"
      return
    fi
    if ! kill -0 "$started" 2>/dev/null; then break; fi
    sleep 0.1
  done
  echo "carrel did not start; the end of $data/log:" >&2
  tail -n 20 "$data/log" >&2
  return 1
}

# stop_server: stops the server, if it runs, and waits until it has ended.
stop_server() {
  local pid
  pid=$(server_pid)
  [ -n "$pid" ] || return 0
  kill "$pid"
  for _ in $(seq 300); do
    if [ -z "$(server_pid)" ]; then return; fi
    sleep 0.1
  done
  echo "carrel, process $pid, does not stop" >&2
  return 1
}

# first_workspace USER: makes a WorkSpace for the user unless they have one, waits until it is AVAILABLE, and leaves its
# id in $workspace. Speaks the API through the aws command, as the user will.
first_workspace() {
  local user=$1 directory state
  directory=$(aws workspaces describe-workspace-directories --query 'Directories[0].DirectoryId' --output text)
  find_workspace() {
    aws workspaces describe-workspaces --directory-id "$directory" --user-name "$user" --query "Workspaces[0].$1" --output text
  }
  workspace=$(find_workspace WorkspaceId)
  if [ "$workspace" = None ]; then
    aws workspaces create-workspaces --output json --workspaces \
      "DirectoryId=$directory,UserName=$user,BundleId=wsb-carrelstd,WorkspaceProperties={RunningMode=AUTO_STOP}"
    workspace=$(find_workspace WorkspaceId)
  fi
  for _ in $(seq 120); do
    state=$(find_workspace State)
    case $state in
      AVAILABLE)
        echo "$workspace is AVAILABLE"
        return
        ;;
      STOPPED) aws workspaces start-workspaces --start-workspace-requests "WorkspaceId=$workspace" >/dev/null ;;
      UNHEALTHY) aws workspaces reboot-workspaces --reboot-workspace-requests "$workspace" >/dev/null ;;
      ERROR)
        find_workspace ErrorMessage >&2
        return 1
        ;;
    esac
    sleep 1
  done
  echo "$workspace is still $state" >&2
  return 1
}
