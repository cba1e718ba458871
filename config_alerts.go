package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"floorwalker/bot/alert"
	"floorwalker/bot/stats"
)

// alerts compiles the rules. What a rule is made of, package alert judges; here
// is what it does not know: the teams, and what was written and what was not.
func (v validator) alerts() {
	var teams []string
	for _, t := range v.cfg.Teams {
		teams = append(teams, t.Name)
	}
	first := map[string]int{}
	specs := make([]alert.RuleSpec, len(v.cfg.Alerts))
	for i, a := range v.cfg.Alerts {
		at := fmt.Sprintf("alerts[%d]", i)
		v.name(at+".name", a.Name, first, i)
		for j, team := range a.Teams {
			if !slices.Contains(teams, team) {
				v.fault(fmt.Sprintf("%s.teams[%d]", at, j), "there is no team %s%s", quote(team), didYouMean(team, teams))
			}
		}
		specs[i] = v.spec(at, a)
	}
	rules, err := alert.Load(specs, alert.NewEnv(vocabulary(v.cfg.Dictionary)))
	if faults, ok := errors.AsType[alert.Faults](err); ok {
		v.ruleFaults(faults)
		return
	}
	v.cfg.Rules = rules
	for i := range v.cfg.Alerts {
		v.cfg.Alerts[i].adopt(rules[i]) // the built-in ones come after these
		for _, advice := range rules[i].Advice() {
			v.warn(fmt.Sprintf("alerts[%d]", i), "%s", advice)
		}
	}
}

// spec returns a rule as package alert takes it. What was not written is left
// open there, since the defaults of a built-in rule are its own.
func (v validator) spec(at string, a AlertConfig) alert.RuleSpec {
	s := alert.RuleSpec{Name: a.Name, Teams: a.Teams, When: a.When, Clear: a.Clear, Message: a.Message}
	if v.given(at + ".enabled") {
		s.Enabled = &a.Enabled
	}
	if v.given(at + ".scope") {
		s.Scope = a.Scope
	}
	if v.given(at + ".severity") {
		s.Severity = a.Severity
	}
	length := func(key string, d time.Duration) *time.Duration {
		if !v.given(join(at, key)) {
			return nil
		}
		if (key == "escalate_after" || key == "repeat") && a.Severity != "critical" {
			v.fault(join(at, key), "only a critical rule has it; write severity: critical, or leave it out")
		}
		return &d
	}
	s.For = length("for", a.For)
	s.KeepFiringFor = length("keep_firing_for", a.KeepFiringFor)
	s.EscalateAfter = length("escalate_after", a.EscalateAfter)
	s.Repeat = length("repeat", a.Repeat)
	return s
}

// vocabulary returns the metrics as rules know them.
func vocabulary(d stats.Dictionary) []alert.Metric {
	var metrics []alert.Metric
	for _, m := range d {
		metrics = append(metrics, alert.Metric{Name: m.Name, Key: m.Key, Unit: string(m.Unit), Kind: alert.Kind(m.Kind), Confirmed: m.Confirmed})
	}
	return metrics
}

// ruleFaults notes what package alert found.
func (v validator) ruleFaults(faults alert.Faults) {
	for _, f := range faults {
		path, message := fmt.Sprintf("alerts[%d].%s", f.Index, f.Field), f.Message
		if f.Column > 0 {
			message = fmt.Sprintf("column %d: %s", f.Column, message)
		}
		v.fault(path, "%s", message)
	}
}

// adopt takes over what is in effect: the defaults of a built-in rule, and no
// escalation unless the rule is critical.
func (a *AlertConfig) adopt(r *alert.Rule) {
	a.Enabled, a.Severity, a.For, a.KeepFiringFor = r.Enabled, r.Severity.String(), r.For, r.KeepFiringFor
	a.EscalateAfter, a.Repeat = 0, 0
	if r.Severity == alert.Critical {
		a.EscalateAfter, a.Repeat = r.Policy.EscalateAfter, r.Policy.Repeat
	}
}
