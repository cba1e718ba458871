package bot_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/bot/schedule"
)

// everyMinute is a site's configuration with a poll a minute.
func everyMinute(t testing.TB, digests ...bot.Digest) bot.Config {
	c := siteConfig(t, digests...)
	c.PollInterval = time.Minute
	return c
}

// TestLastPollAfterRestart: a bot that was not there when the shift ended asks
// once more when it comes back soon, and the digest waits for that.
func TestLastPollAfterRestart(t *testing.T) {
	inSite(t, everyMinute(t, atShiftEnd()), func(s *site) {
		s.calls(100)
		s.start()
		s.until("2026-03-02 17:59:50")
		s.kill()
		s.calls(107)
		s.until("2026-03-02 18:00:20")
		s.start()
		s.until("2026-03-02 18:01")
		s.expect(1, "Calls offered: 7")
		s.stop()
	})
}

// TestLateData: a digest that could not wait for the last poll of its shift is
// edited once when that comes in; if nothing comes in, it stays as it is.
func TestLateData(t *testing.T) {
	inSite(t, everyMinute(t, atShiftEnd()), func(s *site) {
		s.calls(100)
		s.start()
		s.until("2026-03-02 17:59:59")
		s.calls(107)
		s.fault("*", "reset")
		s.until("2026-03-02 18:03:30")
		s.expect(1, "Calls offered: 0")
		s.fault("*", "")
		s.until("2026-03-02 18:20")
		s.expect(2, "Calls offered: 7")
		if got := s.arrived(); len(got) == 2 && got[1].edits != got[0].ref {
			t.Errorf("the late data is not an edit of the digest: %+v", got[1])
		}
		s.until("2026-03-03 17:59:59")
		s.fault("*", "reset")
		s.until("2026-03-03 18:20")
		s.expect(3, "")
		s.fault("*", "")
		s.stop()
	})
}

// TestFullDiskKeepsLastPoll: the poll at a shift's end that could not be saved is
// made again.
func TestFullDiskKeepsLastPoll(t *testing.T) {
	inSite(t, everyMinute(t, atShiftEnd()), func(s *site) {
		full := s.fullDisk()
		s.calls(100)
		s.start()
		s.until("2026-03-02 17:59:59")
		s.calls(107)
		full.Store(true)
		s.until("2026-03-02 18:01:30")
		full.Store(false)
		s.until("2026-03-02 18:10")
		got := s.arrived()
		if n := len(got); n == 0 || !strings.Contains(got[n-1].text, "Calls offered: 7") {
			t.Errorf("%+v", got)
		}
		s.stop()
	})
}

// TestFullDiskAtNight: what was not saved on shift makes nobody red when there is
// space again and nobody works.
func TestFullDiskAtNight(t *testing.T) {
	inSite(t, everyMinute(t), func(s *site) {
		full := s.fullDisk()
		s.start()
		s.until("2026-03-02 17:30")
		full.Store(true)
		s.until("2026-03-02 17:40")
		if !s.bot.WatchStatus().NoDisk {
			t.Error("on shift, with a full disk, all is well")
		}
		s.until("2026-03-02 18:10")
		full.Store(false)
		s.until("2026-03-02 18:30")
		if s.bot.WatchStatus().NoDisk {
			t.Error("nobody works and there is space, and numbers are not saved still")
		}
		s.stop()
	})
}

// TestOffShiftStretchesNothing: the interval is stretched for those who are on
// shift, not for all that are linked.
func TestOffShiftStretchesNothing(t *testing.T) {
	c := everyMinute(t)
	c.RequestsPerSecond = 0.05 // two polls a minute
	asleep := c.Teams[0]
	asleep.Name = "asleep"
	asleep.Rota = schedule.Rota{Team: "asleep", Zone: asleep.Zone, Shifts: []schedule.Shift{{Name: "night", Days: days, Start: 22 * 60, End: 6 * 60}}}
	asleep.Members = nil
	people := []string{"p1", "p2", "p3", "p4", "p5", "p6"}
	for _, name := range people {
		asleep.Members = append(asleep.Members, bot.Person{Addresses: []chat.Address{person(name)}})
	}
	c.Teams = append(c.Teams, asleep)
	inSite(t, c, func(s *site) {
		s.open()
		for i, name := range people {
			s.link(name, i+1)
		}
		s.close()
		s.start()
		s.until("2026-03-02 17:30")
		if w := s.bot.WatchStatus(); w.Interval != time.Minute || w.Polls != 1 {
			t.Errorf("with one of seven on shift: %+v", w)
		}
		s.until("2026-03-02 23:30")
		if w := s.bot.WatchStatus(); w.Interval <= 2*time.Minute || w.Polls != 6 {
			t.Errorf("with six of seven on shift: %+v", w)
		}
		s.stop()
	})
}

// damage flips a bit in each record of a bucket whose key is given.
func (s *site) damage(bucket string, id bot.AgentID) {
	s.t.Helper()
	db, err := bolt.Open(filepath.Join(s.dir, "floor.db"), 0o600, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte(bucket))
		value := bytes.Clone(b.Get([]byte(id)))
		value[len(value)/2] ^= 0x80
		return b.Put([]byte(id), value)
	})
	if err := db.Close(); err != nil {
		s.t.Fatal(err)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// TestDamagedAgent: an agent whose record cannot be read is left out, named in the
// log, and in nobody else's way. Counters that cannot be read are read anew.
func TestDamagedAgent(t *testing.T) {
	c := everyMinute(t, atShiftEnd())
	c.Teams[0].Members = append(c.Teams[0].Members, bot.Person{Addresses: []chat.Address{person("ravi")}})
	inSite(t, c, func(s *site) {
		s.open()
		ravi := s.link("ravi", 1)
		asha, err := s.store.AgentAt(person("asha"))
		if err != nil {
			t.Fatal(err)
		}
		s.close()
		s.calls(100)
		s.start()
		s.until("2026-03-02 17:30")
		s.stop()
		stopped := time.Now()
		s.damage("agents", ravi)
		s.damage("first", asha.ID)
		s.start()
		s.until("2026-03-02 17:59:59")
		s.calls(107)
		s.until("2026-03-02 18:10")
		s.expect(1, "Calls offered: 7")
		if !strings.Contains(s.log.String(), "agent="+string(ravi)) {
			t.Error("the log does not name the agent")
		}
		if seen, err := s.store.Seen(asha.ID); err != nil || seen.First.At.Before(stopped) {
			t.Errorf("counters that could not be read: %+v, %v", seen, err)
		}
		if !strings.Contains(s.log.String(), "the last counters are lost") {
			t.Error("the log does not say that counters are lost")
		}
		s.stop()
	})
}

// TestRelinkDeletesHistory: an agent whose last address links somebody else's
// credential is as good as unlinked, so whoever keeps house hears of it.
func TestRelinkDeletesHistory(t *testing.T) {
	inSite(t, everyMinute(t, atShiftEnd()), func(s *site) {
		s.start()
		asha, err := s.store.AgentAt(person("asha"))
		if err != nil {
			t.Fatal(err)
		}
		s.until("2026-03-02 17:30")
		rung := func() bool {
			select {
			case <-s.bot.Unlinked():
				return true
			default:
				return false
			}
		}
		s.link("asha", 0) // the same again
		if rung() {
			t.Error("the bell rings for a link that leaves nobody")
		}
		if id := s.link("asha", 2); id == asha.ID {
			t.Fatal("another user id is the same agent")
		}
		if !rung() {
			t.Error("the bell does not ring, so the history of the former agent stays for an hour")
		}
		if err := s.store.TrimHistory(time.Now().AddDate(0, 0, -30)); err != nil {
			t.Fatal(err)
		}
		span := schedule.Span{Start: time.Now().AddDate(0, 0, -1), End: time.Now()}
		for range s.store.History(asha.ID, span) {
			t.Fatal("history of the former agent is left")
		}
		s.stop()
	})
}

// TestDamagedRecords: a row of the outbox and an occurrence that cannot be read
// stop nothing: digests go on, and administrators see which records it is.
func TestDamagedRecords(t *testing.T) {
	c := everyMinute(t, atShiftEnd())
	c.Admins = []chat.Address{person("dev")}
	inSite(t, c, func(s *site) {
		s.calls(100)
		s.start()
		s.until("2026-03-02 18:10")
		s.expect(1, "observed")
		s.stop()
		s.open()
		if err := s.store.Update(func(tx bot.Tx) error {
			_, err := tx.Enqueue(bot.Row{Key: "lost", To: person("asha"), Message: chat.Message{Title: "lost"}})
			return err
		}); err != nil {
			t.Fatal(err)
		}
		s.close()
		s.damageLast("outbox")
		s.damageLast("occurrences")

		s.start()
		s.until("2026-03-03 18:10")
		s.expect(2, "observed") // and not the first one again
		for _, want := range []string{"of the outbox", "occurrence 2026-03-02T18:00 of digest"} {
			s.says("dev", "floor status", want)
			time.Sleep(time.Second) // a request of its own
			if !strings.Contains(s.log.String(), want) {
				t.Errorf("the log does not say %q", want)
			}
		}
		s.stop()
	})
}

// damageLast cuts the last record of a bucket.
func (s *site) damageLast(bucket string) {
	s.t.Helper()
	db, err := bolt.Open(filepath.Join(s.dir, "floor.db"), 0o600, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte(bucket))
		key, value := b.Cursor().Last()
		return b.Put(bytes.Clone(key), bytes.Clone(value[:len(value)/2]))
	})
	if err := errors.Join(err, db.Close()); err != nil {
		s.t.Fatal(err)
	}
}

// answered is a store in which something happens between the answer to a poll and
// what is made of it.
type answered struct {
	bot.Store
	before *func() // once; nil: nothing
}

// AppendHistory stores samples, after what comes in between.
func (a answered) AppendHistory(samples []bot.AgentSample) error {
	if f := *a.before; f != nil {
		*a.before = nil
		f()
	}
	return a.Store.AppendHistory(samples)
}

// TestRefusedWhileRelinked: an answer to the former credential that comes in when
// there is a new one, or none, says nothing of it, and nobody is told to link
// again.
func TestRefusedWhileRelinked(t *testing.T) {
	for _, unlinks := range []bool{false, true} {
		inSite(t, everyMinute(t), func(s *site) {
			before := new(func())
			s.wrap = func(st bot.Store) bot.Store { return answered{st, before} }
			user := s.floor.Agents()[0].UserID
			s.start()
			s.until("2026-03-02 17:03:30")
			*before = func() {
				time.Sleep(time.Millisecond) // after the question
				s.fault(user, "")
				s.link("asha", 0)
				if !unlinks {
					return
				}
				a, err := s.store.AgentAt(person("asha"))
				if err == nil {
					_, err = s.bot.Unlink(a, "console:asha", "")
				}
				if err != nil {
					t.Error(err)
				}
			}
			s.fault(user, "expired")
			s.until("2026-03-02 17:07")
			s.expect(0, "")
			if state, reason := s.state("asha"); unlinks != (state == "") || !unlinks && state != bot.LinkActive || *before != nil {
				t.Errorf("state: %s, %s", state, reason)
			}
			s.stop()
		})
	}
}
