package alert

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestDefaults(t *testing.T) {
	r := mustCompile(t, RuleSpec{Name: "missed-burst", When: `increase(missed,"30m")>=3`})
	if !r.Enabled || r.BuiltIn || r.Scope != ScopeAgent || r.For != 2*time.Minute || r.KeepFiringFor != 2*time.Minute || r.Severity != Warning ||
		r.Policy != (Policy{10 * time.Minute, 30 * time.Minute}) || r.When != `increase(missed, "30m") >= 3` || r.Clear != "" {
		t.Errorf("got %+v", r)
	}
	if !r.Covers("any") || len(r.Needs()) != 1 || r.Needs()[0] != (Need{"missed", 30 * time.Minute}) {
		t.Errorf("got %+v", r)
	}
	r = mustCompile(t, RuleSpec{
		When: "missed > 3", Enabled: new(false), Scope: "team", Teams: []string{"support"}, For: new(time.Duration),
		KeepFiringFor: new(time.Duration), Severity: "critical", EscalateAfter: new(time.Minute), Repeat: new(time.Duration),
	})
	if r.Enabled || r.Scope != ScopeTeam || r.For != 0 || r.KeepFiringFor != 0 || r.Severity != Critical || r.Policy != (Policy{time.Minute, 0}) {
		t.Errorf("got %+v", r)
	}
	if r.Covers("sales") || !r.Covers("support") {
		t.Error("teams do not select")
	}
}

func TestSpecFaults(t *testing.T) {
	// Everything that is wrong is reported together.
	_, err := Compile(RuleSpec{
		Name: "two words", Scope: "floor", When: "mised > 3", Clear: "missed", For: new(-time.Second), KeepFiringFor: new(-time.Second),
		Severity: "bad", EscalateAfter: new(-time.Second), Repeat: new(-time.Second), Message: "{{.Agent",
	}, testEnv)
	faults, _ := errors.AsType[Faults](err)
	var fields []string
	for _, f := range faults {
		fields = append(fields, f.Field)
	}
	if got := strings.Join(fields, " "); got != "name scope for keep_firing_for escalate_after repeat severity when clear message" {
		t.Errorf("faults of %s\n%v", got, err)
	}
	for name, ok := range map[string]bool{"": false, "a@b": false, "a/b": false, "a b": false, strings.Repeat("a", 65): false, "Überlauf-2_x.y": true} {
		if _, err := Compile(RuleSpec{Name: name, When: "missed > 3"}, testEnv); (err == nil) != ok {
			t.Errorf("name %q: %v", name, err)
		}
	}
}

func TestRevision(t *testing.T) {
	base := RuleSpec{Name: "r", When: "missed > 3 && calls > 1"}
	r := mustCompile(t, base)
	for name, tt := range map[string]struct {
		edit              func(*RuleSpec)
		revision, edition bool // changes
	}{
		"nothing":   {func(*RuleSpec) {}, false, false},
		"spelling":  {func(s *RuleSpec) { s.When = "(missed>3.0) and  calls > 1" }, false, false},
		"name":      {func(s *RuleSpec) { s.Name = "q" }, false, false},
		"teams":     {func(s *RuleSpec) { s.Teams = []string{"a"} }, false, false},
		"threshold": {func(s *RuleSpec) { s.When = "missed > 4 && calls > 1" }, true, false},
		"clear":     {func(s *RuleSpec) { s.Clear = "missed < 2" }, true, false},
		"scope":     {func(s *RuleSpec) { s.Scope = "team"; s.Message = "{{.Team}}: {{.Rule}}" }, true, true},
		"for":       {func(s *RuleSpec) { s.For = new(time.Minute) }, false, true},
		"keep":      {func(s *RuleSpec) { s.KeepFiringFor = new(time.Minute) }, false, true},
		"severity":  {func(s *RuleSpec) { s.Severity = "critical" }, false, true},
		"repeat":    {func(s *RuleSpec) { s.Repeat = new(time.Minute) }, false, true},
		"message":   {func(s *RuleSpec) { s.Message = "look" }, false, true},
	} {
		s := base
		tt.edit(&s)
		e := mustCompile(t, s)
		if (e.revision != r.revision) != tt.revision || (e.edition != r.edition) != tt.edition {
			t.Errorf("%s: revision %s to %s, edition %s to %s", name, r.revision, e.revision, r.edition, e.edition)
		}
	}
}

func TestMessages(t *testing.T) {
	f := Fields{Agent: "Asha {{.Rule}} <!channel>", Team: "support", Rule: "busy", Severity: "warning", Value: "4", Threshold: "3"}
	for _, tt := range []struct{ source, want string }{
		{"", "Asha {{.Rule}} <!channel>: busy: 4 (limit 3)"},
		{"{{.Agent}} missed {{.Value}} calls", "Asha {{.Rule}} <!channel> missed 4 calls"},
		{"{{ .Rule -}}  of {{.Team}}: {{.Severity}}, {{.Threshold}}", "busyof support: warning, 3"},
		{"plain\ntext", "plain text"},
		{"{{/* nothing */}}x", "x"},
	} {
		if got := mustCompile(t, RuleSpec{When: "missed > 3", Message: tt.source}).Message(f); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.source, got, tt.want)
		}
	}
	long := mustCompile(t, RuleSpec{When: "missed > 3", Message: strings.Repeat("{{.Agent}}", 40)})
	if got := []rune(long.Message(Fields{Agent: strings.Repeat("é", 100)})); len(got) != 1000 || got[999] != '…' {
		t.Errorf("%d characters", len(got))
	}
	for source, want := range map[string]string{
		"{{.Agent":                        "unclosed action",
		"{{.Nobody}}":                     "{{.Agent}}, {{.Team}}",
		"{{.Agent.Name}}":                 "nothing else",
		"{{printf \"%s\" .Agent}}":        "not defined",
		"{{if .Agent}}x{{end}}":           "nothing else",
		"{{range .Agent}}x{{end}}":        "nothing else",
		"{{$x := .Agent}}":                "nothing else",
		"{{.Agent | .Team}}":              "nothing else",
		"{{template \"x\"}}":              "nothing else",
		"{{define \"x\"}}{{end}}":         "", // defines what nobody can call
		"{{.}}":                           "nothing else",
		"{{\"x\"}}":                       "nothing else",
		strings.Repeat("x", maxMessage+1): "at most 512",
	} {
		_, err := Compile(RuleSpec{Name: "r", When: "missed > 3", Message: source}, testEnv)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%.40s: %v, want %q", source, err, want)
		}
	}
	_, err := Compile(RuleSpec{Name: "r", When: "missed > 3", Message: "é {{.Agent}} {{.Nope}}"}, testEnv)
	if faults, ok := errors.AsType[Faults](err); !ok || faults[0].Column != 16 {
		t.Errorf("got %v", err)
	}
	for _, spec := range []RuleSpec{
		{Name: "r", Scope: "team", When: "missed > 3", Message: "{{.Agent}}"},
		{Name: "r", When: "!logged_in", Message: "{{.Value}}"},
	} {
		if _, err := Compile(spec, testEnv); err == nil {
			t.Errorf("%+v has a message that would be empty", spec)
		}
	}
}

func TestAdvice(t *testing.T) {
	for when, want := range map[string]string{
		"missed >= 3":              "clear: missed, and a limit below 3",
		"3 > missed":               "clear: missed, and a limit above 3",
		"!logged_in":               "",
		"missed >= 3 && logged_in": "",
	} {
		got := strings.Join(mustCompile(t, RuleSpec{When: when}).Advice(), "\n")
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}
	if got := mustCompile(t, RuleSpec{When: "missed >= 3", Clear: "missed < 2"}).Advice(); len(got) > 0 {
		t.Errorf("got %q", got)
	}
}

func TestLoad(t *testing.T) {
	rules, err := Load([]RuleSpec{
		{Name: "busy", When: "calls > 3"},
		{Name: LoginStale, Enabled: new(true), Severity: "critical"},
		{Name: LoginLost, Enabled: new(false), For: new(time.Minute), Teams: []string{"support"}},
	}, testEnv)
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]*Rule{}
	for _, r := range rules {
		byName[r.Name] = r
		if r.BuiltIn == (r.Name == "busy") || len(r.Advice()) > 0 && r.BuiltIn {
			t.Errorf("%+v", r)
		}
	}
	lost, stale, source := byName[LoginLost], byName[LoginStale], byName[SourceStale]
	if len(rules) != 4 || lost.Enabled || lost.For != time.Minute || lost.Covers("sales") ||
		!stale.Enabled || stale.Severity != Critical || !source.Enabled || source.For != 0 {
		t.Errorf("%+v\n%+v\n%+v", lost, stale, source)
	}
	if rules, err := Load(nil, NewEnv(nil)); err != nil || len(rules) != 3 {
		t.Errorf("built-ins alone: %v, %v", rules, err)
	}

	_, err = Load([]RuleSpec{
		{Name: "busy", When: "calls > 3"},
		{Name: "busy", When: "calls > 4"},
		{Name: "idle", When: "idel > 4"},
		{Name: LoginLost, When: "missed > 3"},
		{Name: SourceStale, Scope: "agent", Teams: []string{"support"}},
		{Name: LoginStale, Scope: "team"},
	}, testEnv)
	faults, _ := errors.AsType[Faults](err)
	if len(faults) != 5 || faults[4].Field != "scope" || faults[0].Index != 1 || faults[1].Index != 2 || faults[2].Index != 3 || faults[3].Index != 4 || faults[1].Rule != "idle" {
		t.Errorf("got %v", err)
	}
}

func FuzzMessage(f *testing.F) {
	for _, s := range []string{"{{.Agent}}", "{{", "{{/*", "{{- -}}", "{{define \"\"}}{{end}}", "{{block \"x\" .}}{{end}}", "{{break}}", "\xff{{.Team}}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, source string) {
		m, fault := parseMessage(source, []string{"Agent", "Team"})
		if fault != nil && (fault.Message == "" || fault.Column < 0) {
			t.Fatalf("%q: %+v", source, fault)
		}
		if got := m.render(Fields{Agent: "a", Team: "b"}); len([]rune(got)) > maxRendered {
			t.Fatalf("%d characters", len(got))
		}
	})
}
