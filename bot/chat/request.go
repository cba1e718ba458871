package chat

import (
	"context"
	"time"

	"floorwalker/bot/secret"
)

// Kind says what a person did.
type Kind int

// The kinds of requests.
const (
	KindCommand Kind = iota // typed a command
	KindAction              // pressed a button
	KindForm                // sent a form
	KindHome                // opened the bot's home page
)

// A Request is something a person did, as an adapter understood it.
//
// Text from outside is untrusted. Form values are secrets, all of them, because
// some are; none is logged.
type Request struct {
	ID   string // the network's own id of the event: the same on redelivery
	Kind Kind
	From Address   // the person; the network vouches for it
	Name string    // how the network calls them; untrusted
	In   Address   // the channel it happened in; zero in a direct message
	At   time.Time // when the adapter received it

	// Command is the canonical name ("mystats", "floor"), whatever the
	// workspace calls it. Text is what followed, with mentions of people
	// written <@network:id> and options in their order, quoted where they hold
	// spaces.
	Command string
	Text    string

	Action Action // KindAction: only ID and Value are set
	Ref    Ref    // KindAction: the message the button is on, where it can be edited

	Form   string // KindForm: the form's ID
	Value  string // KindForm: the form's Value
	Values map[string]secret.Secret

	// SecretForms says that this network lets a bot ask for credentials in a
	// form. Discord's policy forbids it.
	SecretForms bool
}

// A Reply answers a request: with a message, with a form or, where the request
// came from the bot's home page, with that page; exactly one of them.
//
// If Then is set, the adapter shows the first answer at once, calls Then in the
// same pool, and replaces the first answer by what it returns. Then obeys its
// context and may take as long as that. An error means, as for [App.Handle],
// that there is nothing more to show: the first answer stays.
//
// Shown is called, unless it is nil, once this answer has been shown, and not if
// that failed: what it tells may then be taken for told. [Answer] does so. What it
// is given puts another message in the answer's place, also once the request is
// over, as [Replacer] says.
type Reply struct {
	Message *Message
	Form    *Form
	Page    []Message // the cards of the home page, the most important first
	Then    func(context.Context) (Reply, error)
	Shown   func(Replacer)
}

// A Replacer puts a message in the place of an answer, or beside it where the network
// does not let that be replaced. Networks allow it for a quarter of an hour or more;
// then it is sent to the person, or is an error. It is not called while Then runs,
// nor twice at once.
type Replacer func(ctx context.Context, m Message) error

// Show returns a reply that is a message.
func Show(m Message) Reply { return Reply{Message: &m} }

// Ask returns a reply that is a form.
func Ask(f Form) Reply { return Reply{Form: &f} }

// A Command is what people can type, with what a network needs to offer it:
// Discord registers all of it, Slack the name only.
type Command struct {
	Name    string // lower case, such as "mystats"
	Summary string // one line, at most 100 characters (Discord)
	Private bool   // the answer is for the person alone; static, because Discord fixes it when deferring
	Form    bool   // the answer may be a form, so it must not be deferred
	Options []Option
	Sub     []Command // subcommands; one that has Sub itself is a group. A command with Sub has no Options.
}

// An Option is a word that follows a command.
type Option struct {
	Name     string // lower case
	Summary  string // one line, at most 100 characters (Discord)
	Kind     OptionKind
	Required bool
	Choices  []Choice // at most 25; empty = free
	Complete bool     // [App.Complete] proposes values
}

// OptionKind is the kind of an option's value.
type OptionKind int

// The kinds of options.
const (
	OptionText   OptionKind = iota
	OptionPerson            // written <@network:id> in Text
)

// A Choice is a value that is offered.
type Choice struct {
	Label string
	Value string
}
