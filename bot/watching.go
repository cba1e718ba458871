package bot

import (
	"sync"
	"time"
)

// watching is what others need to know of the watch. The zero value is ready.
type watching struct {
	mu     sync.Mutex
	start  time.Time     // of the last round that ended
	length time.Duration // of that round
	polls  int           // in that round
	noDisk bool          // the last batch was not saved
	digest time.Time     // when the digest loop last looked

	// finals counts the polls at a shift's end that are under way or to be
	// tried again, by that end; planned is up to when ends are planned. early
	// holds the ends for which a digest went out before they were in, and
	// whether one has brought something since.
	finals  map[time.Time]int
	planned time.Time
	early   map[time.Time]bool
}

func (w *watching) round(start time.Time, length time.Duration, polls int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.start, w.length, w.polls = start, length, polls
}

func (w *watching) full(yes bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.noDisk = yes
}

// plan notes up to when the ends of shifts are planned.
func (w *watching) plan(until time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.planned = until
}

// expect notes that a final poll is planned, land that nothing more comes of it,
// and whether it brought something.
func (w *watching) expect(end time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.finals == nil {
		w.finals = map[time.Time]int{}
	}
	w.finals[end]++
}

func (w *watching) land(end time.Time, news bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.finals[end]--; w.finals[end] <= 0 {
		delete(w.finals, end)
	}
	if _, early := w.early[end]; early && news {
		w.early[end] = true
	}
}

// postedEarly notes that a digest does not wait for the final polls of a shift.
func (w *watching) postedEarly(end time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.early == nil {
		w.early = map[time.Time]bool{}
	}
	if _, known := w.early[end]; !known {
		w.early[end] = false
	}
}

// late takes the ends for which a digest went out early, all is in by now, and
// there is something new.
func (w *watching) late() []time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	var ends []time.Time
	for end, news := range w.early {
		if w.awaits(end) {
			continue
		}
		delete(w.early, end)
		if news {
			ends = append(ends, end)
		}
	}
	return ends
}

func (w *watching) beatDigests(at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.digest = at
}

// pending reports whether final polls of a shift that ended then are under way,
// or are not even planned, because the watch begins or is late.
func (w *watching) pending(end time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.awaits(end)
}

// awaits is pending, with mu held.
func (w *watching) awaits(end time.Time) bool { return w.finals[end] > 0 || w.planned.Before(end) }

// A WatchStatus is how the watch is doing.
type WatchStatus struct {
	Round    time.Time     // when the last complete round began; zero: none yet
	Interval time.Duration // how long it was: more than configured under overload
	Polls    int           // questions in it
	NoDisk   bool          // results are not saved, because the disk is full
	Digests  time.Time     // when the digest loop last looked
}

// WatchStatus returns how the watch is doing.
func (b *Bot) WatchStatus() WatchStatus {
	b.watching.mu.Lock()
	defer b.watching.mu.Unlock()
	return WatchStatus{b.watching.start, b.watching.length, b.watching.polls, b.watching.noDisk, b.watching.digest}
}

// poke wakes the digest loop.
func (b *Bot) poke() {
	select {
	case b.due <- struct{}{}:
	default:
	}
}
