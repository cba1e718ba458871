package alert

import (
	"testing"
	"time"
)

func TestKeys(t *testing.T) {
	key := Key("abc", StepRise(Critical), "slack:U0/x")
	if key != "alert/abc/rise-critical/slack:U0/x" {
		t.Error(key)
	}
	episode, step, recipient, ok := ParseKey(key)
	if !ok || episode != "abc" || step != "rise-critical" || recipient != "slack:U0/x" {
		t.Error(episode, step, recipient, ok)
	}
	if _, _, _, ok := ParseKey("digest/support/day/2026"); ok {
		t.Error("a digest's key is no alert's")
	}
}

func TestBudget(t *testing.T) {
	var b Budget
	for i, tt := range []struct {
		shift    time.Time
		silenced bool
		want     Outcome
	}{
		{t0, false, Tell},
		{t0, true, Silenced}, // costs nothing
		{t0, false, Tell},
		{t0, false, OverBudget},
		{t0, false, OverBudget},
		{t0, true, Silenced},
		{at(1440), false, Tell}, // the next shift
		{at(1440).In(time.FixedZone("", 3600)), false, Tell},
		{at(1440), false, OverBudget},
	} {
		var got Outcome
		if b, got = b.First(tt.shift, tt.silenced); got != tt.want {
			t.Errorf("%d: %s, want %s", i, got, tt.want)
		}
	}
}

func TestGroup(t *testing.T) {
	join := func(g Group, minute float64) Group { return g.Join("busy", "support", at(minute), time.Minute) }
	g := join(Group{}, 1)
	if !g.Opened.Equal(at(1)) || !g.Due().Equal(at(1).Add(10*time.Second)) {
		t.Errorf("got %+v", g)
	}
	if join(g, 1.5) != g || join(g, 2) != g || join(g, 0.9) != g {
		t.Error("an agent of the same minute opens a message of its own")
	}
	if h := join(g, 2.01); h == g || !h.Opened.Equal(at(2.01)) {
		t.Errorf("a later agent joins: %+v", h)
	}
	if g.Join("other", "support", at(1), time.Minute) == g || g.Join("busy", "sales", at(1), time.Minute) == g {
		t.Error("another rule or team joins")
	}
}

// next compares the next step of an episode with "step at minute".
func next(t *testing.T, p Policy, h Handling, step string, minute float64) {
	t.Helper()
	got, due, ok := p.Next(h)
	if got != step || ok != (step != "") || ok && !due.Equal(at(minute)) {
		t.Errorf("next is %q at %s, want %q at minute %v", got, due, step, minute)
	}
}

func TestEscalationAndRepetition(t *testing.T) {
	p := Policy{EscalateAfter: 10 * time.Minute, Repeat: 30 * time.Minute}
	h := Handling{Severity: Critical, Open: at(0)}
	next(t, p, h, "escalate-1", 10)
	h = h.Made("escalate-1", at(10.5))
	next(t, p, h, "repeat-1", 30)
	h = h.Made("repeat-1", at(100)) // an outage: none pile up
	next(t, p, h, "repeat-2", 130)

	h, ok := h.Acknowledge("ann", at(110))
	if !ok || !h.Acked(at(169)) || h.Acked(at(170)) {
		t.Errorf("got %+v", h)
	}
	next(t, p, h, "escalate-2", 180) // not before the lease has ended
	h2, ok := h.Acknowledge("bob", at(120))
	if ok || h2 != h || h2.Ack.By != "ann" {
		t.Errorf("a second person took the lease: %+v", h2)
	}
	h = h.Made("escalate-2", at(180))
	next(t, p, h, "repeat-2", 200)
	if h, ok = h.Acknowledge("bob", at(181)); !ok || h.Ack.By != "bob" {
		t.Errorf("a lapsed lease is not free: %+v", h)
	}

	h, step := h.SetSeverity(Warning, at(190))
	if step != "" || h.Acked(at(191)) {
		t.Errorf("a fall: %q %+v", step, h)
	}
	next(t, p, h, "", 0)
	h, step = h.SetSeverity(Critical, at(200))
	if step != "rise-critical" {
		t.Errorf("a rise: %q", step)
	}
	next(t, p, h, "escalate-3", 210)
	if same, step := h.SetSeverity(Critical, at(205)); step != "" || same != h {
		t.Error("the same severity is a change")
	}

	next(t, Policy{Repeat: 30 * time.Minute}, Handling{Severity: Critical, Open: at(0)}, "repeat-1", 30)
	next(t, Policy{}, Handling{Severity: Critical, Open: at(0)}, "", 0)
	next(t, p, Handling{Severity: Info, Open: at(0)}, "", 0)
}

func TestMatcher(t *testing.T) {
	for in, want := range map[string]Matcher{
		"missed-burst":          {Rule: "missed-burst"},
		" @asha ":               {Agent: "asha"},
		"missed-burst@asha":     {Rule: "missed-burst", Agent: "asha"},
		"missed-burst@Asha Rao": {Rule: "missed-burst", Agent: "Asha Rao"},
	} {
		if m, err := ParseMatcher(in); err != nil || m != want {
			t.Errorf("%q: %+v, %v", in, m, err)
		}
	}
	for _, in := range []string{"", "@", "  ", "busy@", "two words", "two words@asha"} {
		if m, err := ParseMatcher(in); err == nil {
			t.Errorf("%q: %+v", in, m)
		}
	}
	l := Labels{Rule: "busy", Agent: "a1", Teams: []string{"support", "sales"}}
	for _, tt := range []struct {
		m    Matcher
		text string
		want bool
	}{
		{Matcher{}, "", false},
		{Matcher{Rule: "busy"}, "busy", true},
		{Matcher{Rule: "idle"}, "idle", false},
		{Matcher{Agent: "a1"}, "@a1", true},
		{Matcher{Agent: "a2"}, "@a2", false},
		{Matcher{Team: "sales"}, "in team sales", true},
		{Matcher{Team: "night"}, "in team night", false},
		{Matcher{Rule: "busy", Agent: "a1", Team: "support"}, "busy@a1 in team support", true},
		{Matcher{Rule: "busy", Agent: "a2", Team: "support"}, "busy@a2 in team support", false},
	} {
		if tt.m.Matches(l) != tt.want || tt.m.String() != tt.text {
			t.Errorf("%q matches: %v", tt.m, tt.m.Matches(l))
		}
	}
	if (Matcher{Agent: "a1"}).Matches(Labels{Rule: "busy", Teams: []string{"support"}}) {
		t.Error("an agent's silence hides a team's alert")
	}
}

func TestSilence(t *testing.T) {
	good := Silence{Matcher{Rule: "busy"}, t0, at(60), "ann", "training"}
	for name, tt := range map[string]struct {
		edit func(*Silence)
		ok   bool
	}{
		"good":       {func(*Silence) {}, true},
		"a week":     {func(s *Silence) { s.End = t0.Add(MaxSilence) }, true},
		"longer":     {func(s *Silence) { s.End = t0.Add(MaxSilence + 1) }, false},
		"no matcher": {func(s *Silence) { s.Matcher = Matcher{} }, false},
		"no author":  {func(s *Silence) { s.By = "" }, false},
		"no end":     {func(s *Silence) { s.End = time.Time{} }, false},
		"no time":    {func(s *Silence) { s.End = s.Start }, false},
		"a novel":    {func(s *Silence) { s.Comment = string(make([]byte, 301)) }, false},
	} {
		s := good
		tt.edit(&s)
		if err := s.Validate(); (err == nil) != tt.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	for minute, want := range map[float64]bool{-1: false, 0: true, 59.9: true, 60: false} {
		if got := good.Active(at(minute)); got != want {
			t.Errorf("minute %v: active %v, want %v", minute, got, want)
		}
	}
	ended := good.Ended(at(10))
	if !ended.End.Equal(at(10)) || ended.Ended(at(20)) != ended || !good.Ended(at(-5)).End.Equal(t0) {
		t.Errorf("got %+v", ended)
	}
}
