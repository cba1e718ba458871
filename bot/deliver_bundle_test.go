package bot_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
)

// waitingRows returns a notice, or a digest, for meera about each of some things.
func waitingRows(lane bot.Lane, about ...string) (rows []bot.Row) {
	for _, name := range about {
		key := "notice/" + name + "/console:meera"
		if lane == bot.LaneDigest {
			key = "digest/support/" + name + "/2026-03-02T17:00/console:meera"
		}
		rows = append(rows, bot.Row{
			Key: key, To: person("meera"), Lane: lane, GiveUp: time.Now().Add(2 * time.Hour),
			Message: chat.Message{Title: "about " + name, Footer: chat.T("all of " + name), Blocks: []chat.Block{
				chat.Paragraph{Text: chat.T("12 calls in " + name + ".")}, chat.Fields{{Label: "Offered", Value: "12"}, {Label: "Missed", Value: "1"}},
				chat.Chart{Title: "Calls", Alt: "many"},
			}},
		})
	}
	return rows
}

// bundleConfig has meera for a supervisor, who gets digests about some things.
func bundleConfig(t *testing.T, about ...string) bot.Config {
	var digests []bot.Digest
	for _, name := range about {
		d := daily(23 * 60)
		d.Name, d.ToSupervisors = name, true
		digests = append(digests, d)
	}
	c := siteConfig(t, digests...)
	c.Teams[0].Supervisors = []bot.Person{{Addresses: []chat.Address{person("meera")}}}
	return c
}

// TestBundle: notices that had to wait for somebody come as one message, after the
// wait that the network asked for. What was carried is on record.
func TestBundle(t *testing.T) {
	inSite(t, bundleConfig(t), func(s *site) {
		s.start()
		s.refuse("meera", &chat.RetryError{After: 10 * time.Minute, Err: errors.New("too many")})
		rows := waitingRows(bot.LaneNotice, "north", "south", "east", "west")
		s.enqueue(rows[:3]...)
		s.until("2026-03-02 17:05")
		s.enqueue(rows[3:]...)
		s.refuse("meera", nil)
		s.until("2026-03-02 17:09")
		s.expect(0, "")
		s.until("2026-03-02 17:11")
		s.expect(1, `4 messages that waited
about north
12 calls in north.
Offered 12 · Missed 1
all of north
about south`)
		s.expect(1, "Charts and tables are left out")
		if r := s.row(rows[3].Key); r.State != bot.RowCancelled || r.Reason != "carried by bundle/"+rows[0].Key {
			t.Errorf("%s: %s, %s", r.Key, r.State, r.Reason)
		}
		s.stop()
	})
}

// TestBundleAfterBackoff: also a network that does not say how long to wait gets
// one message once it answers again.
func TestBundleAfterBackoff(t *testing.T) {
	inSite(t, bundleConfig(t), func(s *site) {
		s.start()
		s.refuse("meera", errors.New("connection refused"))
		s.enqueue(waitingRows(bot.LaneNotice, "north", "south", "east", "west")...)
		s.until("2026-03-02 17:20")
		s.refuse("meera", nil)
		s.until("2026-03-02 17:30")
		s.expect(1, "4 messages that waited")
		s.stop()
	})
}

// TestNoBundle: what leaves in time, what is too few, what is a digest and what may
// have arrived before comes as it was written.
func TestNoBundle(t *testing.T) {
	busy := &chat.RetryError{After: 2 * time.Minute, Err: errors.New("too many")}
	inSite(t, bundleConfig(t, "3-0", "3-1", "3-2", "3-3", "3-4"), func(s *site) {
		s.start()
		for i, test := range []struct {
			lane  bot.Lane
			fails error
			rows  int
		}{
			{bot.LaneNotice, nil, 6},
			{bot.LaneNotice, busy, 3},
			{bot.LaneNotice, chat.ErrUnclear, 4},
			{bot.LaneDigest, busy, 5},
		} {
			before := len(s.arrived())
			s.refuse("meera", test.fails)
			var about []string
			for n := range test.rows {
				about = append(about, fmt.Sprint(i, "-", n))
			}
			s.enqueue(waitingRows(test.lane, about...)...)
			time.Sleep(3 * time.Minute)
			s.refuse("meera", nil)
			time.Sleep(6 * time.Minute)
			got := s.arrived()[before:]
			for n, p := range got {
				if n >= len(about) || !strings.HasPrefix(p.text, "about "+about[n]) {
					t.Errorf("case %d: message %d begins %.20q", i, n, p.text)
				}
			}
			if len(got) != test.rows {
				t.Errorf("case %d: %d messages, want %d", i, len(got), test.rows)
			}
		}
		s.stop()
	})
}

// TestBundleAfterDowntime: what waited for somebody while the program was down
// comes as one message, with the buttons of all; but each digest by itself.
func TestBundleAfterDowntime(t *testing.T) {
	inSite(t, bundleConfig(t, "north", "south", "east", "west"), func(s *site) {
		s.open()
		s.enqueue(waitingRows(bot.LaneDigest, "north", "south", "east", "west")...)
		for i := range 4 {
			s.enqueue(bot.Row{Key: fmt.Sprint("notice/", i), To: person("meera"), GiveUp: time.Now().Add(time.Hour),
				Message: chat.Message{Title: fmt.Sprint("news ", i), Private: true, Actions: []chat.Action{{ID: "floor", Value: fmt.Sprint(i % 2), Label: "Do"}}}})
		}
		s.close()
		s.until("2026-03-02 17:20")
		s.start()
		s.until("2026-03-02 17:21")
		s.expect(5, "about west")
		if got := s.net.Sent(); len(got) != 5 || got[0].Message.Title != "4 messages that waited" || !got[0].Message.Private || len(got[0].Message.Actions) != 2 {
			t.Errorf("sent: %+v", got)
		}
		s.stop()
	})
}

// TestDigestThatWaited is edited like any other, when late numbers come.
func TestDigestThatWaited(t *testing.T) {
	about := []string{"north", "south", "east", "west", "centre"}
	inSite(t, bundleConfig(t, about...), func(s *site) {
		s.start()
		s.refuse("meera", &chat.RetryError{After: 10 * time.Minute, Err: errors.New("too many")})
		rows := waitingRows(bot.LaneDigest, about...)
		s.enqueue(rows...)
		s.until("2026-03-02 17:05")
		s.refuse("meera", nil)
		s.until("2026-03-02 17:15")
		late := waitingRows(bot.LaneDigest, "north")[0]
		late.Key, late.Edits, late.Message.Title = rows[0].Key+"/late", rows[0].Key, "about north, all of it"
		s.enqueue(late)
		s.until("2026-03-02 17:17")
		s.expect(6, "about north, all of it")
		for _, key := range []string{rows[0].Key, late.Key} {
			if r := s.row(key); r.State != bot.RowSent {
				t.Errorf("%s is %s, %s", key, r.State, r.Reason)
			}
		}
		s.stop()
	})
}
