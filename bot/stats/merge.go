package stats

import (
	"fmt"
	"slices"
	"strings"
)

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
	if m.Name == m.Key { // a key that nobody named yet
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
