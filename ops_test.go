package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
)

func TestReadyz(t *testing.T) {
	health := &Health{}
	h := opsHandler(health, newMetrics(health))
	get := func(path string) (int, string) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code, w.Body.String()
	}
	if status, body := get("/readyz"); status != 200 || !strings.Contains(body, `"ready":true`) {
		t.Errorf("with nothing wrong: %d %s", status, body)
	}
	health.Set("slack", "token revoked")
	if status, body := get("/readyz"); status != 503 || !strings.Contains(body, "slack: token revoked") {
		t.Errorf("with a network that is gone: %d %s", status, body)
	}
	if _, body := get("/metrics"); !strings.Contains(body, "floorwalker_ready 0") {
		t.Error("the metrics say ready")
	}
	if status, _ := get("/healthz"); status != 200 {
		t.Errorf("/healthz: %d, for what no restart mends", status)
	}
	health.set("digests", "late", true)
	if status, _ := get("/healthz"); status != 503 {
		t.Errorf("/healthz: %d, although a loop stands still", status)
	}
	health.Set("digests", "")
	if status, _ := get("/healthz"); status != 200 {
		t.Errorf("/healthz: %d, although the loop goes round again", status)
	}
	health.Set("slack", "")
	if status, _ := get("/readyz"); status != 200 {
		t.Error("a reason that is taken back still counts")
	}
	if status, _ := get("/"); status != 404 {
		t.Errorf("/: %d", status)
	}
}

// TestReadyBarred: readiness says which address is held, and what to do.
func TestReadyBarred(t *testing.T) {
	want := "held for slack:C1: not_in_channel: invite the bot to the channel; held for slack:C2: restricted_action: allow the bot to post in the channel"
	got := barred([]bot.Barred{
		{To: chat.Address{Network: chat.Slack, ID: "C1"}, Reason: "not_in_channel: invite the bot to the channel"},
		{To: chat.Address{Network: chat.Slack, ID: "C2"}, Reason: "restricted_action: allow the bot to post in the channel"},
	})
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestLate(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	if got := late("the last round was %s ago", now.Add(-3*time.Minute), 2*time.Minute, now); got != "the last round was 3m0s ago" {
		t.Errorf("late: %q", got)
	}
	if late("x", now.Add(-time.Minute), 2*time.Minute, now) != "" || late("x", time.Time{}, time.Minute, now) != "" {
		t.Error("something on time, or that has not come yet, is late")
	}
}
