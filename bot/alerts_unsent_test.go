package bot_test

import (
	"strings"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"floorwalker/bot"
)

// TestEditOfUnsent: an alert is acknowledged while the network takes eight seconds
// to refuse its message, so that an edit of that is promised. The edit is no more
// once the message is cancelled, or takes it in itself: nobody is shown an older
// state after a newer one, and nothing is reported as not delivered.
func TestEditOfUnsent(t *testing.T) {
	for name, test := range map[string]struct {
		then  []string
		heard string // what meera gets to read
		why   string // the edit is not sent
	}{
		"over":     {[]string{"counters asha TH=9 MH=1", "advance 12m"}, "", "resolved before it was sent"},
		"silenced": {[]string{"as meera: /floor silence missed-many 1h", "advance 12m"}, "", "silenced"},
		"moves":    {[]string{"counters asha TH=9 MH=9", "advance 12m"}, "to: Warning: Asha Rao has missed 9 calls", "carried by alert/"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			cryptotest.SetGlobalRandom(t, 1) // agents' ids fix when they are polled
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t, dir)
				defer s.close()
				s.mustDo(t, "at 2026-03-02 14:00", "poll 5s", "link asha 0",
					"rule missed-many when: missed >= 5 | clear: missed <= 3 | for: 0s | keep: 0s | message: {{.Agent}} has missed {{.Value}} calls",
					"counters asha TH=9 MH=1", "run", "advance 20s")
				synctest.Wait() // until nothing is sent
				s.slow = 8 * time.Second
				s.mustDo(t, "send fail retry 8", "counters asha TH=9 MH=6", "advance 17s", "as meera: /floor ack 1")
				if r := s.edit(t); r.State != bot.RowPending {
					t.Fatalf("the edit is %s, %s", r.State, r.Reason)
				}
				s.mustDo(t, "advance 20s")
				s.mustDo(t, test.then...)
				synctest.Wait()
				s.flush()
				var heard []string
				for _, a := range s.all {
					if text := a.m.Plain(); a.to == person("meera") && strings.Contains(text, "missed") {
						first, _, _ := strings.Cut(text, "\n")
						heard = append(heard, a.how+": "+first)
					}
				}
				if got := strings.Join(heard, ", "); got != test.heard {
					t.Errorf("meera reads %q, want %q", got, test.heard)
				}
				if r := s.edit(t); r.State != bot.RowCancelled || !strings.HasPrefix(r.Reason, test.why) {
					t.Errorf("the edit is %s, %s; want it cancelled, %s", r.State, r.Reason, test.why)
				}
			})
		})
	}
}

// edit returns the one row that edits another one's message.
func (s *stage) edit(t *testing.T) (edit bot.Row) {
	t.Helper()
	edits := 0
	for r, err := range s.store.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		if r.Edits != "" {
			edit = r
			edits++
		}
	}
	if edits != 1 {
		t.Fatalf("%d edits are promised, want one", edits)
	}
	return edit
}
