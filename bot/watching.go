package bot

import (
	"sync"
	"time"
)

// An openRound is one that is not stored yet.
type openRound struct{ began, end time.Time }

// watching is what others need to know of the watch. The zero value is ready.
type watching struct {
	mu     sync.Mutex
	start  time.Time     // of the last round that ended
	length time.Duration // of that round
	polls  int           // in that round
	noDisk bool          // the last batch was not saved
	digest time.Time     // when the digest loop last looked
	tended time.Time     // when open alerts were last tended
	gone   time.Time     // when people who left were last looked for
	stored time.Time     // when results were last dealt with
	rounds uint64        // that were stored
	took   time.Duration // the last of them, from its begin
	open   []openRound   // not stored yet, oldest first

	// finals counts the polls at a shift's end that are under way or to be
	// tried again, by that end; planned is up to when ends are planned.
	finals  map[time.Time]int
	planned time.Time
}

func (w *watching) round(start time.Time, length time.Duration, polls int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.start, w.length, w.polls = start, length, polls
	if polls == 0 {
		w.noDisk = false // nobody works, so that nothing is not saved
	}
}

func (w *watching) full(yes bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.noDisk, w.stored = yes, time.Now()
}

// plan notes that a round begins, and up to when the ends of shifts are planned,
// which is its end.
func (w *watching) plan(until time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.planned = until
	w.open = append(w.open, openRound{time.Now(), until})
}

// written notes that the oldest round is stored.
func (w *watching) written() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.open) == 0 {
		return
	}
	w.rounds++
	w.took = time.Since(w.open[0].began)
	w.open = w.open[1:]
}

func (w *watching) beatLeavers(at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gone = at
}

func (w *watching) beatAlerts(at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tended = at
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
	return w.finals[end] > 0 || w.planned.Before(end)
}

// A WatchStatus is how the watch is doing.
type WatchStatus struct {
	Round    time.Time     // when the last complete round began; zero: none yet
	Interval time.Duration // how long it was: more than configured under overload
	Polls    int           // questions in it
	NoDisk   bool          // results are not saved, because the disk is full
	Digests  time.Time     // when the digest loop last looked
	Alerts   time.Time     // when what is due about open alerts was last looked for
	Leavers  time.Time     // when people who left were last looked for, which is done once a day

	// Due is when the round under way is to be stored, or else when the next one
	// is to begin; zero: the watch has not begun.
	Due    time.Time
	Stored time.Time     // when results were last dealt with
	Rounds uint64        // that were stored, since the start
	Took   time.Duration // the last of them, from its begin
}

// WatchStatus returns how the watch is doing.
func (b *Bot) WatchStatus() WatchStatus {
	w := &b.watching
	w.mu.Lock()
	defer w.mu.Unlock()
	due := w.planned
	if len(w.open) > 0 {
		due = w.open[0].end
	}
	return WatchStatus{
		Round: w.start, Interval: w.length, Polls: w.polls, NoDisk: w.noDisk, Digests: w.digest, Alerts: w.tended, Leavers: w.gone,
		Due: due, Stored: w.stored, Rounds: w.rounds, Took: w.took,
	}
}

// poke wakes the digest loop.
func (b *Bot) poke() {
	select {
	case b.due <- struct{}{}:
	default:
	}
}
