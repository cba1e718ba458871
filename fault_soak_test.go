package main

import (
	"flag"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"floorwalker/bot"
)

var (
	soak       = flag.Duration("soak", time.Hour, "how long TestSoak lets the program run, in the time of its bubble")
	soakAgents = flag.Int("soak-agents", 16, "how many agents TestSoak has")
	soakRules  = flag.Int("soak-rules", 10, "how many rules TestSoak has")
)

// soakConfig is a team round the clock with a digest every hour, and rules.
func soakConfig(rules int) string {
	var b strings.Builder
	b.WriteString(`
dashboard:
  base_url: http://localhost
  metrics: [{key: TH, confirmed: true}, {key: MH, confirmed: true}, {key: I, confirmed: true}]
admins: [slack:U0DEV]
teams:
  - name: support
    supervisors: [slack:U0MEERA]
    shifts: [{name: all, days: [mon-sun], start: "00:00", end: "00:00"}]
    digests:
`)
	for hour := range 24 {
		fmt.Fprintf(&b, "      - {name: h%02d, days: [mon-sun], at: \"%02d:30\", to: supervisors}\n", hour, hour)
	}
	return b.String() + soakAlerts(rules)
}

// soakAlerts are rules of all kinds, some of which fire now and then.
func soakAlerts(rules int) string {
	var b strings.Builder
	b.WriteString("alerts:\n")
	for i := range rules {
		when := [...]string{`increase(missed, \"30m\") >= %d`, `miss_rate > 0.%d && offered >= 20`, `idle >= %d`, `minutes_since_call > %d`, `calls_per_hour < 0 - %d`}[i%5]
		fmt.Fprintf(&b, "  - {name: rule-%d, when: \"%s\"}\n", i, fmt.Sprintf(when, [...]int{4, 40, 30, 60, 1}[i%5]+i/5))
	}
	return b.String()
}

// TestSoak lets a day pass, at full length: nothing may grow that has no reason
// to, and what is to be sent must be sent. The longest form is that of .ci/faults:
// a thousand agents, fifty rules, 24 hours.
func TestSoak(t *testing.T) {
	dir := memoryDir(t)
	synctest.Test(t, func(t *testing.T) {
		s := newBubble(t, dir, soakConfig(*soakRules), *soakAgents)
		defer s.end()
		s.forget()            // the test itself is not to grow
		time.Sleep(*soak / 3) // windows fill, medians and caches too
		first := s.weigh()
		time.Sleep(*soak - *soak/3)
		last := s.weigh()
		t.Logf("after %s: %s; after %s: %s", *soak/3, first, *soak, last)
		polls := s.client.Stats().Answers
		if want := uint64(*soakAgents) * uint64(*soak/time.Minute) * 9 / 10; polls < want {
			t.Errorf("%d polls, want at least %d: the test looks at nothing", polls, want)
		}
		if last.heap > first.heap*3/2+8<<20 {
			t.Errorf("memory grows: %s, then %s", first, last)
		}
		if last.goroutines > first.goroutines+*soakAgents/10+8 { // idle connections come and go
			t.Errorf("goroutines grow: %s, then %s", first, last)
		}
		if last.waiting > 0 || last.sent == 0 {
			t.Errorf("the outbox does not drain: %s", last)
		}
	})
}

// weight is how large the program is at a moment.
type weight struct {
	heap       uint64 // bytes that are in use
	goroutines int
	waiting    int // rows of the outbox that have been due for five minutes
	sent       int
}

func (w weight) String() string {
	return fmt.Sprintf("%.1f MB, %d goroutines, %d messages sent, %d late", float64(w.heap)/1e6, w.goroutines, w.sent, w.waiting)
}

// weigh weighs the program while nothing happens.
func (s *bubble) weigh() weight {
	s.t.Helper()
	synctest.Wait()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	w := weight{heap: m.HeapAlloc, goroutines: runtime.NumGoroutine()}
	for row, err := range s.store.Rows() {
		switch {
		case err != nil:
			s.t.Fatal(err)
		case row.State == bot.RowSent:
			w.sent++
		case row.State == bot.RowPending && row.Next.Before(time.Now().Add(-5*time.Minute)) && row.NotBefore.Before(time.Now().Add(-5*time.Minute)):
			w.waiting++
		}
	}
	return w
}
