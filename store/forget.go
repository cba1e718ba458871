package store

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/schedule"
	bolt "go.etcd.io/bbolt"
)

// TrimHistory deletes the days that ended before the time. It also compacts the
// days that ended lately, once each, and makes up for a [Store.ForgetHistory]
// that was not completed. It may take seconds. Call it hourly or so.
func (s *Store) TrimHistory(before time.Time) error {
	err := s.history.trim(before)
	s.history.compactEnded(time.Now().Add(-lateFor))
	return errors.Join(err, s.forgetDue())
}

// trim deletes the days that ended before the time, damaged ones too.
func (h *history) trim(before time.Time) error {
	h.writing.Lock()
	defer h.writing.Unlock()
	var errs []error
	for _, date := range h.dates(math.MinInt32, schedule.DateOf(before, time.UTC)-1) {
		if err := h.delete(date); err != nil {
			errs = append(errs, fmt.Errorf("history of %s: %w", date, err))
		}
	}
	return errors.Join(errs...)
}

func (h *history) delete(date schedule.Date) error {
	d, damaged := h.of(date)
	for _, name := range damaged {
		if err := os.Remove(filepath.Join(h.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if d != nil {
		if err := d.remove(); err != nil {
			return err
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.days, date)
	delete(h.damaged, date)
	return nil
}

// compactEnded compacts the days that ended by the time and were written to
// since they were compacted last. That one fails is no harm but for the space,
// so it is logged, and tried again the next time.
func (h *history) compactEnded(by time.Time) {
	for _, date := range h.dates(math.MinInt32, schedule.DateOf(by, time.UTC)-1) {
		if err := h.compactIfDue(date); err != nil {
			h.log.Warn("day of history not compacted", "day", date.String(), "error", err)
		}
	}
}

func (h *history) compactIfDue(date schedule.Date) error {
	h.writing.Lock()
	defer h.writing.Unlock()
	d, _ := h.of(date)
	if d == nil || d.compacted {
		return nil
	}
	mark, _, err := h.marks(d, nil)
	if err == nil && mark != 0 {
		err = h.compact(d)
	}
	if err == nil {
		d.compacted = true
	}
	return err
}

// compact compacts a day's file. Call it with h.writing held.
func (h *history) compact(d *day) error {
	if err := h.use(d, false, func(db *bolt.DB) error { return d.compact(h.config, db) }); err != nil {
		return err
	}
	return d.replace()
}

// marks returns a day's record of a compaction that is due, 0 for none, and
// those of the agents that have samples in it.
func (h *history) marks(d *day, of []bot.AgentID) (mark byte, there []bot.AgentID, err error) {
	err = h.use(d, false, func(db *bolt.DB) error {
		return db.View(func(tx *bolt.Tx) error {
			t := txn{Tx: tx}
			if record := t.get(bucketMeta, keyCompact); len(record) == 1 {
				mark = record[0]
			}
			for _, id := range of {
				if t.get(bucketAgents, string(id)) != nil {
					there = append(there, id)
				}
			}
			return nil
		})
	})
	return mark, there, err
}

// ForgetHistory deletes all samples of an agent, and rewrites the files that held
// some, so that no old bytes are left. It takes a second for every few hundred
// megabytes of history; others read meanwhile, and write between two files.
//
// [Store.Unlink] notes that it is due, and the next [Store.TrimHistory] makes up
// for one that was not called, or not completed. While a damaged day is there,
// which cannot be rewritten, it is not complete, and says so.
func (s *Store) ForgetHistory(id bot.AgentID) error {
	err := s.update(func(t txn) error {
		if t.get(bucketForget, string(id)) != nil {
			return errUnchanged
		}
		return t.forgetLater(id)
	})
	if err != nil {
		return err
	}
	return s.forgetDue()
}

// forgetLater notes that the history is to forget an agent.
func (t txn) forgetLater(id bot.AgentID) error { return t.put(bucketForget, string(id), []byte{1}) }

// toForget returns whom history is to forget.
func (s *Store) toForget() (ids []bot.AgentID, err error) {
	err = s.view(func(t txn) error {
		return t.in(bucketForget).ForEach(func(id, _ []byte) error {
			ids = append(ids, bot.AgentID(id))
			return nil
		})
	})
	return ids, err
}

// forgetDue forgets the agents of whom that is noted.
func (s *Store) forgetDue() error {
	ids, err := s.toForget()
	if err != nil || len(ids) == 0 {
		return err
	}
	if err := s.history.forget(ids); err != nil {
		return err
	}
	err = s.update(func(t txn) error {
		for _, id := range ids {
			if err := t.drop(bucketForget, string(id)); err != nil {
				return err
			}
		}
		return t.put(bucketMeta, keyCompact, []byte{1}) // not even the ids are left
	})
	if err == nil {
		s.compactIfDue()
	}
	return err
}

// forget deletes agents from all days.
func (h *history) forget(ids []bot.AgentID) error {
	var errs []error
	for _, date := range h.dates(math.MinInt32, math.MaxInt32) {
		if err := h.forgetOn(date, ids); err != nil {
			errs = append(errs, fmt.Errorf("history of %s: delete %d agents: %w", date, len(ids), err))
		}
	}
	return errors.Join(errs...)
}

func (h *history) forgetOn(date schedule.Date, ids []bot.AgentID) error {
	h.writing.Lock()
	defer h.writing.Unlock()
	d, damaged := h.of(date)
	var errs []error
	for _, name := range damaged {
		errs = append(errs, fmt.Errorf("%w: %s cannot be rewritten; delete it", ErrDamaged, filepath.Join(h.dir, name)))
	}
	if d != nil {
		errs = append(errs, h.forgetIn(d, ids))
	}
	return errors.Join(errs...)
}

func (h *history) forgetIn(d *day, ids []bot.AgentID) error {
	mark, there, err := h.marks(d, ids)
	if err == nil && len(there) > 0 {
		mark, err = compactSoon, h.use(d, true, func(db *bolt.DB) error { return h.drop(db, there) })
	}
	if err != nil || mark != compactSoon {
		return err
	}
	return h.compact(d)
}

// drop deletes agents from a day's file, and marks it for a compaction.
func (h *history) drop(db *bolt.DB, ids []bot.AgentID) error {
	tx, err := db.Begin(true)
	if err != nil {
		return err
	}
	defer tx.Rollback() // of no effect after a commit
	t := txn{Tx: tx}
	for _, id := range ids {
		number := t.get(bucketAgents, string(id))
		for hour := range int64(24) {
			if err := t.drop(bucketChunks, string(chunkKey(hour, number))); err != nil {
				return err
			}
		}
		if err := t.drop(bucketAgents, string(id)); err != nil {
			return err
		}
	}
	if err := t.put(bucketMeta, keyCompact, []byte{compactSoon}); err != nil {
		return err
	}
	return h.commit(tx)
}
