package sim

import (
	"testing"
	"time"
)

// TestCallsWhileLoggedIn checks that no call ends while its agent is logged out,
// over enough shifts that some would.
func TestCallsWhileLoggedIn(t *testing.T) {
	start := time.Date(2026, 11, 25, 9, 0, 0, 0, zone())
	f := New(Config{Seed: 1, Start: start}).floor
	breaks := 0
	for agent := range 12 {
		for day := range 20 {
			s := f.session(agent, f.dayOf(start)+day)
			breaks += len(s.logins) - 1
			for _, c := range s.calls {
				if !s.loggedIn(c.end) {
					t.Errorf("agent %d was called at %s; logged in %v", agent, c.end, s.logins)
				}
			}
		}
	}
	if breaks < 20 {
		t.Errorf("only %d breaks of the login in 240 shifts", breaks)
	}
}
