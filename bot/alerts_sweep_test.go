package bot_test

import (
	"errors"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"floorwalker/bot"
)

// TestAlertsSweep: what is left of somebody who was unlinked while a poll was on
// its way is dropped within a round, and an agent's old alerts with their next.
func TestAlertsSweep(t *testing.T) {
	dir := fastDir(t)
	cryptotest.SetGlobalRandom(t, 1)
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, dir)
		defer s.close()
		for _, line := range []string{"at 2026-03-02 14:00", "link asha 0", "counters asha TH=9 MH=6",
			"rule missed-many when: missed >= 5 | for: 0s | keep: 0s"} {
			s.must(line)
		}
		asha, err := s.store.AgentAt(person("asha"))
		if err != nil {
			t.Fatal(err)
		}
		type record struct {
			kind bot.RecordKind
			key  string
			kept bool
		}
		ending := func(age time.Duration) string {
			return string(asha.ID) + "/" + time.Now().Add(-age).UTC().Format(time.RFC3339) + "/e"
		}
		records := []record{
			{bot.RecordAlerts, "00ff00ff00ff00ff", false},
			{bot.RecordAlerts, "team:support", true},
			{bot.RecordHandling, ending(100 * 24 * time.Hour), false},
			{bot.RecordHandling, ending(89 * 24 * time.Hour), true},
			{bot.RecordSilences, "00000001", false},
			{bot.RecordSilences, "00000002", true},
		}
		body := map[bot.RecordKind]map[string]any{
			bot.RecordAlerts:   {"rules": map[string]any{"gone": map[string]any{"state": map[string]any{"s": time.Now()}}}},
			bot.RecordHandling: {"n": 1},
		}
		err = s.store.Update(func(tx bot.Tx) (err error) {
			for _, r := range records {
				v := body[r.kind]
				if r.kind == bot.RecordSilences {
					v = map[string]any{"n": 1, "e": time.Now().Add(-25 * time.Hour)}
					if r.kept {
						v = map[string]any{"n": 2, "e": time.Now().Add(-20 * time.Hour)}
					}
				}
				err = errors.Join(err, bot.WriteRecord(tx, r.kind, r.key, v))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range []string{"run", "advance 2m", "counters asha TH=9 MH=1", "advance 2m"} {
			s.must(line)
		}
		err = s.store.View(func(tx bot.Tx) error {
			for _, r := range records {
				if _, found, err := tx.Record(r.kind, r.key); err != nil || found != r.kept {
					t.Errorf("%s %s: there %v, %v", r.kind, r.key, found, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
