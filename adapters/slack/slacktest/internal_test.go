package slacktest

import (
	"testing"
	"time"
)

// Two acks that meet, one of a delivery and one of its repetition, show one
// answer.
func TestOneAnswer(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	answers := 0
	i := &Interaction{accepts: true, onAck: func(args) string { answers++; return "" }, s: s}
	for range 2 {
		s.acknowledge(Ack{}, &delivery{i: i, acked: make(chan struct{})})
	}
	if answers != 1 || len(s.Acks()) != 2 {
		t.Errorf("%d answers shown of %d acks", answers, len(s.Acks()))
	}
}

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
