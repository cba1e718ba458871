package alert

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Limits of silences.
const (
	MaxSilence      = 7 * 24 * time.Hour
	SilenceReminder = 10 * time.Minute // before its end, if something it hides still fires
	maxComment      = 300              // bytes
)

// Labels are what matchers look at.
type Labels struct {
	Rule  string
	Agent string   // the agent's id; "" for a team's or the source's alert
	Teams []string // the teams the alert is about
}

// A Matcher selects alerts: every field that is not empty must fit. A matcher
// with nothing in it matches nothing.
type Matcher struct {
	Rule  string `json:"r,omitzero"`
	Agent string `json:"a,omitzero"` // as Labels.Agent; what a person typed until it is resolved
	Team  string `json:"t,omitzero"`
}

// ParseMatcher reads RULE, @agent or RULE@agent. Its Agent is what was typed
// after the @; the caller turns it into an agent's id.
func ParseMatcher(s string) (Matcher, error) {
	rule, agent, at := strings.Cut(strings.TrimSpace(s), "@")
	m := Matcher{Rule: strings.TrimSpace(rule), Agent: strings.TrimSpace(agent)}
	if m.IsZero() || at && m.Agent == "" || strings.ContainsAny(m.Rule, " \t\n") {
		return Matcher{}, fmt.Errorf("%q selects no alerts; write RULE, @agent or RULE@agent", s)
	}
	return m, nil
}

// IsZero reports whether the matcher selects nothing.
func (m Matcher) IsZero() bool { return m == Matcher{} }

// String returns the matcher as a person would write it.
func (m Matcher) String() string {
	s := m.Rule
	if m.Agent != "" {
		s += "@" + m.Agent
	}
	if m.Team != "" {
		s = strings.TrimSpace(s + " in team " + m.Team)
	}
	return s
}

// Matches reports whether the matcher selects an alert.
func (m Matcher) Matches(l Labels) bool {
	return !m.IsZero() &&
		(m.Rule == "" || m.Rule == l.Rule) &&
		(m.Agent == "" || m.Agent == l.Agent) &&
		(m.Team == "" || slices.Contains(l.Teams, m.Team))
}

// A Silence keeps notices of matching alerts from being sent for a time. It
// acts on delivery: states and episodes go on. A silence is never changed; it
// is ended, and a new one made.
type Silence struct {
	Matcher Matcher   `json:"m"`
	Start   time.Time `json:"s"`
	End     time.Time `json:"e"` // not included
	By      string    `json:"b"` // the author
	Comment string    `json:"c,omitzero"`
}

// Validate returns why a silence may not be saved, in words for its author.
func (s Silence) Validate() error {
	switch {
	case s.Matcher.IsZero():
		return errors.New("a silence must name a rule, an agent or a team")
	case s.By == "":
		return errors.New("a silence needs an author")
	case s.Start.IsZero(), s.End.IsZero():
		return errors.New("a silence needs a start and an end")
	case !s.End.After(s.Start):
		return errors.New("a silence must end after it starts")
	case s.End.Sub(s.Start) > MaxSilence:
		return errors.New("a silence lasts at most 7 days")
	case len(s.Comment) > maxComment:
		return fmt.Errorf("the comment has %d bytes; at most %d are allowed", len(s.Comment), maxComment)
	}
	return nil
}

// Active reports whether the silence holds at a moment.
func (s Silence) Active(now time.Time) bool { return !now.Before(s.Start) && now.Before(s.End) }

// Ended returns the silence ended at a moment; ending it twice, or after its
// end, changes nothing. One that has not begun is left without any time.
func (s Silence) Ended(now time.Time) Silence {
	if now.Before(s.End) {
		s.End = later(s.Start, now.UTC().Round(0))
	}
	return s
}
