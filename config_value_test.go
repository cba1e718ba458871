package main

import (
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
