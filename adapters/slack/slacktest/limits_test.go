package slacktest

import (
	"testing"
	"time"
)

func TestBucket(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	var b bucket
	for n, c := range []struct {
		after, want time.Duration
	}{
		{0, 0}, {0, 0}, {0, 0}, // the burst
		{0, time.Second},
		{400 * time.Millisecond, 600 * time.Millisecond},
		{600 * time.Millisecond, 0},
		{time.Hour, 0}, {0, 0}, {0, 0}, // full again, and no fuller
		{0, time.Second},
	} {
		now = now.Add(c.after)
		if got := b.take(now, 3, 1).Round(time.Millisecond); got != c.want {
			t.Errorf("take %d: wait %v, want %v", n, got, c.want)
		}
	}
}
