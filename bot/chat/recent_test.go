package chat

import (
	"testing"
	"time"
)

// TestRecent: an id that comes again within ten minutes is known, for all of
// them, and memory does not grow for ever.
func TestRecent(t *testing.T) {
	var r Recent
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for i := range 100 {
		at := now.Add(time.Duration(i) * time.Minute)
		id := at.String()
		if !r.Add(id, at) {
			t.Fatalf("minute %d is new and was taken for known", i)
		}
		if r.Add(id, at.Add(9*time.Minute+59*time.Second)) {
			t.Fatalf("minute %d was forgotten within ten minutes", i)
		}
	}
	if n := len(r.now) + len(r.old); n > 25 {
		t.Errorf("%d ids are kept of 100 minutes", n)
	}
}
