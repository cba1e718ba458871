package bot

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"floorwalker/bot/alert"
	"floorwalker/bot/chat"
	"floorwalker/bot/stats"
)

func TestLooksSecret(t *testing.T) {
	for text, want := range map[string]bool{
		"":     false,
		"week": false,
		"team add <@slack:U0123456789ABCDEF01234567> support":                   false,
		"silence missed-burst@asha 1h":                                          false,
		"silence RULE until 08:00 because the line at site-2 is being repaired": false,
		"digest preview support/day-summary-of-the-night-team":                  true, // 32 characters in one word: better asked than leaked
		"token=abc":                             true,
		"link user_id=7 ssid: x":                true,
		"password is hunter2":                   false,
		"password=hunter2":                      true,
		"8f14e45fceea167a5a36dedd4bea2543":      true,
		"k3j5h2k4j5h23kj4h5k2j3":                true,
		"xoxb-1234567890-abcdefghijkl":          false, // letters and digits apart, 28 characters: see the next
		"xoxb-1234567890-1234567890-AbCdEfGhIj": true,
	} {
		if got := looksSecret(text); got != want {
			t.Errorf("looksSecret(%q) = %v, want %v", text, got, want)
		}
	}
}

// TestNamesAreNoSecrets: what the configuration names can be typed, however it
// looks.
func TestNamesAreNoSecrets(t *testing.T) {
	team := Team{Name: "Support-L2 Bangalore", Digests: []Digest{{Name: "shift-1-summary"}}}
	rule := &alert.Rule{Name: "no-answer-in-30-minutes-of-shift-2"}
	b := &Bot{commands: commandTable()}
	admin := chat.Address{Network: chat.Console, ID: "dev"}
	for text, want := range map[string]string{
		`digest preview "Support-L2 Bangalore/shift-1-summary"`:                     "floor digest preview",
		`digest now "support-l2 bangalore/shift-1-summary" again-0123abcd`:          "floor digest now",
		"silence no-answer-in-30-minutes-of-shift-2@asha 1h":                        "floor silence",
		"silence no-answer-in-30-minutes-of-shift-2 1h 8f14e45fceea167a5a36dedd4be": "secret",
		"silence no-answer-in-30-minutes-of-shift-3 1h":                             "secret",
	} {
		r := &request{config: &Config{Admins: []chat.Address{admin}, Teams: []Team{team}, Rules: []*alert.Rule{rule}}}
		r.From, r.Command, r.Text = admin, "floor", text
		if got, _ := b.route(r); got != want {
			t.Errorf("%s: taken for %q, want %q", text, got, want)
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"help", "link", "unlink", "whoami", "export"}
	for word, want := range map[string]string{
		"lnik": "link", "unlikn": "unlink", "hlep": "help", "whomai": "whoami", "exprt": "export",
		"x": "", "statistics": "", strings.Repeat("é", 2000): "",
	} {
		if got := nearest(word, names); got != want {
			t.Errorf("nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestSplitWords(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "",
		"  a  b\tc ":                  "a|b|c",
		`silence x "until 08:00" now`: "silence|x|until 08:00|now",
		"silence x “until 08:00” now": "silence|x|until 08:00|now",
		`a""b`:                        "ab",
		`""`:                          "",
	} {
		words, err := splitWords(text)
		if got := strings.Join(words, "|"); err != nil || got != want {
			t.Errorf("splitWords(%q) = %q, %v, want %q", text, got, err, want)
		}
	}
	if _, err := splitWords(`a "b`); err == nil {
		t.Error("an open quotation mark is accepted")
	}
}

func FuzzRoute(f *testing.F) {
	for _, text := range []string{"", "help", `link "a b`, "unlink confirm", "token=x", "\xff\xfe", strings.Repeat("a ", 999)} {
		f.Add(text)
	}
	b := &Bot{commands: commandTable()}
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range []string{"mystats", "floor", "nonsense"} {
			r := &request{config: &Config{}}
			r.Command, r.Text = name, text
			if path, run := b.route(r); path == "" || run == nil {
				t.Errorf("%q leads nowhere", text)
			}
		}
	})
}

func TestShow(t *testing.T) {
	exact := func(v float64) stats.Number { return stats.Number{Value: v, Quality: stats.Exact} }
	for _, test := range []struct {
		got, want string
	}{
		{show(stats.Number{}, stats.Count), "–"},
		{show(exact(0), stats.Count), "0"},
		{show(exact(42), stats.Count), "42"},
		{show(exact(252), stats.Seconds), "4:12"},
		{show(exact(3852), stats.Seconds), "1:04:12"},
		{show(exact(59.6), stats.Seconds), "1:00"},
		{show(exact(90), stats.Minutes), "90\u00a0min"},
		{show(exact(1.55), stats.Hours), "1.6\u00a0h"},
		{show(stats.Number{Value: 252, Quality: stats.Estimated}, stats.Seconds), "≈\u00a04:12"},
		{change(3, stats.Count), "▲\u00a03"},
		{change(-12, stats.Seconds), "▼\u00a00:12"},
		{change(0.01, stats.Count), ""},
		{change(0, stats.Seconds), ""},
		{percent(0), "0%"},
		{percent(0.001), "under 1%"},
		{percent(0.999), "over 99%"},
		{percent(1), "100%"},
		{percent(0.125), "13%"},
		{roughly(40 * time.Second), "40 s"},
		{roughly(12*time.Minute + 50*time.Second), "12 min"},
		{roughly(3*time.Hour + 5*time.Minute), "3 h 5 min"},
		{roughly(50 * time.Hour), "50 h"},
		{roughly(100 * time.Hour), "4 days"},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}

func TestThrottle(t *testing.T) {
	var th throttle
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for i := range 5 {
		if _, ok := th.allow("asha", 5, now.Add(time.Duration(i)*time.Minute)); !ok {
			t.Fatalf("try %d is refused", i)
		}
	}
	if wait, ok := th.allow("asha", 5, now.Add(5*time.Minute)); ok || wait != 5*time.Minute {
		t.Errorf("a sixth try: allowed %v, wait %v; want refused for 5m", ok, wait)
	}
	if _, ok := th.allow("ravi", 5, now); !ok {
		t.Error("one person's tries count for another")
	}
	if _, ok := th.allow("asha", 5, now.Add(10*time.Minute)); !ok {
		t.Error("the first try still counts after ten minutes")
	}
}

// TestNamesOfSeveralWords: a team's name may have spaces, and nobody types
// quotation marks around it.
func TestNamesOfSeveralWords(t *testing.T) {
	meera := chat.Address{Network: chat.Slack, ID: "U1"}
	mine := []Person{{Addresses: []chat.Address{meera}}}
	c := &Config{Teams: []Team{
		{Name: "Night", Supervisors: mine, Digests: []Digest{{Name: "end"}}},
		{Name: "Night Support", Supervisors: mine, Digests: []Digest{{Name: "end"}, {Name: "at noon"}}},
		{Name: "Sales", Digests: []Digest{{Name: "end"}}},
	}}
	for text, want := range map[string]string{
		"night support": "Night Support", "Night": "Night", "\"night  support\"": "You don't supervise a team “night  support”.",
		"night support now": "Night Support and [now]", "sales": "You don't supervise a team “sales”.", "": "Which team?", `""`: "You don't supervise a team “”.",
	} {
		words, _ := splitWords(text)
		r := &request{Request: chat.Request{From: meera}, config: c, args: words}
		team, err := r.supervisedTeam()
		got := team.Name
		if len(r.args) > 0 {
			got += fmt.Sprintf(" and %v", r.args)
		}
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("team %s: got %s, want %s", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"night support/at noon": "Night Support/at noon", "NIGHT support/END": "Night Support/end", "night": "Night/end",
		"night support": "I don't know a digest “night support”.", "sales": "I don't know a digest “sales”.", "": "Which digest?", `""`: "Which digest?",
		"night/end now": "I don't know what to do with “now”.",
	} {
		words, _ := splitWords(text)
		r := &request{Request: chat.Request{From: meera}, config: c, args: words}
		team, d, err := r.digestNamed()
		got := team.Name + "/" + d.Name
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("digest %s: got %s, want %s", text, got, want)
		}
	}
}

func TestNearestByItsBeginning(t *testing.T) {
	names := strings.Fields("ack alerts silence silences unsilence missed-burst")
	for word, want := range map[string]string{
		"silnce": "silence", "akc": "", "ack1": "ack", "acknowledge": "ack", "missed": "missed-burst", "sil": "silence", "unsil": "unsilence",
		"al": "", "": "", "mute": "", "burst": "",
	} {
		if got := nearest(word, names); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

func TestLengths(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90m": 90 * time.Minute, "30min": 30 * time.Minute, "2hrs": 2 * time.Hour, "1hour": time.Hour, "1h30m": 90 * time.Minute, "2d": 48 * time.Hour, "7days": 7 * 24 * time.Hour,
		"1000d": 0, "0": 0, "-1h": 0, "30": 0, "min": 0, "h": 0, "": 0,
	} {
		got, ok := parseLength(text)
		if !ok {
			got = 0
		}
		if got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}
