package main

import (
	"strings"
	"testing"
	"testing/quick"
	"time"
)

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0s": 0, "10s": 10 * time.Second, "1h30m": 90 * time.Minute, "35d": 35 * 24 * time.Hour, "2w": 14 * 24 * time.Hour,
		"1w2d3h": (9*24 + 3) * time.Hour, "1.5d": 36 * time.Hour, "500ms": 500 * time.Millisecond, "90µs": 90 * time.Microsecond,
	} {
		if got, err := parseDuration(text); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "0", "5", "1.5", "-5m", "5 m", "5x", "m", "5m5", "1e3s", "999999999w", "106751d23h50m", "200000d", "5dd", "2000000d", "5s0", "5M", "+5m", "Inf", "nan", "300000000h"} {
		if got, err := parseDuration(text); err == nil {
			t.Errorf("%s is read as %v", text, got)
		}
	}
}

// TestDurationsRoundTrip reads what is printed.
func TestDurationsRoundTrip(t *testing.T) {
	check := func(n int64) bool {
		d := time.Duration(n).Abs()
		for _, d := range []time.Duration{d, d.Truncate(time.Second), d.Truncate(time.Minute), d.Truncate(24 * time.Hour), d % (100 * time.Hour)} {
			if got, err := parseDuration(formatDuration(d)); err != nil || got != d {
				t.Logf("%d is printed as %s and read as %d, %v", d, formatDuration(d), got, err)
				return false
			}
		}
		return true
	}
	if err := quick.Check(check, nil); err != nil {
		t.Error(err)
	}
}

// TestSyntaxHints: what people do to YAML is said in their words too.
func TestSyntaxHints(t *testing.T) {
	clearEnvironment(t)
	for text, want := range map[string]string{
		"log:\n  level: info\n bot: x\n":    "a line of the block that begins here is indented otherwise than those beside it",
		"teams:\n  - name: a\n - name: b\n": "a line of the block that begins here is indented otherwise than those beside it",
		"slack: a\n  mode: socket\n":        "the key above has no colon, the line is indented deeper than it, or text with a colon wants quotes",
		"log: {}\nteams\n  - name: a\n":     "a key has a colon and a space after it",
		"admins: [#support]\n":              "a bracket or a quotation mark is not closed, or text with # wants quotes",
		"admins: [@meera]\n":                "text that begins with @, % or ` wants quotes",
		"log: {level: \"info}\n":            "a quotation mark is not closed",
	} {
		_, warnings, err := Load(LoadOptions{Path: configFile(t, "config.yaml", text)})
		if said := messages(warnings, err); want != "" && !strings.Contains(said, "this is not YAML: ") || !strings.Contains(said, want) {
			t.Errorf("%q\n got %s want %s", text, said, want)
		}
	}
	_, _, err := Load(LoadOptions{Path: configFile(t, "config.yaml", small+"log: {level: “info”}\nteams: [{name: a, shifts: [{name: s, days: [mon], start: “09:00”, end: \"10:00\"}]}]")})
	if said := messages(nil, err); !strings.Contains(said, "start: \"“09:00”\" is not a time of day; its quotation marks are curly, write straight ones") || !strings.Contains(said, "error; its quotation marks are curly") {
		t.Errorf("curly quotation marks: %s", said)
	}
}
