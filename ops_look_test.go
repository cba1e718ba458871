package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/bot/chat/chattest"
	"floorwalker/bot/secret"
	"floorwalker/bot/stats"
	"floorwalker/dashboard"
	"floorwalker/store"
)

// unwell is a network whose connection is as it says.
type unwell struct {
	inMemory
	err error // what Run ends with
	ill error
}

func (u unwell) Run(context.Context, chat.App) error { return u.err }
func (u unwell) Healthy() error                      { return u.ill }

// TestLookout looks at a program none of whose loops run: what has not happened
// yet is late only after its time, and then each part says so.
func TestLookout(t *testing.T) {
	st, err := store.Open(store.Config{Path: filepath.Join(t.TempDir(), "floor.db"), Key: secret.New(killKey)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	began := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	err = st.Update(func(tx bot.Tx) error {
		_, err := tx.Enqueue(bot.Row{Key: "old", To: asha, Lane: bot.LaneAlert, Message: chat.Message{Title: "old"}, Added: began.Add(-24 * time.Hour)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	b := bot.New(bot.Config{Metrics: stats.Defaults(), PollInterval: time.Minute}, nil, st, discard{}, slog.New(slog.DiscardHandler))
	health := &Health{}
	network := &unwell{inMemory: chattest.NewNetwork(chat.Console)}
	l := &lookout{health: health, bot: b, store: st, adapters: []chat.Adapter{network}, house: &beat{}, began: began}
	for _, test := range []struct {
		after time.Duration
		ill   error
		want  string
	}{
		{59 * time.Second, nil, ""},
		{70 * time.Second, nil, "watch"},
		{2 * time.Minute, errors.New("gone"), "connection to console, watch"},
		{2*time.Minute + time.Second, nil, "alerts, delivery on console, digests, outbox of console, watch"},
		{2*time.Hour + time.Second, nil, "alerts, delivery on console, digests, housekeeping, outbox of console, watch"},
		{48*time.Hour + time.Second, nil, "alerts, delivery on console, digests, housekeeping, leavers, outbox of console, watch"},
	} {
		network.ill = test.ill
		l.look(began.Add(test.after))
		var parts []string
		for _, line := range sortedReasons(health.Reasons(began.Add(test.after))) {
			part, _, _ := strings.Cut(line, ": ")
			parts = append(parts, part)
		}
		if got := strings.Join(parts, ", "); got != test.want {
			t.Errorf("after %s: %s, want %s", test.after, got, test.want)
		}
	}
}

// TestApiDownIsReady: that the API fails is a detail, and no reason for anybody to
// be woken: it is not ours.
func TestApiDownIsReady(t *testing.T) {
	st, err := store.Open(store.Config{Path: filepath.Join(t.TempDir(), "floor.db"), Key: secret.New(killKey)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	client, err := dashboard.New(dashboard.Config{BaseURL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	health, now := &Health{}, time.Now()
	log := slog.New(slog.DiscardHandler)
	l := &lookout{
		health: health, bot: bot.New(bot.Config{}, client, st, discard{}, log), store: st, client: client, house: &beat{}, began: now,
	}
	if l.look(now); health.Detail() != "" {
		t.Errorf("before: %s", health.Detail())
	}
	for i := 0; client.Stats().Breaker == "closed" && i < 100; i++ {
		client.Counters(t.Context(), dashboard.Query{Agent: fmt.Sprint(i), Credential: dashboard.Credential{SSID: secret.New("s")}, Fresh: true})
	}
	if l.look(now); health.Detail() == "" || len(health.Reasons(now)) > 0 {
		t.Errorf("detail %q, reasons %v", health.Detail(), health.Reasons(now))
	}
	w := httptest.NewRecorder()
	opsHandler(health, newMetrics(health)).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/readyz", nil))
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "the counters API fails") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestFullDiskIsRed: nothing can be saved, so readiness is red, and the watchdog
// is served all the same: a restart makes no room.
func TestFullDiskIsRed(t *testing.T) {
	runStopSite(t, func(s *stopSite) {
		time.Sleep(time.Minute)
		s.full.Store(true)
		time.Sleep(10 * time.Minute)
		if red := s.health.Reasons(time.Now()); red["disk"] == "" || s.health.Stuck(time.Now()) {
			t.Errorf("with a full disk: %v, stuck %v", red, s.health.Stuck(time.Now()))
		}
		s.full.Store(false)
		time.Sleep(2 * time.Minute)
		if red := s.health.Reasons(time.Now()); len(red) > 0 {
			t.Errorf("with room again: %v", red)
		}
	})
}

// TestNetworkGone: of two networks one stops for good. Readiness is red for it,
// nobody would restart the program, and the other goes on.
func TestNetworkGone(t *testing.T) {
	st, err := store.Open(store.Config{Path: filepath.Join(t.TempDir(), "floor.db"), Key: secret.New(killKey)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	log := slog.New(slog.DiscardHandler)
	b := bot.New(bot.Config{}, nil, st, discard{}, log)
	health := &Health{}
	ctx, cancel := context.WithCancel(t.Context())
	g, ctx := errgroup.WithContext(ctx)
	dead := unwell{inMemory: chattest.NewNetwork(chat.Slack), err: fmt.Errorf("token_revoked: %w", chat.ErrFinal)}
	parts{bot: b, adapters: []chat.Adapter{dead, chattest.NewNetwork(chat.Console)}}.runNetworks(ctx, g, health, log)
	for health.Reasons(time.Now())["slack"] == "" && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	if red := health.Reasons(time.Now()); !strings.Contains(red["slack"], "token_revoked") || health.Stuck(time.Now()) {
		t.Errorf("with a revoked token: %v, stuck %v", red, health.Stuck(time.Now()))
	}
	cancel()
	if err := g.Wait(); err != nil {
		t.Errorf("the other network: %v", err)
	}
}
