package bot

import (
	"iter"
	"time"

	"floorwalker/bot/chat"
	"floorwalker/bot/schedule"
	"floorwalker/bot/stats"
	"floorwalker/dashboard"
)

// A Row of the outbox is a message that the bot has promised to deliver. Its
// key is the promise: a key is in the outbox once, whatever is killed when.
//
//	alert/<episode>/<step>/<recipient>
//	digest/<team>/<name>/<nominal>/<address>
//	notice/<what>/<recipient>
//	bundle/<the first key that it carries>
type Row struct {
	Key       string
	To        chat.Address
	Lane      Lane
	Message   chat.Message
	Edits     string    // key of an earlier row whose message this one takes the place of; "": a message of its own
	NotBefore time.Time // zero: at once
	GiveUp    time.Time // not delivered by then, it is dead; zero: never

	// What follows is the outbox's own.

	Seq      uint64 // order of arrival; messages to one address leave in this order
	State    RowState
	Attempts int
	Next     time.Time // when it is due, from NotBefore and what the network said
	Lease    time.Time // leased: until then
	InDoubt  bool      // an attempt had no clear answer: the next one is marked as re-sent
	Reason   string    // why it is dead or cancelled, or the last error
	Ref      chat.Ref  // sent: the message
	Added    time.Time
	Settled  time.Time // when it reached its final state
}

// Lane is a message's precedence: lower leaves first.
type Lane int

// The lanes.
const (
	LaneNotice Lane = iota // to one person about their own doing
	LaneAlert
	LaneDigest
)

// RowState is where a row is in its life:
// pending → leased → sent | pending | dead | cancelled, or pending → cancelled.
type RowState string

// The states of a row. The last three are final.
const (
	RowPending   RowState = "pending"
	RowLeased    RowState = "leased"
	RowSent      RowState = "sent"
	RowDead      RowState = "dead"
	RowCancelled RowState = "cancelled"
)

// An Outcome is what came of an attempt to deliver a row.
type Outcome struct {
	State   RowState // RowSent, RowDead, RowCancelled, or RowPending to try again
	Ref     chat.Ref // sent
	InDoubt bool     // pending: it may have arrived
	Next    time.Time
	Reason  string
	At      time.Time
	Attempt int // the row's Attempts when it was leased; 0: the current one
}

// An Occurrence is one due time of a digest, recorded once whatever comes of it.
type Occurrence struct {
	Team, Name string
	Nominal    schedule.Civil // what the schedule says; with team and name its identity
	At         time.Time      // the instant
	Window     schedule.Span  // what it covers
	Skipped    string         // why it was not sent; "" if it was
	Recorded   time.Time
}

// A Tx is one transaction of the live file: all of what a function does with it
// is on disk afterwards, or nothing. The function may run twice, so it must not
// do anything else. Reads see the transaction's own writes.
type Tx interface {
	Records

	// SeenTimes is [Snapshots.Seen] with nothing of the answers but At and Date,
	// and cheaper by far.
	SeenTimes(id AgentID) (Seen, error)

	// SaveSeen is [Snapshots.SaveSeen].
	SaveSeen(id AgentID, s Seen) error

	// SaveLast is SaveSeen that leaves the first answer as it is.
	SaveLast(id AgentID, last dashboard.Counters) error

	// SetLinkState is [Links.SetLinkState], and reports whether it changed
	// anything.
	SetLinkState(id AgentID, state LinkState, reason string, at time.Time) (changed bool, err error)

	// Enqueue adds a row, unless its key is there already, in whatever state.
	Enqueue(r Row) (added bool, err error)

	// Row returns the row with a key.
	Row(key string) (r Row, found bool, err error)

	// Waiting returns the rows that wait for an address, those that are leased
	// included, in the order in which they leave.
	Waiting(to chat.Address) ([]Row, error)

	// Crowded returns the addresses of a network for which more than n rows wait.
	Crowded(network chat.Network, n int) ([]chat.Address, error)

	// Cancel settles a pending row without sending it. One that is leased, in
	// doubt or settled stays as it is, and the answer is false.
	Cancel(key, reason string, at time.Time) (cancelled bool, err error)

	// Amend gives a pending row another message and, unless it was tried
	// already, another NotBefore. One that is leased, in doubt or settled stays
	// as it is, and the answer is false: people may have it before them.
	Amend(key string, m chat.Message, notBefore time.Time) (amended bool, err error)

	// PutOff gives a pending row that was not tried yet another NotBefore, and as
	// long from then until it is given up as it had. Any other stays as it is, and
	// the answer is false.
	PutOff(key string, notBefore time.Time) (moved bool, err error)

	// Audit appends an entry to the audit trail.
	Audit(e AuditEntry) error

	// Once notes that a request has its effect, or returns ErrDone if that was
	// noted before. A request without an id is never known.
	Once(requestID string) error

	// RecordOccurrence records a digest's due time, unless it is recorded.
	RecordOccurrence(o Occurrence) (added bool, err error)

	// LastOccurrence returns the newest record of a digest that was due by a
	// time, and false for none.
	LastOccurrence(team, name string, by time.Time) (o Occurrence, found bool, err error)
}

// Live is the role of the store that runs transactions over several records.
type Live interface {
	// Update runs f in a transaction. An error of f undoes all of it.
	Update(f func(Tx) error) error

	// View runs f in a transaction that only reads: f must not write.
	View(f func(Tx) error) error
}

// Outbox is the role of the store that the deliverers use.
type Outbox interface {
	// Lease takes rows of a network that are due: at most n, and at most one
	// for each address, the first in its order, by lane and age. It marks them
	// leased until the given time before it returns. An address with a leased
	// row has none to give until the lease is over; then the row is due again,
	// and in doubt.
	//
	// A row that is put off lets others pass, one that is tried again keeps its
	// place. Rows of the network whose time to give up has come are dead, and
	// returned as lost.
	Lease(network chat.Network, now, until time.Time, n int) (due, lost []Row, err error)

	// Settle records what came of an attempt. A row whose lease was taken over
	// or that is settled already stays as it is.
	Settle(key string, o Outcome) error

	// Rows yields the rows in the given states, all if none is given, in the
	// order of arrival, by pages. Those that cannot be read are left out.
	Rows(states ...RowState) iter.Seq2[Row, error]

	// Damaged names what could not be read of rows, of the occurrences of digests,
	// of the audit trail and of [Records] since the start, and was passed over;
	// nothing if all is well.
	Damaged() []string

	// Wake returns when the next pending row of a network is due, zero for none.
	Wake(network chat.Network) (time.Time, error)
}

// History is the role of the store that keeps samples, in one file a day.
type History interface {
	// AppendHistory stores samples. It is idempotent by agent and tick, and on
	// disk when it returns. Samples may come late and out of order.
	AppendHistory(samples []AgentSample) error

	// History yields an agent's samples with ticks in the span, in order, and in
	// place of those that cannot be read an error, after which it goes on.
	// Values under the keys in without are left out. Samples share their values
	// while these do not change, so it pays to leave out the one number that
	// changes with every poll, if it is not needed.
	History(id AgentID, span schedule.Span, without ...string) iter.Seq2[stats.Sample, error]
}

// An AgentSample is a sample and whose it is.
type AgentSample struct {
	Agent AgentID
	stats.Sample
}
