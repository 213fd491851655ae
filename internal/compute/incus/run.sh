# Runs a script in the background, once by its name, and tells how far it is: it ends with 0 where the
# script has succeeded, with 75 where it runs, and with 1 where it has failed. What the script said last
# lies beside its result then. Nothing in here waits: the one who asks comes again.
#
#   $1 the name, $2 the most seconds that it may take, $3 its argument, $CARREL_SCRIPT its text
umask 077
all=${CARREL_SCRIPTS:-/var/lib/carrel/scripts}
run=$all/$1

# A process is known by its number and by when it began: numbers come again after a restart. One that
# has ended and is only still seen (Z) does not count.
began() { grep -v '^[0-9]* ([^)]*) Z' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f22; }

if [ -f "$run/process" ]; then
	read -r process since <"$run/process"
	[ -n "$since" ] && [ "$(began "$process")" = "$since" ] && exit 75
fi
# Only now: a process ends after it has written its result.
if [ -f "$run/result" ]; then
	[ "$(cat "$run/result")" = 0 ] && exit 0
	exit 1
fi

rm -rf "$all"
mkdir -p "$run" || exit 2
printf '%s' "$CARREL_SCRIPT" >"$run/script" || exit 2
unset CARREL_SCRIPT CARREL_SCRIPTS
# shellcheck disable=SC2016 # it is the inner shell that is to expand them
setsid sh -c '
	umask 022
	timeout -k 10 "$2" sh "$1/script" "$3" >"$1/output" 2>&1
	status=$?
	umask 077
	tail -c 1000 "$1/output" >"$1/said"
	echo "$status" >"$1/new"
	mv "$1/new" "$1/result"
' carrel-script "$run" "$2" "$3" </dev/null >/dev/null 2>&1 &
echo "$! $(began $!)" >"$run/process"
exit 75
