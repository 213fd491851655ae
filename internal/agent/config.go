package agent

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// What holds when the environment does not say otherwise.
const (
	DefaultUID      = 10001
	DefaultGeometry = "1280x800"
	DefaultLang     = "C.UTF-8"
)

// Config is what a desktop is told about itself.
type Config struct {
	User       string       // CARREL_USER, as the directory spells it; the only setting that has no default
	Account    string       // the Linux account made of it, see [AccountName]
	FullName   string       // CARREL_FULLNAME; the user name when unset
	UID        int          // CARREL_UID, of the user and of the user's own group
	Hostname   string       // CARREL_HOSTNAME; unset, the name that the container came with stays
	Geometry   string       // CARREL_GEOMETRY, WIDTHxHEIGHT in pixels until a viewer asks for another size
	DNS        []netip.Addr // CARREL_DNS, comma-separated resolver addresses
	LocalAdmin bool         // CARREL_LOCAL_ADMIN=1: the user may become root with sudo
	Lang       string       // LANG of the session
	Timezone   string       // TZ of the session, nothing for the image's own
}

// ParseConfig reads the environment. The error joins every problem found; the Config is usable in spite of it, with the
// default in the place of each bad value, unless its Account is empty: then there is nobody to run a desktop for.
func ParseConfig(getenv func(string) string) (Config, error) {
	config := Config{
		User:     getenv("CARREL_USER"),
		FullName: getenv("CARREL_FULLNAME"),
		UID:      DefaultUID,
		Geometry: DefaultGeometry,
		Lang:     DefaultLang,
		Timezone: getenv("TZ"),
	}
	var problems []error
	reject := func(name, format string, args ...any) {
		problems = append(problems, fmt.Errorf("%s: "+format, append([]any{name}, args...)...))
	}

	if config.User == "" {
		reject("CARREL_USER", "not set")
	} else {
		config.Account = AccountName(config.User)
		config.FullName = cmp.Or(config.FullName, config.User)
	}
	if value := getenv("CARREL_UID"); value != "" {
		// Below 1000 are the system's own accounts, and 65534 and up are nobody's or outside what a container maps.
		uid, err := strconv.Atoi(value)
		if err != nil || uid < 1000 || uid >= 65534 {
			reject("CARREL_UID", "%q is not a number from 1000 to 65533", value)
		} else {
			config.UID = uid
		}
	}
	if value := getenv("CARREL_HOSTNAME"); value != "" {
		if !validHostname(value) {
			reject("CARREL_HOSTNAME", "%q is not a host name", value)
		} else {
			config.Hostname = value
		}
	}
	if value := getenv("CARREL_GEOMETRY"); value != "" {
		if !validGeometry(value) {
			reject("CARREL_GEOMETRY", "%q is not WIDTHxHEIGHT with sides of 320 to 8192", value)
		} else {
			config.Geometry = value
		}
	}
	for value := range strings.SplitSeq(getenv("CARREL_DNS"), ",") {
		value = strings.TrimSpace(value)
		if value == "" {
			continue
		}
		address, err := netip.ParseAddr(value)
		if err != nil {
			reject("CARREL_DNS", "%q is not an address", value)
			continue
		}
		config.DNS = append(config.DNS, address)
	}
	switch value := getenv("CARREL_LOCAL_ADMIN"); value {
	case "", "0":
	case "1":
		config.LocalAdmin = true
	default:
		reject("CARREL_LOCAL_ADMIN", "%q is neither 0 nor 1", value)
	}
	if value := getenv("LANG"); value != "" {
		config.Lang = value
	}
	return config, errors.Join(problems...)
}

func validGeometry(geometry string) bool {
	width, height, found := strings.Cut(geometry, "x")
	return found && validSide(width) && validSide(height)
}

func validSide(side string) bool {
	pixels, err := strconv.ParseUint(side, 10, 16)
	return err == nil && pixels >= 320 && pixels <= 8192
}

// validHostname holds to RFC 1123: labels of letters, digits and inner hyphens. Linux keeps at most 64 bytes.
func validHostname(name string) bool {
	if len(name) > 64 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if !asciiLetterOrDigit(c) && c != '-' {
				return false
			}
		}
	}
	return true
}

func asciiLetterOrDigit(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
