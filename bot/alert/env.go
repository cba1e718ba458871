package alert

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/agnivade/levenshtein"
)

// Kind says how a metric behaves, and so what a rule may do with it.
type Kind string

// The kinds of the metric dictionary. Rules read numbers and flags; increase()
// wants a counter. A flag is true or false for an agent; for a team it is the
// number of agents where it is true.
const (
	Counter Kind = "counter"
	Gauge   Kind = "gauge"
	Average Kind = "average"
	Flag    Kind = "flag"
	Map     Kind = "map"
	Text    Kind = "text"
)

// Units of metrics, as the dictionary spells them.
const (
	UnitNone    = "none"
	UnitCount   = "count"
	UnitSeconds = "seconds"
	UnitMinutes = "minutes"
	UnitHours   = "hours"
)

// A Metric is one entry of the metric dictionary, as far as rules care.
type Metric struct {
	Name      string // what a rule writes
	Key       string // the key in the API's answer, named when the metric is not confirmed
	Unit      string
	Kind      Kind
	Confirmed bool // a person has checked what the key means
}

// A Need is one value that a rule reads: a metric's value now, or, when Window
// is not zero, how much it increased in the window that ends now.
type Need struct {
	Metric string
	Window time.Duration
}

// String returns the need as a rule writes it.
func (n Need) String() string {
	if n.Window == 0 {
		return n.Metric
	}
	return "increase(" + n.Metric + `, "` + brief(n.Window) + `")`
}

// Values gives the values of one subject at one moment. Value reports false
// when the value is missing; a flag is 1 or 0. It is called from one goroutine
// at a time per call of Judge.
type Values interface {
	Value(n Need) (v float64, ok bool)
}

// Names that are not metrics of the dictionary but computed from them, from
// the login or from the clock.
const (
	NameAnswered         = "answered"           // offered − missed
	NameMissRate         = "miss_rate"          // missed ÷ offered, 0 to 1; missing when nothing was offered
	NameCallsPerHour     = "calls_per_hour"     // answered, over observed time
	NameMinutesSinceCall = "minutes_since_call" // since answered last rose
	NameLoginHours       = "login_hours"        // since the login
	NameLoggedIn         = "logged_in"          // flag
	NameShiftMinutes     = "shift_minutes"      // since the shift began
	NameAgents           = "agents"             // team scope: members on shift
	NameReporting        = "reporting"          // team scope: members with fresh data
)

// Names that only the built-in rules read. Whoever implements Values must know
// them.
const (
	NameLoggedInBefore = "logged_in_before" // flag: a good answer in this shift said logged in
	NameShiftLeft      = "shift_left"       // minutes until the shift ends
	NameSourceMinutes  = "source_minutes"   // minutes for which the source has been asked in vain; 0 after a good answer
)

// An Env is the vocabulary of rules. It is immutable and safe for concurrent
// use.
type Env struct {
	names map[string]entry
}

// entry is one name of the vocabulary.
type entry struct {
	unit     string
	kind     Kind
	only     Scope    // "" = any scope
	builtIn  bool     // only for built-in rules
	confirm  []string // keys that a person has yet to confirm
	lacks    string   // the metric without which this name has no meaning here
	presence bool     // known without the agent's counters
}

// NewEnv returns the vocabulary of a metric dictionary: its metrics and the
// names computed from them, which win over a metric of the same name. Metrics
// without a name are left out.
func NewEnv(metrics []Metric) *Env {
	names := map[string]entry{}
	for _, m := range metrics {
		if m.Name == "" {
			continue
		}
		e := entry{unit: m.Unit, kind: m.Kind}
		if !m.Confirmed {
			e.confirm = []string{m.Key}
		}
		names[m.Name] = e
	}
	calls := fromInputs(names, "offered", "missed")
	maps.Copy(names, map[string]entry{
		NameAnswered:         calls.as(UnitCount, Counter),
		NameMissRate:         calls.as(UnitNone, Gauge),
		NameCallsPerHour:     calls.as(UnitCount, Gauge),
		NameMinutesSinceCall: calls.as(UnitMinutes, Gauge),
		NameLoginHours:       {unit: UnitHours, kind: Gauge},
		NameLoggedIn:         {unit: UnitNone, kind: Flag, presence: true},
		NameShiftMinutes:     {unit: UnitMinutes, kind: Gauge, presence: true},
		NameAgents:           {unit: UnitCount, kind: Gauge, only: ScopeTeam},
		NameReporting:        {unit: UnitCount, kind: Gauge, only: ScopeTeam},
		NameLoggedInBefore:   {unit: UnitNone, kind: Flag, only: ScopeAgent, builtIn: true, presence: true},
		NameShiftLeft:        {unit: UnitMinutes, kind: Gauge, only: ScopeAgent, builtIn: true, presence: true},
		NameSourceMinutes:    {unit: UnitMinutes, kind: Gauge, only: scopeSource, builtIn: true, presence: true},
	})
	return &Env{names}
}

// fromInputs returns what a name computed from the inputs inherits: what is
// lacking and what is still to be confirmed.
func fromInputs(names map[string]entry, inputs ...string) entry {
	var e entry
	for _, in := range inputs {
		m, ok := names[in]
		if !ok && e.lacks == "" {
			e.lacks = in
		}
		e.confirm = append(e.confirm, m.confirm...)
	}
	return e
}

// as returns e with a unit and a kind.
func (e entry) as(unit string, kind Kind) entry {
	e.unit, e.kind = unit, kind
	return e
}

// usable reports whether a rule of the scope may read the name at all.
func (e entry) usable(scope Scope, builtIn bool) bool {
	return (e.only == "" || e.only == scope) && (!e.builtIn || builtIn)
}

// Names returns the names that rules of a scope may read, sorted.
func (e *Env) Names(scope Scope) []string {
	var out []string
	for name, en := range e.names {
		if en.usable(scope, false) && en.kind != Map && en.kind != Text {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// suggest returns the name nearest to a mistyped one, or "" when none is near.
func (e *Env) suggest(typed string, scope Scope) string {
	best, nearest := "", 1+max(min(2, len(typed)/2), len(typed)/3)
	for _, name := range e.Names(scope) {
		if d := levenshtein.ComputeDistance(strings.ToLower(typed), strings.ToLower(name)); d < nearest {
			best, nearest = name, d
		}
	}
	return best
}

// brief prints a duration without its zero parts: 30m, not 30m0s.
func brief(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
