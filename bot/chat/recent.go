package chat

import (
	"sync"
	"time"
)

// memory is how long ids are remembered at least. Slack repeats an event within
// minutes, and takes no request for genuine that is more than five minutes old;
// Discord repeats nothing.
const memory = 10 * time.Minute

// Recent remembers ids for ten to twenty minutes, so that what comes twice is
// answered once. The zero value is ready; methods may be called from several
// goroutines.
type Recent struct {
	mu       sync.Mutex
	now, old map[string]struct{}
	turned   time.Time // when now began
}

// Add remembers the id and reports whether it is new.
func (r *Recent) Add(id string, at time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if age := at.Sub(r.turned); r.now == nil || age >= memory || age < -memory {
		r.old, r.now, r.turned = r.now, map[string]struct{}{}, at
	}
	_, seen := r.now[id]
	if !seen {
		_, seen = r.old[id]
	}
	r.now[id] = struct{}{}
	return !seen
}
