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
	// tried again, by that end; early holds the ends for which a digest went out
	// before they were in.
	finals map[time.Time]int
	early  map[time.Time]bool
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

// expect notes that a final poll is planned, land that nothing more comes of it.
func (w *watching) expect(end time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.finals == nil {
		w.finals = map[time.Time]int{}
	}
	w.finals[end]++
}

func (w *watching) land(end time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.finals[end]--; w.finals[end] <= 0 {
		delete(w.finals, end)
	}
}

// postedEarly notes that a digest did not wait for the final polls of a shift.
func (w *watching) postedEarly(end time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.early == nil {
		w.early = map[time.Time]bool{}
	}
	w.early[end] = true
}

// late takes the ends for which a digest went out early and all is in by now.
func (w *watching) late() []time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	var ends []time.Time
	for end := range w.early {
		if w.finals[end] == 0 {
			delete(w.early, end)
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

// pending reports whether final polls of a shift that ended then are under way.
func (w *watching) pending(end time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.finals[end] > 0
}

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
