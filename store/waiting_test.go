package store

import (
	"slices"
	"testing"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
)

// TestWaiting: what waits for an address is found in its order, and nobody else's
// with it, also not that of an address whose id begins the same.
func TestWaiting(t *testing.T) {
	s := open(t, testConfig(t))
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	to := func(id string) chat.Address { return chat.Address{Network: chat.Slack, ID: id} }
	err := s.Update(func(tx bot.Tx) error {
		for _, r := range []bot.Row{
			{Key: "d1", To: to("U1"), Lane: bot.LaneDigest}, {Key: "n1", To: to("U1")}, {Key: "other", To: to("U12")}, {Key: "n2", To: to("U1")},
			{Key: "elsewhere", To: chat.Address{Network: chat.Discord, ID: "U1"}}, {Key: "gone", To: to("U1")},
		} {
			if _, err := tx.Enqueue(r); err != nil {
				return err
			}
		}
		_, err := tx.Cancel("gone", "not wanted", now)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if rows, _, err := s.Lease(chat.Slack, now, now.Add(time.Minute), 1); err != nil || len(rows) != 1 || rows[0].Key != "n1" {
		t.Fatalf("leased %v, %v", rows, err)
	}
	err = s.View(func(tx bot.Tx) error {
		rows, err := tx.Waiting(to("U1"))
		var keys []string
		for _, r := range rows {
			keys = append(keys, r.Key)
		}
		if want := []string{"n1", "n2", "d1"}; !slices.Equal(keys, want) {
			t.Errorf("%v wait, want %v", keys, want)
		}
		if crowded, err := tx.Crowded(chat.Slack, 2); err != nil || !slices.Equal(crowded, []chat.Address{to("U1")}) {
			t.Errorf("more than two wait for %v, %v", crowded, err)
		}
		if crowded, err := tx.Crowded(chat.Slack, 3); err != nil || len(crowded) > 0 {
			t.Errorf("more than three wait for %v, %v", crowded, err)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
