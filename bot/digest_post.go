package bot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"floorwalker/bot/chat"
	"floorwalker/bot/schedule"
)

// An early says of a digest that it was posted before the last polls of its shift
// were in, and is to be edited if they change it.
type early struct {
	End     time.Time `json:"end"`               // of what it covers
	Delayed bool      `json:"delayed,omitempty"` // it says so
	Said    string    `json:"said"`              // what it says, as saying writes it
}

// saying returns what stands for the words of a message.
func saying(m chat.Message) string {
	sum := sha256.Sum256([]byte(m.Plain()))
	return hex.EncodeToString(sum[:16])
}

// post composes a digest and records it together with its messages, with the
// occurrences that were skipped for it, and with whether it is to be looked at
// again. That it is recorded already means that it is done.
func (l *digestLoop) post(ctx context.Context, c *Config, due dueDigest, now time.Time) error {
	inTime := !l.b.watching.pending(due.window.End) // before history is read: nothing comes in unnoticed
	if err := ctx.Err(); err != nil {
		return err // what was pending is so no more, because the watch stops
	}
	report, err := l.b.report(ctx, c, due.team, due.window, now)
	if err != nil {
		return err
	}
	m := report.message(due)
	name := digestName(due.team, due.digest)
	before, after := l.starts[name], l.starts[name]
	after.Early = nil
	if !inTime {
		after.Early = &early{due.window.End, due.delayed, saying(m)}
	}
	added, readers := false, 0
	err = l.b.store.Update(func(tx Tx) (err error) {
		if added, err = recordDigest(tx, due, now); err != nil || !added {
			return err
		}
		d := newDesk(tx, c, now, 0)
		if before.Early != nil || after.Early != nil {
			d.put(RecordDigests, name, after)
		}
		readers = d.promiseDigest(due, m, due.giveUp(now))
		return d.err
	})
	if err != nil || !added {
		return err
	}
	if readers == 0 {
		l.b.log.WarnContext(ctx, "nobody gets a digest: no channel, or no supervisor who can be reached", "digest", name, "nominal", due.run.Nominal.String())
	}
	l.starts[name] = after
	l.b.bells.ring()
	return nil
}

// recordDigest records that a digest runs, and what was skipped for it; false if
// it was recorded before.
func recordDigest(tx Tx, due dueDigest, now time.Time) (added bool, err error) {
	if err := due.recordSkipped(tx, now); err != nil {
		return false, err
	}
	return tx.RecordOccurrence(Occurrence{
		Team: due.team.Name, Name: due.digest.Name, Nominal: due.run.Nominal, At: due.run.At, Window: due.window.Span, Recorded: now,
	})
}

// promiseDigest promises a digest to all who get it, and returns how many.
func (d *desk) promiseDigest(due dueDigest, m chat.Message, giveUp time.Time) (readers int) {
	to := d.audience(due)
	for _, addr := range to {
		d.enqueue(d.afterQuiet(due, Row{Key: due.key(addr), To: addr, Lane: LaneDigest, Message: m, GiveUp: giveUp}))
	}
	return len(to)
}

// amendLate has the digests edited that were posted before the last polls of
// their shift were in, once these are in or given up. Each is edited at most once.
func (l *digestLoop) amendLate(ctx context.Context, c *Config, now time.Time) error {
	for _, team := range c.Teams {
		for _, d := range team.Digests {
			start, err := l.start(digestName(team, d), timesOf(d), now)
			if errors.Is(err, ErrNotSaved) {
				continue // run says so
			}
			if err != nil {
				return err
			}
			if start.Early == nil || l.b.watching.pending(start.Early.End) {
				continue
			}
			if err := ctx.Err(); err != nil {
				return err // as in post
			}
			err = l.amend(ctx, c, dueDigest{team: team, digest: d, delayed: start.Early.Delayed}, now)
			if errors.Is(err, ErrNotSaved) {
				l.b.log.ErrorContext(ctx, "late data not posted yet", "team", team.Name, "digest", d.Name, "err", err)
			} else if err != nil {
				return fmt.Errorf("edit digest %s/%s: %w", team.Name, d.Name, err)
			}
		}
	}
	return nil
}

// amend composes a digest anew, and has its messages edited if it says anything
// else now. Either way it is done with.
func (l *digestLoop) amend(ctx context.Context, c *Config, due dueDigest, now time.Time) error {
	name := digestName(due.team, due.digest)
	start := l.starts[name]
	m, found, err := l.anew(ctx, c, &due, now)
	if err != nil {
		return err
	}
	changed := found && saying(m) != start.Early.Said
	start.Early = nil
	err = l.b.store.Update(func(tx Tx) error {
		d := newDesk(tx, c, now, 0)
		d.put(RecordDigests, name, start)
		if !changed {
			return d.err
		}
		for _, row := range d.copies(due) {
			if !d.amend(row.Key, m, row.NotBefore) { // it has left, or is leaving
				d.enqueue(Row{Key: row.Key + "/late", Edits: row.Key, To: row.To, Lane: LaneDigest, Message: m, GiveUp: now.Add(time.Hour)})
			}
		}
		return d.err
	})
	if err != nil {
		return err
	}
	l.starts[name] = start
	l.b.bells.ring()
	return nil
}

// anew composes the digest again that was posted early, and completes due. It is
// not found if another one was posted since, or if that is long ago.
func (l *digestLoop) anew(ctx context.Context, c *Config, due *dueDigest, now time.Time) (m chat.Message, found bool, err error) {
	end := l.starts[digestName(due.team, due.digest)].Early.End
	last, err := l.b.lastOccurrence(due.team.Name, due.digest.Name, now)
	if err != nil || last.Skipped != "" || !last.Window.End.Equal(end) || now.Sub(last.At) > keepEdits {
		return m, false, err
	}
	due.run = schedule.Occurrence{Nominal: last.Nominal, At: last.At}
	if due.window, err = due.digest.Schedule.Window(last.Nominal); err != nil {
		return m, false, err
	}
	report, err := l.b.report(ctx, c, due.team, due.window, now)
	return report.message(*due), true, err
}

// key is the promise of a digest to one address.
func (due dueDigest) key(to chat.Address) string { return due.keyOf(due.run.Nominal.String(), to) }

// keyOf is key for another run than that of a due time.
func (due dueDigest) keyOf(run string, to chat.Address) string {
	return strings.Join([]string{"digest", due.team.Name, due.digest.Name, run, to.String()}, "/")
}

// audience returns where a digest goes: to the team's channels, or to each of its
// supervisors, at the first address where they can be reached.
func (d *desk) audience(due dueDigest) []chat.Address {
	if !due.digest.ToSupervisors {
		return due.team.Channels
	}
	var list []chat.Address
	for _, r := range d.recipients(due.team.Name) {
		list = append(list, r.addr)
	}
	return list
}

// reads reports whether a row is, by this configuration, for where it goes. A
// digest may have waited while its team's channels, or who supervises it, changed.
func (c *Config) reads(r Row) bool {
	for _, team := range c.Teams {
		for _, d := range team.Digests {
			if strings.HasPrefix(r.Key, "digest/"+digestName(team, d)+"/") {
				return slices.Contains(c.readers(team, d), r.To)
			}
		}
	}
	return r.Lane != LaneDigest
}

// readers returns all addresses that a digest can go to: those that
// [Bot.forward] finds for a supervisor are among them.
func (c *Config) readers(t Team, d Digest) (list []chat.Address) {
	if !d.ToSupervisors {
		return t.Channels
	}
	for _, p := range t.Supervisors {
		for _, addr := range p.Addresses {
			for _, a := range append(c.samePerson(addr), addr) {
				if !slices.Contains(list, a) {
					list = append(list, a)
				}
			}
		}
	}
	return list
}

// audience is [desk.audience] outside of a transaction.
func (b *Bot) audience(c *Config, due dueDigest, now time.Time) (list []chat.Address, err error) {
	err = b.store.View(func(tx Tx) error {
		d := newDesk(tx, c, now, 0)
		list = d.audience(due)
		return d.err
	})
	return list, err
}

// copies returns the rows of a digest that were sent or will be, to whichever of
// a person's addresses.
func (d *desk) copies(due dueDigest) []Row {
	var list []Row
	for _, to := range d.c.readers(due.team, due.digest) {
		if row, found := d.row(due.key(to)); found && row.State != RowDead && row.State != RowCancelled {
			list = append(list, row)
		}
	}
	return list
}

// forward promises a digest, that a person cannot be reached with at one address,
// to the next of theirs at which they can. For a day others of theirs are tried
// first. It comes before the row is settled, so that a crash in between forwards
// once more, which the key makes harmless.
func (b *Bot) forward(row Row, o Outcome) error {
	rest := b.config.Load().samePerson(row.To)
	base, own := strings.CutSuffix(row.Key, row.To.String())
	if o.State != RowDead || row.Lane != LaneDigest || !own || len(rest) == 0 {
		return nil
	}
	_, err := b.atDesk(o.At, func(d *desk) {
		r := d.reader(row.To)
		r.Lost, r.changed, d.wrote = d.now, true, true
		var untried []chat.Address
		for _, addr := range rest {
			if _, tried := d.row(base + addr.String()); !tried {
				untried = append(untried, addr)
			}
		}
		if to, ok := d.choose(untried); ok {
			d.enqueue(Row{Key: base + to.addr.String(), To: to.addr, Lane: row.Lane, Message: row.Message, GiveUp: row.GiveUp})
		}
	})
	if err != nil {
		return fmt.Errorf("forward %s: %w", row.Key, err)
	}
	return nil
}
