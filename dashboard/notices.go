package dashboard

import (
	"log/slog"
	"sync"
	"sync/atomic"
)

// maxNewKeys bounds how many undocumented keys are remembered and logged.
const maxNewKeys = 100

// notices logs, once each, what is odd about good answers: keys that the
// vendor's document does not have, and rows beyond the first.
type notices struct {
	log *slog.Logger

	newKeys, extraRows atomic.Uint64

	mu   sync.Mutex // guards seen
	seen map[string]bool
}

// note looks at an answer.
func (n *notices) note(c Counters) {
	if c.Rows > 1 && n.extraRows.Add(1) == 1 {
		n.log.Warn("counters API: more than one row in an answer, using the first", "rows", c.Rows)
	}
	for key := range c.Row {
		if !documented(key) && n.first(key) {
			n.newKeys.Add(1)
			n.log.Warn("counters API: new key seen", "key", clean(key, Credential{}))
		}
	}
}

// first reports whether key is seen for the first time and there is room to
// remember it.
func (n *notices) first(key string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.seen[key] || len(n.seen) >= maxNewKeys {
		return false
	}
	if n.seen == nil {
		n.seen = map[string]bool{}
	}
	n.seen[key] = true
	return true
}

// documented reports whether the vendor's document shows the key.
func documented(key string) bool {
	switch key {
	case "TH", "MH", "aTT", "C", "tC", "HT", "callType", "cmpId", "I", "l", "ml", "ATT":
		return true
	}
	return false
}
