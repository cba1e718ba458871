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

// waitingDigests returns digests of several teams for one supervisor.
func waitingDigests(to chat.Address, teams ...string) (rows []bot.Row) {
	for _, team := range teams {
		rows = append(rows, bot.Row{
			Key: "digest/" + team + "/end/2026-03-02T17:00/" + to.String(), To: to, Lane: bot.LaneDigest, GiveUp: time.Now().Add(2 * time.Hour),
			Message: chat.Message{Title: team + " · day shift", Footer: chat.T("all of " + team), Blocks: []chat.Block{
				chat.Paragraph{Text: chat.T("12 calls in " + team + ".")}, chat.Fields{{Label: "Offered", Value: "12"}, {Label: "Missed", Value: "1"}},
				chat.Chart{Title: "Calls", Alt: "many"},
			}},
		})
	}
	return rows
}

// TestBundle: summaries that had to wait for one supervisor come as one message,
// after the wait that the network asked for. What was carried is on record.
func TestBundle(t *testing.T) {
	c := siteConfig(t)
	c.Teams[0].Supervisors = []bot.Person{{Addresses: []chat.Address{person("meera")}}}
	inSite(t, c, func(s *site) {
		s.start()
		s.refuse("meera", &chat.RetryError{After: 10 * time.Minute, Err: errors.New("too many")})
		rows := waitingDigests(person("meera"), "north", "south", "east", "west")
		s.enqueue(rows[:3]...)
		s.until("2026-03-02 17:05")
		s.enqueue(rows[3:]...)
		s.refuse("meera", nil)
		s.until("2026-03-02 17:09")
		s.expect(0, "")
		s.until("2026-03-02 17:11")
		s.expect(1, `4 summaries that waited
north · day shift
12 calls in north.
Offered 12 · Missed 1
all of north
south · day shift`)
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
	c := siteConfig(t)
	c.Teams[0].Supervisors = []bot.Person{{Addresses: []chat.Address{person("meera")}}}
	inSite(t, c, func(s *site) {
		s.start()
		s.refuse("meera", errors.New("connection refused"))
		s.enqueue(waitingDigests(person("meera"), "north", "south", "east", "west")...)
		s.until("2026-03-02 17:20")
		s.refuse("meera", nil)
		s.until("2026-03-02 17:30")
		s.expect(1, "4 summaries that waited")
		s.stop()
	})
}

// TestNoBundle: what leaves in time, what is too few, and what is a channel's
// comes as it was written; and so does what may have arrived before.
func TestNoBundle(t *testing.T) {
	c := siteConfig(t)
	c.Teams[0].Supervisors = []bot.Person{{Addresses: []chat.Address{person("meera")}}}
	inSite(t, c, func(s *site) {
		s.start()
		for i, test := range []struct {
			to    chat.Address
			fails error
			rows  int
		}{
			{person("meera"), nil, 6},
			{person("meera"), &chat.RetryError{After: 2 * time.Minute, Err: errors.New("too many")}, 3},
			{person("#support"), &chat.RetryError{After: 2 * time.Minute, Err: errors.New("too many")}, 6},
			{person("meera"), chat.ErrUnclear, 4},
		} {
			before := len(s.arrived())
			s.refuse(test.to.ID, test.fails)
			var teams []string
			for n := range test.rows {
				teams = append(teams, fmt.Sprint("team ", i, " ", n))
			}
			s.enqueue(waitingDigests(test.to, teams...)...)
			time.Sleep(3 * time.Minute)
			s.refuse(test.to.ID, nil)
			time.Sleep(6 * time.Minute)
			got := s.arrived()[before:]
			for n, p := range got {
				if n >= len(teams) || !strings.HasPrefix(p.text, teams[n]) {
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
// comes as one message, notices and digests apart, with the buttons of all.
func TestBundleAfterDowntime(t *testing.T) {
	c := siteConfig(t)
	c.Teams[0].Supervisors = []bot.Person{{Addresses: []chat.Address{person("meera")}}}
	inSite(t, c, func(s *site) {
		s.open()
		s.enqueue(waitingDigests(person("meera"), "north", "south", "east", "west")...)
		for i := range 4 {
			s.enqueue(bot.Row{Key: fmt.Sprint("notice/", i), To: person("meera"), GiveUp: time.Now().Add(time.Hour),
				Message: chat.Message{Title: fmt.Sprint("news ", i), Private: true, Actions: []chat.Action{{ID: "floor", Value: fmt.Sprint(i % 2), Label: "Do"}}}})
		}
		s.close()
		s.until("2026-03-02 17:20")
		s.start()
		s.until("2026-03-02 17:21")
		s.expect(2, "4 summaries that waited")
		if got := s.net.Sent(); len(got) != 2 || got[0].Message.Title != "4 messages that waited" || !got[0].Message.Private || len(got[0].Message.Actions) != 2 {
			t.Errorf("sent: %+v", got)
		}
		s.stop()
	})
}

// TestFewOfEach: notices and digests are not counted together.
func TestFewOfEach(t *testing.T) {
	inSite(t, siteConfig(t), func(s *site) {
		s.net.AddPerson("meera", chat.Person{})
		s.open()
		s.enqueue(waitingDigests(person("meera"), "north", "south", "east")...)
		for i := range 3 {
			s.enqueue(bot.Row{Key: fmt.Sprint("notice/", i), To: person("meera"), GiveUp: time.Now().Add(time.Hour), Message: chat.Message{Title: "news"}})
		}
		s.close()
		s.until("2026-03-02 17:20")
		s.start()
		s.until("2026-03-02 17:21")
		s.expect(6, "east · day shift")
		s.stop()
	})
}

// TestNoBundleOfWhatIsEdited: a summary whose late numbers wait behind it leaves as
// a message of its own, which these then change.
func TestNoBundleOfWhatIsEdited(t *testing.T) {
	c := siteConfig(t)
	c.Teams[0].Supervisors = []bot.Person{{Addresses: []chat.Address{person("meera")}}}
	inSite(t, c, func(s *site) {
		s.start()
		s.refuse("meera", &chat.RetryError{After: 10 * time.Minute, Err: errors.New("too many")})
		rows := waitingDigests(person("meera"), "north", "south", "east", "west", "centre")
		late := rows[1]
		late.Key, late.Edits = rows[1].Key+"/late", rows[1].Key
		s.enqueue(append(rows, late)...)
		s.until("2026-03-02 17:05")
		s.refuse("meera", nil)
		s.until("2026-03-02 17:11")
		for key, want := range map[string]bot.RowState{rows[0].Key: bot.RowCancelled, rows[1].Key: bot.RowSent, late.Key: bot.RowSent} {
			if r := s.row(key); r.State != want {
				t.Errorf("%s is %s, %s", key, r.State, r.Reason)
			}
		}
		s.stop()
	})
}
