package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/store"
)

// judge checks everything from what is left.
func (s *killSite) judge() {
	s.t.Helper()
	s.open(func(st *store.Store) {
		var rows []bot.Row
		for row, err := range st.Rows() {
			if err != nil {
				s.t.Fatal(err)
			}
			rows = append(rows, row)
		}
		s.judgeOccurrences(st, rows)
		s.judgeMessages(rows)
		s.judgeAsked(rows)
		s.judgeLinks(st)
		s.judgeAlerts(st, rows)
		s.judgeLog()
		if !s.atStake() {
			s.t.Errorf("this proves little: %d digests owed, %d on their way at a kill, %d asked for, %d people", len(s.owed), len(s.atKill), len(s.asked), len(s.people))
		}
	})
}

// atStake says whether there was anything that could have been lost.
func (s *killSite) atStake() bool {
	return len(s.owed) > 0 && len(s.atKill) > 0 && len(s.asked) > 0 && len(s.people) > 0
}

// judgeOccurrences: each digest that was owed is on record, and its message in
// the outbox.
func (s *killSite) judgeOccurrences(st *store.Store, rows []bot.Row) {
	s.t.Helper()
	for _, d := range s.owed {
		var all []bot.Occurrence
		err := st.View(func(tx bot.Tx) error {
			for by := time.Now(); ; {
				o, found, err := tx.LastOccurrence(d.team, d.name, by)
				if !found || err != nil {
					return err
				}
				all, by = append(all, o), o.At.Add(-1)
			}
		})
		if err != nil {
			s.t.Fatal(err)
		}
		if len(all) != 1 || all[0].Skipped != "" {
			s.t.Errorf("%s/%s is on record as %+v", d.team, d.name, all)
			continue
		}
		key := strings.Join([]string{"digest", d.team, d.name, all[0].Nominal.String(), "slack:" + d.channel()}, "/")
		if !slices.ContainsFunc(rows, func(r bot.Row) bool { return r.Key == key }) {
			s.t.Errorf("%s is not in the outbox", key)
		}
	}
}

// judgeMessages compares the outbox with what Slack shows. One that was on its
// way at a kill may come after its repetition: one of them has no mark.
func (s *killSite) judgeMessages(rows []bot.Row) {
	s.t.Helper()
	of, byKey := promisesOf(rows), map[string]bot.Row{}
	for _, r := range rows {
		byKey[r.Key] = r
	}
	posts, plain := map[string]int{}, map[string]int{}
	for _, c := range s.slack.Calls("chat.postMessage") {
		if c.Error != "" {
			continue // it was cut off by a kill
		}
		if key, marked := madeOf(s.t, c); !marked {
			plain[of[key]]++
		}
	}
	for team := range killTeams {
		channel := killDigest{team: teamName(team)}.channel()
		last := uint64(0)
		for _, m := range s.slack.Messages(channel) {
			payload, _ := m.Metadata["event_payload"].(map[string]any)
			hash, _ := payload["key"].(string)
			r, ok := byKey[of[hash]]
			if !ok {
				s.t.Errorf("nobody promised this in %s:\n%s", channel, m.Plain())
				continue
			}
			if posts[r.Key]++; posts[r.Key] > 1 {
				continue
			}
			if r.Seq < last {
				s.t.Errorf("%s: %s came after what was promised later", channel, r.Key)
			}
			last = r.Seq
		}
	}
	twice := 0
	for _, r := range rows {
		if !strings.HasPrefix(r.Key, "digest/") || r.Edits != "" {
			continue // to people who are not on this Slack, or of alerts; or no message of its own
		}
		n, fair := posts[r.Key], 1+s.atKill[r.Key]
		if n > 1 {
			twice++
		}
		if r.State != bot.RowSent || n == 0 || n > fair || plain[r.Key] > 1 || plain[r.Key] == 0 && s.atKill[r.Key] == 0 {
			s.t.Errorf("%s is %s (%s), was on its way at %d kills, and posted %d times, %d of them without a mark",
				r.Key, r.State, r.Reason, s.atKill[r.Key], n, plain[r.Key])
		}
	}
	s.t.Logf("%d promises, %d on their way at a kill, %d posted twice; %d digests asked for, %d people", len(rows), len(s.atKill), twice, len(s.asked), len(s.people))
}

// judgeAsked: what somebody was told is on its way is in the outbox.
func (s *killSite) judgeAsked(rows []bot.Row) {
	s.t.Helper()
	for _, d := range s.asked {
		prefix := strings.Join([]string{"digest", d.team, d.name, "now-"}, "/")
		if !slices.ContainsFunc(rows, func(r bot.Row) bool { return strings.HasPrefix(r.Key, prefix) }) {
			s.t.Errorf("%s/%s was said to be on its way, and is not in the outbox", d.team, d.name)
		}
	}
}

// judgeLinks: everybody is linked or not, as was said.
func (s *killSite) judgeLinks(st *store.Store) {
	s.t.Helper()
	for who, said := range s.people {
		addr, err := chat.ParseAddress(who)
		if err != nil {
			s.t.Fatal(err)
		}
		_, err = st.AgentAt(addr)
		switch {
		case err != nil && !errors.Is(err, bot.ErrNotLinked):
			s.t.Errorf("%s: %v", who, err)
		case err != nil && said == linked:
			s.t.Errorf("%s was linked, and is not", who)
		case err == nil && said == unlinked:
			s.t.Errorf("%s was unlinked, and is linked", who)
		}
	}
}

// judgeLog: in none of its lives did the program do what it must never do.
func (s *killSite) judgeLog() {
	s.t.Helper()
	b, err := os.ReadFile(filepath.Join(s.dir, "log"))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, never := range []string{"DATA RACE", "panic", "damaged"} {
		if at := bytes.Index(b, []byte(never)); at >= 0 {
			s.t.Errorf("the log holds %q:\n%s", never, b[max(0, at-300):min(len(b), at+2000)])
		}
	}
}
