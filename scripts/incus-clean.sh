#!/usr/bin/env bash
# incus-clean.sh: removes from Incus everything that Carrel made there: desktops WITH THEIR USERS' FILES, volumes,
# images, profiles, networks, their ACLs, projects and at last the storage pool.
#
# Carrel's are the things whose name begins with "carrel", or that carry a "user.carrel." setting (an image: a "carrel."
# property). Nothing else is touched: a pool that still holds something of somebody else stays, and the script says what
# it is and fails. Works on a running daemon, whoever started it; Carrel should not be running.
set -euo pipefail

say() { echo "incus-clean.sh: $*"; }
die() {
  echo "incus-clean.sh: $*" >&2
  exit 1
}

client() { command incus "$@" </dev/null; }

# ours PATH: of the list that the API gives for PATH, the objects that are Carrel's, as compact JSON, one a line.
# Network interfaces that Incus only lists, and does not manage, are nobody's. Snapshots (VOLUME/SNAPSHOT) go with their
# volume.
ours() {
  client query "$1" | jq -c '.[]? | select(.managed != false and ((.name // "") | contains("/") | not)) | select(
    ((.name // "") | startswith("carrel")) or
    any((.config // {}) | keys[]; startswith("user.carrel.")) or
    any((.properties // {}) | keys[]; startswith("carrel.")) or
    any((.aliases // [])[].name; startswith("carrel")))'
}

# remove KIND JSON-FILTER PATH COMMAND...: for each of ours at PATH, runs the command with the words that the filter
# makes of the object. Goes on after a failure, so that one stuck object does not keep the others.
failures=0
remove() {
  local kind=$1 filter=$2 path=$3 object words
  shift 3
  while read -r object; do
    mapfile -t words < <(jq -r "$filter" <<<"$object")
    if client "$@" "${words[@]}" >/dev/null; then
      say "$kind ${words[*]}"
    else
      failures=$((failures + 1))
    fi
  done < <(ours "$path")
}

clean_project() {
  local project=$1 pool
  remove instance '.name' "/1.0/instances?recursion=1&project=$project" delete --force --project "$project"
  for pool in $(client query /1.0/storage-pools | jq -r '.[] | sub(".*/"; "")'); do
    remove volume "\"$pool\", .name" "/1.0/storage-pools/$pool/volumes/custom?recursion=1&project=$project" \
      storage volume delete --project "$project"
  done
  remove image '.fingerprint' "/1.0/images?recursion=1&project=$project" image delete --project "$project"
  remove profile '.name' "/1.0/profiles?recursion=1&project=$project" profile delete --project "$project"
  remove network '.name' "/1.0/networks?recursion=1&project=$project" network delete --project "$project"
  remove acl '.name' "/1.0/network-acls?recursion=1&project=$project" network acl delete --project "$project"
}

main() {
  timeout 10 incus query /1.0 </dev/null >/dev/null 2>&1 || die "no Incus daemon answers (incus-up.sh starts one)"
  local project pool users
  for project in $(client query /1.0/projects | jq -r '.[] | sub(".*/"; "")'); do clean_project "$project"; done
  remove project '.name' '/1.0/projects?recursion=1' project delete
  for pool in $(ours '/1.0/storage-pools?recursion=1' | jq -r .name); do
    users=$(client query "/1.0/storage-pools/$pool" | jq -r '.used_by[]')
    if [ -n "$users" ]; then
      say "pool $pool stays, because it still holds: ${users//$'\n'/ }" >&2
      failures=$((failures + 1))
    else
      client storage delete "$pool" >/dev/null
      say "pool $pool"
    fi
  done
  ((failures == 0)) || die "$failures things could not be removed"
}

main "$@"
