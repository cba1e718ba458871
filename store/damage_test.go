package store

import (
	"bytes"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
)

// TestDamagedOutbox damages rows, a place and a promise. What is not damaged must
// leave all the same, also behind them, and what is must be named.
func TestDamagedOutbox(t *testing.T) {
	log := &bytes.Buffer{}
	c := testConfig(t)
	c.Logger = slog.New(slog.NewTextHandler(log, nil))
	s := open(t, c)
	var rows []bot.Row
	for _, key := range []string{"cut", "gone", "leased", "late", "unplaced", "unpromised"} {
		rows = append(rows, rowTo(key, "slack:U1", bot.LaneAlert))
	}
	rows[3].GiveUp = noon.Add(time.Minute)
	enqueue(t, s, append(rows, rowTo("well", "slack:U1", bot.LaneAlert), rowTo("other", "slack:U2", bot.LaneAlert))...)
	tamper(t, s, func(t txn) error {
		leased, err := t.rowAt(3)
		if err != nil {
			return err
		}
		leased.State, leased.Lease, leased.Attempts = bot.RowLeased, noon.Add(-time.Minute), 1
		late, key := t.get(bucketOutbox, number(4)), queueKey(leased, 5)
		return errors.Join(
			t.put(bucketOutbox, number(1), []byte(`{"key":"cut","to":"sla`)),
			t.drop(bucketOutbox, number(2)),
			t.putRow(3, leased), t.put(bucketOutbox, number(3), []byte("{")),
			t.put(bucketOutbox, number(4), bytes.Clone(late[:len(late)-1])),
			t.put(bucketQueue, key, []byte("short")),
			t.put(bucketPromises, "unpromised", []byte("short")),
		)
	})
	s = reopen(t, s)

	if n, err := s.Recover(noon); err != nil || n != 1 {
		t.Errorf("recovered %d, %v", n, err)
	}
	if _, err := s.Backlog(chat.Slack, noon.Add(time.Hour)); err != nil {
		t.Errorf("backlog: %v", err)
	}
	err := s.View(func(tx bot.Tx) error {
		_, crowded := tx.Crowded(chat.Slack, 0)
		waiting, err := tx.Waiting(at("slack:U1"))
		if len(waiting) != 2 {
			t.Errorf("%d rows wait for U1", len(waiting))
		}
		return errors.Join(crowded, err)
	})
	if err != nil {
		t.Error(err)
	}
	err = s.Update(func(tx bot.Tx) error {
		for _, key := range []string{"cut", "gone", "unpromised"} {
			_, found, err := tx.Row(key)
			cancelled, err2 := tx.Cancel(key, "", noon)
			amended, err3 := tx.Amend(key, chat.Message{}, noon)
			added, err4 := tx.Enqueue(rowTo(key, "slack:U1", bot.LaneAlert))
			if err := errors.Join(err, err2, err3, err4); err != nil || found || cancelled || amended || added {
				t.Errorf("%s: %v, %v, %v, %v, %v", key, found, cancelled, amended, added, err)
			}
		}
		return nil
	})
	if err := errors.Join(err, s.Settle("cut", bot.Outcome{State: bot.RowSent, At: noon})); err != nil {
		t.Error(err)
	}
	var sent []string
	for range 12 {
		leased, _, err := s.Lease(chat.Slack, noon.Add(time.Hour), noon.Add(2*time.Hour), 9)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range leased {
			sent = append(sent, r.Key)
			settle(t, s, r.Key, bot.Outcome{State: bot.RowSent, At: noon})
		}
		if _, err := s.Wake(chat.Slack); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(sent)
	if got := strings.Join(sent, " "); got != "other unpromised well" {
		t.Errorf("sent: %s", got)
	}
	for range s.Rows() {
	}
	want := []string{"row 1 of the outbox", "row 2 of the outbox", "row 3 of the outbox", "row 4 of the outbox"}
	damaged := s.Damaged()
	if !slices.Equal(damaged[len(damaged)-4:], want) || len(damaged) != 6 || !strings.HasPrefix(damaged[0], "place ") || damaged[1] != "promise unpromised of the outbox" {
		t.Errorf("named: %q", damaged)
	}
	for _, record := range want {
		if n := strings.Count(log.String(), record); n != 1 {
			t.Errorf("%s is %d times in the log", record, n)
		}
	}
}

// TestDamagedOccurrence passes over an occurrence that cannot be read. It is on
// record even so: its digest is not posted again.
func TestDamagedOccurrence(t *testing.T) {
	s := open(t, testConfig(t))
	mustUpdate(t, s, func(tx bot.Tx) error {
		_, err := tx.RecordOccurrence(occurrence("support", "day", 1))
		_, err2 := tx.RecordOccurrence(occurrence("support", "day", 2))
		return errors.Join(err, err2)
	})
	tamper(t, s, func(t txn) error {
		key, _ := t.in(bucketOccurrences).Cursor().Last()
		return errors.Join(t.put(bucketOccurrences, string(key), []byte("{")), t.put(bucketOccurrences, occurrencePrefix("support", "day")+"someday", []byte("{}")))
	})
	mustUpdate(t, s, func(tx bot.Tx) error {
		last, found, err := tx.LastOccurrence("support", "day", noon.AddDate(1, 0, 0))
		if want := occurrence("support", "day", 1); last != want || !found || err != nil {
			t.Errorf("last: %+v, %v, %v", last, found, err)
		}
		added, err := tx.RecordOccurrence(occurrence("support", "day", 2))
		if added || err != nil {
			t.Errorf("recorded again: %v, %v", added, err)
		}
		return nil
	})
	if got := s.Damaged(); len(got) != 2 || !strings.Contains(got[0], "2026-08-02") || !strings.Contains(got[1], "someday") {
		t.Errorf("named: %q", got)
	}
}

// TestExamine finds one damaged record of each kind, without anybody having asked
// for it.
func TestExamine(t *testing.T) {
	s := open(t, testConfig(t))
	mustLink(t, s, linkOf("slack:U1", pair("17", "t1")))
	mustLink(t, s, linkOf("slack:U2", pair("18", "t2")))
	enqueue(t, s, rowTo("cut", "slack:U1", bot.LaneAlert))
	mustUpdate(t, s, func(tx bot.Tx) error {
		_, err := tx.RecordOccurrence(occurrence("support", "day", 1))
		for _, kind := range recordKinds() {
			err = errors.Join(err, tx.PutRecord(kind, "a", []byte("{}")))
		}
		return err
	})
	if err := s.Examine(); err != nil || len(s.Damaged()) > 0 {
		t.Fatalf("undamaged: %v, %q", err, s.Damaged())
	}
	want := []string{"agent ", "audit entry 1 of ", "credential of agent ", "occurrence 2026-08-01T18:00 of digest support/day", "row 1 of the outbox"}
	buckets := []string{bucketAudit, bucketOccurrences, bucketOutbox}
	for _, kind := range recordKinds() {
		buckets = append(buckets, string(kind))
		want = append(want, recordName(kind, "a"))
	}
	tamper(t, s, func(t txn) error {
		var err error
		for _, bucket := range buckets {
			key, _ := t.in(bucket).Cursor().First()
			err = errors.Join(err, t.put(bucket, string(key), []byte("{")))
		}
		agent, _ := t.in(bucketAgents).Cursor().First()
		other, _ := t.in(bucketCredentials).Cursor().Last()
		return errors.Join(err, t.put(bucketAgents, string(agent), []byte("{")), t.put(bucketCredentials, string(other), []byte("{")))
	})
	s = reopen(t, s)
	if err := s.Examine(); err != nil {
		t.Fatal(err)
	}
	got := s.Damaged()
	slices.Sort(want)
	if !slices.EqualFunc(got, want, strings.HasPrefix) {
		t.Errorf("named: %q, want %q", got, want)
	}
	if stats, err := s.Stats(); err != nil || stats.Broken != len(want) || stats.Agents[bot.LinkActive] != 1 {
		t.Errorf("counted: %+v, %v", stats, err)
	}
}
