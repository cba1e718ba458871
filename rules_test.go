package main

import (
	"os"
	"slices"
	"strings"
	"testing"

	"floorwalker/bot/alert"
)

// TestExampleRules runs the tests of the example rules, of which each has one.
func TestExampleRules(t *testing.T) {
	clearEnvironment(t)
	_, whole := example(t)
	cfg, _ := mustLoad(t, LoadOptions{Path: configFile(t, exampleFile, whole)})
	tests, err := readTests("rules.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var tested []string
	config := botConfig(cfg)
	for _, r := range alert.RunTests(tests, cfg.Rules, config.Derive()) {
		tested = append(tested, r.Rule)
		for _, f := range r.Failures {
			t.Errorf("%s: %s: %s", r.Rule, r.Name, f)
		}
	}
	for _, a := range cfg.Alerts {
		if !slices.Contains(tested, a.Name) {
			t.Errorf("the example rule %s has no test", a.Name)
		}
	}
}

func TestReadTests(t *testing.T) {
	for text, want := range map[string]string{
		"tests:\n  - {name: a, rule: b, serie: []}": "field serie not found",
		"tests: []":                          "it has no tests",
		"":                                   "it has no tests",
		"tests:\n  - {expect: [{at: soon}]}": "soon",
		"- a":                                "cannot unmarshal",
	} {
		file := t.TempDir() + "/rules.yaml"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := readTests(file)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want one line with %q", text, err, want)
		}
	}
}

func TestParseBack(t *testing.T) {
	for in, want := range map[string]string{"12h": "12h0m0s", "7d": "168h0m0s", "2w": "336h0m0s", "90m": "1h30m0s"} {
		if d, err := parseBack(in); err != nil || d.String() != want {
			t.Errorf("%s: %v, %v", in, d, err)
		}
	}
	for _, in := range []string{"", "7", "-1h", "0d", "d", "1.5d", "0s", "week"} {
		if d, err := parseBack(in); err == nil {
			t.Errorf("%q is %v", in, d)
		}
	}
}
