package store

import (
	"sync"
	"time"
)

const (
	// leap is by how much a clock may differ from what it said when it was last
	// looked at. A program that is off for a night, or that looks once a day only,
	// is not off for as long.
	leap = 2 * 24 * time.Hour

	// steadyFor is how long a clock must have run without a leap to be trusted.
	// Wrong clocks of machines that were asleep are set within minutes.
	steadyFor = 24 * time.Hour
)

// A clockForm is what is known of the clock by which old records are deleted.
type clockForm struct {
	Since   time.Time `json:"since"`   // since when it has run without a leap
	Seen    time.Time `json:"seen"`    // what it said when it was last looked at
	Trusted time.Time `json:"trusted"` // what it said when it was last trusted; zero: never
}

// seen is what is known of the clock when it says now.
func (c clockForm) seen(now time.Time) clockForm {
	if now.Sub(c.Seen).Abs() > leap {
		c.Since = now
	}
	c.Seen = now
	if now.Sub(c.Since) >= steadyFor || now.Before(c.Trusted) {
		c.Trusted = now // one that is set back deletes less
	}
	return c
}

// A clock is the record of it, in memory too: with a full disk it cannot be
// written, and what is deleted gives space back.
type clock struct {
	mu    sync.Mutex // guards what follows
	read  bool
	known clockForm
}

// TrustedTime says up to which time the clock is trusted, which says now. What is
// deleted for its age is to be deleted by that time: a clock that is wrong for some
// hours must not cost all history. Call it hourly or daily.
//
// It is now, once the clock has run for a day without a leap of more than two days
// since it was last looked at, whichever process looked; before, it is what it was
// when the clock leapt, and zero in a new database. So a program that was off for
// months deletes what has grown old after a day. The time is good also with an
// error, which is one of noting it.
func (s *Store) TrustedTime(now time.Time) (time.Time, error) {
	now = stamp(now)
	s.clock.mu.Lock()
	defer s.clock.mu.Unlock()
	if !s.clock.read {
		if err := s.readClock(); err != nil {
			return time.Time{}, err
		}
	}
	last := s.clock.known
	next := last.seen(now)
	s.clock.known = next
	if next.Since != last.Since && !last.Seen.IsZero() {
		s.log.Warn("the clock has leapt, or nothing ran for days: what is old now is not deleted before a day has passed", "from", last.Seen, "to", now)
	}
	return next.Trusted, s.update(func(t txn) error {
		record, err := encode(next)
		if err != nil {
			return err
		}
		return t.put(bucketMeta, keyClock, record)
	})
}

// readClock reads what the last process knew. One that cannot be read is as if
// nothing were known. Called with clock.mu held.
func (s *Store) readClock() error {
	err := s.view(func(t txn) error {
		record := t.get(bucketMeta, keyClock)
		if record == nil {
			return nil
		}
		known, err := decode[clockForm](bucketMeta, keyClock, record)
		if t.damages.pass("record of the clock", err) {
			return nil
		}
		s.clock.known = known
		return err
	})
	s.clock.read = err == nil
	return err
}
