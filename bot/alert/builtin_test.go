package alert

import "testing"

// builtInRule returns a built-in rule as it comes.
func builtInRule(t *testing.T, name string) *Rule {
	return mustCompile(t, RuleSpec{Name: name})
}

func TestLoginLost(t *testing.T) {
	s := &story{t: t, rule: builtInRule(t, LoginLost), round: Round{Shift: Shift{t0, at(540)}}}
	// state steps a minute: in or out, absent as the API says it.
	state := func(minute float64, in, before float64) Change {
		x := Sample{}
		if in == 0 {
			x.Data = Absent
		}
		return s.step(minute, x, table{{Metric: NameLoggedIn}: in, {Metric: NameLoggedInBefore}: before, {Metric: NameShiftLeft}: 540 - minute})
	}
	for m := 0.0; m < 60; m++ {
		want(t, state(m, 0, 0), "") // never logged in in this shift: late, not lost
	}
	want(t, state(60, 1, 1), "")
	want(t, state(61, 0, 1), "inactive>pending breached")
	for m := 62.0; m < 71; m++ {
		want(t, state(m, 0, 1), "")
	}
	want(t, state(71, 0, 1), "pending>firing held fire")
	want(t, state(72, 1, 1), "firing>recovering clearing")
	want(t, state(73, 1, 1), "")
	want(t, state(74, 1, 1), "recovering>inactive recovered resolve")
	// Gone for the day: the last 15 minutes neither begin nor fire.
	want(t, state(520, 0, 1), "inactive>pending breached")
	want(t, state(525, 0, 1), "pending>inactive cleared")
	want(t, state(530, 0, 1), "")
	// What fires before them does not recover in them, it ends with the shift.
	s.state = State{}
	for m := 500.0; m <= 510; m++ {
		state(m, 0, 1)
	}
	if s.state.Phase != Firing {
		t.Fatalf("got %+v", s.state)
	}
	want(t, state(530, 0, 1), "")
	want(t, state(540, 0, 1), "")
	want(t, s.lack(541, Failed), "firing>inactive expired_no_data resolve")
}

func TestLoginStale(t *testing.T) {
	r := builtInRule(t, LoginStale)
	if r.Enabled {
		t.Error("it is on")
	}
	if x := r.Judge(Sample{}, facts); !x.Breach || x.Value != 69.25 {
		t.Errorf("got %+v", x)
	}
}

func TestSourceStale(t *testing.T) {
	s := &story{t: t, rule: builtInRule(t, SourceStale)}
	see := func(minute, inVain float64) Change {
		return s.step(minute, Sample{}, table{{Metric: NameSourceMinutes}: inVain})
	}
	want(t, see(0, 0), "")
	want(t, see(4, 4.9), "")
	want(t, see(5, 5), "inactive>firing breached fire")
	want(t, see(6, 6), "")
	want(t, see(7, 0), "firing>recovering clearing")
	want(t, see(8, 0), "")
	want(t, see(9, 0), "recovering>inactive recovered resolve")
	if got := s.rule.Message(Fields{Value: "5 min"}); got != "no new data for 5 min" {
		t.Error(got)
	}
}
