package alert

import (
	"math"
	"testing"
	"time"
)

// busy breaches at 6 calls and clears at 3.
func busy(t testing.TB, forMinutes, keepMinutes float64) *Rule {
	return mustCompile(t, RuleSpec{
		When: "calls >= 6", Clear: "calls <= 3",
		For: new(at(forMinutes).Sub(t0)), KeepFiringFor: new(at(keepMinutes).Sub(t0)),
	})
}

// firing returns a story that fired at minute 2, was told, and has a shift from
// 09:00 to 18:00.
func firing(t testing.TB) *story {
	s := &story{t: t, rule: busy(t, 2, 2), round: Round{Poll: time.Minute, Shift: Shift{t0, at(540)}}}
	want(t, s.see(0, 6), "inactive>pending breached")
	want(t, s.see(1, 6), "")
	want(t, s.see(2, 6), "pending>firing held fire")
	return s
}

// Each of these tests is one row of the table in the package comment.

func TestRowRuleChanged(t *testing.T) {
	for name, spec := range map[string]RuleSpec{
		"metric":    {When: "missed >= 6", Clear: "missed <= 3"},
		"threshold": {When: "calls >= 7", Clear: "calls <= 3"},
		"exit":      {When: "calls >= 6", Clear: "calls <= 2"},
	} {
		s := firing(t)
		episode := s.state.Episode
		s.rule = mustCompile(t, spec)
		c := s.step(3, Sample{}, table{{Metric: "calls"}: 9, {Metric: "missed"}: 9})
		want(t, c, "firing>inactive rule_changed resolve")
		if c.Episode != episode || s.state.Episode != "" {
			t.Errorf("%s: %+v %+v", name, c, s.state)
		}
	}
	s := firing(t)
	s.rule = mustCompile(t, RuleSpec{When: "calls >= 6", Clear: "calls <= 3", Enabled: new(false)})
	want(t, s.see(3, 9), "firing>inactive disabled resolve")
	want(t, s.see(4, 9), "")

	for _, reason := range []Reason{RuleDeleted, RuleChanged} {
		s = firing(t)
		var c Change
		s.state, c = End(s.state, at(3), reason)
		want(t, c, "firing>inactive "+string(reason)+" resolve")
		if !c.At.Equal(at(3)) || c.Value != 6 {
			t.Errorf("got %+v", c)
		}
		_, c = End(s.state, at(4), reason)
		want(t, c, "")
	}
	// A pending state ends too, without a resolve: nobody was told.
	s = &story{t: t, rule: busy(t, 2, 2)}
	s.see(0, 6)
	s.rule = busy(t, 0, 0)
	s.rule.Enabled = false
	want(t, s.see(1, 6), "pending>inactive disabled")
}

func TestRowRuleEdited(t *testing.T) {
	s := firing(t)
	episode := s.state.Episode
	s.rule = busy(t, 5, 2)
	want(t, s.see(3, 6), "firing>pending rule_edited")
	want(t, s.see(4, 6), "") // the interval 2–4 counts: 4 minutes
	want(t, s.see(5, 6), "pending>firing held")
	if s.state.Episode != episode {
		t.Error("the episode was not kept")
	}
	s.rule = busy(t, 60, 2)
	want(t, s.see(6, 6), "firing>pending rule_edited")
	want(t, s.see(7, 5), "pending>inactive cleared resolve")

	// Between the thresholds it fires on, but proves nothing towards a longer for.
	s = firing(t)
	s.see(3, 4)
	s.rule = busy(t, 5, 2)
	want(t, s.see(4, 6), "firing>pending rule_edited")
	want(t, s.see(5, 6), "")
	want(t, s.see(6, 6), "")
	if s.state.Credit != 3*time.Minute {
		t.Errorf("%s are proven", s.state.Credit)
	}

	// A shorter for, or another text, changes nothing for what fires.
	s = firing(t)
	s.rule = busy(t, 1, 7)
	want(t, s.see(3, 6), "firing>firing rule_edited")
	if s.state.Reason != Held {
		t.Errorf("reason of the phase is %s", s.state.Reason)
	}
	want(t, s.see(4, 6), "")
	// A pending state with credit enough fires at its next breach.
	s = &story{t: t, rule: busy(t, 5, 2)}
	s.see(0, 6)
	s.see(1, 6)
	s.rule = busy(t, 1, 2)
	want(t, s.see(2, 6), "pending>pending rule_edited")
	want(t, s.see(3, 6), "pending>firing held fire")
}

func TestRowMissing(t *testing.T) {
	s := firing(t)
	want(t, s.lack(3, Absent), "")
	want(t, s.lack(4, Absent), "")
	want(t, s.lack(5, Failed), "") // neither an absence nor a presence
	want(t, s.lack(6, Absent), "firing>inactive missing resolve")

	s = firing(t)
	s.lack(3, Absent)
	s.lack(4, Absent)
	s.see(5, 6) // there again
	want(t, s.lack(6, Absent), "")
	want(t, s.lack(7, Absent), "")
	want(t, s.lack(7, Absent), "") // the same round twice
	want(t, s.lack(8, Absent), "firing>inactive missing resolve")
}

func TestRowExpired(t *testing.T) {
	s := firing(t)
	s.round.Shift = Shift{}
	want(t, s.lack(2+24*60, Failed), "")
	want(t, s.lack(2+24*60+0.1, Failed), "firing>inactive expired_no_data resolve")

	s = firing(t)
	want(t, s.lack(540, Failed), "") // the last poll of the shift
	want(t, s.lack(540.1, Failed), "firing>inactive expired_no_data resolve")

	s = firing(t) // data of the shift's end still counts
	want(t, s.see(540.5, 6), "")

	s = firing(t) // the next shift finds what the last one left
	s.round.Shift = Shift{at(24 * 60), at(33 * 60)}
	want(t, s.see(24*60, 9), "firing>inactive expired_no_data resolve")
	want(t, s.see(24*60+1, 9), "inactive>pending breached")

	s = firing(t) // and a shift that joins on continues
	want(t, s.see(540, 9), "")
	s.round.Shift = Shift{at(540), at(1000)}
	want(t, s.see(541, 9), "")
}

func TestRowHeld(t *testing.T) {
	for _, d := range []Data{NoData, Stale, Failed, Absent} {
		s := firing(t)
		before := s.state
		want(t, s.lack(3, d), "")
		if s.state.Credit != before.Credit || s.state.Last != before.Last || s.state.Phase != Firing || s.state.Data != d {
			t.Errorf("%s: %+v", d, s.state)
		}
	}
	s := firing(t)
	s.see(3, 6)
	before := s.state
	for name, x := range map[string]Sample{
		"old":      {Point: Point{At: at(2.5)}},
		"the same": {Point: Point{At: at(3)}},
		"future":   {Point: Point{At: at(5.01)}},
	} {
		want(t, s.step(3, x, table{{Metric: "calls"}: 0}), "")
		if s.state != before {
			t.Errorf("%s: a sample out of order changed the state: %+v", name, s.state)
		}
	}
	// Two intervals ahead are allowed.
	want(t, s.step(3, Sample{Point: Point{At: at(5)}}, table{{Metric: "calls"}: 0}), "firing>recovering clearing")
	// A sample that is too old by its own time is stale, whoever says what.
	s = firing(t)
	want(t, s.step(6.1, Sample{Point: Point{At: at(3)}}, table{{Metric: "calls"}: 0}), "")
	if s.state.Data != Stale {
		t.Errorf("got %+v", s.state)
	}
	// Nor is a value judged that is no number.
	s = firing(t)
	var c Change
	s.state, c = s.rule.Step(s.state, Sample{Point: Point{At: at(3), Value: math.NaN(), Clear: true}})
	want(t, c, "")
}

func TestRowCounterReset(t *testing.T) {
	s := firing(t)
	want(t, s.step(3, Sample{Reset: true}, table{{Metric: "calls"}: 5}), "firing>inactive counter_reset resolve")
	s = firing(t)
	want(t, s.step(3, Sample{Reset: true}, table{{Metric: "calls"}: 6}), "")
	s = &story{t: t, rule: busy(t, 2, 2)}
	s.see(0, 6)
	want(t, s.step(1, Sample{Reset: true}, table{{Metric: "calls"}: 5}), "pending>inactive counter_reset")

	// A counter that starts again never fires "dropped to 0".
	s = &story{t: t, rule: mustCompile(t, RuleSpec{When: "calls < 3", For: new(time.Duration)})}
	want(t, s.see(0, 9), "")
	want(t, s.step(1, Sample{Reset: true}, table{{Metric: "calls"}: 0}), "")
	want(t, s.see(2, 0), "inactive>firing breached fire")
}

func TestRowsOfEntering(t *testing.T) {
	s := &story{t: t, rule: busy(t, 2, 2)}
	want(t, s.see(0, 5), "")
	want(t, s.see(1, 6), "inactive>pending breached") // at the threshold
	want(t, s.see(2, 5.9), "pending>inactive cleared")
	s = &story{t: t, rule: busy(t, 0, 2)}
	want(t, s.see(0, 6), "inactive>firing breached fire")
}

func TestRowPending(t *testing.T) {
	s := &story{t: t, rule: busy(t, 2, 2)}
	s.see(0, 6)
	want(t, s.see(1.99, 6), "")
	want(t, s.see(2, 6), "pending>firing held fire") // inclusive
}

func TestRowFiring(t *testing.T) {
	s := firing(t)
	want(t, s.see(3, 4), "") // between the thresholds
	want(t, s.see(4, 3), "firing>recovering clearing")
	s = firing(t)
	s.rule = busy(t, 2, 0)
	s.see(3, 6)
	want(t, s.see(4, 3), "firing>inactive recovered resolve")
}

func TestRowRecovering(t *testing.T) {
	s := firing(t)
	episode := s.state.Episode
	s.see(3, 3)
	want(t, s.see(4, 4), "recovering>firing relapsed")
	if s.state.Episode != episode {
		t.Error("a relapse began an episode")
	}
	s.see(5, 2)
	want(t, s.see(6, 2), "")
	want(t, s.see(7, 2), "recovering>inactive recovered resolve")
	if s.state.Episode != "" || s.state.Credit != 0 {
		t.Errorf("got %+v", s.state)
	}
}

// TestStallProvesTwoPolls: in Prometheus half an hour of standing still
// satisfies for: 30m.
func TestStallProvesTwoPolls(t *testing.T) {
	s := &story{t: t, rule: busy(t, 30, 2)}
	s.see(0, 6)
	want(t, s.see(30, 6), "")
	if s.state.Credit != 2*time.Minute {
		t.Errorf("a stall of half an hour proves %s", s.state.Credit)
	}
	// The same for errors in between, and for recovery.
	s.lack(31, Failed)
	s.lack(50, Failed)
	want(t, s.see(60, 6), "")
	if s.state.Credit != 4*time.Minute {
		t.Errorf("after an outage %s are proven", s.state.Credit)
	}
	s = firing(t)
	s.rule = busy(t, 2, 30)
	s.see(3, 6)
	s.see(4, 3)
	want(t, s.see(34, 3), "")
	if s.state.Credit != 2*time.Minute {
		t.Errorf("a stall proves %s of recovery", s.state.Credit)
	}
	// A stretched interval counts as it is.
	s = &story{t: t, rule: busy(t, 30, 2), round: Round{Poll: 10 * time.Minute}}
	s.see(0, 6)
	s.see(15, 6)
	want(t, s.see(30, 6), "pending>firing held fire")
}

func TestWarmUp(t *testing.T) {
	s := firing(t)
	s.round.Warm = true
	for m := 3.0; m < 9; m++ {
		want(t, s.lack(m, Absent), "")
	}
	want(t, s.lack(541, Failed), "")
	s.round.Warm = false
	want(t, s.lack(542, Absent), "firing>inactive missing resolve")

	s = firing(t) // but fresh data may show that the shift is another one
	s.round = Round{Warm: true, Shift: Shift{at(1440), at(2000)}}
	want(t, s.see(1450, 3), "firing>inactive expired_no_data resolve")

	s = firing(t) // and within the shift it is judged
	s.round.Warm = true
	want(t, s.see(60, 3), "firing>recovering clearing")
}

// TestClockSetBack: a state stamped by a wrong clock must not blind the rule
// until the right clock has caught up.
func TestClockSetBack(t *testing.T) {
	s := firing(t)
	s.see(62, 6) // an hour ahead
	credit := s.state.Credit
	want(t, s.see(3, 6), "")
	if s.state.Credit != credit {
		t.Errorf("the step back proved %s", s.state.Credit-credit)
	}
	want(t, s.see(4, 3), "firing>recovering clearing")
	// The same instants again make other episodes.
	s = &story{t: t, rule: busy(t, 0, 0)}
	first := s.see(100, 6).Episode
	s.see(101, 3)
	s.see(1, 3)
	if again := s.see(100, 6); !again.Fire || again.Episode == first {
		t.Errorf("got %+v after %s", again, first)
	}
}

func TestEpisodeNames(t *testing.T) {
	one, other := firing(t).state.Episode, firing(t).state.Episode
	if one != other || len(one) != 16 {
		t.Errorf("the same story gives %s and %s", one, other)
	}
	r := busy(t, 0, 0)
	seen := map[string]bool{}
	for _, r := range []*Rule{r, mustCompile(t, RuleSpec{Name: "other", When: "calls >= 6", For: new(time.Duration)})} {
		for _, subject := range []string{"a1", "a2"} {
			for _, m := range []float64{0, 1} {
				_, c := r.Step(State{}, Sample{Point: Point{At: at(m), Breach: true}, Subject: subject})
				if seen[c.Episode] || !c.Fire {
					t.Errorf("%s twice, or not at all", c.Episode)
				}
				seen[c.Episode] = true
			}
		}
	}
}

func TestCovered(t *testing.T) {
	for _, tt := range []struct {
		reporting, agents int
		want              bool
	}{{8, 10, true}, {7, 10, false}, {12, 14, true}, {11, 14, false}, {0, 0, false}, {4, 5, true}} {
		if Covered(tt.reporting, tt.agents, 0.8) != tt.want {
			t.Errorf("%d of %d", tt.reporting, tt.agents)
		}
	}
}
