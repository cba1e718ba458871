package alert

import "time"

// Names of the built-in rules. A configuration switches one by an entry with
// its name, which may also set everything but scope, when and clear.
const (
	// LoginLost fires for an agent who was logged in in this shift and is not
	// any more, but not in the last 15 minutes, when people go home.
	LoginLost = "login-lost"
	// LoginStale fires for a login that is more than a day old. Off by default.
	LoginStale = "login-stale"
	// SourceStale fires once for the source of the data, whatever the number of
	// agents without data.
	SourceStale = "source-stale"
)

// builtIns returns the built-in rules.
func builtIns() []RuleSpec {
	return []RuleSpec{
		{
			Name:     LoginLost,
			Scope:    string(ScopeAgent),
			When:     "logged_in_before && !logged_in && shift_left > 15",
			Clear:    "logged_in", // the last minutes of the shift are no recovery
			For:      new(10 * time.Minute),
			Severity: Warning.String(),
			Message:  "{{.Agent}} is not logged in any more",
		},
		{
			Name:     LoginStale,
			Enabled:  new(bool),
			Scope:    string(ScopeAgent),
			When:     "login_hours >= 24",
			Severity: Info.String(),
			Message:  "{{.Agent}} has been logged in for {{.Value}}",
		},
		{
			Name:          SourceStale,
			Scope:         string(scopeSource),
			When:          "source_minutes >= 5",
			Clear:         "source_minutes < 1",
			For:           new(time.Duration),
			KeepFiringFor: new(DefaultKeepFiringFor),
			Severity:      Warning.String(),
			Message:       "no new data for {{.Value}}",
		},
	}
}

// BuiltIn returns the built-in rule of a name, for defaults of an entry that
// switches it.
func BuiltIn(name string) (RuleSpec, bool) {
	for _, b := range builtIns() {
		if b.Name == name {
			return b, true
		}
	}
	return RuleSpec{}, false
}
