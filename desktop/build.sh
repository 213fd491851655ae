#!/usr/bin/env bash
# build.sh OUTDIR AGENT: builds the image of the XFCE desktop, for "incus image import OUTDIR/metadata.tar
# OUTDIR/rootfs.tar". AGENT is the carrel-agent program that becomes the image's first process.
#
# The image is of this machine's own distribution and release, from the mirrors that apt is set up with here. Two stages:
#
#   packages  mmdebstrap installs what the file "packages" lists; a minute or two. Its result is kept in the cache and
#             used again until the list, customize.sh, this file or the mirrors change.
#   assembly  the overlay and the agent are appended; seconds.
#
# OUTDIR/serial identifies what the image was made of, and is the image's property "serial". When it is already that of
# the present inputs, nothing is built. OUTDIR/build.log holds the output of the tools.
#
#   CARREL_IMAGE_CACHE      where the package stage is kept (default: OUTDIR/cache)
#   CARREL_IMAGE_REFRESH=1  installs the packages again, to have the distribution's newest
#
# Needs: root, mmdebstrap, and 3 GB of disk.
set -euo pipefail

recipe=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

say() { echo "build.sh: $*"; }
die() {
  echo "build.sh: $*" >&2
  exit 1
}

digest() { sha256sum | cut -c1-16; }

# sources CODENAME: apt's own entries for the release, its updates and its security fixes, as sources.list lines.
sources() {
  # Without the flag apt lists only what it has downloaded, which on a fresh machine is nothing.
  # shellcheck disable=SC2016 # $(RELEASE) and the like are apt's own, not the shell's
  apt-get indextargets --no-release-info --format '$(RELEASE) $(REPO_URI) $(COMPONENT)' 'Created-By: Packages' |
    awk -v release="$1" '
      $1 == release || $1 == release "-updates" || $1 == release "-security" {
        source = $2 " " $1
        if (!(source in components)) order[++count] = source
        if (index(components[source] " ", " " $3 " ") == 0) components[source] = components[source] " " $3
      }
      END { for (i = 1; i <= count; i++) print "deb " order[i] components[order[i]] }'
}

# packages ID: the list for a distribution, comma-separated.
packages() {
  sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e "s/^$1://" -e '/^$/d' -e '/:/d' "$recipe/packages" | paste -sd,
}

# package_stage TAR CODENAME ID SOURCES: the distribution's part of the image.
package_stage() {
  local tar=$1 codename=$2 id=$3 list=$4
  local options=(
    --variant=minbase
    --format=tar
    --aptopt='APT::Install-Recommends "false"'
    # Licences stay; manuals and translations do not, and neither do those of packages that are installed later.
    --dpkgopt='path-exclude=/usr/share/doc/*'
    --dpkgopt='path-include=/usr/share/doc/*/copyright'
    --dpkgopt='path-exclude=/usr/share/man/*'
    --dpkgopt='path-exclude=/usr/share/info/*'
    --dpkgopt='path-exclude=/usr/share/locale/*'
    --include="$(packages "$id")"
    --customize-hook="sh '$recipe/customize.sh' \"\$1\""
  )
  mkdir -p "$(dirname "$tar")"
  mmdebstrap "${options[@]}" "$codename" "$tar.part" - <<<"$list" >>"$log" 2>&1 ||
    die "mmdebstrap failed; the end of $log says why"
  # Only the newest is of use, and each is a gigabyte.
  rm -f "$(dirname "$tar")"/packages-*.tar
  mv "$tar.part" "$tar"
}

# stage_overlay STAGING AGENT: what Carrel adds to the packages, in a directory of its own, with the modes it will have. Those cannot
# come from the recipe's files, because the carrel program carries them inside itself, without modes.
stage_overlay() {
  local staging=$1 agent=$2
  cp -R "$recipe/overlay/." "$staging"
  install -D -m 0755 "$agent" "$staging/usr/sbin/carrel-agent"
  find "$staging" -type d -exec chmod 0755 {} +
  find "$staging" -type f -exec chmod 0644 {} +
  find "$staging/usr/sbin" "$staging/usr/libexec" -type f -exec chmod 0755 {} +
  ln -s carrel-agent "$staging/usr/sbin/init"
}

# assemble ROOTFS PACKAGES AGENT: appends the overlay to a copy of the package stage. Where both have a file, the later
# one wins when the image is unpacked. Directories are left out: those of the packages keep their modes.
assemble() {
  local rootfs=$1 packages=$2 agent=$3 staging
  staging=$(mktemp -d)
  # shellcheck disable=SC2064 # the directory of now
  trap "rm -rf '$staging'" EXIT
  stage_overlay "$staging" "$agent"
  cp --reflink=auto "$packages" "$rootfs.part"
  (cd "$staging" && find . ! -type d -print0 | LC_ALL=C sort -z) |
    tar --append --file="$rootfs.part" --directory="$staging" --null --files-from=- --no-recursion \
      --owner=0 --group=0 --numeric-owner --mtime="@$(stat -c %Y "$packages")"
  mv "$rootfs.part" "$rootfs"
}

# describe METADATA SERIAL: the image's description of itself.
describe() {
  local metadata=$1 serial=$2 directory
  directory=$(mktemp -d)
  cat >"$directory/metadata.yaml" <<METADATA
architecture: $(uname -m)
creation_date: $(date +%s)
properties:
  description: Carrel desktop, XFCE on $PRETTY_NAME
  os: $ID
  release: $VERSION_CODENAME
  architecture: $(dpkg --print-architecture)
  serial: $serial
  carrel.desktop: xfce
METADATA
  tar --create --file="$metadata" --directory="$directory" --owner=0 --group=0 metadata.yaml
  rm -r "$directory"
}

main() {
  (($# == 2)) || die "usage: build.sh OUTDIR AGENT"
  local out agent=$2
  [ -f "$agent" ] || die "no agent at $agent"
  mkdir -p "$1"
  out=$(cd "$1" && pwd)
  log=$out/build.log
  # shellcheck source=/dev/null
  . /etc/os-release

  local cache=${CARREL_IMAGE_CACHE:-$out/cache} list key base serial
  list=$(sources "$VERSION_CODENAME")
  [ -n "$list" ] || die "apt knows no source of $VERSION_CODENAME; an image of another release cannot be built here"
  key=$({ echo "$ID $VERSION_CODENAME $(uname -m)"; echo "$list"; cat "$recipe"/{packages,customize.sh,build.sh}; } | digest)
  base=$cache/packages-$key.tar
  if [ "${CARREL_IMAGE_REFRESH:-}" = 1 ]; then rm -f "$base"; fi

  if [ -f "$base" ]; then
    serial=$(inputs "$base" "$agent" | digest)
    if [ "$serial" = "$(cat "$out/serial" 2>/dev/null)" ] && [ -f "$out/rootfs.tar" ] && [ -f "$out/metadata.tar" ]; then
      say "image $serial is up to date"
      return
    fi
  else
    [ "$(id -u)" = 0 ] || die "must run as root"
    command -v mmdebstrap >/dev/null || die "mmdebstrap is not installed"
    say "installing the packages of $PRETTY_NAME; this takes a minute or two"
    : >"$log"
    package_stage "$base" "$VERSION_CODENAME" "$ID" "$list"
    serial=$(inputs "$base" "$agent" | digest)
  fi

  rm -f "$out/serial"
  assemble "$out/rootfs.tar" "$base" "$agent"
  describe "$out/metadata.tar" "$serial"
  echo "$serial" >"$out/serial"
  say "image $serial is built ($(($(stat -c %s "$out/rootfs.tar") >> 20)) MiB)"
}

# inputs BASE AGENT: all that makes one image differ from another. The package stage counts with the time it was made.
inputs() {
  basename "$1"
  stat -c %Y "$1"
  cat "$2"
  (cd "$recipe/overlay" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum)
}

main "$@"
