package store

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/schedule"
	"floorwalker/bot/stats"
	bolt "go.etcd.io/bbolt"
)

const (
	historySuffix = "-history"
	daySuffix     = ".db"
	damagedSuffix = ".damaged"

	// openDays bounds how many days' files are open at a time: those of a week
	// and a few that somebody looks back to.
	openDays = 12

	// lateFor is how long after its end a day may still get samples before it is
	// compacted.
	lateFor = time.Hour
)

// A history is the directory of the days' files.
type history struct {
	config Config
	dir    string
	log    *slog.Logger
	commit func(*bolt.Tx) error

	writing sync.Mutex // held by the one writer of all days, and while a file is replaced
	chunk   chunk      // the writer's

	mu      sync.Mutex // guards what follows
	days    map[schedule.Date]*day
	damaged map[schedule.Date][]string // names of files that were set aside
	recent  []*day                     // that may be open; the last used one is the last
}

// newHistory returns the history of a live file, before anybody has looked at
// the directory. A write transaction ends with commit.
func newHistory(c Config, path string, commit func(*bolt.Tx) error) *history {
	return &history{
		config: c, dir: path + historySuffix, log: c.Logger, commit: commit,
		days: map[schedule.Date]*day{}, damaged: map[schedule.Date][]string{},
	}
}

// look takes in which days there are, and removes what a killed process left.
// The directory is made with the first day.
func (h *history) look() error {
	entries, err := os.ReadDir(h.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("history: %w", err)
	}
	for _, e := range entries {
		if err := h.enter(e.Name()); err != nil {
			return fmt.Errorf("history: %w", err)
		}
	}
	return nil
}

// enter takes a file of the directory in. Others than its own it leaves alone.
func (h *history) enter(name string) error {
	if name == restoring { // the live file is there, or it would not be open
		return os.Remove(filepath.Join(h.dir, name))
	}
	text, rest, ok := strings.Cut(name, daySuffix)
	date, err := schedule.ParseDate(text)
	switch {
	case !ok || err != nil:
		return nil
	case rest == "":
		h.days[date] = h.day(date)
	case strings.HasPrefix(rest, damagedSuffix):
		h.damaged[date] = append(h.damaged[date], name)
	case rest == compactSuffix || strings.HasPrefix(rest, ".new-"):
		return os.Remove(filepath.Join(h.dir, name))
	}
	return nil
}

func (h *history) day(date schedule.Date) *day {
	return &day{date: date, path: filepath.Join(h.dir, date.String()+daySuffix)}
}

// dates returns the days from one to another, both included, that there are
// files of, in order.
func (h *history) dates(from, to schedule.Date) []schedule.Date {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []schedule.Date
	for date := range h.days {
		all = append(all, date)
	}
	for date := range h.damaged {
		all = append(all, date)
	}
	all = slices.DeleteFunc(all, func(d schedule.Date) bool { return d < from || d > to })
	slices.Sort(all)
	return slices.Compact(all)
}

// of returns what there is of a date: its file, nil for none, and the names of
// damaged ones.
func (h *history) of(date schedule.Date) (d *day, damaged []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.days[date], h.damaged[date]
}

// use runs fn with a day's file open, to write if asked to.
func (h *history) use(d *day, write bool, fn func(db *bolt.DB) error) error {
	for {
		h.touch(d)
		d.file.RLock()
		if d.db != nil && (d.writable || !write) {
			defer d.file.RUnlock()
			return fn(d.db)
		}
		d.file.RUnlock()
		if err := d.open(h.config, write); err != nil {
			return err
		}
	}
}

// touch notes that a day is used now, and closes what was not for the longest
// time, unless it is in use.
func (h *history) touch(d *day) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := len(h.recent); n > 0 && h.recent[n-1] == d {
		return
	}
	h.recent = append(slices.DeleteFunc(h.recent, func(x *day) bool { return x == d }), d)
	for i := 0; len(h.recent) > openDays && i < len(h.recent)-1; {
		old := h.recent[i]
		if !old.file.TryLock() {
			i++
			continue
		}
		if err := old.close(); err != nil {
			h.log.Warn("day of history not closed", "day", old.date.String(), "error", err)
		}
		old.file.Unlock()
		h.recent = slices.Delete(h.recent, i, i+1)
	}
}

// close closes all files.
func (h *history) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var errs []error
	for _, d := range h.days {
		d.file.Lock()
		errs = append(errs, d.close())
		d.gone = errClosed
		d.file.Unlock()
	}
	return errors.Join(errs...)
}

// History yields an agent's samples, see [bot.History]. A day whose file is
// damaged is yielded as an error, [ErrDamaged], and the iteration goes on.
//
// The days are read one by one, and nothing is held while the consumer works.
// Samples that follow each other with the same values share one slice of them:
// treat it as read-only.
func (s *Store) History(id bot.AgentID, span schedule.Span, without ...string) iter.Seq2[stats.Sample, error] {
	return func(yield func(stats.Sample, error) bool) {
		if span.Empty() {
			return
		}
		r := dayReader{id: id, span: span, without: without, damages: &s.damages}
		for _, date := range s.history.dates(schedule.DateOf(span.Start, time.UTC), schedule.DateOf(span.End, time.UTC)) {
			d, damaged := s.history.of(date)
			for _, name := range damaged {
				if !yield(stats.Sample{}, fmt.Errorf("history of %s: %w: %s was set aside; its samples are missing", date, ErrDamaged, name)) {
					return
				}
			}
			if d == nil {
				continue
			}
			if !r.read(s.history, d, yield) {
				return
			}
		}
	}
}
