#!/bin/sh
# customize.sh ROOT: the last step of the package stage, run by mmdebstrap on the unpacked system. What it does depends
# on the packages only, so that its result is kept with them; everything of Carrel's own comes later, from overlay/.
set -eu
root=$1

# The agent is /sbin/init. A user who installs systemd-sysv for some dependency must not lose the desktop over it.
for path in /sbin/init /usr/sbin/init; do
  chroot "$root" dpkg-divert --quiet --local --no-rename --divert "$path.distrib" --add "$path"
done

# The build's settings for apt are not the desktop's.
rm -f "$root/etc/apt/apt.conf.d/99mmdebstrap"

# mmdebstrap brings the build machine's name and resolver; the agent writes the desktop's own. An empty machine-id is
# filled at the first start of each desktop.
rm -f "$root/etc/hostname" "$root/etc/resolv.conf"
: >"$root/etc/machine-id"

# The font cache names each directory's time of change. A tar keeps whole seconds, so a directory with a fraction would
# come out of it changed, and every desktop would spend a second of processor time on building the cache again.
find "$root/usr/share/fonts" "$root/usr/local/share/fonts" -type d -exec touch -d "@$(date +%s)" {} + 2>/dev/null || true
rm -rf "$root"/var/cache/fontconfig/*
chroot "$root" fc-cache --system-only --force

# Not /tmp: mmdebstrap keeps apt's settings there until it has cleaned up, and without them it would clean the build
# machine's package lists instead.
rm -rf "$root"/var/log/*.log "$root"/var/log/apt "$root"/var/cache/ldconfig
