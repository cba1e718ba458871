package dashboard

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"
)

// A Class says what the caller must do about an [Error].
type Class int

// The classes of errors.
const (
	// ClassTransient: nothing is known about the agent. Back off and ask again
	// later: time-outs, resets, 5xx, 429, HTML or nonsense instead of JSON, an
	// answer without data, codes 1004, 1009, 1010, 1032, 1501 and every code
	// that is not listed elsewhere.
	ClassTransient Class = iota
	// ClassCredential: the credential is dead or incomplete. Stop asking with
	// it and ask the agent, once, to link again: codes 1002, 1003, 1014, 1020.
	ClassCredential
	// ClassAccount: the account may not be read. Stop asking, tell the
	// administrators: codes 1015 and 1039.
	ClassAccount
	// ClassOffShift: the agent is not logged in. Not an error of anyone: codes
	// 1043 and 1586.
	ClassOffShift
	// ClassFault: our own mistake, in the program or its configuration. Log it
	// loudly, do not retry, tell the user that it is not theirs: codes 1000,
	// 1001 and 1047, a redirect, a panic.
	ClassFault
)

// classes lists every class, for counters kept by class.
var classes = [...]Class{ClassTransient, ClassCredential, ClassAccount, ClassOffShift, ClassFault}

// String returns the class in lower case: "transient", "credential",
// "account", "off_shift" or "fault".
func (c Class) String() string {
	switch c {
	case ClassTransient:
		return "transient"
	case ClassCredential:
		return "credential"
	case ClassAccount:
		return "account"
	case ClassOffShift:
		return "off_shift"
	case ClassFault:
		return "fault"
	}
	return fmt.Sprintf("class %d", int(c))
}

// classOfCode classifies the vendor's codes. Its Agent Dashboard document lists
// 1000 to 1004, 1014, 1020, 1032, 1039 and 1501; the others stand in the pages
// of neighbouring endpoints.
func classOfCode(code int) Class {
	switch code {
	case 1002, 1003, 1014, 1020:
		return ClassCredential
	case 1015, 1039:
		return ClassAccount
	case 1043, 1586:
		return ClassOffShift
	case 1000, 1001, 1047:
		return ClassFault
	}
	return ClassTransient
}

// An Error is why there are no counters. Its text is for logs and holds no
// credential.
type Error struct {
	Class   Class         // what to do
	Code    int           // the vendor's code, 0 if the answer had none
	Message string        // the vendor's text, made safe to show: at most 200 characters, no control characters, credentials as •••; "" if there was none
	Status  int           // HTTP status, 0 if there was no answer
	After   time.Duration // how long the API asked us to wait (Retry-After), 0 if it did not
	Err     error         // the cause, nil if the answer says it all
}

// Error returns the class, the vendor's text and code, and the cause.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "counters API: %s", e.Class)
	if e.Message != "" {
		fmt.Fprintf(&b, ": %s", e.Message)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	if e.Code != 0 {
		fmt.Fprintf(&b, " (code %d)", e.Code)
	}
	if e.Status != 0 {
		fmt.Fprintf(&b, " (HTTP %d)", e.Status)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ClassOf returns the class of the [Error] in err's chain. Without one it
// returns false.
func ClassOf(err error) (Class, bool) {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Class, true
	}
	return ClassTransient, false
}

// maxMessage bounds a vendor's text, in characters.
const maxMessage = 200

// clean makes text of the vendor safe to show and to log: one line, bounded,
// and without the credential that it may quote. Control characters go first, so
// that none can hide a quoted secret from the search.
func clean(text string, c Credential) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, text)
	text = redact(strings.TrimSpace(text), c)
	if runes := []rune(text); len(runes) > maxMessage {
		text = string(runes[:maxMessage-1]) + "…"
	}
	return text
}

// redact replaces the secrets of a credential, plain or escaped for a URL.
func redact(text string, c Credential) string {
	for _, s := range []string{c.SSID.Reveal(), c.Token.Reveal()} {
		if s != "" {
			text = strings.ReplaceAll(text, s, "•••")
			text = strings.ReplaceAll(text, url.QueryEscape(s), "•••")
		}
	}
	return text
}

// A cause is an error of the network. Its text is cleaned, because such errors
// quote what a broken server sent. errors.Is still sees the error behind it, but
// no verb of fmt can print that.
type cause struct {
	text string
	is   func(target error) bool
}

// newCause returns a cause with the given text in place of err's.
func newCause(text string, err error) error {
	return cause{text, func(target error) bool { return errors.Is(err, target) }}
}

// Error returns the cleaned text.
func (c cause) Error() string { return c.text }

// Is reports whether the error behind c matches target.
func (c cause) Is(target error) bool { return c.is(target) }
