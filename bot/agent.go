package bot

import (
	"errors"
	"iter"
	"slices"
	"time"

	"floorwalker/bot/chat"
	"floorwalker/dashboard"
)

// An AgentID is the random id that the store gives an agent at the first link:
// the counters API has none. It is lower-case hex, 16 characters.
type AgentID string

// An Agent is a person whose numbers can be read: one credential, and one or
// more addresses that may see them.
type Agent struct {
	ID         AgentID
	Name       string         // as stored at link; untrusted text, escaped by the adapters
	Addresses  []chat.Address // in the order they were linked, at least one
	UserID     string         // the vendor's user id, "" when only a session id was given
	Credential CredentialKind
	State      LinkState
	Reason     string    // of the last change of State, in words; "" while active
	Changed    time.Time // when State last changed
	LinkedBy   string    // actor, as in [AuditEntry]
	LinkedAt   time.Time
	Teams      []string // memberships added in chat or by import, beyond the configured ones
}

// Has reports whether the agent can be reached at the address, and so whether
// that address may see the agent's numbers.
func (a Agent) Has(addr chat.Address) bool { return slices.Contains(a.Addresses, addr) }

// called is how an agent is called where no name was given.
func (a Agent) called() string {
	if a.Name == "" && len(a.Addresses) > 0 {
		return a.Addresses[0].String()
	}
	return a.Name
}

// CredentialKind says what an agent gave at link.
type CredentialKind string

// The kinds of credentials.
const (
	CredentialToken CredentialKind = "token" // user id and token: lasting
	CredentialSSID  CredentialKind = "ssid"  // a session id: ends with the login
)

// LinkState says whether an agent's credential works.
type LinkState string

// The states of a link.
const (
	LinkActive     LinkState = "active"     // verified by a live call
	LinkUnverified LinkState = "unverified" // stored while the API could not be reached
	LinkRelink     LinkState = "relink"     // the API refused it: the agent must link again
	LinkSuspended  LinkState = "suspended"  // the vendor suspended the account, or the person left
)

// A Link is a request to store a credential for an address.
type Link struct {
	Address    chat.Address
	SamePerson []chat.Address // other addresses that the configuration gives this person
	Name       string
	Credential dashboard.Credential
	State      LinkState // LinkActive or LinkUnverified
	Teams      []string  // added to the agent's
	Audit      AuditEntry
	RequestID  string // stored with the effect, so that a redelivery does nothing; "" for none

	// Join, if it is not "", is the agent that Address joins. All else of the
	// agent stays as it is: Name, Credential, State and Teams are of no account.
	Join AgentID

	// Tell, if it is not nil, promises people in the same transaction what they are
	// to hear of it.
	Tell func(Tx, Linked) error
}

// A Linked is what a link did.
type Linked struct {
	Agent  Agent
	Joined bool // the address joined an agent that another address had linked
	Relink bool // the agent was there, and got a new credential

	// Deleted is the agent that the address left, if it was the last one there;
	// "" for none.
	Deleted AgentID
}

// An AuditEntry records an administrative act. It holds no secret.
type AuditEntry struct {
	At     time.Time `json:"at"`
	Actor  string    `json:"actor"`  // an address, "cli:<uid>" or "floorwalker": the bot itself
	Action string    `json:"action"` // such as "link"
	Object string    `json:"object,omitempty"`
	Detail string    `json:"detail,omitempty"`
}

// byItself is the actor of what nobody asked the bot to do.
const byItself = "floorwalker"

// The errors of the store roles.
var (
	// ErrNotLinked: the address has no agent, or the id names none.
	ErrNotLinked = errors.New("not linked")

	// ErrHeld: the user id belongs to another agent, whose credential differs.
	ErrHeld = errors.New("this user id is already linked to somebody else")

	// ErrDone: the effect of this request was stored before.
	ErrDone = errors.New("already done")

	// ErrNotSaved: the disk is full; nothing was written, and the store goes on
	// working once there is space.
	ErrNotSaved = errors.New("not saved: the disk is full")
)

// Links is the role of the store that knows who is who. Every method is one
// transaction; a nil error means that it is on disk.
type Links interface {
	// AgentAt returns the agent of an address, or ErrNotLinked.
	AgentAt(addr chat.Address) (Agent, error)

	// Agents yields all agents in the order of their ids, reading by pages: the
	// consumer may be slow and may write to the store.
	Agents() iter.Seq2[Agent, error]

	// Credential opens the sealed credential of an agent.
	Credential(id AgentID) (dashboard.Credential, error)

	// Link stores a credential. An address that has an agent gives that agent
	// the new credential, unless the user id shows another person: then the
	// address leaves its agent (which is deleted when no address is left). An
	// address without one joins the agent of SamePerson, or the agent that
	// holds the very same user id and token if l.State is LinkActive; else it
	// gets a new agent. ErrHeld if another agent holds the user id. With l.Join an
	// address that has an agent by now keeps it, and nothing is changed.
	Link(l Link) (Linked, error)

	// LinkAll is Link for many, all of them in one transaction or none.
	LinkAll(links []Link) ([]Linked, error)

	// SetLinkState records that a credential stopped or started to work, as it
	// was found when the API was asked at a time. A verdict from before the
	// link is one on an earlier credential and changes nothing.
	SetLinkState(id AgentID, state LinkState, reason string, at time.Time) error

	// SetTeams replaces the memberships of an agent that were added in chat or
	// by import, and tells the agent by a row of the outbox.
	SetTeams(id AgentID, teams []string, by AuditEntry, requestID string, notice Row) (Agent, error)

	// UnlinkAddress takes an address from an agent who has others, and nothing
	// else. It returns the agent as it is now. The object of the audit entry
	// becomes the agent.
	UnlinkAddress(addr chat.Address, by AuditEntry) (Agent, error)

	// Unlink deletes an agent: addresses, credential, snapshots. It returns the
	// agent as it was.
	Unlink(id AgentID, by AuditEntry, requestID string) (Agent, error)
}

// Snapshots is the role of the store that keeps each agent's latest counters.
type Snapshots interface {
	// Seen returns what is stored of an agent, and a zero Seen for nothing.
	Seen(id AgentID) (Seen, error)

	// SaveSeen replaces it. An agent that is not linked any more is no error
	// and leaves no record.
	SaveSeen(id AgentID, s Seen) error
}

// Seen is what was seen of an agent: the newest answer, and the first one of
// the vendor's day, from which differences are counted.
type Seen struct {
	First dashboard.Counters `json:"first,omitzero"`
	Last  dashboard.Counters `json:"last,omitzero"`
}

// Audit is the role of the store that shows the audit trail.
type Audit interface {
	// AuditTrail yields entries since a time, oldest first, by pages. Those that
	// cannot be read are left out, and named by [Outbox.Damaged].
	AuditTrail(since time.Time) iter.Seq2[AuditEntry, error]
}

// Clock is the role of the store that knows whether the clock has leapt.
type Clock interface {
	// TrustedTime says up to which time the clock is trusted, which says now:
	// what is deleted for its age is to be deleted by that time. It is good also
	// with an error, which is one of noting it.
	TrustedTime(now time.Time) (time.Time, error)
}

// Store is everything the bot keeps on disk, see package store.
type Store interface {
	Clock
	Links
	Snapshots
	Audit
	Live
	Outbox
	History
}
