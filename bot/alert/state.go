package alert

import (
	"errors"
	"time"
)

// Phase is where one rule stands for one subject.
type Phase uint8

// The phases.
const (
	Inactive   Phase = iota
	Pending          // it breaches, but not yet for long enough
	Firing           // an episode is open
	Recovering       // it has cleared, but not yet for long enough; the episode is open
)

var phaseNames = [...]string{"inactive", "pending", "firing", "recovering"}

// String returns the phase in lower case.
func (p Phase) String() string { return phaseNames[min(p, Recovering)] }

// MarshalText returns String.
func (p Phase) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText sets p from what String returns.
func (p *Phase) UnmarshalText(b []byte) error {
	for i, name := range phaseNames {
		if name == string(b) {
			*p = Phase(i)
			return nil
		}
	}
	return errors.New("alert: there is no phase " + string(b))
}

// Reason says why a state changed. It is stored and shown.
type Reason string

// The reasons. A message about an episode's end shows its reason: missing,
// expired_no_data, counter_reset and the three rule reasons are no recoveries.
const (
	Breached      Reason = "breached"
	Held          Reason = "held" // breached for as long as the rule asks
	Cleared       Reason = "cleared"
	Clearing      Reason = "clearing"
	Relapsed      Reason = "relapsed"
	Recovered     Reason = "recovered"
	Missing       Reason = "missing"         // the subject is no longer reported
	ExpiredNoData Reason = "expired_no_data" // no fresh data until the shift or the patience ended
	CounterReset  Reason = "counter_reset"
	RuleChanged   Reason = "rule_changed" // or it no longer covers the subject
	RuleEdited    Reason = "rule_edited"
	RuleDisabled  Reason = "disabled"
	RuleDeleted   Reason = "deleted"
)

// Data says what a poll brought for a subject. It is a fact beside the phase.
type Data uint8

// What a poll brought. Only fresh data is judged.
const (
	Fresh  Data = iota
	NoData      // a good answer that lacks a value the rule reads
	Stale       // the newest answer is too old
	Failed      // no good answer, or a team below its min_coverage: an error, never an absence
	Absent      // a good answer: the subject is not logged in, or not there
)

var dataNames = [...]string{"fresh", "no_data", "stale", "failed", "absent"}

// String returns the word that is stored.
func (d Data) String() string { return dataNames[min(d, Absent)] }

// MarshalText returns String.
func (d Data) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText sets d from what String returns.
func (d *Data) UnmarshalText(b []byte) error {
	for i, name := range dataNames {
		if name == string(b) {
			*d = Data(i)
			return nil
		}
	}
	return errors.New("alert: there is no data state " + string(b))
}

// A Shift is a stretch of time in which a subject is watched. The zero Shift
// is one without limits.
type Shift struct {
	Start, End time.Time
}

// A Round is what the samples of one watch round have in common.
type Round struct {
	Now   time.Time     // when the round is judged; zero: the sample's own time
	Poll  time.Duration // the effective poll interval; zero: a minute
	Shift Shift         // for which the subject is watched: from the first beginning to the last end of the shifts that run
	Warm  bool          // warm-up: fewer than AbsentPolls full fresh rounds since the start
}

// A Point is one judged value.
type Point struct {
	At     time.Time `json:"t"`          // the tick's own time, so that network delay costs nothing
	Value  float64   `json:"v,omitzero"` // the value shown
	Breach bool      `json:"b,omitzero"` // at or past the enter threshold
	Clear  bool      `json:"x,omitzero"` // at or past the exit threshold
}

// A Sample is one poll of one subject, as one rule sees it.
type Sample struct {
	Point
	Data    Data
	Reset   bool   // a counter that the rule reads started again since the last sample
	Subject string // the agent's or team's id: part of the episode's id
	Round   Round
}

// A State is where one rule stands for one subject. Step makes it; nothing else
// changes it. It is comparable, and stored as JSON.
type State struct {
	Phase    Phase         `json:"p,omitzero"`
	Reason   Reason        `json:"r,omitzero"` // of the last change of phase
	Episode  string        `json:"e,omitzero"` // set on firing; kept by rule_edited
	Episodes int           `json:"k,omitzero"` // how many there were, so that a clock set back makes no id twice
	Revision string        `json:"h,omitzero"` // the rule's, while not inactive
	Edition  string        `json:"i,omitzero"` // the rule's, while not inactive
	Credit   time.Duration `json:"c,omitzero"` // proven time: of breach, or of recovery while recovering
	Absent   int           `json:"n,omitzero"` // good rounds in a row without this subject
	Data     Data          `json:"d,omitzero"` // what the newest sample in order brought
	Seen     time.Time     `json:"s,omitzero"` // the newest sample in order
	Last     Point         `json:"l,omitzero"` // the newest sample judged
}

// A Change is what one step did. The zero Change is nothing at all.
type Change struct {
	From, To Phase
	Reason   Reason    // "" when nothing changed
	At       time.Time // the round's time
	Episode  string    // the episode that began, ended or goes on
	Value    float64   // the value shown
	Fire     bool      // an episode began: decide on a notice
	Resolve  bool      // an episode ended: tell those who were told, if any
}

// None reports whether nothing changed.
func (c Change) None() bool { return c.Reason == "" }

// Covered reports whether enough of a team reports for the team to be judged;
// below the floor its sample is Failed.
func Covered(reporting, agents int, floor float64) bool {
	return agents > 0 && float64(reporting) >= floor*float64(agents)
}
