package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"floorwalker/bot/schedule"
)

// checkText is a configuration whose digests meet both changes of the clocks.
const checkText = small + `teams:
  - name: support
    timezone: America/New_York
    channels: [slack:C1]
    members: [slack:U1, slack:U2]
    shifts: [{name: night, days: [sat], start: "18:00", end: "02:30"}]
    holidays: ["2026-12-25", "2020-01-01", "2999-01-01", "2026-10-31"]
    digests:
      - {name: night-summary, shift: night}
      - {name: early, days: [sun], at: "01:30"}
  - {name: idle, poll: false}
`

func TestCheckAsJSON(t *testing.T) {
	clearEnvironment(t)
	var out bytes.Buffer
	if err := check(&out, LoadOptions{Path: configFile(t, "config.yaml", checkText)}, true); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Faults, Warnings []map[string]any
		Digests          []map[string]string
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Faults == nil || len(got.Faults) != 0 || len(got.Digests) != nextDigests {
		t.Fatalf("got %s", out.String())
	}
	for _, d := range got.Digests {
		at, err := time.Parse(time.RFC3339, d["at"])
		if err != nil || at.Location() != time.UTC || d["team"] != "support" || d["name"] == "" || len(d["nominal"]) != len("2026-03-08T02:30") {
			t.Errorf("got %v, %v", d, err)
		}
	}
}

func TestWhatIsComing(t *testing.T) {
	clearEnvironment(t)
	cfg, _ := mustLoad(t, LoadOptions{Path: configFile(t, "config.yaml", checkText)})
	now := time.Date(2026, 10, 31, 12, 0, 0, 0, time.UTC)
	var got []string
	for _, run := range nextRuns(cfg, now) {
		got = append(got, run.text)
	}
	want := []string{
		"support/early  Sun 1 Nov 01:30 EDT (the first of two), 2026-11-01T05:30:00Z",
		"support/early  Sun 8 Nov 01:30 EST, 2026-11-08T06:30:00Z",
		"support/night-summary  Sun 8 Nov 02:30 EST, 2026-11-08T07:30:00Z",
		"support/early  Sun 15 Nov 01:30 EST, 2026-11-15T06:30:00Z",
		"support/night-summary  Sun 15 Nov 02:30 EST, 2026-11-15T07:30:00Z",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got = nil
	for _, w := range oddDates(cfg, now) {
		got = append(got, strings.TrimPrefix(w.Error(), cfg.file))
	}
	want = []string{
		":10: teams[0].digests[0]: 02:30 does not exist on 2027-03-14; it will run at 03:00",
		":11: teams[0].digests[1]: 01:30 happens twice on 2026-11-01; it will run the first time",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got, want := comingHolidays(cfg.Teams[0], now), "2026-10-31, 2026-12-25"; got != want {
		t.Errorf("holidays: %s, want %s", got, want)
	}
}

func TestCheckFaults(t *testing.T) {
	clearEnvironment(t)
	opts := LoadOptions{Path: configFile(t, "config.yaml", "log: {level: loud}\nslack: {app_token: xapp-1}\n")}
	for _, asJSON := range []bool{false, true} {
		var out bytes.Buffer
		err := check(&out, opts, asJSON)
		faults, ok := errors.AsType[Faults](err)
		if !ok || len(faults) != 2 {
			t.Fatalf("got %v", err)
		}
		if !asJSON {
			if strings.Contains(out.String(), "loud") || !strings.Contains(out.String(), "warning: ") {
				t.Errorf("faults are the caller's to print, warnings are not: %s", out.String())
			}
			continue
		}
		var got checked
		if err := json.Unmarshal(out.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got.Faults, faults) || got.Digests == nil || len(got.Warnings) != 1 {
			t.Errorf("got %s", out.String())
		}
	}
}

func TestCheckForPeople(t *testing.T) {
	clearEnvironment(t)
	today := schedule.DateOf(time.Now(), time.UTC)
	text := strings.Replace(checkText, "2999-01-01", (today + 30).String(), 1)
	path := configFile(t, "config.yaml", text+"slack: {bot_token: xoxb-1}\n")
	var out bytes.Buffer
	if err := check(&out, LoadOptions{Path: path}, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"base_url: https://brand.example", "# config.yaml:1", "timeout: 10s", "# default", "bot_token: •••",
		"Next digests:\n  support/", "Holidays of support: ", "Capacity: 50 requests a second and a poll every 1m carry 3000 agents; the configuration names 2 in teams that are polled.\n",
		path + ": no faults, ",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "xoxb-1") {
		t.Error("a secret is printed")
	}
}

// TestCheckWithoutRoom returns the error of the writer.
func TestCheckWithoutRoom(t *testing.T) {
	clearEnvironment(t)
	path := configFile(t, "config.yaml", small)
	for _, asJSON := range []bool{false, true} {
		_, w := io.Pipe()
		closed := errors.New("closed")
		w.CloseWithError(closed)
		if err := check(w, LoadOptions{Path: path}, asJSON); err == nil {
			t.Error("no error")
		}
	}
}
