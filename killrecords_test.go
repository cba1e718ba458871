package main

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"floorwalker/adapters/slack/slacktest"
	"floorwalker/bot"
	"floorwalker/bot/alert"
	"floorwalker/bot/chat"
	"floorwalker/store"
)

// note keeps how alerts stand at a kill.
func (s *killSite) note(st *store.Store) {
	s.t.Helper()
	k := killed{At: time.Now()}
	for row, err := range st.Rows(bot.RowLeased) {
		if err != nil {
			s.t.Fatal(err)
		}
		s.atKill[row.Key]++
		k.Leased = append(k.Leased, row.Key)
	}
	err := st.View(func(tx bot.Tx) error {
		for b, err := range bot.EachRecord[bulletinForm](tx, bot.RecordHandling, "bulletin/") {
			if err != nil {
				return err
			}
			row, found, err := tx.Row(b.Value.Row)
			if err != nil {
				return err
			}
			if !found || row.State != bot.RowPending || row.InDoubt {
				continue
			}
			for _, m := range b.Value.Members {
				if m.Over == nil {
					k.Unsent = append(k.Unsent, unsent{row.Key, m.Rule, m.Subject, m.Team})
				}
			}
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.kills = append(s.kills, k)
}

// The records of alerts, as far as they are judged.
type (
	standingForm struct {
		Rules map[string]struct {
			State struct {
				Episode string `json:"e"`
			} `json:"state"`
			Episode *struct {
				N        int            `json:"n"`
				Teams    []string       `json:"teams"`
				Began    time.Time      `json:"began"`
				Outcome  alert.Outcome  `json:"outcome"`
				AckName  string         `json:"ack_name"`
				Handling alert.Handling `json:"handling"`
			} `json:"episode"`
		} `json:"rules"`
	}
	endingForm struct {
		N       int           `json:"n"`
		Rule    string        `json:"rule"`
		Began   time.Time     `json:"began"`
		Ended   time.Time     `json:"ended"`
		Outcome alert.Outcome `json:"outcome"`
		AckedBy string        `json:"acked_by"`
	}
	bulletinForm struct {
		Row     string `json:"row"`
		Members []struct {
			Subject string    `json:"subject"`
			Rule    string    `json:"rule"`
			Team    string    `json:"team"`
			Over    *struct{} `json:"over"`
		} `json:"members"`
	}
)

// history reads what there is to judge.
func (s *killSite) history(st *store.Store, rows []bot.Row) history {
	s.t.Helper()
	h := history{Rows: rows, Kills: s.kills, Assured: s.assured, Supervisors: map[string][]chat.Address{}}
	lead := chat.Address{Network: chat.Slack, ID: killLead}
	for team := range killFloors {
		h.Supervisors[floorName(team)] = []chat.Address{{Network: chat.Slack, ID: floorSupervisor(team)}, lead}
	}
	for e, err := range st.AuditTrail(time.Time{}) {
		if err != nil {
			s.t.Fatal(err)
		}
		h.Audit = append(h.Audit, e)
	}
	if err := st.View(func(tx bot.Tx) error { return s.readAlerts(tx, &h) }); err != nil {
		s.t.Fatal(err)
	}
	h.Posts = s.postsOf(rows)
	return h
}

// readAlerts reads episodes and silences.
func (s *killSite) readAlerts(tx bot.Tx, h *history) error {
	for r, err := range bot.EachRecord[hush](tx, bot.RecordSilences, "") {
		if err != nil {
			return err
		}
		h.Silences = append(h.Silences, r.Value)
	}
	for _, w := range s.watched {
		standing, _, err := bot.ReadRecord[standingForm](tx, bot.RecordAlerts, string(w.id))
		if err != nil {
			return err
		}
		for rule, r := range standing.Rules {
			if e := r.Episode; e != nil {
				h.Episodes = append(h.Episodes, heardOf{ID: r.State.Episode, Subject: string(w.id), Rule: rule, N: e.N, Teams: e.Teams,
					Began: e.Began, Outcome: e.Outcome, AckedBy: e.AckName})
			}
		}
		for r, err := range bot.EachRecord[endingForm](tx, bot.RecordHandling, string(w.id)+"/") {
			if err != nil {
				return err
			}
			e := r.Value
			h.Episodes = append(h.Episodes, heardOf{ID: r.Key[strings.LastIndexByte(r.Key, '/')+1:], Subject: string(w.id), Rule: e.Rule, N: e.N,
				Teams: w.teams, Began: e.Began, Ended: e.Ended, Outcome: e.Outcome, AckedBy: e.AckedBy})
		}
	}
	return nil
}

// postsOf returns the messages that people have got, by the rows that promised
// them, as they came: an edit takes the mark of a repetition away.
func (s *killSite) postsOf(rows []bot.Row) (posts []posted) {
	of := promisesOf(rows)
	for _, c := range s.slack.Calls("chat.postMessage") {
		to := c.Args["channel"]
		if c.Error == "" && strings.HasPrefix(to, "D") {
			key, marked := madeOf(s.t, c)
			posts = append(posts, posted{Key: of[key], To: to, Marked: marked})
		}
	}
	return posts
}

// promisesOf returns the keys of rows by what a message shows of them.
func promisesOf(rows []bot.Row) map[string]string {
	of := map[string]string{}
	for _, r := range rows {
		sum := sha256.Sum256([]byte(r.Key))
		of[hex.EncodeToString(sum[:16])] = r.Key
	}
	return of
}

// madeOf returns what a post shows of its row's key, and whether it is marked as
// a repetition.
func madeOf(t *testing.T, c slacktest.Call) (key string, marked bool) {
	t.Helper()
	var metadata struct {
		Payload struct {
			Key string `json:"key"`
		} `json:"event_payload"`
	}
	if err := c.JSON("metadata", &metadata); err != nil {
		t.Errorf("%s to %s: %v", c.Method, c.Args["channel"], err)
	}
	return metadata.Payload.Key, strings.HasPrefix(c.Args["text"], "(re-sent)")
}

// limits are what the rules compare with.
func limits() map[string]int { return map[string]int{"missed-many": 5, "missed-most": 8} }

// judgeAlerts: see [history]. In the end, what is beyond a limit fires, and nothing
// that has cleared.
func (s *killSite) judgeAlerts(st *store.Store, rows []bot.Row) {
	s.t.Helper()
	h := s.history(st, rows)
	for _, fault := range h.check() {
		s.t.Error(fault)
	}
	open, told, over := map[string]bool{}, 0, 0
	for _, e := range h.Episodes {
		if e.Ended.IsZero() {
			open[e.Subject+" "+e.Rule] = true
		} else {
			over++
		}
		if e.Outcome == alert.Tell {
			told++
		}
	}
	for _, w := range s.watched {
		for rule, limit := range limits() {
			if key := string(w.id) + " " + rule; open[key] != (w.missed >= limit) && (w.missed >= limit || w.missed <= 3) {
				s.t.Errorf("%s with %d missed calls: %s fires is %v", w.name, w.missed, rule, open[key])
			}
		}
	}
	done := map[string]int{}
	for _, a := range h.Assured {
		done[a.What]++
	}
	if len(h.Kills) > 20 && (told == 0 || over == 0 || done["ack"] == 0 || done["silence"] == 0) {
		s.t.Errorf("this proves little: %d alerts told, %d over, %v", told, over, done)
	}
	s.t.Logf("%d alerts, %d to be told, %d over, %d messages to people; done: %v", len(h.Episodes), told, over, len(h.Posts), done)
}
