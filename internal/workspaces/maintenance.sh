# Brings the packages of a desktop up to date, and asks nobody anything. What it says is seen outside where it
# fails; the rest is in the desktop's log.
export DEBIAN_FRONTEND=noninteractive PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
log=/var/log/carrel-maintenance.log
: >"$log"

fail() {
	echo "$1"
	tail -n 3 "$log"
	exit 1
}
unreachable="The package archive cannot be reached. Nothing was installed."

if command -v apt-get >/dev/null; then
	# Where somebody installs something at the same time, it waits for them.
	apt() { apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=1 -o Acquire::http::Timeout=30 "$@" >>"$log" 2>&1; }
	dpkg --configure -a >>"$log" 2>&1 # what an end of the desktop has interrupted
	apt update -o APT::Update::Error-Mode=any || fail "$unreachable"
	apt -y --with-new-pkgs -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold upgrade || fail "The updates could not all be installed."
	apt clean
elif command -v dnf >/dev/null; then
	dnf -y makecache >>"$log" 2>&1 || fail "$unreachable"
	dnf -y upgrade >>"$log" 2>&1 || fail "The updates could not all be installed."
elif command -v apk >/dev/null; then
	apk update >>"$log" 2>&1 || fail "$unreachable"
	apk upgrade >>"$log" 2>&1 || fail "The updates could not all be installed."
else
	fail "This desktop has no apt-get, dnf or apk. Nothing was installed."
fi
