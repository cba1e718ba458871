package bot_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/alert"
	"floorwalker/bot/schedule"
	"floorwalker/bot/secret"
	"floorwalker/dashboard"
	"floorwalker/store"
)

// TestAlertsClockSet sets the clock an hour on and an hour back while an agent is
// beyond a limit for which a rule waits half an hour. Neither proves more than two
// polls, ends the alert, or tells of it twice.
func TestAlertsClockSet(t *testing.T) {
	for name, c := range map[string]struct {
		step  time.Duration
		after int // polls that breach, before the clock is set
	}{
		"on while it is pending":   {time.Hour, 5},
		"back while it is pending": {-time.Hour, 5},
		"on while it fires":        {time.Hour, 40},
		"back while it fires":      {-time.Hour, 40},
	} {
		t.Run(name, func(t *testing.T) {
			f := newClockFloor(t)
			for range c.after {
				f.poll(9)
			}
			fired := c.after > 31
			f.expect(fired, false)
			f.now = f.now.Add(c.step)
			for range 4 {
				f.poll(9)
			}
			f.expect(fired, false)
			for range 40 {
				f.poll(9)
			}
			f.expect(true, false)
			f.poll(1)
			f.expect(true, true)
		})
	}
}

// TestSilencedByALaterClock: polls whose clock is behind that of a silence, read
// before it was made or set back since, are silenced by it all the same.
func TestSilencedByALaterClock(t *testing.T) {
	f := newClockFloor(t) // in the past
	reply, err := f.bot.Handle(t.Context(), command("meera", "floor silence missed-long 1h"))
	if err != nil || !strings.Contains(reply.Message.Plain(), "Silenced") {
		t.Fatalf("%v, %v", reply, err)
	}
	for range 40 {
		f.poll(9)
	}
	f.expect(false, false)
}

// A clockFloor is one agent whose rules are judged at times that a test makes up.
type clockFloor struct {
	t       *testing.T
	store   *store.Store
	bot     *bot.Bot
	judging *bot.Judging
	agents  []bot.Agent
	now     time.Time
}

func newClockFloor(t *testing.T) *clockFloor {
	st, err := store.Open(store.Config{Path: fastDir(t) + "/floor.db", Key: secret.New(key)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	c := stageConfig(t)
	c.Teams[0].Rota.Shifts[0].End = c.Teams[0].Rota.Shifts[0].Start
	half, none := 30*time.Minute, time.Duration(0)
	if c.Rules, err = compileRules(c, []alert.RuleSpec{{Name: "missed-long", When: "missed >= 5", For: &half, KeepFiringFor: &none}}); err != nil {
		t.Fatal(err)
	}
	linked, err := st.Link(bot.Link{Address: person("asha"), Name: "Asha", State: bot.LinkActive,
		Credential: dashboard.Credential{UserID: "1", Token: secret.New("t")}})
	if err != nil {
		t.Fatal(err)
	}
	f := &clockFloor{t: t, store: st, agents: []bot.Agent{linked.Agent}, now: time.Date(2026, 3, 2, 12, 0, 0, 0, kolkata(t))}
	f.bot = bot.New(c, sourceFunc(nil), st, nothing{}, slog.New(slog.DiscardHandler))
	f.judging = bot.NewJudging(f.bot)
	for range 5 { // the warm-up
		f.poll(1)
	}
	return f
}

// poll judges a poll that brings so many missed calls, a minute later.
func (f *clockFloor) poll(missed int) {
	f.t.Helper()
	f.now = f.now.Add(time.Minute)
	answer := dashboard.Counters{At: f.now, Row: map[string]dashboard.Value{"TH": dashboard.ValueOf("20"), "MH": dashboard.ValueOf(fmt.Sprint(missed))}}
	if err := f.judging.Round(f.agents, []dashboard.Counters{answer}, f.now); err != nil {
		f.t.Fatal(err)
	}
}

// expect compares the rows of the outbox with whether the alert was told, and its
// end, each once at most. An end that nobody could have read the beginning of is
// no row but a reason.
func (f *clockFloor) expect(fired, over bool) {
	f.t.Helper()
	fires, ends := 0, 0
	for r, err := range f.store.Rows() {
		if err != nil {
			f.t.Fatal(err)
		}
		if _, step, _, _ := alert.ParseKey(r.Key); strings.HasPrefix(step, alert.StepFire) {
			fires++
			if r.State == bot.RowCancelled {
				ends++
			}
		}
	}
	want := map[bool]int{true: 1}
	if fires != want[fired] || ends != want[over] {
		f.t.Errorf("%s: the alert was told %d times, and ended %d times; want %v, %v", f.now.Format(time.TimeOnly), fires, ends, fired, over)
	}
}

// TestDigestClockLeapsBack: a clock that is set back over a digest that was posted
// gets to its time once more, and nothing is posted.
func TestDigestClockLeapsBack(t *testing.T) {
	inSite(t, siteConfig(t, atShiftEnd()), func(s *site) {
		s.start()
		s.until("2026-03-02 17:30")
		s.record("end", schedule.Civil{Date: schedule.NewDate(2026, 3, 2), Time: 18 * 60}, utc(t, "2026-03-02 18:00"))
		s.until("2026-03-02 18:30")
		s.expect(0, "")
		s.until("2026-03-03 18:10")
		s.expect(1, "Tue 3 Mar")
		s.stop()
	})
}
