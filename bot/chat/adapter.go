package chat

import "context"

// An Adapter is the driver of one network.
//
// It keeps the network's connection, turns events into requests, and draws
// messages within the network's limits: nothing is cut without a mark, and
// nothing is ever refused for its size. It knows neither the bot nor the store.
//
// Methods may be called from several goroutines at once, also while Run is not
// running; those that talk to the network obey their context, waits for rate
// limits included.
type Adapter interface {
	// Network returns the name of the network.
	Network() Network

	// Run serves the network until ctx is done, reconnecting as often as
	// needed. It acknowledges an event to the network before it calls app,
	// runs a bounded number of requests at once, and before it returns it
	// waits for those it has acknowledged. It returns nil when ctx ended it,
	// and an error that wraps ErrFinal when reconnecting is of no use, such as
	// after a token was revoked.
	Run(ctx context.Context, app App) error

	// Send delivers a message in one attempt. See the errors of this package
	// for what a failure means. It never retries by itself.
	Send(ctx context.Context, out Outgoing) (Ref, error)

	// Edit replaces a message that Send returned a Ref for. ErrGone means that
	// it can no longer be edited: send a new one.
	Edit(ctx context.Context, ref Ref, m Message) error

	// Lookup returns what the network knows of a user. ErrGone means that there
	// is no such user, or not any more.
	Lookup(ctx context.Context, id string) (Person, error)

	// Check looks for faults in the network's set-up (tokens, scopes, settings)
	// and returns one finding for each thing it looked at. It posts nothing.
	Check(ctx context.Context) []Finding
}

// Outgoing is a message on its way.
type Outgoing struct {
	To      Address
	Message Message

	// Key is the promise that this message keeps. A network that can suppress
	// duplicates does so by it. It is not shown and not sent readable.
	Key string

	// Resent marks a second attempt whose first may have arrived. Where the
	// network cannot suppress duplicates the message says "(re-sent)".
	Resent bool
}

// App is what the bot offers an adapter. Its methods may be called from several
// goroutines at once and do not panic.
type App interface {
	// Commands returns what people can type. The answer is constant.
	Commands() []Command

	// Handle answers a request. An error means that nothing is to be shown:
	// ErrDuplicate for a redelivery, or the context's error. Everything that
	// went wrong for the person is explained in the reply instead.
	Handle(ctx context.Context, r Request) (Reply, error)

	// Complete proposes values for the option that a person is typing: r.Text
	// ends in what they have typed so far. At most 25, quickly and from memory.
	Complete(ctx context.Context, r Request, option string) []Choice

	// Event reports something that nobody typed.
	Event(ctx context.Context, e Event)
}

// An Event is something that happened on a network.
type Event struct {
	Kind EventKind
	Gone Address // EventGone: the destination that is no more
	By   Network
}

// EventKind says what happened.
type EventKind int

// The kinds of events.
const (
	EventGone    EventKind = iota // a channel was deleted or archived, a person left
	EventRemoved                  // the app was removed from the workspace
)

// A Person is what a network knows of one of its users. The name is untrusted.
type Person struct {
	Name string
	Zone string // an IANA name, "" if unknown
}

// A Finding is one result of a check: a sentence and, unless all is well, the
// next step.
type Finding struct {
	Level   Level  `json:"level"`
	Check   string `json:"check"`   // what was looked at, such as "slack token"
	Message string `json:"message"` // one sentence
	Next    string `json:"next"`    // "" if all is well
}

// Level says how bad a finding is.
type Level string

// The levels of findings.
const (
	LevelOK    Level = "ok"
	LevelWarn  Level = "warn"
	LevelFault Level = "fault"
)
