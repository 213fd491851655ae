package workspaces

import "strings"

const (
	lowerAlphanumeric = "0123456789abcdefghijklmnopqrstuvwxyz"
	upperAlphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	hexadecimal       = "0123456789abcdef"
)

// random returns n characters drawn evenly from an alphabet of at most 256.
func random(c *Chance, alphabet string, n int) string {
	limit := 256 - 256%len(alphabet)
	out, buf := make([]byte, 0, n), make([]byte, 2*n)
	for len(out) < n {
		c.fill(buf)
		for _, b := range buf {
			if int(b) < limit && len(out) < n {
				out = append(out, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(out)
}

// NewWorkSpaceID returns a fresh WorkSpace id: ws- and 9 characters, as the service's own.
func NewWorkSpaceID(c *Chance) string { return "ws-" + random(c, lowerAlphanumeric, 9) }

// NewImageID returns a fresh image id: wsi- and 9 characters.
func NewImageID(c *Chance) string { return "wsi-" + random(c, lowerAlphanumeric, 9) }

// NewBundleID returns a fresh bundle id: wsb- and 9 characters.
func NewBundleID(c *Chance) string { return "wsb-" + random(c, lowerAlphanumeric, 9) }

// NewDirectoryID returns a fresh Directory Service id: d- and 10 hexadecimal digits.
func NewDirectoryID(c *Chance) string { return "d-" + random(c, hexadecimal, 10) }

// NewTrustID returns a fresh trust id: t- and 10 hexadecimal digits.
func NewTrustID(c *Chance) string { return "t-" + random(c, hexadecimal, 10) }

// NewPoolsDirectoryID returns a fresh id for a directory that WorkSpaces itself keeps.
func NewPoolsDirectoryID(c *Chance) string { return "wsd-" + random(c, lowerAlphanumeric, 9) }

// NewIPGroupID returns a fresh id of an IP access control group: wsipg- and 9 characters.
func NewIPGroupID(c *Chance) string { return "wsipg-" + random(c, lowerAlphanumeric, 9) }

// IsDirectoryID reports whether an id is one of a directory, of Directory Service or WorkSpaces' own.
func IsDirectoryID(id string) bool {
	return strings.HasPrefix(id, "d-") || IsOwnDirectoryID(id)
}

// IsOwnDirectoryID reports whether an id is one of a directory of WorkSpaces' own.
func IsOwnDirectoryID(id string) bool { return strings.HasPrefix(id, "wsd-") }

// NewSecurityGroupID returns a fresh security group id: sg- and 17 hexadecimal digits.
func NewSecurityGroupID(c *Chance) string { return "sg-" + random(c, hexadecimal, 17) }

// NewVPCID returns a fresh network id: vpc- and 17 hexadecimal digits.
func NewVPCID(c *Chance) string { return "vpc-" + random(c, hexadecimal, 17) }

// NewSubnetID returns a fresh subnet id: subnet- and 17 hexadecimal digits.
func NewSubnetID(c *Chance) string { return "subnet-" + random(c, hexadecimal, 17) }

// NewConnectionAliasID returns a fresh connection alias id: wsca- and 9 characters.
func NewConnectionAliasID(c *Chance) string { return "wsca-" + random(c, lowerAlphanumeric, 9) }

// NewPoolID returns a fresh id of a pool: wspool- and 9 characters.
func NewPoolID(c *Chance) string { return "wspool-" + random(c, lowerAlphanumeric, 9) }

// NewPoolDesktopID returns a fresh id of a desktop of a pool. It also names the machine.
func NewPoolDesktopID(c *Chance) string { return "pd-" + random(c, lowerAlphanumeric, 12) }

// NewConnectionIdentifier returns what names an association of a connection alias in DNS:
// at most 20 letters and digits.
func NewConnectionIdentifier(c *Chance) string { return random(c, lowerAlphanumeric, 12) }

// NewAccountModificationID returns a fresh id of a modification of an account, which no client sees.
func NewAccountModificationID(c *Chance) string { return "am-" + random(c, lowerAlphanumeric, 9) }

// NewAccountLinkID returns a fresh account link id: link- and 12 characters.
func NewAccountLinkID(c *Chance) string { return "link-" + random(c, lowerAlphanumeric, 12) }

// NewRegistrationCode returns what a user types to find their directory: the
// region's tag and six characters, at most 20 in all.
func NewRegistrationCode(c *Chance, region string) string {
	return "WS" + regionTag(region) + "+" + random(c, upperAlphanumeric, 6)
}

// NewClientAddInID returns a fresh id of a client add-in: a random UUID.
func NewClientAddInID(c *Chance) string { return randomUUID(c) }

// NewPoolSessionID returns a fresh id of a session in a pool: a random UUID.
func NewPoolSessionID(c *Chance) string { return randomUUID(c) }

func randomUUID(c *Chance) string {
	r := random(c, hexadecimal, 32)
	return r[:8] + "-" + r[8:12] + "-4" + r[13:16] + "-a" + r[17:20] + "-" + r[20:]
}

// NewComputerName returns a Linux WorkSpace's host name: A-1 and 12 hexadecimal digits.
func NewComputerName(c *Chance) string { return "A-1" + random(c, hexadecimal, 12) }

// NewAccessKeyID returns a fresh access key id: AKIA and 16 upper-case characters.
func NewAccessKeyID() string { return "AKIA" + random(nil, upperAlphanumeric, 16) }

// NewSecretKey returns a fresh secret access key: 40 characters, 200 bits and more.
func NewSecretKey() string {
	return random(nil, lowerAlphanumeric+"ABCDEFGHIJKLMNOPQRSTUVWXYZ+/", 40)
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
func NewInstallationID() string { return random(nil, lowerAlphanumeric, 12) }
