package bot_test

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/alert"
	"floorwalker/bot/chat"
	"floorwalker/store"
)

// errKilled is what a store answers that died with its process.
var errKilled = errors.New("killed")

// A mortal store dies at a certain write, before it or after, and answers
// nothing from then on.
type mortal struct {
	*store.Store
	mu    sync.Mutex
	life  int  // writes until it dies
	after bool // the last one is on disk
	dead  bool
}

// write does a write, unless the store dies before it.
func (m *mortal) write(do func() error) error {
	m.mu.Lock()
	m.life--
	dies, dead, after := m.life == 0, m.dead, m.after
	m.dead = m.dead || dies
	m.mu.Unlock()
	if dead || dies && !after {
		return errKilled
	}
	err := do()
	if dies {
		return errKilled
	}
	return err
}

func (m *mortal) isDead() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.dead
}

func (m *mortal) AppendHistory(samples []bot.AgentSample) error {
	return m.write(func() error { return m.Store.AppendHistory(samples) })
}

func (m *mortal) Update(f func(bot.Tx) error) error {
	return m.write(func() error { return m.Store.Update(f) })
}

func (m *mortal) Settle(key string, o bot.Outcome) error {
	return m.write(func() error { return m.Store.Settle(key, o) })
}

func (m *mortal) Lease(n chat.Network, now, until time.Time, most int) (rows, lost []bot.Row, err error) {
	err = m.write(func() error {
		rows, lost, err = m.Store.Lease(n, now, until, most)
		return err
	})
	return rows, lost, err
}

// fastDir returns a directory in memory, where there is one: what is killed here
// is the process, not the machine.
func fastDir(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "floorwalker-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// An afternoon is what happens in the crash tests: an alert that is told,
// acknowledged and over, and one that a silence hides while it lasts.
var afternoon = []string{
	"at 2026-03-02 14:00",
	"link asha 0", "link ravi 1", "supervisor lea",
	"counters asha TH=9 MH=1", "counters ravi TH=9 MH=1",
	"rule missed-many when: missed >= 5 | clear: missed <= 3 | for: 1m | keep: 1m | message: {{.Agent}} has missed calls",
	"run",
	"advance 2m", "counters asha TH=9 MH=6",
	"advance 4m",
	"as lea: /floor ack 1",
	"as meera: /floor silence missed-many@ravi 5m",
	"counters ravi TH=9 MH=6",
	"advance 4m", "counters asha TH=9 MH=1",
	"advance 4m", "counters ravi TH=9 MH=1",
	"advance 4m",
}

// TestAlertsKilled kills the process at one write after the other, before it and
// after. Everybody must read the same in the end: each alert once, but for
// messages that are marked as re-sent, and no recovery of what was not told.
func TestAlertsKilled(t *testing.T) {
	want, writes := playKilled(t, 0, false)
	if len(want) != 4 || writes < 50 {
		t.Fatalf("the afternoon is not what it should be: %d writes\n%s", writes, strings.Join(want, "\n---\n"))
	}
	for n := 1; n < writes; n += 7 {
		for _, after := range []bool{false, true} {
			got, _ := playKilled(t, n+n/7%7, after)
			if !slices.Equal(got, want) {
				t.Errorf("killed at write %d, after it: %v: people read\n%s\nand not\n%s",
					n+n/7%7, after, strings.Join(got, "\n---\n"), strings.Join(want, "\n---\n"))
			}
		}
	}
}

// playKilled plays the afternoon, in which the process is killed at the nth write
// (0: never), and returns what the supervisors see in the end, and how many
// writes there were.
func playKilled(t *testing.T, n int, after bool) (seen []string, writes int) {
	dir := fastDir(t)
	cryptotest.SetGlobalRandom(t, 1)
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, dir)
		var m *mortal
		s.wrap = func(st *store.Store) bot.Store {
			life := -1
			if m == nil && n > 0 {
				life = n
			}
			m = &mortal{Store: st, life: life, after: after}
			return m
		}
		s.stop = nil
		if err := s.store.Close(); err != nil {
			t.Fatal(err)
		}
		s.open()
		first := m
		for _, line := range afternoon {
			s.until(line, func() bool { return m.isDead() })
			if m.isDead() {
				s.must("restart")
				if strings.HasPrefix(line, "as ") {
					s.must(line) // they were not answered, and say it again
				}
			}
		}
		first.mu.Lock()
		writes = -1 - first.life
		first.mu.Unlock()
		seen = s.screens(t)
		s.close()
	})
	return seen, writes
}

// until does a line; time passes only until the store dies.
func (s *stage) until(line string, dead func() bool) {
	var d time.Duration
	if _, err := fmt.Sscanf(line, "advance %s", new(string)); err == nil {
		d, _ = time.ParseDuration(strings.TrimPrefix(line, "advance "))
	}
	if d == 0 {
		s.must(line)
		return
	}
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(10 * time.Second)
		if dead() {
			s.must("restart")
		}
	}
}

func (s *stage) must(line string) {
	if err := s.do(line); err != nil {
		s.t.Fatalf("%q: %v", line, err)
	}
	synctest.Wait()
	s.flush()
}

var clocks = regexp.MustCompile(`\d\d:\d\d|\d+ min|a moment|#\d+`)

// screens returns what the supervisors see, without times, and checks that
// nothing came twice unless it was marked.
func (s *stage) screens(t *testing.T) []string {
	keys, again := map[string]bool{}, map[string]bool{}
	for _, out := range s.net.Sent() {
		if _, _, _, ok := alert.ParseKey(out.Key); ok && keys[out.Key] {
			again[out.To.ID] = true
			if !out.Resent {
				t.Errorf("%s was sent twice, unmarked", out.Key)
			}
		}
		keys[out.Key] = true
	}
	var all []string
	for _, who := range []string{"lea", "meera"} {
		seen := map[string]bool{}
		for _, x := range s.net.Sees(who) {
			text := clocks.ReplaceAllString(strings.ReplaceAll(x.Text, " (re-sent)", ""), "…")
			left := again[who] && !strings.Contains(text, "Recovered") // whose answer was lost, and so its name: nobody can edit it
			if !seen[text] && !left {
				all = append(all, who+": "+text)
			}
			seen[text] = true
		}
	}
	return all
}
