package slack

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"floorwalker/bot/secret"
)

// skew is how far the time in a signed request may be from ours, as Slack asks.
const skew = 5 * time.Minute

const (
	headerSignature = "X-Slack-Signature"
	headerTimestamp = "X-Slack-Request-Timestamp"
)

var (
	errUnsigned = errors.New("it bears no signature of Slack's")
	errForged   = errors.New("its signature is not made with slack.signing_secret")
)

// verify returns nil for a request that Slack signed with the secret at about
// now: v0, HMAC-SHA256 over version, time and body, colons between them.
// Nothing is accepted without a secret.
func verify(h http.Header, body []byte, signing secret.Secret, now time.Time) error {
	stamp := h.Get(headerTimestamp)
	given, ok := strings.CutPrefix(h.Get(headerSignature), "v0=")
	if !ok || stamp == "" || signing.IsZero() {
		return errUnsigned
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return errUnsigned
	}
	if off := now.Sub(time.Unix(seconds, 0)).Abs(); off > skew {
		return fmt.Errorf("its time is %v off: is this machine's clock right", off.Round(time.Second))
	}
	if len(given) != hex.EncodedLen(sha256.Size) {
		return errUnsigned
	}
	// As text, so that a request has one signature and no second spelling of it:
	// that a request was made before is known by it.
	if !hmac.Equal([]byte(given), []byte(hex.EncodeToString(signature(signing, stamp, body)))) {
		return errForged
	}
	return nil
}

// signature returns what Slack's v0 signature of a body is, in bytes. The stamp
// is a time, in seconds, as it stands in the header.
func signature(signing secret.Secret, stamp string, body []byte) []byte {
	mac := hmac.New(sha256.New, []byte(signing.Reveal()))
	fmt.Fprintf(mac, "v0:%s:", stamp) // a hash takes everything
	mac.Write(body)
	return mac.Sum(nil)
}
