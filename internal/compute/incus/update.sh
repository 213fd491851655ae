#!/bin/sh
# The first process of an instance in which a desktop image is brought up to date. When it
# ends, so does the instance; that it has removed itself says that all went well.
set -e
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root

rm -f /etc/resolv.conf
echo "nameserver $CARREL_DNS" >/etc/resolv.conf

if command -v apt-get >/dev/null; then
	export DEBIAN_FRONTEND=noninteractive
	# No service is to be started: there is nothing that would stop it.
	printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
	chmod 755 /usr/sbin/policy-rc.d
	apt-get update -o APT::Update::Error-Mode=any # which otherwise succeeds with old lists
	apt-get -y -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold full-upgrade
	apt-get clean
	rm -rf /var/lib/apt/lists/* /usr/sbin/policy-rc.d
elif command -v dnf >/dev/null; then
	dnf -y upgrade
	dnf clean all
elif command -v apk >/dev/null; then
	apk upgrade --no-cache
else
	echo "this image has no apt-get, dnf or apk" >&2
	exit 1
fi

# Archives keep whole seconds only, and a font cache counts as old when its folder's time
# differs: every desktop would make it anew at its start.
if command -v fc-cache >/dev/null; then
	find /usr/share/fonts /usr/local/share/fonts -type d -exec touch -d "@$(date +%s)" {} + 2>/dev/null || true
	fc-cache --system-only --force
fi
rm -f /etc/resolv.conf "$0"
