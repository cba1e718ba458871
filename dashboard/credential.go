package dashboard

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"floorwalker/bot/secret"
	"github.com/go-json-experiment/json/jsontext"
)

// maxCredential bounds each part of a credential, in bytes. Real ones have a
// few dozen; what is longer is a pasted file.
const maxCredential = 4096

// A Credential is what an agent gave when linking, and what was given is what
// is sent: the session id alone, user id and token, or all three.
//
// A user id with a token is the normal one. A session id expires with the
// agent's login at the dashboard.
type Credential struct {
	SSID   secret.Secret // session id
	UserID string        // the vendor's id of the user; not a secret
	Token  secret.Secret // API token of that user
}

// Validate reports what is missing or malformed, as one sentence without the
// secrets. A valid credential may still be refused by the API.
func (c Credential) Validate() error {
	switch {
	case c.UserID != "" && c.Token.IsZero():
		return errors.New("user_id is given but token is missing; give both, or the ssid alone")
	case c.UserID == "" && !c.Token.IsZero():
		return errors.New("token is given but user_id is missing; give both, or the ssid alone")
	case c.UserID == "" && c.SSID.IsZero():
		return errors.New("no credential: give user_id and token, or the ssid of a session")
	}
	return errors.Join(
		checkPart("user_id", c.UserID),
		checkPart("token", c.Token.Reveal()),
		checkPart("ssid", c.SSID.Reveal()),
	)
}

// checkPart refuses what no API issues and a slip of the clipboard produces.
func checkPart(name, s string) error {
	odd := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }
	switch {
	case len(s) > maxCredential:
		return fmt.Errorf("%s is longer than %d bytes; paste only the value", name, maxCredential)
	case !utf8.ValidString(s):
		return fmt.Errorf("%s is not valid UTF-8; paste it again", name)
	case strings.ContainsFunc(s, odd):
		return fmt.Errorf("%s contains a space or a line break; paste only the value", name)
	}
	return nil
}

// Kind returns "token" for a credential with a user id and a token, and "ssid"
// for one with a session id only.
func (c Credential) Kind() string {
	if c.UserID != "" && !c.Token.IsZero() {
		return "token"
	}
	return "ssid"
}

// Equal reports whether both credentials hold the same three parts.
func (c Credential) Equal(d Credential) bool {
	return c.UserID == d.UserID && c.Token.Equal(d.Token) && c.SSID.Equal(d.SSID)
}

// body returns the request's JSON: the parts that were given, nothing else.
func (c Credential) body() []byte {
	b := append(make([]byte, 0, 128), '{')
	for _, part := range []struct{ name, value string }{
		{"ssid", c.SSID.Reveal()}, {"userId", c.UserID}, {"token", c.Token.Reveal()},
	} {
		if part.value == "" {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(b, `"`+part.name+`":`...)
		// The only error is invalid UTF-8, which Validate has refused.
		b, _ = jsontext.AppendQuote(b, part.value)
	}
	return append(b, '}')
}

// A fingerprint identifies a credential without holding it.
type fingerprint [sha256.Size]byte

// fingerprint returns the credential's fingerprint. The lengths keep parts apart
// that join to the same text.
func (c Credential) fingerprint() fingerprint {
	b := make([]byte, 0, 256) // enough for all but the oddest
	for _, part := range []string{c.SSID.Reveal(), c.UserID, c.Token.Reveal()} {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	return sha256.Sum256(b)
}
