package dashboard

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestPauses checks that of several pauses the one that ends last counts.
func TestPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1, 1)
		for _, step := range []struct{ pause, want time.Duration }{{0, 0}, {time.Minute, time.Minute}, {time.Second, time.Minute}, {time.Hour, time.Hour}} {
			g.pause(step.pause)
			if got := g.pausedFor(); got != step.want {
				t.Errorf("after a pause of %s, %s are left, want %s", step.pause, got, step.want)
			}
		}
		time.Sleep(2 * time.Hour)
		if got := g.pausedFor(); got != 0 {
			t.Errorf("after its end %s are left", got)
		}
	})
}
