package bot

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"floorwalker/bot/chat"
)

const (
	// leaseFor is how long a row belongs to an attempt; an attempt takes at most
	// sendFor, so that it is over before its lease is.
	leaseFor = 30 * time.Second
	sendFor  = 10 * time.Second

	// parallel is how many addresses of a network are written to at once.
	parallel = 16

	// The pauses between attempts double from retryFrom to retryMax, with full
	// jitter.
	retryFrom = time.Second
	retryMax  = 5 * time.Minute

	// fullPause is how long nothing is tried while the disk is full: every attempt
	// is a line in the log, and perhaps on that disk.
	fullPause = 10 * time.Second
)

// A deliverer takes one network's rows out of the outbox and sends them.
type deliverer struct {
	b       *Bot
	adapter carrier
	free    chan struct{} // an attempt is over; one slot

	mu     sync.Mutex           // guards what follows
	busy   map[string]time.Time // attempts under way, by key: when their leases are over
	held   error                // why nothing is sent: the network refuses the bot, or the disk is full
	heldTo time.Time            // when it is tried again
}

// Deliver sends what is due on a network until ctx ends or the store fails. Rows
// for one address leave in their order, one at a time; several addresses are
// written to at once, and one that takes long holds up no other.
//
// Each row's lease is on disk before the attempt, and its outcome after it. So
// whatever is killed when, a row is attempted at least once, and one that may
// have arrived is marked as re-sent.
func (b *Bot) Deliver(ctx context.Context, adapter chat.Adapter) error {
	return b.deliver(ctx, adapter)
}

// A carrier is the part of a [chat.Adapter] that deliveries need.
type carrier interface {
	Network() chat.Network
	Send(ctx context.Context, out chat.Outgoing) (chat.Ref, error)
	Edit(ctx context.Context, ref chat.Ref, m chat.Message) error
}

func (b *Bot) deliver(ctx context.Context, adapter carrier) error {
	d := &deliverer{b: b, adapter: adapter, free: make(chan struct{}, 1), busy: map[string]time.Time{}}
	attempts, ctx := errgroup.WithContext(ctx)
	err := d.run(ctx, attempts)
	if err := errors.Join(err, attempts.Wait()); err != nil {
		return fmt.Errorf("deliver on %s: %w", adapter.Network(), err)
	}
	return nil
}

// run starts attempts until ctx ends.
func (d *deliverer) run(ctx context.Context, attempts *errgroup.Group) error {
	wake := d.b.bells.of(d.adapter.Network())
	for ctx.Err() == nil {
		rows, err := d.take(ctx)
		if err != nil {
			return err
		}
		d.b.bells.beat(d.adapter.Network(), time.Now())
		for _, row := range rows {
			attempts.Go(func() error { return d.attempt(ctx, row) })
		}
		if len(rows) > 0 {
			continue // there may be more
		}
		if err := d.rest(ctx, wake); err != nil {
			return err
		}
	}
	return nil
}

// rest waits until the next row is due, an attempt is over, somebody rings, or
// half a minute has passed. While nothing can be sent it does not matter what is
// due.
func (d *deliverer) rest(ctx context.Context, wake <-chan struct{}) error {
	next, err := d.b.store.Wake(d.adapter.Network())
	if err != nil {
		return err
	}
	wait := 30 * time.Second
	if held := d.heldUntil(); held.After(next) && !next.IsZero() {
		next = held
	}
	if !next.IsZero() && d.places(time.Now()) > 0 {
		wait = min(wait, max(time.Until(next.Round(0)), 100*time.Millisecond))
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-d.free:
	case <-wake:
	case <-timer.C:
	}
	return nil
}

// places is how many more attempts may begin. There are none while one is under
// way whose lease is over, because the machine slept or the clock was set: its
// row would be taken for one that nobody sends.
func (d *deliverer) places(now time.Time) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, over := range d.busy {
		if !now.Before(over) {
			return 0
		}
	}
	return parallel - len(d.busy)
}

// take leases what is due.
func (d *deliverer) take(ctx context.Context) ([]Row, error) {
	now := time.Now()
	until := now.Round(0).Add(leaseFor) // leases go by the wall clock
	places := d.places(now)
	if places == 0 || d.isHeld(now) {
		return nil, nil
	}
	if err := d.b.bundle(d.adapter.Network(), now); err != nil && !errors.Is(err, ErrNotSaved) {
		d.b.log.ErrorContext(ctx, "messages leave one by one", "network", d.adapter.Network(), "err", err)
	}
	rows, lost, err := d.b.store.Lease(d.adapter.Network(), now, until, places)
	if errors.Is(err, ErrNotSaved) {
		d.b.log.ErrorContext(ctx, "nothing is sent, because it cannot be recorded", "network", d.adapter.Network(), "err", err)
		d.hold(err, now.Add(fullPause))
		return nil, nil
	}
	for _, row := range lost {
		d.note(ctx, row, Outcome{State: row.State, Reason: row.Reason}, nil)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, row := range rows {
		d.busy[row.Key] = until
	}
	if err == nil && len(d.busy) == 0 {
		d.unhold(now) // nothing is left to try it with
	}
	return rows, err
}

// attempt sends one row and settles it. Shutting down does not cut an attempt
// off: its outcome would be unknown.
func (d *deliverer) attempt(ctx context.Context, row Row) error {
	defer d.over(row.Key)
	sending, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendFor)
	defer cancel()
	ref, err := d.send(sending, row)
	outcome := d.outcome(row, ref, err, time.Now())
	outcome.Attempt = row.Attempts
	d.fared(err)
	d.b.bells.bar(row.To, barrier(outcome, err))
	d.note(ctx, row, outcome, err)
	err = d.settle(row, outcome, err)
	if errors.Is(err, ErrNotSaved) {
		return nil // the lease ends by itself, and the row is then in doubt
	}
	return err
}

// settle records what came of an attempt, and what follows from it elsewhere.
func (d *deliverer) settle(row Row, o Outcome, err error) error {
	if err != nil && row.Edits == "" && (errors.Is(err, chat.ErrGone) || errors.Is(err, chat.ErrBarred)) {
		follows := errors.Join(d.b.forward(row, o), d.b.channelTrouble(row.To, err, o.At))
		if errors.Is(follows, ErrNotSaved) {
			return follows
		}
		if follows != nil { // a record cannot be read: the others have theirs
			d.b.log.Error("what follows from a failed delivery is left out", "key", row.Key, "err", follows)
		}
	}
	return d.b.store.Settle(row.Key, o)
}

// over notes that an attempt is over.
func (d *deliverer) over(key string) {
	d.mu.Lock()
	delete(d.busy, key)
	d.mu.Unlock()
	select {
	case d.free <- struct{}{}:
	default:
	}
}

// send makes the one attempt: a new message, or an edit of the one that an
// earlier row has become.
func (d *deliverer) send(ctx context.Context, row Row) (chat.Ref, error) {
	if !d.b.config.Load().reads(row) {
		return chat.Ref{}, errNotRead
	}
	if row.Edits == "" {
		return d.adapter.Send(ctx, chat.Outgoing{To: row.To, Message: row.Message, Key: row.Key, Resent: row.InDoubt})
	}
	first, err := d.edited(row)
	if err != nil {
		return chat.Ref{}, err
	}
	return first.Ref, d.adapter.Edit(ctx, first.Ref, row.Message)
}

// Why a row is not sent: nobody would miss it, or the message it would edit waits.
var (
	errNotRead       = errors.New("the configuration does not send it there any more")
	errNothingToEdit = errors.New("the message to edit was not sent")
	errNotYet        = errors.New("the message to edit is not sent yet")
)

// edited returns the row whose message is to be edited.
func (d *deliverer) edited(row Row) (first Row, err error) {
	err = d.b.store.View(func(tx Tx) error {
		found := false
		first, found, err = tx.Row(row.Edits)
		switch {
		case err != nil:
		case !found || first.State == RowDead || first.State == RowCancelled:
			err = errNothingToEdit
		case first.State != RowSent:
			err = &chat.RetryError{After: time.Second, Err: errNotYet}
		}
		return err
	})
	return first, err
}

// outcome says what an attempt's result means for its row.
func (d *deliverer) outcome(row Row, ref chat.Ref, err error, now time.Time) Outcome {
	o := Outcome{State: RowSent, Ref: ref, At: now}
	if err == nil {
		return o
	}
	o = Outcome{State: RowPending, Reason: err.Error(), At: now, InDoubt: row.InDoubt || errors.Is(err, chat.ErrUnclear)}
	wait, told := errors.AsType[*chat.RetryError](err)
	switch {
	case errors.Is(err, errNotRead), errors.Is(err, errNothingToEdit):
		o.State = RowCancelled
		return o
	case errors.Is(err, chat.ErrGone) && row.Edits != "" && row.Lane == LaneDigest:
		// Somebody did not want it there, so that it gets no successor.
		o.State, o.Reason = RowDead, "the message was deleted, so there is nothing to edit: "+o.Reason
		return o
	case errors.Is(err, chat.ErrGone), errors.Is(err, chat.ErrRejected):
		o.State = RowDead
		return o
	case refusesBot(err):
		d.hold(err, now.Add(retryMax))
		o.Next = now.Add(retryMax)
	case errors.Is(err, chat.ErrBarred), errors.Is(err, errOff):
		o.Next = now.Add(retryMax) // what is behind it waits too
	case told:
		o.Next = now.Add(wait.After)
	default:
		o.Next = now.Add(backoff(row.Attempts))
	}
	if giveUp := gaveUp(row, err); !giveUp.IsZero() && o.Next.After(giveUp) {
		o.State, o.Reason = RowDead, "too late: "+o.Reason
	}
	return o
}

// backoff is the pause after so many attempts: full jitter below a bound that
// doubles.
func backoff(attempts int) time.Duration {
	bound := min(retryMax, retryFrom<<min(attempts, 10))
	return time.Duration(rand.Int64N(int64(bound))) + 100*time.Millisecond
}

// hold stops this network's deliveries until a time.
func (d *deliverer) hold(reason error, until time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.held, d.heldTo = reason, until
	d.b.bells.hold(d.adapter.Network(), reason.Error())
}

// heldUntil returns until when nothing is sent, zero if something may be.
func (d *deliverer) heldUntil() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.held == nil {
		return time.Time{}
	}
	return d.heldTo
}

func (d *deliverer) isHeld(now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.held != nil && now.Before(d.heldTo)
}

// refusesBot reports whether an error is about the network, wherever the bot writes.
func refusesBot(err error) bool {
	return errors.Is(err, chat.ErrRefused) || errors.Is(err, chat.ErrFinal)
}

// fared notes how an attempt has gone. That it is tried again does not make a
// network look well: only that it does not refuse the bot any more does.
func (d *deliverer) fared(err error) {
	unasked := errors.Is(err, errNotRead) || errors.Is(err, errNothingToEdit) || errors.Is(err, errNotYet)
	if refusesBot(err) || unasked {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.unhold(time.Now())
}

// unhold ends a hold whose time is over. Called with mu held.
func (d *deliverer) unhold(now time.Time) {
	if d.held != nil && !now.Before(d.heldTo) {
		d.held = nil
		d.b.bells.hold(d.adapter.Network(), "")
	}
}

// note logs an attempt that failed: loudly, if that was the last one.
func (d *deliverer) note(ctx context.Context, row Row, o Outcome, err error) {
	d.b.meter.Delivery(string(d.adapter.Network()), lanes[row.Lane], string(o.State))
	switch {
	case o.State == RowDead:
		d.b.log.ErrorContext(ctx, "message not delivered", "key", row.Key, "to", row.To.String(), "attempts", row.Attempts, "reason", o.Reason)
	case o.State == RowCancelled:
		d.b.log.InfoContext(ctx, "message cancelled", "key", row.Key, "to", row.To.String(), "reason", o.Reason)
	case errors.Is(err, errOff):
	case err != nil:
		d.b.log.WarnContext(ctx, "delivery failed, will try again", "key", row.Key, "attempts", row.Attempts, "next", o.Next, "err", err)
	default:
		d.b.log.InfoContext(ctx, "delivered", "key", row.Key, "to", row.To.String(), "attempts", row.Attempts)
	}
}
