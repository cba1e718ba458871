// Package secret holds values that must never be printed: API tokens, session
// ids, signing secrets, keys.
//
// A [Secret] prints as ••• through every path Go has for turning a value into
// text: all verbs of fmt, log/slog, encoding/json, YAML and text encoders, also
// when it sits in an unexported field of another struct. To use the value, call
// [Secret.Reveal]; searching the code for that word finds every place where a
// secret leaves its box.
//
// The value lives behind a pointer, not in a string type, because fmt cannot
// call methods of unexported fields and would print such a string in full.
package secret

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

const mask = "•••"

// A Secret is a string that does not print. The zero Secret is empty.
//
// Secrets are immutable and may be copied and shared between goroutines.
// Compare them with [Secret.Equal]: == compares identity, not content.
type Secret struct {
	s *string
}

// New returns a Secret that holds s.
func New(s string) Secret {
	if s == "" {
		return Secret{}
	}
	return Secret{&s}
}

// Reveal returns the hidden string, "" for the zero Secret.
func (s Secret) Reveal() string {
	if s.s == nil {
		return ""
	}
	return *s.s
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s.s == nil }

// Equal reports whether both secrets hold the same string. Its running time
// depends on the lengths only.
func (s Secret) Equal(t Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(t.Reveal())) == 1
}

// String returns ••• for a set secret and "" for an empty one.
func (s Secret) String() string {
	if s.s == nil {
		return ""
	}
	return mask
}

// Format prints [Secret.String], whatever the verb and flags are.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, s.String()) }

// GoString returns [Secret.String].
func (s Secret) GoString() string { return s.String() }

// LogValue returns [Secret.String] for log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText returns [Secret.String], so that JSON, YAML and every other
// text-based encoder writes the mask.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText sets the secret to b, which is how configuration files and the
// environment fill it.
func (s *Secret) UnmarshalText(b []byte) error {
	*s = New(string(b))
	return nil
}
