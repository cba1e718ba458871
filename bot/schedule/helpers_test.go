package schedule

import (
	"testing"
	"time"
	_ "time/tzdata" // as in the program: the same zones on every machine
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := LoadZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// civil reads 2026-03-08T02:30.
func civil(t testing.TB, s string) Civil {
	t.Helper()
	c, err := ParseCivil(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func date(t testing.TB, s string) Date {
	t.Helper()
	d, err := ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func clock(t testing.TB, s string) TimeOfDay {
	t.Helper()
	c, err := ParseTimeOfDay(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func clocks(t testing.TB, times ...string) []TimeOfDay {
	t.Helper()
	var all []TimeOfDay
	for _, s := range times {
		all = append(all, clock(t, s))
	}
	return all
}

// instant reads 2026-03-08T07:00Z.
func instant(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02T15:04Z07:00", s)
	if err != nil {
		t.Fatal(err)
	}
	return at.UTC()
}

// iso is the inverse of instant.
func iso(t time.Time) string { return t.UTC().Format("2006-01-02T15:04Z07:00") }
