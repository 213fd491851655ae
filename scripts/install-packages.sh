#!/usr/bin/env bash
# install-packages.sh [run|test|build]: installs the distribution packages that Carrel uses and this machine lacks.
#
#   run   (default) what a machine that runs desktops needs: Incus for containers, the storage and network tools that
#         Incus calls, and what builds desktop images
#   test  the above, and what only Carrel's own test suite needs: PostgreSQL, a browser, shellcheck,
#         pytest
#   build what build-pages.sh needs, and nothing else: npm
#
# Works on Debian 12 (Incus comes from its backports suite), Debian 13 and Ubuntu 24.04 or newer. Packages come from
# the mirror that apt is already set up with. When nothing is missing it returns at once and does not touch apt.
set -euo pipefail

# Containers only: incus-base leaves out the virtual-machine half of Incus, and QEMU with it.
backported_packages=(incus-base incus-client)
run_packages=(
  btrfs-progs dnsmasq-base iproute2 kmod lxcfs nftables # called by Incus, or by incus-up.sh
  jq                                                    # reads Incus's answers in incus-clean.sh
  ca-certificates curl                                  # up.sh asks whether Carrel answers
  fontconfig mmdebstrap xz-utils                        # called by desktop/build.sh
)
test_packages=(postgresql shellcheck)
# The AWS CLI that Carrel's users speak with, from backports where the release has one that does not know
# AWS_ENDPOINT_URL yet; only where there is no aws command already. Ubuntu does not package it.
cli_packages=(awscli)

die() {
  echo "install-packages.sh: $*" >&2
  exit 1
}

# missing PACKAGE...: prints those that are not installed.
missing() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
  done
}

# need_browser: whether no Chromium is here. Tests drive any of these; on Ubuntu the package is only a pointer to a snap,
# which cannot run on a machine without systemd, so there it is left to whoever prepares the machine.
need_browser() {
  local browser
  for browser in chromium chromium-browser google-chrome; do
    if command -v "$browser" >/dev/null; then return 1; fi
  done
}

# need_cli: whether no aws command is here that apt could bring.
need_cli() {
  if command -v aws >/dev/null; then return 1; fi
  # shellcheck source=/dev/null
  [ "$(. /etc/os-release && echo "$ID")" = debian ]
}

# add_backports SUITE: makes apt know the suite, on the mirror that serves the release itself.
add_backports() {
  local suite=$1 release=${1%-backports} mirror
  # Without the flag apt lists only what it has downloaded, which on a fresh machine is nothing.
  # shellcheck disable=SC2016 # $(RELEASE) and $(REPO_URI) are apt's own, not the shell's
  if apt-get indextargets --no-release-info --format '$(RELEASE)' 'Created-By: Packages' | grep -qx "$suite"; then return; fi
  # shellcheck disable=SC2016
  mirror=$(apt-get indextargets --no-release-info --format '$(REPO_URI)' 'Created-By: Packages' "Release: $release" 'Component: main' |
    sed -n 1p)
  [ -n "$mirror" ] || die "apt knows no mirror that serves $release; add $suite to its sources by hand"
  cat >/etc/apt/sources.list.d/carrel-backports.sources <<SOURCES
# Written by Carrel's install-packages.sh: Incus is not in $release itself.
Types: deb
URIs: $mirror
Suites: $suite
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SOURCES
}

main() {
  local set=${1:-run} wanted backported others suite_option=()
  case $set in
    run) wanted=("${run_packages[@]}") ;;
    test)
      wanted=("${run_packages[@]}" "${test_packages[@]}")
      if need_browser; then wanted+=(chromium); fi
      ;;
    build)
      wanted=(nodejs npm)
      backported_packages=()
      ;;
    *) die "unknown set '$set': say run, test or build" ;;
  esac

  if [ "$set" = test ] && ! python3 -c 'import boto3' 2>/dev/null; then wanted+=(python3-boto3); fi
  # The distribution's Python has both then, where the first one in PATH is another that lacks pytest.
  if [ "$set" = test ] && ! python3 -c 'import boto3, pytest' 2>/dev/null; then wanted+=(python3-boto3 python3-pytest); fi
  if [ "$set" != build ] && need_cli; then backported_packages+=("${cli_packages[@]}"); fi

  mapfile -t backported < <(missing "${backported_packages[@]}")
  mapfile -t others < <(missing "${wanted[@]}")
  if ((${#backported[@]} + ${#others[@]} == 0)); then return; fi

  [ "$(id -u)" = 0 ] || die "these packages are missing, and only root can install them: ${backported[*]} ${others[*]}"
  # shellcheck source=/dev/null
  . /etc/os-release
  case $ID:$VERSION_ID in
    debian:12)
      suite_option=(-t bookworm-backports)
      ((${#backported[@]} == 0)) || add_backports bookworm-backports
      ;;
    debian:1[3-9] | ubuntu:2[4-9].*) ;;
    *) die "$PRETTY_NAME is not a release this knows (Debian 12 or 13, Ubuntu 24.04 or newer); install by hand: ${backported[*]} ${others[*]}" ;;
  esac
  if [ "$ID" = ubuntu ]; then
    local kept=() package
    for package in "${others[@]}"; do
      if [ "$package" = chromium ]; then
        echo "install-packages.sh: no Chromium here, and Ubuntu packages it only as a snap: install a browser by hand for the tests that drive one" >&2
      else
        kept+=("$package")
      fi
    done
    others=("${kept[@]}")
  fi

  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  if ((${#backported[@]})); then apt-get install -qy --no-install-recommends "${suite_option[@]}" "${backported[@]}"; fi
  if ((${#others[@]})); then apt-get install -qy --no-install-recommends "${others[@]}"; fi
}

main "$@"
