package bot_test

import (
	"strings"
	"testing"
)

// TestQuietReplayed: quiet hours that were changed since are not set as before by
// the old request, which a network or somebody in between delivers again after a
// restart, when nobody remembers it.
func TestQuietReplayed(t *testing.T) {
	onPages(t, func(t *testing.T, s *stage) {
		s.mustDo(t, "as meera: /floor quiet 22:00-07:00")
		first := s.again
		if first.ID == "" {
			t.Fatal("the request has no id")
		}
		s.mustDo(t, "as meera: /floor quiet off", "restart")
		s.seen.Reset()
		s.handle(first)
		if got := s.seen.String(); !strings.Contains(got, "You have no quiet hours: alerts come at any time.") {
			t.Errorf("the replayed request is answered\n%s", got)
		}
		s.mustDo(t, "as meera: /floor quiet 21:00-06:00")
		if got := s.seen.String(); !strings.Contains(got, "21:00–06:00") {
			t.Errorf("a new request is answered\n%s", got)
		}
	})
}
