# Takes what programs keep of the desktop's user into an archive on their desktop, or brings it from there.
# What programs keep lies in the home under names that begin with a dot; caches, and what has been thrown
# away, are not worth keeping, and where the user's folders lie is of no use without the folders. All of it is
# done as the user.
#
#   $1 take or bring
user=$(getent passwd 10001 | cut -d: -f1)
as_user() { runuser -u "$user" -- env HOME="/home/$user" sh -eu -c "$1"; }

# Where the side channel puts and finds files: see folders.go of the agent.
# shellcheck disable=SC2016 # it is the user's shell that is to expand it
folder='
	folder=$(xdg-user-dir DESKTOP)
	case $folder in "$HOME"/?*) ;; *) folder=$HOME/Desktop ;; esac
	archive=$folder/.carrel-settings
	cd "$HOME"'

# 16 MiB, in blocks of 512 bytes, are the most that is kept. A file that changes while it is read is
# taken as it is (status 1).
# shellcheck disable=SC2016
take_settings() {
	as_user "$folder"'
	mkdir -p "$folder"
	rm -f "$archive"*
	ulimit -f 32768
	set -- .[!.]*
	[ -e "$1" ] || set -- --files-from=/dev/null
	tar --create --gzip --one-file-system --file "$archive" --exclude=.cache --exclude=.local/share/Trash --exclude=.Xauthority \
		--exclude=.ICEauthority --exclude=.xsession-errors --exclude=.config/user-dirs.dirs --exclude=.config/user-dirs.locale "$@" || [ $? = 1 ] || { rm -f "$archive"; exit 1; }'
}

# The settings daemon must not write what it remembers over what is brought. The desktop's session, which
# has read its settings already, ends, and the agent begins another. It is killed: to be asked would be to sign out.
# shellcheck disable=SC2016
bring_settings() {
	as_user "$folder"'
	pkill -KILL -u "$(id -u)" -x xfconfd || true
	tar --extract --gzip --file "$archive"
	rm -f "$archive"*
	pkill -KILL -u "$(id -u)" -x xfce4-session || true'
}

case $1 in
take) take_settings ;;
bring) bring_settings ;;
esac
