// Package chattest holds the conformance test that every adapter passes, and
// [Network], a chat network in memory for the tests of everything above.
//
// An adapter's test starts the adapter against an in-process fake of its
// network, describes both in a [Harness], and calls [Run]. The fake is the
// network's side: it turns an [Act] into the network's own event, and tells as a
// [Seen] what a person would read on their screen. The suite knows nothing else
// of the network, so it finds what all networks have in common: that answers
// arrive once and at the right people, that nothing is lost at the end, and that
// no text does anything but be read.
package chattest

import (
	"testing"

	"floorwalker/bot/chat"
)

// A Harness is an adapter together with a fake of its network, made for one
// test. The suite runs the adapter.
type Harness struct {
	Adapter chat.Adapter

	// User and Other are the ids of two people that the network knows. They can
	// both read Channel, the id of a channel; it is "" on a network without.
	User, Other string
	Channel     string

	// Gone is an id in the network's form that it does not know.
	Gone string

	// Barred is the id of a channel that the bot may not write to, and could if
	// somebody allowed it; "" on a network without.
	Barred string

	Can Capabilities

	// Do makes a person do something and returns without waiting for the
	// answer. It is called from several goroutines at once. An error, such as
	// that there is no such button, fails the test.
	Do func(Act) error

	// Sees returns what is on a person's screen now, oldest first: direct
	// messages, the channel, what only they can see, and an open form. What was
	// edited shows its last state, what was deleted is not there.
	Sees func(user string) []Seen

	// Acked returns how many events the adapter has acknowledged so far. It is
	// nil for a network that wants no acknowledgement.
	Acked func() int

	// Stall makes the network stop answering the adapter's calls, until it is
	// told false. It is nil where calls cannot stall.
	Stall func(on bool)
}

// Capabilities say what a network can do. What it cannot is not asked of its
// adapter.
type Capabilities struct {
	Forms       bool // it shows forms
	SecretForms bool // they may ask for secrets
	Redeliver   bool // it may deliver an event twice
	Edit        bool // messages that were sent can be edited
	Confirm     bool // it asks [chat.Confirm] by itself; Do then answers yes
	Suppress    bool // it suppresses a message whose key it has seen
}

// An Act is what a person does.
type Act struct {
	// Event names the event: the same name again is the same event, delivered
	// once more.
	Event string
	Kind  chat.Kind
	User  string
	In    string // the channel, "" in a direct message

	// Command and Text are a KindCommand, as in [chat.Request]: people are
	// written <@network:id>, and a value that holds spaces is quoted. A network
	// with typed options takes them apart along [chat.App.Commands].
	Command string
	Text    string

	On    string // the [Seen.ID] that a KindAction or KindForm is done to
	Label string // KindAction: the button's label

	// Values are a KindForm's, in the order of the form's fields.
	Values []Value
}

// A Value is what a person enters into a field of a form.
type Value struct{ Name, Value string }

// Seen is one thing on a person's screen.
type Seen struct {
	ID      string   // names it for an [Act]
	Text    string   // all words a reader sees in it, without the network's markup
	Buttons []string // labels
	Form    bool     // it is an open form; Text is its words
	Private bool     // nobody else can see it: a direct message is, too
	In      string   // the channel it stands in, "" in a direct message

	// Pings are those whom it notified beyond being there, as the network would
	// decide it: a user's id, or a word such as "everyone". A harness whose
	// network has no pings leaves it empty.
	Pings []string

	// Message or Asked is what was drawn. Only a [Network] sets them.
	Message *chat.Message
	Asked   *chat.Form
}

// Run runs the conformance test: start is called for each part of it, and makes
// a fresh adapter and fake network whose resources it releases with t.Cleanup.
func Run(t *testing.T, start func(t *testing.T) Harness) {
	for _, part := range []struct {
		name string
		run  func(*session)
	}{
		{"Command", testCommand},
		{"Words", testWords},
		{"PrivateInChannel", testPrivateInChannel},
		{"AcknowledgesFirst", testAcknowledgesFirst},
		{"Then", testThen},
		{"ThenFails", testThenFails},
		{"Replacer", testReplacer},
		{"NothingToShow", testNothingToShow},
		{"Redelivery", testRedelivery},
		{"Panic", testPanic},
		{"Press", testPress},
		{"PressReplaces", testPressReplaces},
		{"Confirm", testConfirm},
		{"Form", testForm},
		{"FormAgain", testFormAgain},
		{"FormRefused", testFormRefused},
		{"Send", testSend},
		{"SendPrivate", testSendPrivate},
		{"Edit", testEdit},
		{"Resent", testResent},
		{"Gone", testGone},
		{"Barred", testBarred},
		{"Context", testContext},
		{"Lookup", testLookup},
		{"Check", testCheck},
		{"Hostile", testHostile},
		{"Oversize", testOversize},
		{"Parallel", testParallel},
		{"Shutdown", testShutdown},
	} {
		t.Run(part.name, func(t *testing.T) {
			part.run(open(t, start(t)))
		})
	}
}
