package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// A broken is a store of which a commit failed, once the channel is closed.
type broken chan struct{}

func (b broken) Failed() <-chan struct{} { return b }
func (b broken) Err() error              { return errors.New("input/output error") }

// TestWatchStore: a failed commit turns readiness red and ends serve; the end of
// serve is no failure.
func TestWatchStore(t *testing.T) {
	health, store := &Health{}, make(broken)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := watchStore(ctx, store, health); err != nil || len(health.Reasons(time.Now())) > 0 {
		t.Errorf("after the end: %v, %v", err, health.Reasons(time.Now()))
	}
	close(store)
	err := watchStore(t.Context(), store, health)
	if err == nil || !strings.Contains(err.Error(), "input/output error") || health.Reasons(time.Now())["store"] == "" {
		t.Errorf("after a failed commit: %v, %v", err, health.Reasons(time.Now()))
	}
}
