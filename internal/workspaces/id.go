package workspaces

import (
	"crypto/rand"
	"strings"
)

const (
	lowerAlphanumeric = "0123456789abcdefghijklmnopqrstuvwxyz"
	upperAlphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	hexadecimal       = "0123456789abcdef"
)

// random returns n characters drawn evenly from an alphabet of at most 256.
func random(alphabet string, n int) string {
	limit := 256 - 256%len(alphabet)
	out, buf := make([]byte, 0, n), make([]byte, 2*n)
	for len(out) < n {
		rand.Read(buf)
		for _, b := range buf {
			if int(b) < limit && len(out) < n {
				out = append(out, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(out)
}

// NewWorkSpaceID returns a fresh WorkSpace id: ws- and 9 characters, as the service's own.
func NewWorkSpaceID() string { return "ws-" + random(lowerAlphanumeric, 9) }

// NewImageID returns a fresh image id: wsi- and 9 characters.
func NewImageID() string { return "wsi-" + random(lowerAlphanumeric, 9) }

// NewBundleID returns a fresh bundle id: wsb- and 9 characters.
func NewBundleID() string { return "wsb-" + random(lowerAlphanumeric, 9) }

// NewDirectoryID returns a fresh Directory Service id: d- and 10 hexadecimal digits.
func NewDirectoryID() string { return "d-" + random(hexadecimal, 10) }

// NewTrustID returns a fresh trust id: t- and 10 hexadecimal digits.
func NewTrustID() string { return "t-" + random(hexadecimal, 10) }

// NewPoolsDirectoryID returns a fresh id for a directory that WorkSpaces itself keeps.
func NewPoolsDirectoryID() string { return "wsd-" + random(lowerAlphanumeric, 9) }

// NewIPGroupID returns a fresh id of an IP access control group: wsipg- and 9 characters.
func NewIPGroupID() string { return "wsipg-" + random(lowerAlphanumeric, 9) }

// IsDirectoryID reports whether an id is one of a directory, of Directory Service or WorkSpaces' own.
func IsDirectoryID(id string) bool {
	return strings.HasPrefix(id, "d-") || strings.HasPrefix(id, "wsd-")
}

// NewSecurityGroupID returns a fresh security group id: sg- and 17 hexadecimal digits.
func NewSecurityGroupID() string { return "sg-" + random(hexadecimal, 17) }

// NewVPCID returns a fresh network id: vpc- and 17 hexadecimal digits.
func NewVPCID() string { return "vpc-" + random(hexadecimal, 17) }

// NewSubnetID returns a fresh subnet id: subnet- and 17 hexadecimal digits.
func NewSubnetID() string { return "subnet-" + random(hexadecimal, 17) }

// NewConnectionAliasID returns a fresh connection alias id: wsca- and 9 characters.
func NewConnectionAliasID() string { return "wsca-" + random(lowerAlphanumeric, 9) }

// NewPoolID returns a fresh id of a pool: wspool- and 9 characters.
func NewPoolID() string { return "wspool-" + random(lowerAlphanumeric, 9) }

// NewPoolDesktopID returns a fresh id of a desktop of a pool. It also names the machine.
func NewPoolDesktopID() string { return "pd-" + random(lowerAlphanumeric, 12) }

// NewConnectionIdentifier returns what names an association of a connection alias in DNS:
// at most 20 letters and digits.
func NewConnectionIdentifier() string { return random(lowerAlphanumeric, 12) }

// NewAccountModificationID returns a fresh id of a modification of an account, which no client sees.
func NewAccountModificationID() string { return "am-" + random(lowerAlphanumeric, 9) }

// NewAccountLinkID returns a fresh account link id: link- and 12 characters.
func NewAccountLinkID() string { return "link-" + random(lowerAlphanumeric, 12) }

// NewRegistrationCode returns what a user types to find their directory: the
// region's tag and six characters, at most 20 in all.
func NewRegistrationCode(region string) string {
	return "WS" + regionTag(region) + "+" + random(upperAlphanumeric, 6)
}

// NewComputerName returns a Linux WorkSpace's host name: A-1 and 12 hexadecimal digits.
func NewComputerName() string { return "A-1" + random(hexadecimal, 12) }

// NewAccessKeyID returns a fresh access key id: AKIA and 16 upper-case characters.
func NewAccessKeyID() string { return "AKIA" + random(upperAlphanumeric, 16) }

// NewSecretKey returns a fresh secret access key: 40 characters, 200 bits and more.
func NewSecretKey() string {
	return random(lowerAlphanumeric+"ABCDEFGHIJKLMNOPQRSTUVWXYZ+/", 40)
}

// regionTag is the airport code that registration codes of a region carry, or
// three letters made from the name of a region the service does not have.
func regionTag(region string) string {
	switch region {
	case "us-east-1":
		return "iad"
	case "us-west-2":
		return "pdx"
	case "eu-west-1":
		return "dub"
	case "eu-west-2":
		return "lhr"
	case "eu-central-1":
		return "fra"
	case "ap-northeast-1":
		return "nrt"
	case "ap-northeast-2":
		return "icn"
	case "ap-southeast-1":
		return "sin"
	case "ap-southeast-2":
		return "syd"
	case "ap-south-1":
		return "bom"
	case "ca-central-1":
		return "yul"
	case "sa-east-1":
		return "gru"
	case "af-south-1":
		return "cpt"
	case "il-central-1":
		return "tlv"
	}
	tag := make([]byte, 0, 3)
	for i := 0; i < len(region) && len(tag) < 3; i++ {
		if c := region[i]; c >= 'a' && c <= 'z' {
			tag = append(tag, c)
		}
	}
	return string(tag)
}

// NewInstallationID returns what tells one Carrel's things from another's on a shared engine.
func NewInstallationID() string { return random(lowerAlphanumeric, 12) }
