package alert

import (
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Scope says what a rule is judged for: each agent, or a team as a whole.
type Scope string

// The scopes a configuration may name.
const (
	ScopeAgent Scope = "agent"
	ScopeTeam  Scope = "team"

	scopeSource Scope = "source" // built in: the source of the data
)

// Defaults of a rule that does not say otherwise.
const (
	DefaultFor           = 2 * time.Minute
	DefaultKeepFiringFor = 2 * time.Minute
	DefaultEscalateAfter = 10 * time.Minute
	DefaultRepeat        = 30 * time.Minute
)

// A RuleSpec is a rule as the configuration has it. A nil pointer and an empty
// string mean "not given": the default applies, or, for the name of a built-in
// rule, the built-in's own value.
type RuleSpec struct {
	Name          string
	Enabled       *bool    // default true
	Scope         string   // agent (default) or team
	Teams         []string // default: all
	When          string
	Clear         string         // default: not When
	For           *time.Duration // default 2m; 0 fires at once
	KeepFiringFor *time.Duration // default 2m
	Severity      string         // info, warning (default) or critical
	EscalateAfter *time.Duration // critical only; default 10m, 0 = never
	Repeat        *time.Duration // critical only; default 30m, 0 = never
	Message       string
}

// A Policy says when a critical episode is brought up again. It is frozen when
// the episode begins.
type Policy struct {
	EscalateAfter time.Duration `json:"e,omitzero"` // 0: never
	Repeat        time.Duration `json:"r,omitzero"` // 0: never
}

// A Rule is a compiled RuleSpec. It is immutable and safe for concurrent use.
type Rule struct {
	Name          string
	Enabled       bool
	BuiltIn       bool
	Scope         Scope
	Teams         []string // empty: all
	When          string   // canonical text
	Clear         string   // canonical text, "" when it is not When
	For           time.Duration
	KeepFiringFor time.Duration
	Severity      Severity
	Policy        Policy

	env         *Env
	when, clear *node  // clear is nil when it is not when
	shown       *node  // the comparison that gives the value shown, or nil
	unit        string // of the value shown
	swapped     bool   // the value shown is its right operand
	needs       []Need
	presence    bool // reads nothing of the agent's counters
	message     message

	// revision identifies what the rule means: its scope, when and clear. Another
	// revision is another rule, and ends what the old one started.
	revision string

	// edition identifies the rest: for, keep_firing_for, severity, escalation,
	// repetition and message. Another edition keeps episodes.
	edition string
}

// Compile checks a spec against the vocabulary. The error is [Faults]. A rule
// that is switched off may read metrics that are not confirmed yet.
func Compile(spec RuleSpec, env *Env) (*Rule, error) {
	c := compiler{spec: spec, rule: &Rule{Name: spec.Name}}
	if b, ok := BuiltIn(spec.Name); ok {
		c.adoptBuiltIn(b)
	}
	c.compile(env)
	if len(c.faults) > 0 {
		return nil, c.faults
	}
	return c.rule, nil
}

// Load compiles a configuration's rules and adds the built-in ones that it does
// not mention. The error is [Faults] of all rules together, each with the index
// of its spec.
func Load(specs []RuleSpec, env *Env) ([]*Rule, error) {
	var rules []*Rule
	var faults Faults
	seen := map[string]bool{}
	add := func(i int, spec RuleSpec) {
		r, err := Compile(spec, env)
		if err != nil {
			found, _ := errors.AsType[Faults](err)
			for _, f := range found {
				f.Index = i
			}
			faults = append(faults, found...)
		} else {
			rules = append(rules, r)
		}
	}
	for i, spec := range specs {
		if seen[spec.Name] && spec.Name != "" {
			faults = append(faults, &Fault{Index: i, Rule: spec.Name, Field: "name", Message: fmt.Sprintf("there are two rules named %s", spec.Name)})
			continue
		}
		seen[spec.Name] = true
		add(i, spec)
	}
	for _, b := range builtIns() {
		if !seen[b.Name] {
			add(len(specs), RuleSpec{Name: b.Name})
		}
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return rules, nil
}

// Needs returns the values the rule reads; the caller must not change it.
func (r *Rule) Needs() []Need { return r.needs }

// Covers reports whether the rule is judged for a team's agents, or the team.
func (r *Rule) Covers(team string) bool {
	return len(r.Teams) == 0 || slices.Contains(r.Teams, team)
}

// Shown returns the unit of the value that messages show: the operand of the
// first comparison of numbers in when that is not a constant, the left one if
// neither is. The other operand is the threshold. ok is false when the rule
// compares no numbers; its samples have value 1 while it breaches, else 0.
func (r *Rule) Shown() (unit string, ok bool) { return r.unit, r.shown != nil }

// Message renders the rule's message, at most 1000 characters of it.
func (r *Rule) Message(f Fields) string { return r.message.render(f) }

// Advice returns what is allowed but hardly meant, a sentence each.
func (r *Rule) Advice() []string {
	var out []string
	if b, ok := r.when.bound(r.needs); ok && r.clear == nil && !r.BuiltIn {
		side := "below"
		if b.op == opLess || b.op == opLessEqual {
			side = "above"
		}
		out = append(out, fmt.Sprintf("%s: give a clear condition, so that a value on the line does not fire and recover in turns: clear: %s, and a limit %s %v",
			r.Name, b.operand, side, b.limit))
	}
	return out
}

// hash returns a short name for its parts.
func hash(length int, parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:length]
}
