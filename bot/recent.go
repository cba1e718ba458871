package bot

import (
	"sync"
	"time"
)

// window is how long requests are remembered. Slack repeats an event within
// minutes, Discord not at all.
const window = 10 * time.Minute

// recent remembers ids for ten to twenty minutes. The zero value is ready.
type recent struct {
	mu       sync.Mutex
	now, old map[string]struct{}
	turned   time.Time // when now began
}

// add remembers the id and reports whether it is new.
func (r *recent) add(id string, at time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if age := at.Sub(r.turned); r.now == nil || age >= window || age < -window {
		r.old, r.now, r.turned = r.now, map[string]struct{}{}, at
	}
	_, seen := r.now[id]
	if !seen {
		_, seen = r.old[id]
	}
	r.now[id] = struct{}{}
	return !seen
}

// throttle allows a few attempts per key in ten minutes. The zero value is
// ready.
type throttle struct {
	mu    sync.Mutex
	tries map[string][]time.Time
}

// allow reports whether the key may try once more, and counts the try. With no
// try left it returns how long to wait.
func (t *throttle) allow(key string, limit int, at time.Time) (wait time.Duration, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.tries == nil {
		t.tries = map[string][]time.Time{}
	}
	for k, tries := range t.tries {
		if at.Sub(tries[len(tries)-1]) >= window {
			delete(t.tries, k)
		}
	}
	tries := t.tries[key]
	for len(tries) > 0 && at.Sub(tries[0]) >= window {
		tries = tries[1:]
	}
	if len(tries) >= limit {
		return tries[0].Add(window).Sub(at), false
	}
	t.tries[key] = append(tries, at)
	return 0, true
}
