package sim_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"floorwalker/dashboard/sim"
	"github.com/google/go-cmp/cmp"
)

// kolkata is where the counters' day is.
var kolkata = time.FixedZone("IST", 5*3600+1800)

// numbers are the counters of a row that the tests look at.
type numbers struct {
	TH, MH, C, TC, HT, ATT int
	Types, Campaigns       map[string]int
	Login                  time.Duration
}

// numbersAt reads an agent's row at a time.
func numbersAt(t *testing.T, s *sim.Sim, userID string, at time.Time) (numbers, bool) {
	t.Helper()
	row, err := s.Row(userID, at)
	if err != nil {
		t.Fatal(err)
	}
	if row == nil {
		return numbers{}, false
	}
	var n numbers
	var l struct{ Duration []string }
	for key, into := range map[string]any{
		"TH": &n.TH, "MH": &n.MH, "C": &n.C, "tC": &n.TC, "HT": &n.HT, "aTT": &n.ATT,
		"callType": &n.Types, "cmpId": &n.Campaigns, "l": &l,
	} {
		if err := json.Unmarshal([]byte(row[key]), into); err != nil {
			t.Fatalf("%s is %s: %v", key, row[key], err)
		}
	}
	for _, part := range l.Duration {
		n.Login = n.Login*60 + time.Duration(atoi(t, part))*time.Second
	}
	return n, true
}

func atoi(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestDeterministic asks two simulations for the same times in opposite order.
func TestDeterministic(t *testing.T) {
	start := time.Date(2026, 11, 25, 9, 0, 0, 0, kolkata)
	for name, cfg := range map[string]sim.Config{"always": {Seed: 7}, "shifts": {Seed: 7, Start: start}} {
		t.Run(name, func(t *testing.T) {
			a, b := sim.New(cfg), sim.New(cfg)
			if !slices.Equal(a.Agents(), b.Agents()) {
				t.Fatal("the same seed gives other agents")
			}
			user := a.Agents()[3].UserID
			var rowsA, rowsB []map[string]string
			for i := range 60 {
				row, err := a.Row(user, start.Add(time.Duration(i)*time.Hour))
				if err != nil {
					t.Fatal(err)
				}
				rowsA = append(rowsA, row)
				row, err = b.Row(user, start.Add(time.Duration(59-i)*time.Hour))
				if err != nil {
					t.Fatal(err)
				}
				rowsB = append(rowsB, row)
			}
			slices.Reverse(rowsB)
			if diff := cmp.Diff(rowsA, rowsB); diff != "" {
				t.Errorf("the order of questions changes the answers:\n%s", diff)
			}
		})
	}
}

func TestSeedsDiffer(t *testing.T) {
	a, b := sim.New(sim.Config{Seed: 1}), sim.New(sim.Config{Seed: 2})
	if a.Agents()[0].Token == b.Agents()[0].Token {
		t.Error("two seeds give the same token")
	}
	noon := time.Date(2026, 11, 25, 12, 0, 0, 0, kolkata)
	rowA, _ := a.Row(a.Agents()[0].UserID, noon)
	rowB, _ := b.Row(b.Agents()[0].UserID, noon)
	if maps.Equal(rowA, rowB) {
		t.Error("two seeds give the same counters")
	}
}

func TestAgents(t *testing.T) {
	agents := sim.New(sim.Config{Seed: 1, Agents: 5000}).Agents()
	if len(agents) != 5000 || agents[0].Name != "Asha Rao" {
		t.Fatalf("%d agents, the first is %s", len(agents), agents[0].Name)
	}
	seen := map[string]bool{}
	for _, a := range agents {
		for _, s := range []string{a.UserID, a.Token, a.SSID, a.Name} {
			if s == "" || seen[s] {
				t.Fatalf("%q is empty or given twice", s)
			}
			seen[s] = true
		}
	}
}

// TestDay follows every agent over two days: counters only rise, except at
// midnight, where they start again; they agree with each other; the login gets
// older by as much as time passes.
func TestDay(t *testing.T) {
	s := sim.New(sim.Config{Seed: 3, Agents: 5})
	midnight := time.Date(2026, 11, 25, 0, 0, 0, 0, kolkata)
	const step = 5 * time.Minute
	for _, a := range s.Agents() {
		prev, _ := numbersAt(t, s, a.UserID, midnight.Add(-step))
		before := prev.TH
		for at := midnight; at.Before(midnight.AddDate(0, 0, 2)); at = at.Add(step) {
			n, ok := numbersAt(t, s, a.UserID, at)
			if !ok {
				t.Fatalf("%s is logged out at %s, but the floor works round the clock", a.Name, at)
			}
			check(t, n)
			if at.Hour() == 0 && at.Minute() == 0 {
				if prev.TH < 80 || n.TH > 1 {
					t.Errorf("%s: %d calls before midnight, %d at midnight", a.Name, prev.TH, n.TH)
				}
			} else if n.TH < prev.TH || n.MH < prev.MH || n.HT < prev.HT {
				t.Fatalf("%s at %s: counters fell from %+v to %+v", a.Name, at, prev, n)
			}
			if n.Login != prev.Login+step && n.Login > step {
				t.Errorf("%s at %s: login age went from %s to %s", a.Name, at, prev.Login, n.Login)
			}
			prev = n
		}
		if before == prev.TH {
			t.Logf("%s had two equal days of %d calls", a.Name, before)
		}
	}
}

// check compares the counters of one row with each other.
func check(t *testing.T, n numbers) {
	t.Helper()
	sum := func(m map[string]int) (sum int) {
		for _, count := range m {
			sum += count
		}
		return sum
	}
	if n.C != n.TH-n.MH || n.TC != n.TH || sum(n.Types) != n.TH || sum(n.Campaigns) != n.TH {
		t.Fatalf("counters disagree: %+v", n)
	}
	if n.C == 0 && n.ATT != 0 || n.C > 0 && (n.ATT < 10 || n.ATT > 2400) {
		t.Fatalf("average talk of %d s over %d calls", n.ATT, n.C)
	}
}

// TestPlausible checks the size of things over a floor and a week of shifts.
func TestPlausible(t *testing.T) {
	start := time.Date(2026, 11, 23, 9, 0, 0, 0, kolkata)
	s := sim.New(sim.Config{Seed: 1, Start: start})
	var offered, missed, days int
	for _, a := range s.Agents() {
		for day := range 7 {
			n, ok := numbersAt(t, s, a.UserID, start.AddDate(0, 0, day).Add(9*time.Hour))
			if !ok {
				t.Fatalf("%s is logged out at the end of the shift, when its last poll is made", a.Name)
			}
			days++
			offered += n.TH
			missed += n.MH
		}
	}
	if perDay := offered / days; perDay < 40 || perDay > 120 {
		t.Errorf("%d calls per agent and shift", perDay)
	}
	if rate := float64(missed) / float64(offered); rate < .02 || rate > .15 {
		t.Errorf("%.0f %% of calls are missed", 100*rate)
	}
}

// TestShift checks log-in and log-out around a shift that starts at 22:00 and
// so crosses the midnight at which counters start again.
func TestShift(t *testing.T) {
	start := time.Date(2026, 11, 25, 22, 0, 0, 0, kolkata)
	s := sim.New(sim.Config{Seed: 1, Start: start, Shift: 8 * time.Hour})
	for _, a := range s.Agents() {
		for _, at := range []time.Time{start.AddDate(0, 0, -1).Add(time.Hour), start.Add(-time.Hour), start.Add(9 * time.Hour), start.Add(23 * time.Hour)} {
			if n, ok := numbersAt(t, s, a.UserID, at); ok {
				t.Errorf("%s is logged in at %s: %+v", a.Name, at, n)
			}
		}
		late, ok1 := numbersAt(t, s, a.UserID, start.Add(119*time.Minute))
		early, ok2 := numbersAt(t, s, a.UserID, start.Add(121*time.Minute))
		if !ok1 || !ok2 || late.TH < 5 || early.TH > 2 {
			t.Errorf("%s: %d calls before midnight, %d after", a.Name, late.TH, early.TH)
		}
		if early.Login != late.Login+2*time.Minute {
			t.Errorf("%s: midnight changed the login's age from %s to %s", a.Name, late.Login, early.Login)
		}
	}
}

// TestLoginBreaks looks for the short log-outs that some shifts have.
func TestLoginBreaks(t *testing.T) {
	start := time.Date(2026, 11, 25, 9, 0, 0, 0, kolkata)
	s := sim.New(sim.Config{Seed: 1, Start: start})
	breaks := 0
	for _, a := range s.Agents() {
		was := true
		for at := start.Add(10 * time.Minute); at.Before(start.Add(9 * time.Hour)); at = at.Add(30 * time.Second) {
			row, err := s.Row(a.UserID, at)
			if err != nil {
				t.Fatal(err)
			}
			if was && row == nil {
				breaks++
			}
			was = row != nil
		}
	}
	if breaks == 0 || breaks > len(s.Agents())/2 {
		t.Errorf("%d of %d agents have a break of their login", breaks, len(s.Agents()))
	}
}
