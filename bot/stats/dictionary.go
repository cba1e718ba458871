// Package stats turns snapshots of counters into numbers that may be shown.
//
// The counters API explains none of its keys. So what a key means is a
// [Metric] of the [Dictionary], which is configuration with defaults, and a
// reading that nobody has confirmed shows its raw key beside its label. A
// number is exact, estimated or missing ([Number]); missing is never zero.
//
// The package is pure: it reads no clock and keeps no state.
package stats

import (
	"fmt"
	"slices"
	"strings"
)

// A Metric says what a key of the payload means.
type Metric struct {
	Key       string `json:"key" yaml:"key" mapstructure:"key"`                   // in the payload, case matters; "l.duration" looks into an object
	Name      string `json:"name" yaml:"name" mapstructure:"name"`                // in rules and JSON, lower case with underscores
	Label     string `json:"label" yaml:"label" mapstructure:"label"`             // for people
	Unit      Unit   `json:"unit" yaml:"unit" mapstructure:"unit"`                // of the number
	Kind      Kind   `json:"kind" yaml:"kind" mapstructure:"kind"`                // how it behaves over time
	Weight    string `json:"weight" yaml:"weight" mapstructure:"weight"`          // averages: the name of the count it is an average over
	Reset     Reset  `json:"reset" yaml:"reset" mapstructure:"reset"`             // counters: when they start again
	Better    Better `json:"better" yaml:"better" mapstructure:"better"`          // which direction is good news
	Confirmed bool   `json:"confirmed" yaml:"confirmed" mapstructure:"confirmed"` // somebody compared it with the vendor's dashboard
}

// Unit is the unit of a metric.
type Unit string

// The units.
const (
	Count   Unit = "count"
	Seconds Unit = "seconds"
	Minutes Unit = "minutes"
	Hours   Unit = "hours"
	NoUnit  Unit = "none"
)

// Kind says how a metric behaves over time.
type Kind string

// The kinds of metrics.
const (
	Counter Kind = "counter" // only rises, until its reset
	Gauge   Kind = "gauge"   // goes up and down
	Average Kind = "average" // a mean since the reset, over Weight
	Map     Kind = "map"     // counters by name, such as calls by campaign
	Text    Kind = "text"
	Flag    Kind = "flag" // yes or no
)

// Reset says when a counter starts again.
type Reset string

// The resets.
const (
	Daily   Reset = "day"   // at midnight in the vendor's zone
	AtLogin Reset = "login" // with every login
	Never   Reset = "never"
)

// Better says which direction is good news.
type Better string

// The directions.
const (
	Higher  Better = "higher"
	Lower   Better = "lower"
	Neither Better = "neither"
)

// A Dictionary is the list of metrics, each key and each name once.
type Dictionary []Metric

// Defaults returns the readings that the API's documentation suggests. No entry
// is confirmed: the vendor defines none of the keys.
func Defaults() Dictionary {
	return Dictionary{
		{Key: "TH", Name: "offered", Label: "Calls offered", Unit: Count, Kind: Counter, Reset: Daily, Better: Neither},
		{Key: "MH", Name: "missed", Label: "Missed", Unit: Count, Kind: Counter, Reset: Daily, Better: Lower},
		{Key: "aTT", Name: "avg_talk", Label: "Average talk", Unit: Seconds, Kind: Average, Weight: "answered", Reset: Daily, Better: Neither},
		{Key: "HT", Name: "hold", Label: "Hold time", Unit: Seconds, Kind: Counter, Reset: Daily, Better: Lower},
		{Key: "C", Name: "calls", Label: "Connected calls", Unit: Count, Kind: Counter, Reset: Daily, Better: Higher},
		{Key: "tC", Name: "total_calls", Label: "Total calls", Unit: Count, Kind: Counter, Reset: Daily, Better: Higher},
		{Key: "I", Name: "idle", Label: "Idle", Unit: Minutes, Kind: Gauge, Reset: Never, Better: Neither},
		{Key: "callType", Name: "calls_by_type", Label: "Calls by type", Unit: Count, Kind: Map, Reset: Daily, Better: Neither},
		{Key: "cmpId", Name: "calls_by_campaign", Label: "Calls by campaign", Unit: Count, Kind: Map, Reset: Daily, Better: Neither},
		{Key: "l.type", Name: "login_type", Label: "Login type", Unit: NoUnit, Kind: Text, Reset: Never, Better: Neither},
		{Key: "l.duration", Name: "login_age", Label: "Logged in for", Unit: Seconds, Kind: Gauge, Reset: AtLogin, Better: Neither},
		{Key: "ml", Name: "mobile_login", Label: "Mobile login", Unit: NoUnit, Kind: Flag, Reset: Never, Better: Neither},
		{Key: "ATT", Name: "att_flag", Label: "ATT flag", Unit: NoUnit, Kind: Flag, Reset: Never, Better: Neither},
	}
}

// Derived lists the names that are computed and so cannot be taken by a metric.
func Derived() []string {
	return []string{
		"answered", "miss_rate", "calls_per_hour", "minutes_since_call",
		"login_hours", "logged_in", "shift_minutes", "agents", "reporting",
	}
}

// Merge returns the dictionary with the entries of more laid over it by key,
// field by field: an empty field keeps what was there. An entry with a new key
// is added, its empty fields filled with the plainest choice. The faults are
// indexed like more, nil where an entry is well-formed.
func (d Dictionary) Merge(more []Metric) (Dictionary, []error) {
	merged := slices.Clone(d)
	faults := make([]error, len(more))
	for i, m := range more {
		at := slices.IndexFunc(merged, func(have Metric) bool { return have.Key == m.Key })
		var base Metric
		if at >= 0 {
			base = merged[at]
		} else {
			base = Metric{Key: m.Key, Name: m.Key, Label: m.Key, Unit: NoUnit, Kind: Gauge, Reset: Never, Better: Neither}
		}
		m = overlay(base, m)
		if faults[i] = m.check(merged, at); faults[i] != nil {
			continue
		}
		if at >= 0 {
			merged[at] = m
		} else {
			merged = append(merged, m)
		}
	}
	return merged, faults
}

// overlay returns base with the fields of m that are not empty.
func overlay(base, m Metric) Metric {
	base.Name = nonEmpty(m.Name, base.Name)
	base.Label = nonEmpty(m.Label, base.Label)
	base.Unit = nonEmpty(m.Unit, base.Unit)
	base.Kind = nonEmpty(m.Kind, base.Kind)
	base.Weight = nonEmpty(m.Weight, base.Weight)
	base.Reset = nonEmpty(m.Reset, base.Reset)
	base.Better = nonEmpty(m.Better, base.Better)
	base.Confirmed = base.Confirmed || m.Confirmed
	return base
}

func nonEmpty[S ~string](first, second S) S {
	if first != "" {
		return first
	}
	return second
}

// check looks for what is wrong with m as entry number at of d (-1: a new one).
func (m Metric) check(d Dictionary, at int) error {
	if m.Key == "" {
		return fmt.Errorf("key is missing: write the payload's key exactly, such as key: TH")
	}
	if err := m.checkName(d, at); err != nil {
		return err
	}
	for _, c := range []struct {
		field, value string
		allowed      []string
	}{
		{"unit", string(m.Unit), []string{"count", "seconds", "minutes", "hours", "none"}},
		{"kind", string(m.Kind), []string{"counter", "gauge", "average", "map", "text", "flag"}},
		{"reset", string(m.Reset), []string{"day", "login", "never"}},
		{"better", string(m.Better), []string{"higher", "lower", "neither"}},
	} {
		if !slices.Contains(c.allowed, c.value) {
			return fmt.Errorf("%s: %q is none of %s", c.field, c.value, strings.Join(c.allowed, ", "))
		}
	}
	if m.Kind == Average && m.Weight == "" {
		return fmt.Errorf("weight is missing: an average needs the name of the count it is taken over")
	}
	if m.Kind == Average && m.Weight != "answered" {
		if w, ok := d.ByName(m.Weight); !ok || w.Kind != Counter {
			return fmt.Errorf("weight: %q is not the name of a counter", m.Weight)
		}
	}
	return nil
}

func (m Metric) checkName(d Dictionary, at int) error {
	valid := func(r rune) bool { return r == '_' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' }
	if at < 0 && m.Name == m.Key {
		valid = func(r rune) bool {
			return r == '_' || r == '.' || r < 128 && (r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9')
		}
	}
	if m.Name == "" || strings.ContainsFunc(m.Name, func(r rune) bool { return !valid(r) }) {
		return fmt.Errorf("name: %q is not a name: use lower-case letters, digits and _", m.Name)
	}
	if slices.Contains(Derived(), m.Name) {
		return fmt.Errorf("name: %q is computed by floorwalker: choose another", m.Name)
	}
	for i, other := range d {
		if i != at && other.Name == m.Name {
			return fmt.Errorf("name: %q already names key %s", m.Name, other.Key)
		}
	}
	return nil
}

// ByName returns the metric with the name.
func (d Dictionary) ByName(name string) (Metric, bool) {
	i := slices.IndexFunc(d, func(m Metric) bool { return m.Name == name })
	if i < 0 {
		return Metric{}, false
	}
	return d[i], true
}

// Confirmed reports whether the metric or derived number can be trusted: all
// the metrics that it is made of are confirmed.
func (d Dictionary) Confirmed(name string) bool {
	switch name {
	case "logged_in", "login_hours", "shift_minutes", "agents", "reporting":
		return true
	case "answered", "miss_rate", "calls_per_hour", "minutes_since_call":
		return d.Confirmed("offered") && d.Confirmed("missed")
	}
	m, ok := d.ByName(name)
	return ok && m.Confirmed
}
