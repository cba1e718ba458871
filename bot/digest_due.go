package bot

import (
	"context"
	"errors"
	"fmt"
	"time"

	"floorwalker/bot/schedule"
)

const (
	// lastPoll is how long a shift's digest waits for the poll at the shift's end.
	lastPoll = 2 * time.Minute

	// digestNap bounds the sleep of the digest loop: timers do not see a wall
	// clock that is set.
	digestNap = 30 * time.Second
)

// A due digest is one that the loop found to be run.
type dueDigest struct {
	team    Team
	digest  Digest
	run     schedule.Occurrence
	delayed bool
	skipped []schedule.Skip // for it
	window  schedule.Window
}

// giveUp is when a digest is too old to be delivered. However late it is
// composed, there is time for an attempt.
func (due dueDigest) giveUp(now time.Time) time.Time {
	at := due.run.At.Add(max(due.digest.Schedule.CatchUp, schedule.OnTime))
	if least := now.Add(schedule.OnTime); at.Before(least) {
		return least
	}
	return at
}

// A digestLoop is one run of [Bot.Digests].
type digestLoop struct {
	b *Bot

	// done holds, by digest, the newest due time that was run. It may be recorded
	// under an earlier instant, when a new time zone database has moved it, and
	// would then be due for ever.
	done map[string]time.Time

	starts map[string]digestStart // as recorded, by digest: nobody else writes them
}

// Digests posts each team's digests when they are due, until ctx ends or the
// store fails. What is due is decided from what is recorded, so that a restart,
// an outage and a stepped clock all come to the same.
func (b *Bot) Digests(ctx context.Context) error {
	l := &digestLoop{b: b, done: map[string]time.Time{}, starts: map[string]digestStart{}}
	for ctx.Err() == nil {
		next, err := l.round(ctx, time.Now())
		switch {
		case err != nil && ctx.Err() != nil:
			return nil // it was interrupted, and the next start does it again
		case err != nil:
			return err
		}
		b.watching.beatDigests(time.Now())
		timer := time.NewTimer(min(digestNap, max(time.Until(next), time.Second)))
		select {
		case <-ctx.Done():
		case <-b.due:
		case <-timer.C:
		}
		timer.Stop()
	}
	return nil
}

// round runs what is due at now, and returns when the next one is.
func (l *digestLoop) round(ctx context.Context, now time.Time) (next time.Time, err error) {
	next = now.Add(digestNap)
	c := l.b.config.Load()
	if err := l.amendLate(ctx, c, now); err != nil {
		return next, err
	}
	for _, team := range c.Teams {
		for _, d := range team.Digests {
			at, err := l.run(ctx, c, team, d, now)
			if errors.Is(err, ErrNotSaved) {
				l.b.log.ErrorContext(ctx, "digest not recorded, so not sent", "team", team.Name, "digest", d.Name, "err", err)
				continue
			}
			if err != nil {
				return next, fmt.Errorf("digest %s/%s: %w", team.Name, d.Name, err)
			}
			if !at.IsZero() && at.Before(next) {
				next = at
			}
		}
	}
	return next, nil
}

// run runs one digest if it is due, and returns when to look again.
func (l *digestLoop) run(ctx context.Context, c *Config, team Team, d Digest, now time.Time) (time.Time, error) {
	since, err := l.since(team, d, now)
	if err != nil {
		return time.Time{}, err
	}
	plan, err := d.Schedule.Due(since, now)
	if err != nil {
		return time.Time{}, err
	}
	due := dueDigest{team: team, digest: d, run: plan.Run, delayed: plan.Delayed, skipped: plan.Skipped}
	if !plan.Ready {
		if err := l.skip(due, now); err != nil {
			return time.Time{}, err
		}
		o, err := d.Schedule.Schedule().Next(now)
		return o.At, err
	}
	if due.window, err = d.Schedule.Window(plan.Run.Nominal); err != nil {
		return time.Time{}, err
	}
	if l.b.watching.pending(due.window.End) && now.Sub(plan.Run.At) < lastPoll {
		return now.Add(time.Second), nil
	}
	if err := l.post(ctx, c, due, now); err != nil {
		return time.Time{}, err
	}
	l.done[digestName(team, d)] = plan.Run.At
	return now, nil
}

func digestName(team Team, d Digest) string { return team.Name + "/" + d.Name }

// A digestStart says since when a digest has been due at its present times, and
// what is still to be done about the newest one. A new digest, and one whose times
// were edited, owes nothing for the time before; but from then on it owes, whenever
// the bot is down.
type digestStart struct {
	Times string    `json:"times"` // as timesOf writes them
	Since time.Time `json:"since"`
	Early *early    `json:"early,omitempty"` // of the newest one posted; nil: it is done with
}

// timesOf writes what decides when a digest is due, but for holidays: to change
// those is not to edit the digest.
func timesOf(d Digest) string {
	s := d.Schedule.Schedule()
	return fmt.Sprint(s.Zone, " ", s.Days, " ", s.Times, " +", s.DaysAfter)
}

// since returns the time up to which all of a digest's occurrences are settled:
// that of its newest record, or when it got its present times, which is recorded
// if it is now. Records of times to come are left aside: the clock was ahead.
func (l *digestLoop) since(team Team, d Digest, now time.Time) (time.Time, error) {
	last, err := l.b.lastOccurrence(team.Name, d.Name, now)
	if err != nil {
		return time.Time{}, err
	}
	name := digestName(team, d)
	start, err := l.start(name, timesOf(d), now)
	if err != nil {
		return time.Time{}, err
	}
	since := start.Since
	for _, at := range []time.Time{last.At, l.done[name]} {
		if at.After(since) && !at.After(now) {
			since = at
		}
	}
	return since, nil
}

// start returns since when a digest has been due at these times, and records it
// if that is now.
func (l *digestLoop) start(name, times string, now time.Time) (start digestStart, err error) {
	start, known := l.starts[name]
	if !known {
		if err := l.b.store.View(func(tx Tx) (err error) {
			start, _, err = ReadRecord[digestStart](tx, RecordDigests, name)
			return err
		}); err != nil {
			return start, err
		}
	}
	if start.Times != times {
		start = digestStart{Times: times, Since: now.Round(0).UTC()}
		if err := l.b.store.Update(func(tx Tx) error { return WriteRecord(tx, RecordDigests, name, start) }); err != nil {
			return start, err
		}
	}
	l.starts[name] = start
	return start, nil
}

// skip records why occurrences did not run.
func (l *digestLoop) skip(due dueDigest, now time.Time) error {
	if len(due.skipped) == 0 {
		return nil
	}
	return l.b.store.Update(func(tx Tx) error { return due.recordSkipped(tx, now) })
}

func (due dueDigest) recordSkipped(tx Tx, now time.Time) error {
	for _, s := range due.skipped {
		if _, err := tx.RecordOccurrence(Occurrence{
			Team: due.team.Name, Name: due.digest.Name, Nominal: s.Nominal, At: s.At, Skipped: string(s.Reason), Recorded: now,
		}); err != nil {
			return err
		}
	}
	return nil
}

// lastOccurrence returns the newest record of a digest that was due by a time.
func (b *Bot) lastOccurrence(team, name string, by time.Time) (last Occurrence, err error) {
	err = b.store.View(func(tx Tx) error {
		last, _, err = tx.LastOccurrence(team, name, by)
		return err
	})
	return last, err
}
