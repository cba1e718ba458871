package bot_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
)

// A disk is a store's: it can be full.
type disk struct {
	bot.Store
	full *atomic.Bool
}

func (d disk) err() error {
	if d.full.Load() {
		return bot.ErrNotSaved
	}
	return nil
}

// Lease takes rows, unless the disk is full.
func (d disk) Lease(network chat.Network, now, until time.Time, n int) (due, lost []bot.Row, err error) {
	if err := d.err(); err != nil {
		return nil, nil, err
	}
	return d.Store.Lease(network, now, until, n)
}

// Settle records an outcome, unless the disk is full.
func (d disk) Settle(key string, o bot.Outcome) error {
	if err := d.err(); err != nil {
		return err
	}
	return d.Store.Settle(key, o)
}

// Update runs a transaction, unless the disk is full.
func (d disk) Update(f func(bot.Tx) error) error {
	if err := d.err(); err != nil {
		return err
	}
	return d.Store.Update(f)
}

// AppendHistory stores samples, unless the disk is full.
func (d disk) AppendHistory(samples []bot.AgentSample) error {
	if err := d.err(); err != nil {
		return err
	}
	return d.Store.AppendHistory(samples)
}

// fullDisk gives a site a disk, and returns what makes it full.
func (s *site) fullDisk() *atomic.Bool {
	full := &atomic.Bool{}
	s.wrap = func(st bot.Store) bot.Store { return disk{st, full} }
	return full
}

// TestFullDiskIsQuiet: while the disk is full nothing is sent, little is logged,
// and status says why; with space again, all goes on by itself.
func TestFullDiskIsQuiet(t *testing.T) {
	inSite(t, siteConfig(t, daily(17*60+30)), func(s *site) {
		full := s.fullDisk()
		s.slow = 2 * time.Second
		s.start()
		s.until("2026-03-02 17:30:01") // recorded, leased, and on its way
		full.Store(true)
		s.until("2026-03-02 17:40")
		s.expect(1, "")
		const words = "nothing is sent, because it cannot be recorded"
		if n := strings.Count(s.log.String(), words); n == 0 || n > 120 {
			t.Errorf("%d lines in ten minutes say that %s", n, words)
		}
		if d := s.bot.DeliveryStatus(); len(d) != 1 || !strings.Contains(d[0].Held, "disk is full") {
			t.Errorf("status: %+v", d)
		}
		full.Store(false)
		s.until("2026-03-02 17:41")
		s.expect(2, "")
		if p := s.arrived()[1]; !p.resent {
			t.Error("what may have arrived before is not marked")
		}
		if d := s.bot.DeliveryStatus(); len(d) != 1 || d[0].Held != "" {
			t.Errorf("status with space again: %+v", d)
		}
		s.stop()
	})
}

// TestRefusedRests: a network that refuses the bot is left alone for a while, also
// with what becomes due in the meantime, and the database too.
func TestRefusedRests(t *testing.T) {
	other := daily(17*60 + 31)
	other.Name, other.ToSupervisors = "other", true
	c := siteConfig(t, daily(17*60+30), other)
	c.Teams[0].Supervisors = []bot.Person{{Addresses: []chat.Address{person("meera")}}}
	inSite(t, c, func(s *site) {
		var looked atomic.Int64
		s.wrap = func(st bot.Store) bot.Store { return waking{st, &looked} }
		s.refuse("#support", chat.ErrRefused)
		s.start()
		s.until("2026-03-02 17:30:10")
		s.refuse("#support", nil)
		looked.Store(0)
		s.until("2026-03-02 17:34:50")
		s.expect(0, "")
		if n := looked.Load(); n > 40 {
			t.Errorf("the outbox was looked at %d times in five minutes in which nothing could be sent", n)
		}
		s.until("2026-03-02 17:35:10")
		s.expect(2, "")
		s.stop()
	})
}

// TestHeldWhileTried: a network that refuses the bot does not look well while it is
// tried again, and does once it takes something or nothing waits any more.
func TestHeldWhileTried(t *testing.T) {
	inSite(t, siteConfig(t), func(s *site) {
		held := func(want bool) {
			t.Helper()
			if d := s.bot.DeliveryStatus(); len(d) != 1 || (d[0].Held != "") != want {
				t.Errorf("%s: held should be %v: %+v", time.Now().UTC().Format(time.TimeOnly), want, d)
			}
		}
		s.slow = 3 * time.Second
		s.net.AddPerson("ravi", chat.Person{})
		s.refuse("asha", fmt.Errorf("missing_scope: %w", chat.ErrRefused))
		s.start()
		s.enqueue(bot.Row{Key: "a", To: person("asha")})
		s.until("2026-03-02 17:01")
		s.enqueue(bot.Row{Key: "digest/of no team", To: person("ravi"), Lane: bot.LaneDigest}) // nobody asks the network about it
		for range 10 * 60 {
			time.Sleep(time.Second)
			held(true)
		}
		s.refuse("asha", nil)
		s.until("2026-03-02 17:17")
		held(false)
		s.expect(1, "")
		s.refuse("ravi", chat.ErrFinal)
		s.enqueue(bot.Row{Key: "c", To: person("ravi"), GiveUp: time.Now().Add(time.Minute)})
		s.until("2026-03-02 17:18")
		held(true)
		s.until("2026-03-02 17:24")
		held(false)
		s.stop()
	})
}

// TestBarredAddress: that the bot may not write to one channel holds back what is
// for that channel, in its order, and nothing else. The status says which one it
// is and what to do, and it goes on by itself once that is done.
func TestBarredAddress(t *testing.T) {
	other := daily(17*60 + 31)
	other.Name, other.ToSupervisors = "other", true
	c := siteConfig(t, daily(17*60+30, 17*60+32), other)
	c.Admins = []chat.Address{person("dev")}
	c.Teams[0].Supervisors = []bot.Person{{Addresses: []chat.Address{person("meera")}}}
	inSite(t, c, func(s *site) {
		s.net.AddPerson("dev", chat.Person{})
		s.refuse("#support", fmt.Errorf("not_in_channel: invite the bot to the channel: %w", chat.ErrBarred))
		s.start()
		s.until("2026-03-02 17:33")
		s.expect(2, "") // meera's, and what dev is to mend
		s.reached("notice/channel/", "dev")
		s.reached("digest/", "meera")
		s.says("dev", "floor status", "Nothing is sent to console:#support: not_in_channel: invite the bot to the channel.")
		if d := s.bot.DeliveryStatus(); len(d) != 1 || d[0].Held != "" || len(d[0].Barred) != 1 || d[0].Barred[0].To != person("#support") {
			t.Errorf("status: %+v", d)
		}
		s.refuse("#support", nil)
		s.until("2026-03-02 17:35:10")
		s.expect(4, "")
		if got := s.arrived(); len(got) == 4 && !(strings.Contains(got[2].key, "T17:30") && strings.Contains(got[3].key, "T17:32")) {
			t.Errorf("to #support came %s, and then %s", got[2].key, got[3].key)
		}
		if d := s.bot.DeliveryStatus(); len(d) != 1 || len(d[0].Barred) != 0 {
			t.Errorf("status when all is well: %+v", d)
		}
		s.stop()
	})
}

// TestNotReadAnyMore: a digest that waits for a channel, or for a supervisor, is not
// sent once the configuration does not send it there any more. Why is on record.
func TestNotReadAnyMore(t *testing.T) {
	other := daily(17*60 + 31)
	other.Name, other.ToSupervisors = "other", true
	c := siteConfig(t, daily(17*60+30), other)
	c.Teams[0].Channels = []chat.Address{person("#support"), person("#old")}
	c.Teams[0].Supervisors = []bot.Person{{Addresses: []chat.Address{person("meera")}}, {Addresses: []chat.Address{person("kim")}}}
	inSite(t, c, func(s *site) {
		for _, to := range []string{"#support", "#old", "meera", "kim"} {
			s.refuse(to, &chat.RetryError{After: 10 * time.Minute, Err: errors.New("too many")})
		}
		s.start()
		s.until("2026-03-02 17:35")
		s.config.Teams = slices.Clone(s.config.Teams)
		s.config.Teams[0].Channels, s.config.Teams[0].Supervisors = c.Teams[0].Channels[:1], c.Teams[0].Supervisors[:1]
		s.bot.Configure(s.config)
		for _, to := range []string{"#support", "#old", "meera", "kim"} {
			s.refuse(to, nil)
		}
		s.until("2026-03-02 17:45")
		s.expect(2, "")
		for key, want := range map[string]bot.RowState{
			"daily/2026-03-02T17:30/console:#support": bot.RowSent, "daily/2026-03-02T17:30/console:#old": bot.RowCancelled,
			"other/2026-03-02T17:31/console:meera": bot.RowSent, "other/2026-03-02T17:31/console:kim": bot.RowCancelled,
		} {
			r := s.row("digest/support/" + key)
			if told := r.Reason == "the configuration does not send it there any more"; r.State != want || told != (want == bot.RowCancelled) {
				t.Errorf("%s is %s, %s; want it %s", key, r.State, r.Reason, want)
			}
		}
		s.stop()
	})
}

// TestBarredUntilGivenUp: once nothing waits for an address any more, nobody is
// told to do anything about it.
func TestBarredUntilGivenUp(t *testing.T) {
	inSite(t, siteConfig(t, daily(17*60+30)), func(s *site) {
		s.refuse("#support", chat.ErrBarred)
		s.start()
		s.until("2026-03-02 19:00")
		if d := s.bot.DeliveryStatus(); len(d) != 1 || len(d[0].Barred) != 1 {
			t.Errorf("status while it waits: %+v", d)
		}
		s.until("2026-03-02 19:40")
		if d := s.bot.DeliveryStatus(); len(d) != 1 || len(d[0].Barred) != 0 {
			t.Errorf("status when it is given up: %+v", d)
		}
		s.stop()
	})
}

// says checks that the bot's answer to a command holds some words.
func (s *site) says(who, text, words string) {
	s.t.Helper()
	r := command(who, text)
	r.ID = fmt.Sprint(who, " ", time.Now().UnixNano())
	reply, err := s.bot.Handle(s.t.Context(), r)
	if err != nil {
		s.t.Fatal(err)
	}
	if got := reply.Message.Plain(); !strings.Contains(got, words) {
		s.t.Errorf("the answer to %s lacks %q:\n%s", text, words, got)
	}
}

// waking counts how often it is asked when a row is due.
type waking struct {
	bot.Store
	n *atomic.Int64
}

// Wake returns when the next row is due.
func (w waking) Wake(network chat.Network) (time.Time, error) {
	w.n.Add(1)
	return w.Store.Wake(network)
}

// TestHangingAddress: an address that never answers holds up nobody else, and
// what waits for it keeps its order.
func TestHangingAddress(t *testing.T) {
	other := daily(20 * 60)
	other.Name, other.ToSupervisors = "other", true
	c := siteConfig(t, daily(17*60+30), other)
	c.Admins = []chat.Address{person("dev")}
	c.Teams[0].Supervisors = []bot.Person{{Addresses: []chat.Address{person("meera")}}}
	inSite(t, c, func(s *site) {
		ask := func(id, digest string) {
			r := command("dev", "floor digest now "+digest)
			r.ID = id
			if _, err := s.bot.Handle(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		s.refuse("#support", errHangs)
		s.start()
		s.until("2026-03-02 17:30:02")
		ask("1", "support/daily again-1")
		for i := range 3 {
			ask(fmt.Sprint("2", i), fmt.Sprint("support/other again-2", i))
		}
		s.until("2026-03-02 17:30:03")
		s.expect(3, "")
		s.refuse("#support", nil)
		s.until("2026-03-02 17:31")
		s.expect(5, "")
		if got := s.arrived(); len(got) == 5 && !(strings.Contains(got[3].key, "T17:30") && got[3].resent && strings.Contains(got[4].key, "again-1")) {
			t.Errorf("to #support came %s, and then %s", got[3].key, got[4].key)
		}
		s.stop()
	})
}

// TestSlowerThanItsLease: an attempt that is still under way when its lease is
// over, because the machine slept, is waited for, and not made twice.
func TestSlowerThanItsLease(t *testing.T) {
	inSite(t, siteConfig(t, daily(17*60+30)), func(s *site) {
		s.slow = 25 * time.Second // and as much for the answer
		s.start()
		s.until("2026-03-02 17:40")
		s.expect(1, "")
		if got := s.arrived(); len(got) > 0 && got[0].resent {
			t.Error("the only one is marked")
		}
		s.stop()
	})
}
