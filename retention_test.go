package main

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/bot/schedule"
	"floorwalker/bot/secret"
	"floorwalker/bot/stats"
	"floorwalker/dashboard"
	"floorwalker/store"
)

// A kept is a store with a house that is kept, in a bubble.
type kept struct {
	t     *testing.T
	path  string
	store *store.Store
	bot   *bot.Bot
	house *house
	stop  func() // the house
}

// run keeps the house until stop.
func (k *kept) run() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- k.house.run(ctx) }()
	k.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			k.t.Error(err)
		}
	}
}

// inHouse runs f beside a house that keeps history for 35 days, and the audit trail
// for 90.
func inHouse(t *testing.T, f func(k *kept)) {
	synctest.Test(t, func(t *testing.T) {
		log := slog.New(slog.NewTextHandler(t.Output(), nil))
		path := filepath.Join(t.TempDir(), "floor.db")
		st, err := store.Open(store.Config{Path: path, Key: secret.New("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="), Logger: log})
		if err != nil {
			t.Fatal(err)
		}
		client, err := dashboard.New(dashboard.Config{BaseURL: "http://127.0.0.1"})
		if err != nil {
			t.Fatal(err)
		}
		b := bot.New(bot.Config{}, client, st, discard{}, log)
		h := &house{bot: b, store: st, keep: StoreConfig{KeepHistory: 35 * 24 * time.Hour, KeepAudit: 90 * 24 * time.Hour}, log: log}
		k := &kept{t: t, path: path, store: st, bot: b, house: h}
		k.run()
		f(k)
		k.stop()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
}

// link links a person.
func (k *kept) link(id string) bot.Agent {
	k.t.Helper()
	linked, err := k.store.Link(bot.Link{
		Address: chat.Address{Network: chat.Slack, ID: id}, State: bot.LinkActive,
		Credential: dashboard.Credential{UserID: "user-" + id, Token: secret.New("token-" + id)},
		Audit:      bot.AuditEntry{Actor: "cli:0", Action: "link", Object: id},
	})
	if err != nil {
		k.t.Fatal(err)
	}
	return linked.Agent
}

// samples returns the days, before now, of which an agent has samples.
func (k *kept) samples(id bot.AgentID) (days []int) {
	k.t.Helper()
	span := schedule.Span{Start: time.Now().AddDate(-1, 0, 0), End: time.Now().AddDate(0, 0, 1)}
	for s, err := range k.store.History(id, span) {
		if err != nil {
			k.t.Fatal(err)
		}
		days = append(days, int(time.Since(s.Tick)/(24*time.Hour)))
	}
	return days
}

// TestRetention: what is older than keep_history and keep_audit goes within the
// hour, and nothing younger.
func TestRetention(t *testing.T) {
	inHouse(t, func(k *kept) {
		time.Sleep(2 * 24 * time.Hour)
		asha := k.link("U1")
		now := time.Now()
		var samples []bot.AgentSample
		for _, days := range []int{60, 37, 34, 1} {
			at := now.AddDate(0, 0, -days)
			samples = append(samples, bot.AgentSample{Agent: asha.ID, Sample: stats.Sample{Tick: at.UTC().Truncate(time.Second), Out: true}})
		}
		if err := k.store.AppendHistory(samples); err != nil {
			t.Fatal(err)
		}
		for _, days := range []int{120, 91, 89} {
			if err := k.store.Record(bot.AuditEntry{At: now.AddDate(0, 0, -days), Actor: "cli:0", Action: "backup"}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Hour + time.Minute)
		synctest.Wait()
		if days := k.samples(asha.ID); len(days) != 2 || days[0] != 34 || days[1] != 1 {
			t.Errorf("samples of %d days before are kept", days)
		}
		var ages []int
		for e, err := range k.store.AuditTrail(time.Time{}) {
			if err != nil {
				t.Fatal(err)
			}
			ages = append(ages, int(time.Since(e.At)/(24*time.Hour)))
		}
		if len(ages) != 2 || ages[0] != 89 || ages[1] != 0 {
			t.Errorf("audit entries of %d days before are kept", ages)
		}
	})
}

// TestRetentionLeap: when the clock leaps by a year, be it that it is wrong or that
// the machine was off, nothing is deleted for a day, and what is too old then goes.
func TestRetentionLeap(t *testing.T) {
	inHouse(t, func(k *kept) {
		time.Sleep(2 * 24 * time.Hour)
		asha := k.link("U1")
		tick := time.Now().UTC().Truncate(time.Second)
		if err := k.store.AppendHistory([]bot.AgentSample{{Agent: asha.ID, Sample: stats.Sample{Tick: tick, Out: true}}}); err != nil {
			t.Fatal(err)
		}
		k.stop()
		time.Sleep(360 * 24 * time.Hour)
		k.run()
		time.Sleep(23 * time.Hour)
		synctest.Wait()
		if got := k.samples(asha.ID); len(got) != 1 {
			t.Errorf("23 hours after the clock leapt, %d samples are left of 1", len(got))
		}
		if audited := k.audited(); audited != 1 {
			t.Errorf("23 hours after the clock leapt, %d audit entries are left of 1", audited)
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if got, audited := k.samples(asha.ID), k.audited(); len(got) != 0 || audited != 0 {
			t.Errorf("a day after a year's downtime, %d samples and %d audit entries are left", len(got), audited)
		}
	})
}

// audited counts the audit trail.
func (k *kept) audited() (n int) {
	k.t.Helper()
	for _, err := range k.store.AuditTrail(time.Time{}) {
		if err != nil {
			k.t.Fatal(err)
		}
		n++
	}
	return n
}

// TestUnlinkIsThorough: an unlink leaves no byte of the credential in the file, and
// the history goes at once, not with the next hour.
func TestUnlinkIsThorough(t *testing.T) {
	inHouse(t, func(k *kept) {
		asha, ravi := k.link("U1"), k.link("U2")
		for _, a := range []bot.Agent{asha, ravi} {
			tick := time.Now().UTC().Truncate(time.Second)
			if err := k.store.AppendHistory([]bot.AgentSample{{Agent: a.ID, Sample: stats.Sample{Tick: tick, Out: true}}}); err != nil {
				t.Fatal(err)
			}
		}
		history := filepath.Join(k.path+"-history", time.Now().UTC().Format(time.DateOnly)+".db")
		if !k.holds(k.path, string(asha.ID)) || !k.holds(history, string(asha.ID)) {
			t.Fatal("nothing is there before, so the test sees nothing")
		}
		if _, err := k.bot.Unlink(asha, "slack:U1", ""); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // no time passes
		for _, trace := range []string{"user-U1", "slack:U1\x00"} {
			if k.holds(k.path, trace) {
				t.Errorf("%q is left in the database", trace)
			}
		}
		if k.holds(history, string(asha.ID)) {
			t.Error("the agent is left in the history")
		}
		if len(k.samples(ravi.ID)) != 1 {
			t.Error("somebody else's history is gone")
		}
		audited := false
		for e, err := range k.store.AuditTrail(time.Time{}) {
			audited = audited || err == nil && e.Action == "unlink" && e.Object == string(asha.ID) && e.Actor == "slack:U1"
		}
		if !audited {
			t.Error("the unlink is not in the audit trail")
		}
	})
}

// holds reports whether a file holds some bytes.
func (k *kept) holds(path, bytesOf string) bool {
	k.t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		k.t.Fatal(err)
	}
	return bytes.Contains(content, []byte(bytesOf))
}
