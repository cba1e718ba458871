package bot_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"floorwalker/bot/alert"
	"floorwalker/bot/chat"
)

// TestAlertDelay measures, in the bubble's time, how long it takes from a counter
// crossing its limit until the message leaves, over random crossings, while each
// answer of the API takes 0.7 s. It is at most one poll interval, the wait for
// others, and two seconds.
func TestAlertDelay(t *testing.T) {
	const hours, agents, aim = 6, 12, time.Minute + alert.GroupWait + 2*time.Second
	dir := fastDir(t)
	cryptotest.SetGlobalRandom(t, 1)
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, dir)
		defer s.close()
		s.must("at 2026-03-02 00:00")
		var shifts strings.Builder // short ones: each agent is told of twice in a shift
		for h := range 24 {
			fmt.Fprintf(&shifts, " %02d:00-%02d:00", h, (h+1)%24)
		}
		s.must("shifts support" + shifts.String())
		for i := range agents {
			s.must(fmt.Sprintf("member p%d %d", i, i))
			s.must(fmt.Sprintf("counters p%d TH=9 MH=1", i))
		}
		s.must("rule missed-many when: missed >= 5 | clear: missed <= 3 | for: 0s | keep: 0s | message: {{.Agent}} has missed {{.Value}} calls")
		s.must("fault * slow:700ms")
		s.must("run")
		rnd := rand.New(rand.NewPCG(1, 1))
		var took []time.Duration
		for range hours {
			took = append(took, s.crossings(rnd, agents)...)
		}
		slices.Sort(took)
		if len(took) != hours*agents || took[len(took)-1] > aim {
			t.Errorf("%d of %d crossings were told, the last of them after %v; the aim is %v", len(took), hours*agents, took[len(took)-1], aim)
		}
		t.Logf("%d crossings: half of them told within %v, 99 of 100 within %v, all within %v; the aim is %v",
			len(took), took[len(took)/2], took[len(took)*99/100], took[len(took)-1], aim)
	})
}

// crossings lets each agent cross the limit once, at a random time of the next 40
// minutes, and come back before the hour is over. It returns how long it took
// until the supervisor was told, in a new message or in one that was there.
func (s *stage) crossings(rnd *rand.Rand, agents int) (took []time.Duration) {
	began := time.Now()
	at := map[int]time.Time{}
	for i := range agents {
		at[i] = began.Add(time.Duration(rnd.Int64N(int64(40 * time.Minute))))
	}
	order := make([]int, 0, agents)
	for i := range at {
		order = append(order, i)
	}
	slices.SortFunc(order, func(a, b int) int { return at[a].Compare(at[b]) })
	for _, i := range order {
		time.Sleep(time.Until(at[i]))
		s.must(fmt.Sprintf("counters p%d TH=9 MH=6", i))
	}
	time.Sleep(time.Until(began.Add(50 * time.Minute)))
	for i := range agents {
		s.must(fmt.Sprintf("counters p%d TH=9 MH=1", i))
	}
	time.Sleep(time.Until(began.Add(time.Hour)))
	synctest.Wait()
	s.flush()
	for _, i := range order {
		name := s.floor.Agents()[i].Name
		told := slices.IndexFunc(s.all, func(a arrival) bool {
			return !a.at.Before(at[i]) && a.to == person("meera") && a.m.Tone == chat.Warning && strings.Contains(a.m.Plain(), name)
		})
		if told >= 0 {
			took = append(took, s.all[told].at.Sub(at[i]))
		}
	}
	return took
}
