package bot

import (
	"sync"
	"time"
)

// window is how long tries are counted.
const window = 10 * time.Minute

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
