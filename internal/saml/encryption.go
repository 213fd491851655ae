package saml

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"slices"

	"github.com/crewjam/saml"
)

// safeEncryption are the algorithms that assertions may be encrypted by: what is changed on the way is noticed. What
// lacks that (CBC, RSA 1.5) tells whoever may try often enough what the message is.
// Source: XML Encryption 1.1, section 5; Jager and Somorovsky, How to Break XML Encryption.
func safeEncryption() []string {
	return []string{
		"http://www.w3.org/2009/xmlenc11#aes256-gcm",
		"http://www.w3.org/2009/xmlenc11#aes192-gcm",
		"http://www.w3.org/2009/xmlenc11#aes128-gcm",
		"http://www.w3.org/2009/xmlenc11#rsa-oaep",
		"http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
	}
}

// refuseEncryption refuses a message of which a part is encrypted otherwise, before any of it is decrypted, so that how
// that goes tells nobody anything. What is no XML is for others to refuse.
func refuseEncryption(text []byte) error {
	parts := xml.NewDecoder(bytes.NewReader(text))
	for {
		part, err := parts.RawToken()
		if err != nil {
			return nil //nolint:nilerr // the end, or no XML
		}
		start, ok := part.(xml.StartElement)
		if !ok || start.Name.Local != "EncryptionMethod" {
			continue
		}
		for _, a := range start.Attr {
			if a.Name.Local == "Algorithm" && !slices.Contains(safeEncryption(), a.Value) {
				return &Refusal{
					Text: "It is encrypted in a way that is not safe. AES-GCM, with RSA-OAEP, is.",
					err:  fmt.Errorf("encrypted by %s", a.Value),
				}
			}
		}
	}
}

// encryptionMethods are safeEncryption for metadata.
func encryptionMethods() (methods []saml.EncryptionMethod) {
	for _, algorithm := range safeEncryption() {
		methods = append(methods, saml.EncryptionMethod{Algorithm: algorithm})
	}
	return methods
}
