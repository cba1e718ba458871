package alert

import (
	"strconv"
	"strings"
	"time"
)

// The steps of an episode that people hear of. Rises, escalations and
// repetitions carry their severity or number: see StepRise and Policy.Next.
const (
	StepFire    = "fire"
	StepResolve = "resolve"

	riseStep     = "rise-"
	escalateStep = "escalate-"
	repeatStep   = "repeat-"
)

// StepRise is the step of a rise to a severity.
func StepRise(to Severity) string { return riseStep + to.String() }

// Key returns the key of the notice of one step of an episode to one recipient,
// an address such as slack:U0SUPER. One key is carried by one message.
func Key(episode, step, recipient string) string {
	return "alert/" + episode + "/" + step + "/" + recipient
}

// ParseKey takes a key apart; ok is false for other kinds of keys.
func ParseKey(key string) (episode, step, recipient string, ok bool) {
	parts := strings.SplitN(key, "/", 4)
	if len(parts) != 4 || parts[0] != "alert" {
		return "", "", "", false
	}
	return parts[1], parts[2], parts[3], true
}

// FirstFires is how many first fires of one rule people hear about one agent in
// one shift.
const FirstFires = 2

// A Budget counts the first fires that one team was told of about one agent, by
// one rule, in one of its shifts. Rises, escalations, repetitions and resolves do not count. It
// is stored beside the State of the same rule and agent.
type Budget struct {
	Shift time.Time `json:"s,omitzero"` // when the shift began
	Told  int       `json:"n,omitzero"`
}

// Outcome says what becomes of an episode's first fire.
type Outcome string

// The outcomes. Whatever the outcome, the episode is recorded and listed.
const (
	Tell       Outcome = "tell"
	Silenced   Outcome = "silenced"
	OverBudget Outcome = "budget"
)

// First decides on the first fire of an episode in the team's shift that began at
// the given time, and returns the budget that is left. A silenced fire costs
// nothing.
func (b Budget) First(shift time.Time, silenced bool) (Budget, Outcome) {
	if shift = shift.UTC().Round(0); !b.Shift.Equal(shift) {
		b = Budget{Shift: shift}
	}
	switch {
	case silenced:
		return b, Silenced
	case b.Told >= FirstFires:
		return b, OverBudget
	}
	b.Told++
	return b, Tell
}

// Back returns the budget after a first fire was withdrawn before anybody heard
// of it.
func (b Budget) Back() Budget {
	b.Told = max(0, b.Told-1)
	return b
}

// GroupWait is how long a group waits for more agents before it is sent.
const GroupWait = 10 * time.Second

// A Group is what one message per recipient carries: the agents of a team for
// whom a rule fired at about the same time. It is comparable, and names the
// message's edits as well.
type Group struct {
	Rule   string    `json:"r"`
	Team   string    `json:"t"`
	Opened time.Time `json:"o"` // the first fire
}

// Join returns the group that a first fire at the given time belongs to: g for
// one poll interval after its first fire, and then a new one. The zero Group
// takes nobody.
func (g Group) Join(rule, team string, at time.Time, poll time.Duration) Group {
	if g.Rule == rule && g.Team == team && !at.After(g.Opened.Add(poll)) {
		return g
	}
	return Group{rule, team, at.UTC().Round(0)}
}

// Due returns when the group's message is to leave.
func (g Group) Due() time.Time { return g.Opened.Add(GroupWait) }

// AckLease is how long an acknowledgement holds; AckReminder is how long before
// its end a reminder is due.
const (
	AckLease    = time.Hour
	AckReminder = 10 * time.Minute
)

// An Ack is a person's promise to look after an episode. The zero Ack is none.
type Ack struct {
	By    string    `json:"b"` // the person's address or name
	At    time.Time `json:"t"`
	Until time.Time `json:"u"`
}

// Handling is what happened to an episode beside its phase: who has it, and
// what was brought up again. It lives as long as the episode.
type Handling struct {
	Severity    Severity  `json:"s"`
	Open        time.Time `json:"o"`          // since when it waits for a person: its first fire or its last rise
	Ack         Ack       `json:"a,omitzero"` // the last one
	Escalations int       `json:"e,omitzero"` // so far
	Escalated   time.Time `json:"f,omitzero"` // the last one
	Repeats     int       `json:"r,omitzero"` // so far
	Repeated    time.Time `json:"g,omitzero"` // the last one
}

// Acked reports whether somebody has the episode in hand.
func (h Handling) Acked(now time.Time) bool { return now.Before(h.Ack.Until) }

// Acknowledge takes the lease. When somebody holds it already, it changes
// nothing and reports false, and h.Ack says who.
func (h Handling) Acknowledge(by string, now time.Time) (Handling, bool) {
	if h.Acked(now) {
		return h, false
	}
	now = now.UTC().Round(0)
	h.Ack = Ack{By: by, At: now, Until: now.Add(AckLease)}
	return h, true
}

// SetSeverity applies an edited rule. Every change ends the acknowledgement; a
// rise is a step of its own, and starts the clocks anew.
func (h Handling) SetSeverity(to Severity, now time.Time) (out Handling, step string) {
	if to == h.Severity {
		return h, ""
	}
	if to > h.Severity {
		h.Open, step = now.UTC().Round(0), StepRise(to)
	}
	h.Severity, h.Ack = to, Ack{}
	return h, step
}

// Next returns the next escalation or repetition and when it is due. Only
// critical episodes have any. An acknowledgement stops both; when its lease
// ends, their clocks start anew.
//
// One escalation comes per open stretch. Repetitions follow each other from
// when the last one was really made, so that none pile up over an outage.
func (p Policy) Next(h Handling) (step string, due time.Time, ok bool) {
	if h.Severity != Critical {
		return "", time.Time{}, false
	}
	open := later(h.Open, h.Ack.Until)
	if p.EscalateAfter > 0 && !h.Escalated.After(open) {
		step, due = escalateStep+strconv.Itoa(h.Escalations+1), open.Add(p.EscalateAfter)
	}
	if p.Repeat > 0 {
		again := later(open, h.Repeated).Add(p.Repeat)
		if step == "" || again.Before(due) {
			step, due = repeatStep+strconv.Itoa(h.Repeats+1), again
		}
	}
	return step, due, step != ""
}

// Made records that a step returned by Next was made.
func (h Handling) Made(step string, now time.Time) Handling {
	now = now.UTC().Round(0)
	switch {
	case strings.HasPrefix(step, escalateStep):
		h.Escalations, h.Escalated = h.Escalations+1, now
	case strings.HasPrefix(step, repeatStep):
		h.Repeats, h.Repeated = h.Repeats+1, now
	}
	return h
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
