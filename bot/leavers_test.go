package bot_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
	"floorwalker/dashboard"
)

// A registry is what a network knows of people.
type registry struct {
	mu   sync.Mutex
	says map[chat.Address]error
	stop func() // ends the look-out
}

// watch looks out for leavers.
func (r *registry) watch(s *site) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	b := s.bot
	go func() { ended <- b.Leavers(ctx) }()
	r.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			s.t.Errorf("the look-out for leavers ended with: %v", err)
		}
	}
}

// skip lets time pass while nothing runs: a month of polls takes a while to
// simulate.
func (r *registry) skip(s *site, at string) {
	s.t.Helper()
	r.stop()
	s.stop()
	s.until(at)
	s.start()
	r.watch(s)
}

func (r *registry) lookup(_ context.Context, a chat.Address) (chat.Person, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return chat.Person{Name: a.ID}, r.says[a]
}

func (r *registry) say(err error, names ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range names {
		r.says[person(name)] = err
	}
}

// withRegistry runs a site whose people can be looked up, with an administrator
// and so many more agents than asha, p1 and so on.
func withRegistry(t *testing.T, more int, f func(s *site, r *registry)) {
	r := &registry{says: map[chat.Address]error{}}
	c := siteConfig(t)
	c.PollInterval, c.Lookup, c.Admins = time.Hour, r.lookup, []chat.Address{person("dev")}
	for i := range more {
		c.Teams[0].Members = append(c.Teams[0].Members, bot.Person{Addresses: []chat.Address{person(fmt.Sprint("p", i+1))}})
	}
	inSite(t, c, func(s *site) {
		s.net.AddPerson("dev", chat.Person{Name: "dev"})
		s.start()
		for i := range more {
			s.link(fmt.Sprint("p", i+1), i+1)
		}
		r.watch(s)
		f(s, r)
		r.stop()
		s.stop()
	})
}

// state returns how the agent of a person stands, "" for none.
func (s *site) state(name string) (state bot.LinkState, reason string) {
	s.t.Helper()
	a, err := s.store.AgentAt(person(name))
	if err != nil && !errors.Is(err, bot.ErrNotLinked) {
		s.t.Fatal(err)
	}
	return a.State, a.Reason
}

// errDeactivated is what Slack says of a user whose account is disabled.
var errDeactivated = fmt.Errorf("user_disabled: %w", chat.ErrGone)

// TestLeaver: somebody whose account is disabled is not polled any more,
// administrators are told once, and 30 days later everything of them is deleted.
func TestLeaver(t *testing.T) {
	withRegistry(t, 2, func(s *site, r *registry) {
		s.until("2026-03-03 17:10")
		before := s.arrived()
		user := s.floor.Agents()[1].UserID
		r.say(errDeactivated, "p1")
		s.until("2026-03-04 18:10")
		if state, reason := s.state("p1"); state != bot.LinkSuspended || !strings.Contains(reason, "network") {
			t.Errorf("the next day: %s, %q", state, reason)
		}
		if state, _ := s.state("p2"); state != bot.LinkActive {
			t.Errorf("somebody else: %s", state)
		}
		r.skip(s, "2026-04-01 16:10")
		s.until("2026-04-01 18:10")
		told := s.arrived()[len(before):]
		if len(told) != 1 || told[0].to != person("dev") || !strings.Contains(told[0].text, "Somebody left") || !strings.Contains(told[0].text, "2026") {
			t.Errorf("told in 29 days: %+v", told)
		}
		for _, q := range s.requests() {
			if q.user == user && q.at.After(time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC)) {
				t.Fatalf("polled at %s", q.at)
			}
		}
		leaver, err := s.store.AgentAt(person("p1"))
		if err != nil {
			t.Fatalf("deleted before its time: %v", err)
		}
		s.until("2026-04-03 17:10")
		if state, _ := s.state("p1"); state != "" {
			t.Errorf("after 30 days: %s", state)
		}
		if _, err := s.store.Credential(leaver.ID); !errors.Is(err, bot.ErrNotLinked) {
			t.Errorf("the credential after 30 days: %v", err)
		}
		deleted := 0
		for e, err := range s.store.AuditTrail(time.Time{}) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Action == "unlink" && e.Actor == "floorwalker" && e.Object == string(leaver.ID) && strings.Contains(e.Detail, person("p1").String()) {
				deleted++
			}
		}
		if deleted != 1 {
			t.Errorf("%d entries in the audit trail", deleted)
		}
		select {
		case <-s.bot.Unlinked():
		default:
			t.Error("nobody is told to delete the history")
		}
	})
}

// TestLeaverLeap: a clock that leaps by months deletes nobody at once, for it may be
// wrong.
func TestLeaverLeap(t *testing.T) {
	withRegistry(t, 2, func(s *site, r *registry) {
		r.say(errDeactivated, "p1")
		s.until("2026-03-04 17:10")
		r.skip(s, "2026-06-01 16:10")
		s.until("2026-06-02 16:00")
		if state, _ := s.state("p1"); state != bot.LinkSuspended {
			t.Errorf("hours after the clock leapt: %q", state)
		}
		s.until("2026-06-02 17:10")
		if state, _ := s.state("p1"); state != "" {
			t.Errorf("a day after the clock leapt: %q", state)
		}
	})
}

// TestLeaverOfAWrongClock: who is found gone while the clock is months behind has 30
// days from when it was right, not from then.
func TestLeaverOfAWrongClock(t *testing.T) {
	withRegistry(t, 2, func(s *site, r *registry) {
		s.until("2026-03-04 17:10")
		r.skip(s, "2026-06-01 16:10") // as if this were wrong
		r.say(errDeactivated, "p1")
		s.until("2026-06-01 17:10")
		if state, _ := s.state("p1"); state != bot.LinkSuspended {
			t.Fatalf("gone: %q", state)
		}
		r.skip(s, "2026-07-20 16:10") // and this right
		s.until("2026-07-25 17:10")
		if state, _ := s.state("p1"); state != bot.LinkSuspended {
			t.Errorf("five days after the clock was set: %q", state)
		}
		s.until("2026-08-25 17:10")
		if state, _ := s.state("p1"); state != "" {
			t.Errorf("a month after the clock was set: %q", state)
		}
	})
}

// TestLeaverComesBack: whoever is there again within 30 days is polled again, and
// what the network does not know proves nothing.
func TestLeaverComesBack(t *testing.T) {
	withRegistry(t, 3, func(s *site, r *registry) {
		r.say(errDeactivated, "p1")
		r.say(errors.New("timed out"), "p2")
		s.until("2026-03-02 18:10")
		if state, _ := s.state("p1"); state != bot.LinkSuspended {
			t.Errorf("gone: %s", state)
		}
		if state, _ := s.state("p2"); state == bot.LinkSuspended {
			t.Errorf("not known: %s", state)
		}
		r.say(nil, "p1")
		r.skip(s, "2026-03-20 16:10") // a Friday
		s.until("2026-03-20 17:40")
		if state, reason := s.state("p1"); state != bot.LinkActive || reason != "" {
			t.Errorf("back: %s, %q", state, reason)
		}
		r.say(errDeactivated, "p1")
		r.skip(s, "2026-04-10 16:10") // 30 days after the first time
		s.until("2026-04-10 16:40")
		if state, _ := s.state("p1"); state != bot.LinkSuspended {
			t.Errorf("gone again, for less than 30 days: %s", state)
		}
	})
}

// TestEverybodyGone: a network that says that most people are gone is not
// believed.
func TestEverybodyGone(t *testing.T) {
	withRegistry(t, 6, func(s *site, r *registry) {
		r.say(errDeactivated, "asha", "p1", "p2", "p3")
		s.until("2026-03-05 18:10")
		if state, _ := s.state("p1"); state == bot.LinkSuspended {
			t.Error("four of seven are taken for leavers")
		}
		if !strings.Contains(s.log.String(), "most people are gone") {
			t.Error("the log does not say that most people are gone")
		}
		r.say(nil, "asha")
		s.until("2026-03-06 18:10")
		if state, _ := s.state("p1"); state != bot.LinkSuspended {
			t.Errorf("three of seven: %s", state)
		}
	})
}

// TestWholeNetworkGone: a network that says that most of its people are gone is
// not believed, however many there are on another one.
func TestWholeNetworkGone(t *testing.T) {
	withRegistry(t, 6, func(s *site, r *registry) {
		there := func(i int) chat.Address { return chat.Address{Network: chat.Slack, ID: fmt.Sprint("U", i)} }
		for i := range 4 {
			a := s.floor.Agents()[7+i]
			if _, _, err := s.bot.Link(s.t.Context(), bot.LinkRequest{
				Address: there(i), Name: a.Name, Actor: there(i).String(), NoVerify: true,
				Credential: dashboard.Credential{UserID: a.UserID, Token: secret.New(a.Token)},
			}); err != nil {
				t.Fatal(err)
			}
			r.says[there(i)] = errDeactivated
		}
		r.say(errDeactivated, "p1")
		s.until("2026-03-04 18:10")
		for i := range 4 {
			if a, err := s.store.AgentAt(there(i)); err != nil || a.State == bot.LinkSuspended {
				t.Errorf("%s: %s, %v", there(i), a.State, err)
			}
		}
		if state, _ := s.state("p1"); state != bot.LinkSuspended {
			t.Errorf("one of many, on the other network: %s", state)
		}
	})
}
