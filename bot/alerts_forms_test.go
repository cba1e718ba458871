package bot

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
	"time"

	"floorwalker/bot/alert"
	"floorwalker/bot/chat"
	"floorwalker/bot/schedule"
)

// TestAlertForms freezes the stored forms of alerts: a renamed key fails here and
// not in an installation.
func TestAlertForms(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 3, 2, 10, minute, 0, 0, time.UTC) }
	meera := chat.Address{Network: chat.Slack, ID: "U0SUPER"}
	forms := map[string]any{
		"standing": standing{
			Name: "Asha Rao", Teams: []string{"support"}, Vain: at(1),
			Rules: map[string]*ruleState{"missed-burst": {
				State: alert.State{Phase: alert.Firing, Episode: "abcdefgh"}, Budgets: map[string]alert.Budget{"support": {Shift: at(0), Told: 1}},
				Episode: &episode{
					N: 12, Teams: []string{"support"}, Began: at(2), Outcome: alert.Tell, Held: []string{"sales"}, Spent: []string{"night"},
					Hushed: map[string]time.Time{"sales": at(30)}, Handling: alert.Handling{Severity: alert.Critical, Open: at(2)},
					Policy: alert.Policy{Repeat: time.Hour}, AckName: "Meera", Acked: true, Reminded: true, Sentence: "Asha missed 4 calls",
					Value: "4", Limit: "3", Shown: "3", Bulletins: []string{"bulletin/slack:U0SUPER/alert/abcdefgh/fire/slack:U0SUPER"},
				},
			}},
		},
		"opening": opening{"0123456789abcdef", "missed-burst", at(2)},
		"ending": ending{N: 12, Rule: "missed-burst", Began: at(2), Ended: at(9), Reason: alert.Recovered, Outcome: alert.Tell,
			Text: "Asha missed 4 calls", AckedBy: "Meera"},
		"bulletin": bulletin{
			To: meera, Row: "alert/abcdefgh/fire/slack:U0SUPER", Edit: "alert/abcdefgh/fire-edit-1/slack:U0SUPER", Edits: 1, Vital: true, Kind: "fire",
			Group: alert.Group{Rule: "missed-burst", Team: "support", Opened: at(2)}, Due: at(3), Rest: []chat.Address{{Network: chat.Discord, ID: "1"}}, Edited: at(4),
			Members: []member{{N: 12, Subject: "0123456789abcdef", Rule: "missed-burst", Episode: "abcdefgh", Team: "support", Over: &over{
				Who: "Asha Rao", Text: "Asha missed 4 calls", Value: "1", Limit: "3", Severity: alert.Warning, Began: at(2), Ended: at(9), Reason: alert.Recovered}}},
		},
		"silence": silence{Silence: alert.Silence{Matcher: alert.Matcher{Rule: "missed-burst"}, Start: at(0), End: at(30), By: meera.String(), Comment: "training"},
			N: 3, What: "missed-burst in support", Name: "Meera", Request: "slack:U0SUPER r1", Reminded: true},
		"reader":  reader{Quiet: &schedule.QuietHours{Start: 22 * 60, End: 7 * 60, Days: schedule.EveryDay}, Met: at(0), Lost: at(1), Sent: []time.Time{at(2)}},
		"numbers": numbers{Episode: 12, Silence: 3},
	}
	got, err := json.MarshalIndent(forms, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	frozen, err := os.ReadFile("testdata/alert-forms.json")
	if err != nil {
		t.Fatal(err)
	}
	if string(got)+"\n" != string(frozen) {
		t.Errorf("the stored forms are now\n%s", got)
	}
}

func TestNumbers(t *testing.T) {
	for in, want := range map[string][]int{"12": {12}, "#12": {12}, "12-15,18": {12, 13, 14, 15, 18}, "3,#1": {3, 1}, "7-7": {7}} {
		if got, ok := parseNumbers(in); !ok || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v", in, got, ok)
		}
	}
	for _, in := range []string{"", "a", "0", "-1", "5-3", "1-", "1,,2", "1-99999", "missed-burst", "1 2", "99999999999999999999"} {
		if got, ok := parseNumbers(in); ok {
			t.Errorf("%q is %v", in, got)
		}
	}
	var many []int
	for i := range 40 {
		many = append(many, 3*i+1000)
	}
	for _, ns := range [][]int{{12}, {18, 12, 13, 14, 15, 12}, {1, 3, 5}, many} {
		text := writeNumbers(slices.Clone(ns))
		got, ok := parseNumbers(text)
		slices.Sort(ns)
		ns = slices.Compact(ns)
		if !ok || !slices.Equal(got, ns[:len(got)]) || len(text) > 25 || len(ns) < 10 && len(got) < len(ns) {
			t.Errorf("%v is written %q, which is %v", ns, text, got)
		}
	}
}

// TestButtonsFit: whatever a card's buttons are about, a network can carry it.
func TestButtonsFit(t *testing.T) {
	admin := chat.Address{Network: chat.Slack, ID: "U1"}
	d := &desk{c: &Config{Admins: []chat.Address{admin}}}
	for _, silenced := range []int{0, 123450} {
		var lines []line
		for i := range 60 {
			lines = append(lines, line{n: 123450 + 2*i, team: "support", silence: silence{N: silenced * (1 + i)}})
		}
		actions := d.buttons(admin, lines)
		if len(actions) < 3 {
			t.Errorf("%d buttons", len(actions))
		}
		for _, a := range actions {
			if len(a.ID)+len(a.Value) > 80 {
				t.Errorf("%s carries %d bytes: %s", a.Label, len(a.ID)+len(a.Value), a.Value)
			}
		}
	}
}

func TestParseLength(t *testing.T) {
	for in, want := range map[string]time.Duration{"1h": time.Hour, "1h30m": 90 * time.Minute, "2d": 48 * time.Hour, "8d": 192 * time.Hour, "45s": 45 * time.Second} {
		if got, ok := parseLength(in); !ok || got != want {
			t.Errorf("%q: %v, %v", in, got, ok)
		}
	}
	for _, in := range []string{"", "1", "-1h", "0h", "1000d", "1.5d", "d", "soon"} {
		if got, ok := parseLength(in); ok {
			t.Errorf("%q is %v", in, got)
		}
	}
}

func TestRuleAmount(t *testing.T) {
	for want, in := range map[string]struct {
		v    float64
		unit string
	}{"0.25": {0.25, alert.UnitNone}, "0.33": {1.0 / 3, alert.UnitNone}, "3": {3, alert.UnitNone}, "7\u00a0min": {6.7, alert.UnitMinutes},
		"1:30": {90, alert.UnitSeconds}, "5": {5, alert.UnitCount}, "2.5\u00a0h": {2.5, alert.UnitHours}} {
		if got := ruleAmount(in.v, in.unit); got != want {
			t.Errorf("%v %s is %q, want %q", in.v, in.unit, got, want)
		}
	}
}
