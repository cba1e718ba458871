package bot_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"floorwalker/bot"
	"floorwalker/bot/chat"
)

// edits returns what was edited so far.
func (s *site) edits() (all []post) {
	for _, p := range s.arrived() {
		if p.edits != (chat.Ref{}) {
			all = append(all, p)
		}
	}
	return all
}

// TestLateDataAfterRestart: a digest that went out without the last poll of its
// shift is edited when that comes in, once, also by a process that did not post
// it.
func TestLateDataAfterRestart(t *testing.T) {
	inSite(t, siteConfig(t, atShiftEnd()), func(s *site) {
		s.calls(100)
		s.start()
		s.until("2026-03-02 17:58")
		s.calls(107)
		s.fault("*", "html502")
		s.until("2026-03-02 18:02:30")
		s.expect(1, "Calls offered: 0")
		s.kill()
		s.until("2026-03-02 18:03:30")
		s.fault("*", "")
		s.start()
		s.until("2026-03-02 18:20")
		s.expect(2, "Calls offered: 7")
		if n := len(s.edits()); n != 1 {
			t.Errorf("the digest was edited %d times, want once", n)
		}
		s.calls(120) // after the shift
		s.stop()
		s.start()
		s.until("2026-03-02 19:00")
		s.expect(2, "Calls offered: 7")
		s.stop()
	})
}

// TestLateDataWhileItWaits: late data comes into the message itself if that has
// not left yet.
func TestLateDataWhileItWaits(t *testing.T) {
	inSite(t, siteConfig(t, atShiftEnd()), func(s *site) {
		s.calls(100)
		s.refuse("#support", &chat.RetryError{After: 10 * time.Minute, Err: errors.New("busy")})
		s.start()
		s.until("2026-03-02 17:58")
		s.calls(107)
		s.fault("*", "html502")
		s.until("2026-03-02 18:03:30")
		s.fault("*", "")
		s.until("2026-03-02 18:09")
		s.refuse("#support", nil)
		s.until("2026-03-02 18:20")
		s.expect(1, "Calls offered: 7")
		s.stop()
	})
}

// TestNoLateData: if nothing new comes, nothing is edited, and history is not
// read for it again and again.
func TestNoLateData(t *testing.T) {
	inSite(t, siteConfig(t, atShiftEnd()), func(s *site) {
		read := 0
		s.wrap = func(st bot.Store) bot.Store { return tampered{Store: st, history: func() { read++ }} }
		s.start()
		s.until("2026-03-02 17:58")
		s.fault("*", "html502")
		s.until("2026-03-02 18:20")
		s.expect(1, "")
		read = 0
		s.until("2026-03-02 20:00")
		if read > 0 {
			t.Errorf("history was read %d times long after", read)
		}
		s.stop()
	})
}

// TestEditGone: the edit of a digest that somebody deleted is given up, with the
// reason, and nobody gets a second one.
func TestEditGone(t *testing.T) {
	inSite(t, siteConfig(t, atShiftEnd()), func(s *site) {
		s.start()
		s.until("2026-03-02 17:58")
		s.calls(107)
		s.fault("*", "html502")
		s.until("2026-03-02 18:03:30")
		s.expect(1, "")
		s.net.Delete(s.arrived()[0].ref)
		s.fault("*", "")
		s.until("2026-03-02 18:20")
		s.expect(1, "")
		s.stop()
		s.open()
		defer s.close()
		dead := 0
		for row, err := range s.store.Rows(bot.RowDead) {
			if err != nil {
				t.Fatal(err)
			}
			dead++
			if !strings.HasSuffix(row.Key, "/late") || !strings.Contains(row.Reason, "deleted") {
				t.Errorf("%s: %s", row.Key, row.Reason)
			}
		}
		if dead != 1 {
			t.Errorf("%d rows are dead, want the edit", dead)
		}
	})
}

// TestConfirmedOnce: two presses of one button that posts a digest again, each a
// request of its own, post it once.
func TestConfirmedOnce(t *testing.T) {
	c := siteConfig(t, daily(17*60+30))
	c.Admins = []chat.Address{person("dev")}
	inSite(t, c, func(s *site) {
		s.start()
		s.until("2026-03-02 17:31")
		ask := command("dev", "floor digest now")
		ask.ID = "1"
		reply, err := s.bot.Handle(t.Context(), ask)
		if err != nil || len(reply.Message.Actions) != 1 {
			t.Fatalf("%+v, %v", reply.Message, err)
		}
		for _, ask.ID = range []string{"2", "3"} {
			ask.Kind, ask.Action = chat.KindAction, reply.Message.Actions[0]
			if _, err := s.bot.Handle(t.Context(), ask); err != nil {
				t.Fatal(err)
			}
		}
		s.until("2026-03-02 17:32")
		s.expect(2, "")
		s.stop()
	})
}

// TestFirstReachable: a supervisor's copy goes to the first of their addresses
// that can be reached: not to Discord before they have typed a command there, and
// to the next one if the first turns out to be gone. That one is tried first
// from then on.
func TestFirstReachable(t *testing.T) {
	d := daily(17*60+30, 17*60+40)
	d.ToSupervisors = true
	c := siteConfig(t, d)
	c.Teams[0].Supervisors = []bot.Person{
		{Addresses: []chat.Address{{Network: chat.Discord, ID: "1"}, person("tom")}},
		{Addresses: []chat.Address{person("meera"), person("meera2"), person("meera3")}},
	}
	inSite(t, c, func(s *site) {
		s.net.AddPerson("tom", chat.Person{})
		s.net.AddPerson("meera3", chat.Person{})
		s.net.Remove("meera")
		s.start()
		s.until("2026-03-02 17:31")
		s.reached("T17:30", "tom", "meera3")
		s.until("2026-03-02 17:41")
		s.reached("T17:40", "tom", "meera3")
		for row, err := range s.store.Rows(bot.RowDead) {
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(row.Key, "T17:30") {
				t.Errorf("%s was tried again: %s", row.Key, row.Reason)
			}
		}
		s.stop()
	})
}

// TestAllLost: that all addresses of somebody failed lately is no reason to leave
// one of them out.
func TestAllLost(t *testing.T) {
	d := daily(17*60+30, 17*60+40)
	d.ToSupervisors = true
	c := siteConfig(t, d)
	c.Teams[0].Supervisors = []bot.Person{{Addresses: []chat.Address{person("meera"), person("meera2"), person("meera3")}}}
	inSite(t, c, func(s *site) {
		s.net.Remove("meera")
		s.start()
		s.until("2026-03-02 17:31")
		s.expect(0, "")
		s.net.AddPerson("meera3", chat.Person{})
		s.until("2026-03-02 17:41")
		s.reached("digest/", "meera3")
		s.stop()
	})
}

// reached checks whom the messages arrived at whose key holds some words.
func (s *site) reached(key string, names ...string) {
	s.t.Helper()
	got := map[string]int{}
	for _, p := range s.arrived() {
		if strings.Contains(p.key, key) {
			got[p.to.ID]++
		}
	}
	want := map[string]int{}
	for _, name := range names {
		want[name]++
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Errorf("%s arrived at others than it should have: %s", key, diff)
	}
}

// TestNoReaders: that a digest reaches nobody, because its supervisors are on
// Discord and have never typed a command there, is in the log.
func TestNoReaders(t *testing.T) {
	d := daily(17*60 + 30)
	d.ToSupervisors = true
	c := siteConfig(t, d)
	c.Admins = []chat.Address{person("dev")}
	c.Teams[0].Supervisors = []bot.Person{{Addresses: []chat.Address{{Network: chat.Discord, ID: "1"}}}}
	inSite(t, c, func(s *site) {
		s.start()
		s.until("2026-03-02 17:31")
		if n := strings.Count(s.log.String(), "nobody gets a digest"); n != 1 {
			t.Errorf("%d lines in the log say so, want one:\n%s", n, s.log.String())
		}
		s.says("dev", "floor digest now", "has to type a command there first")
		s.stop()
	})
}

// TestForwardedOnce: a crash between promising a copy to a person's next address
// and noting that the first is gone makes no second copy.
func TestForwardedOnce(t *testing.T) {
	d := daily(17*60 + 30)
	d.ToSupervisors = true
	c := siteConfig(t, d)
	c.Teams[0].Supervisors = []bot.Person{{Addresses: []chat.Address{person("meera"), person("meera2")}}}
	inSite(t, c, func(s *site) {
		s.net.AddPerson("meera2", chat.Person{})
		s.net.Remove("meera")
		settles := 0
		s.wrap = func(st bot.Store) bot.Store { return &unsettled{Store: st, n: &settles} }
		s.start()
		s.until("2026-03-02 17:40")
		s.reached("T17:30", "meera2")
		if settles < 3 {
			t.Errorf("only %d attempts were settled", settles)
		}
		s.stop()
	})
}

// TestForwardedToAMember: the addresses that a member has in the configuration are
// one person's, also where a supervisor is listed with one of them only.
func TestForwardedToAMember(t *testing.T) {
	d := daily(17*60 + 30)
	d.ToSupervisors = true
	c := siteConfig(t, d)
	c.Teams[0].Supervisors = []bot.Person{{Addresses: []chat.Address{person("meera")}}}
	c.Teams[0].Members = append(c.Teams[0].Members, bot.Person{Addresses: []chat.Address{person("meera"), person("meera2")}})
	inSite(t, c, func(s *site) {
		s.net.AddPerson("meera2", chat.Person{})
		s.net.Remove("meera")
		s.start()
		s.until("2026-03-02 17:40")
		s.reached("T17:30", "meera2")
		s.stop()
	})
}

// unsettled is a store in which the first outcome of an attempt is not saved.
type unsettled struct {
	bot.Store
	n *int
}

// Settle records an outcome.
func (u *unsettled) Settle(key string, o bot.Outcome) error {
	*u.n++
	if *u.n == 1 {
		return bot.ErrNotSaved
	}
	return u.Store.Settle(key, o)
}

// TestNewDigestOnAFullDisk: since when a digest is due cannot be recorded while
// the disk is full. That ends nothing, and with space again it is posted.
func TestNewDigestOnAFullDisk(t *testing.T) {
	inSite(t, siteConfig(t, atShiftEnd()), func(s *site) {
		full := s.fullDisk()
		full.Store(true)
		s.start()
		s.until("2026-03-02 17:30")
		full.Store(false)
		s.until("2026-03-02 18:10")
		s.expect(1, "")
		s.stop()
	})
}
