package bot

import (
	"math/rand/v2"
	"testing"
	"time"

	"floorwalker/bot/chat"
	"floorwalker/bot/schedule"
)

// roundConfig is a team of one agent with three shifts, two of which end at once.
func roundConfig() (*Config, Agent) {
	shift := func(name string, start, end schedule.TimeOfDay) schedule.Shift {
		return schedule.Shift{Name: name, Days: schedule.EveryDay, Start: start, End: end}
	}
	asha := chat.Address{Network: chat.Console, ID: "asha"}
	c := &Config{
		PollInterval: time.Minute, RequestsPerSecond: 50,
		Teams: []Team{{Name: "a", Poll: true, Members: []Person{{Addresses: []chat.Address{asha}}}, Rota: schedule.Rota{
			Team: "a", Zone: time.UTC, Shifts: []schedule.Shift{shift("day", 9*60, 18*60), shift("late", 12*60, 18*60), shift("night", 22*60+7, 6*60+3)},
		}}},
	}
	c.memberships = membershipsOf(c.Teams)
	return c, Agent{ID: "8000000000000000", Addresses: []chat.Address{asha}}
}

// TestRoundsLeaveNothingOut: however late rounds are, every end of a shift is
// asked about once, and nobody is asked about off shift.
func TestRoundsLeaveNothingOut(t *testing.T) {
	c, a := roundConfig()
	for seed := range uint64(50) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		now := time.Date(2026, 3, 2, 0, 0, int(seed), 0, time.UTC)
		began, end := now, now.AddDate(0, 0, 2)
		planned, finals := now, map[time.Time]int{}
		for start := now; start.Before(end); {
			r := round{start: start, length: c.PollInterval, from: earlier(planned, start)}
			for _, p := range r.polls(nil, a, c.timetable(r).of(a)) {
				if p.final.IsZero() && len(c.watched(a).Current(p.tick)) != len(p.shifts) {
					t.Fatalf("seed %d: asked at %s for %d shifts", seed, p.tick, len(p.shifts))
				}
				if !p.final.IsZero() {
					finals[p.final]++
				}
			}
			planned = r.end()
			now = r.end().Add(time.Duration(rnd.IntN(3)) * time.Duration(rnd.Int64N(int64(4*time.Minute))))
			start = r.next(now)
			if lag := now.Sub(start); lag < 0 || lag >= time.Second {
				t.Fatalf("seed %d: at %s the next round begins at %s", seed, now, start)
			}
		}
		for _, w := range c.Teams[0].Rota.Occurrences(schedule.Span{Start: began, End: planned}) {
			if inside := !w.End.After(planned); inside && finals[w.End] != 1 {
				t.Errorf("seed %d: the end at %s was asked about %d times", seed, w.End, finals[w.End])
			}
		}
		if len(finals) < 3 {
			t.Fatalf("seed %d: only %d ends", seed, len(finals))
		}
	}
}

// TestPollAsked: a poll that comes late counts for when it was made, and is not
// made at all when nobody is on shift any more. The one at a shift's end counts
// for that end.
func TestPollAsked(t *testing.T) {
	c, a := roundConfig()
	at := func(clock string) time.Time {
		x, err := time.Parse(time.DateTime, "2026-03-02 "+clock)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	for _, x := range []struct {
		tick, now, want string // want "" for not asked
		final           bool
	}{
		{"10:00:00", "10:00:00", "10:00:00", false},
		{"10:00:00", "10:00:05", "10:00:00", false},
		{"10:00:00", "10:00:06", "10:00:06", false},
		{"10:00:00", "10:30:00", "10:30:00", false},
		{"17:59:50", "18:00:20", "", false},
		{"18:00:00", "18:00:20", "18:00:00", true},
	} {
		p := poll{agent: a, tick: at(x.tick), shifts: c.watched(a).Current(at("10:00:00"))}
		if x.final {
			p.final = p.tick
		}
		got, ok := p.asked(c, at(x.now))
		if ok != (x.want != "") || ok && (!got.tick.Equal(at(x.want)) || len(got.shifts) == 0) {
			t.Errorf("due %s, asked %s: %s, %v", x.tick, x.now, got.tick, ok)
		}
	}
}
