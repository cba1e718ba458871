// Package chat is the vocabulary that the bot and the chat networks share.
//
// The bot says what it means; an adapter draws it. So there is no markup here:
// a [Message] has a title, a tone, blocks of facts and buttons, and its text is a
// sequence of typed spans. An adapter escapes every string it is given. That is
// why no agent's name can ping a channel, and why one card can look right on
// Slack, on Discord and in a terminal.
//
// The package has four parts:
//
//   - what people see: [Message], its blocks, [Action], [Form];
//   - what people do: [Request], answered by a [Reply];
//   - the driver contract: [Adapter], implemented once per network, and [App],
//     which is what the bot offers an adapter. Package chattest holds the
//     conformance test that every adapter passes;
//   - what every adapter needs: [Fit] for a network's limits, [Message.Plain]
//     and [Message.Headline] for where nothing can be drawn, [Clean], [Clip] and
//     [Width] for single texts, [Pool] and [Answer] for serving requests.
//
// Ids are opaque: only the adapter of a network makes and reads the part after
// the colon of an [Address] and the inside of a [Ref].
package chat

import (
	"fmt"
	"strings"
)

// A Network names a chat network, for example "slack". Names are lower-case
// ASCII letters.
type Network string

// The networks the program knows.
const (
	Slack   Network = "slack"
	Discord Network = "discord"
	Console Network = "console"
)

// Networks returns the networks that the program knows.
func Networks() []Network { return []Network{Slack, Discord, Console} }

// An Address is a place a message can go to, and a person a request can come
// from: a user or a channel on one network. Written out it is "network:id". The
// zero Address is nobody.
type Address struct {
	Network Network
	ID      string
}

// ParseAddress reads "network:id". The id's own form is the network's business;
// it must not be empty and holds no white space.
func ParseAddress(s string) (Address, error) {
	network, id, ok := strings.Cut(s, ":")
	if !ok || network == "" || id == "" {
		return Address{}, fmt.Errorf("%q is not an address: write network:id, for example slack:U0123456789", s)
	}
	if strings.ContainsFunc(network, func(r rune) bool { return r < 'a' || r > 'z' }) {
		return Address{}, fmt.Errorf("%q is not an address: a network is lower-case letters, for example slack:U0123456789", s)
	}
	if strings.ContainsAny(id, " \t\r\n") {
		return Address{}, fmt.Errorf("%q is not an address: the id holds white space", s)
	}
	return Address{Network(network), id}, nil
}

// String returns "network:id", or "" for the zero Address.
func (a Address) String() string {
	if a.IsZero() {
		return ""
	}
	return string(a.Network) + ":" + a.ID
}

// IsZero reports whether a is nobody.
func (a Address) IsZero() bool { return a == Address{} }

// MarshalText returns [Address.String].
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what [ParseAddress] reads; an empty text is the zero
// Address.
func (a *Address) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*a = Address{}
		return nil
	}
	parsed, err := ParseAddress(string(b))
	if err != nil {
		return err
	}
	*a = parsed
	return nil
}

// A Ref names a message that was sent, so that it can be edited. Only the
// adapter that returned it can read its ID. The zero Ref is no message.
type Ref struct {
	Network Network `json:"network,omitempty"`
	ID      string  `json:"id,omitempty"`
}

// IsZero reports whether r names no message.
func (r Ref) IsZero() bool { return r == Ref{} }
