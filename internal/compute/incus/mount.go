package incus

import "strings"

// mount is what a line of /proc/PID/mountinfo says, as far as it matters here.
type mount struct{ point, kind, source string }

// parseMount returns an empty mount for a line that it does not understand. See proc(5):
// ID parent major:minor root MOUNT-POINT options… - TYPE SOURCE options.
func parseMount(line string) mount {
	where, what, _ := strings.Cut(line, " - ")
	left, right := strings.Fields(where), strings.Fields(what)
	if len(left) < 5 || len(right) < 2 {
		return mount{}
	}
	return mount{point: left[4], kind: right[0], source: right[1]}
}
