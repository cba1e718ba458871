package chat

import "time"

// Text is a run of typed spans. It holds no markup, and a newline in a span is
// a line break. The zero Text is empty.
type Text []Span

// A Span is a stretch of text of one kind. Which fields count depends on Kind.
type Span struct {
	Kind    SpanKind  `json:"kind,omitempty"`
	Text    string    `json:"text,omitempty"`   // what is shown; for SpanMention, SpanChannel and SpanTime the fallback, may be empty
	Address Address   `json:"address,omitzero"` // SpanMention, SpanChannel: who, where
	Time    time.Time `json:"time,omitzero"`    // SpanTime: its Location is the reader's zone where the network has no time tokens
	Style   TimeStyle `json:"style,omitempty"`  // SpanTime: how to show it
	URL     string    `json:"url,omitempty"`    // SpanLink: an absolute https (or loopback http) address
}

// SpanKind says what a [Span] is.
type SpanKind int

// The kinds of spans.
const (
	SpanPlain   SpanKind = iota // as it stands
	SpanStrong                  // emphasised
	SpanCode                    // typed as it stands, such as a command
	SpanMention                 // a person, by their network's own mention; it never notifies anyone
	SpanTime                    // an instant, in the reader's zone
	SpanLink                    // Text, leading to URL
	SpanChannel                 // a channel, by their network's own mention
)

// TimeStyle says how an instant is written.
type TimeStyle int

// The ways to write an instant.
const (
	Clock    TimeStyle = iota // 14:05
	DayClock                  // Mon 2 Mar 14:05
	Ago                       // 3 minutes ago, or in 3 minutes
)

// T returns plain text.
func T(s string) Text { return Text{{Text: s}} }

// Strong returns emphasised text.
func Strong(s string) Text { return Text{{Kind: SpanStrong, Text: s}} }

// Code returns text to be typed as it stands.
func Code(s string) Text { return Text{{Kind: SpanCode, Text: s}} }

// Mention returns a mention of a person that notifies nobody. Where the network
// of the reader is not the person's, or has no mentions, name is shown.
func Mention(who Address, name string) Text {
	return Text{{Kind: SpanMention, Text: name, Address: who}}
}

// Channel returns a mention of a channel. Where the network of the reader is not
// the channel's, or has no mentions, its address is shown.
func Channel(where Address) Text { return Text{{Kind: SpanChannel, Address: where}} }

// At returns an instant. Where the network does not know the reader's zone,
// t's own Location decides what is shown.
func At(t time.Time, style TimeStyle) Text {
	return Text{{Kind: SpanTime, Time: t, Style: style}}
}

// Link returns text that leads to a URL.
func Link(text, url string) Text { return Text{{Kind: SpanLink, Text: text, URL: url}} }

// Join returns the texts one after another, as one.
func Join(texts ...Text) Text {
	var all Text
	for _, t := range texts {
		all = append(all, t...)
	}
	return all
}

// Lines returns the texts one below another.
func Lines(texts ...Text) Text {
	var all Text
	for i, t := range texts {
		if i > 0 {
			all = append(all, Span{Text: "\n"})
		}
		all = append(all, t...)
	}
	return all
}
