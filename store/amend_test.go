package store

import (
	"errors"
	"testing"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
)

// TestAmend: only a message that nobody can have seen is changed.
func TestAmend(t *testing.T) {
	s, err := Open(Config{Path: t.TempDir() + "/floor.db", Key: testKey})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	to := chat.Address{Network: chat.Slack, ID: "U1"}
	now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	amend := func(key, title string, due time.Time) (amended bool) {
		t.Helper()
		if err := s.Update(func(tx bot.Tx) (err error) {
			amended, err = tx.Amend(key, chat.Message{Title: title}, due)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return amended
	}
	lease := func(at time.Time) []bot.Row {
		t.Helper()
		rows, _, err := s.Lease(chat.Slack, at, at.Add(30*time.Second), 10)
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	settle := func(o bot.Outcome) {
		t.Helper()
		if err := s.Settle("k", o); err != nil {
			t.Fatal(err)
		}
	}
	err = s.Update(func(tx bot.Tx) error {
		_, err := tx.Enqueue(bot.Row{Key: "k", To: to, Message: chat.Message{Title: "first"}, NotBefore: now.Add(time.Minute)})
		return errors.Join(err, tx.Audit(bot.AuditEntry{Actor: "cli:0", Action: "test"}))
	})
	if err != nil {
		t.Fatal(err)
	}
	if amend("no such key", "x", now) {
		t.Error("a row that is not there was amended")
	}
	if !amend("k", "second", now.Add(time.Hour)) || len(lease(now.Add(time.Minute))) != 0 {
		t.Error("a row that was put off is due as before")
	}
	if !amend("k", "third", time.Time{}) {
		t.Error("a pending row is not amended")
	}
	rows := lease(now)
	if len(rows) != 1 || rows[0].Message.Title != "third" {
		t.Fatalf("leased %+v", rows)
	}
	if amend("k", "fourth", now) {
		t.Error("a row on its way was amended")
	}
	settle(bot.Outcome{State: bot.RowPending, Next: now.Add(5 * time.Minute), At: now})
	if !amend("k", "fifth", now) || len(lease(now.Add(time.Minute))) != 0 {
		t.Error("an amendment overrides when the network said to try again")
	}
	if rows = lease(now.Add(5 * time.Minute)); len(rows) != 1 || rows[0].Message.Title != "fifth" {
		t.Fatalf("leased %+v", rows)
	}
	settle(bot.Outcome{State: bot.RowPending, InDoubt: true, Next: now, At: now})
	if amend("k", "sixth", now) {
		t.Error("a row that may have arrived was amended")
	}
	if rows = lease(now.Add(6 * time.Minute)); len(rows) != 1 {
		t.Fatalf("leased %+v", rows)
	}
	settle(bot.Outcome{State: bot.RowSent, At: now})
	if amend("k", "seventh", now) {
		t.Error("a row that was sent was amended")
	}
	audited := 0
	for e, err := range s.AuditTrail(time.Time{}) {
		if err != nil || e.Action != "test" || e.At.IsZero() {
			t.Errorf("%+v, %v", e, err)
		}
		audited++
	}
	if audited != 1 {
		t.Errorf("%d audit entries", audited)
	}
}
