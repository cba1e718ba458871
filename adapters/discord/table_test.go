package discord

import "testing"

// TestLowerFirst: a title within a line is small, and an abbreviation stays one.
func TestLowerFirst(t *testing.T) {
	for title, want := range map[string]string{"State": "state", "AHT": "AHT", "SLA %": "SLA %", "Übrig": "übrig", "N": "N", "": ""} {
		if got := lowerFirst(title); got != want {
			t.Errorf("%q: %q, want %q", title, got, want)
		}
	}
}
