package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"floorwalker/bot/chat"
)

const (
	// keepLeaver is how long the credential of somebody who left is kept: they
	// may come back, and networks make mistakes.
	keepLeaver = 30 * 24 * time.Hour

	// leaversAfter is how long after the start people are looked up first, and
	// leaversEvery how often: a restart has more urgent things to ask. Between two
	// questions is a pause, which leaves the networks' limits to others.
	leaversAfter  = 10 * time.Minute
	leaversEvery  = 24 * time.Hour
	leaversPause  = time.Second
	leaversLookup = 10 * time.Second

	// leftReason is why an agent is suspended whose person is on no network any
	// more.
	leftReason = "no longer on the network"
)

// A leaver is the record of an agent none of whose addresses is there any more.
// It goes with the agent.
type leaver struct {
	Since  time.Time `json:"since"`
	Unsure bool      `json:"unsure,omitempty"` // by a clock that was not trusted; the next look says since when
}

func leaverKey(id AgentID) string { return string(id) + "/left" }

// Leavers looks once a day whether people are still on their networks: who is
// deactivated or unknown there is asked about no more. Administrators
// are told, and the agent is deleted after 30 days, unless the person comes back.
// It returns when ctx ends or the store fails.
func (b *Bot) Leavers(ctx context.Context) error {
	for wait := leaversAfter; ; wait = leaversEvery {
		sleepUntil(ctx, time.Now().Add(wait)) // a clock that is set brings the next look forward
		err := b.lookForLeavers(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, ErrNotSaved):
			b.log.ErrorContext(ctx, "who left is not recorded", "err", err)
		case err != nil:
			return fmt.Errorf("look for people who left: %w", err)
		default:
			b.watching.beatLeavers(time.Now())
		}
	}
}

// lookForLeavers looks everybody up once.
func (b *Bot) lookForLeavers(ctx context.Context) error {
	if b.config.Load().Lookup == nil {
		return nil
	}
	trusted, err := b.store.TrustedTime(time.Now()) // a clock that is wrong for an hour deletes nobody
	if err != nil {
		return err
	}
	polls := census{}
	var gone []Agent
	for a, err := range b.store.Agents() {
		if err != nil {
			continue // the watch says so, every round
		}
		there, known := b.isThere(ctx, a.Addresses, polls)
		if ctx.Err() != nil {
			return nil
		}
		if !known {
			continue
		}
		if !there {
			gone = append(gone, a)
		} else if err := b.isBack(a, time.Now()); err != nil {
			return err
		}
	}
	for n, c := range polls {
		if c.doubted() {
			b.log.ErrorContext(ctx, "most people are gone, which is taken for a fault of the network", "network", n, "gone", c.gone, "asked", c.asked)
		}
	}
	for _, a := range gone {
		if slices.ContainsFunc(a.Addresses, func(addr chat.Address) bool { return polls[addr.Network].doubted() }) {
			continue
		}
		if err := b.hasLeft(ctx, a, trusted); err != nil {
			return err
		}
	}
	return nil
}

// A census is what each network said of how many people, in one look.
type census map[chat.Network]counts

type counts struct{ asked, gone int }

// doubted reports whether a network says of so many that they are gone that it is
// not believed: it may be another workspace's, for all that is known.
func (c counts) doubted() bool { return c.gone > 3 && 2*c.gone > c.asked }

// count enters an answer.
func (c census) count(n chat.Network, gone bool) {
	of := c[n]
	of.asked++
	if gone {
		of.gone++
	}
	c[n] = of
}

// isThere asks whether somebody is at one of their addresses. It is not known if
// one cannot be asked and none of the others has them.
func (b *Bot) isThere(ctx context.Context, addresses []chat.Address, polls census) (there, known bool) {
	known = true
	for _, addr := range addresses {
		if sleepUntil(ctx, time.Now().Add(leaversPause)); ctx.Err() != nil {
			return false, false
		}
		asking, cancel := context.WithTimeout(ctx, leaversLookup)
		_, err := b.config.Load().Lookup(asking, addr)
		cancel()
		switch {
		case err == nil:
			polls.count(addr.Network, false)
			return true, true
		case errors.Is(err, chat.ErrGone):
			polls.count(addr.Network, true)
		default:
			known = false
		}
	}
	return false, known
}

// hasLeft stops asking about somebody who is gone, tells the administrators, once,
// and deletes the agent when the time has come by a clock that is trusted.
func (b *Bot) hasLeft(ctx context.Context, a Agent, trusted time.Time) error {
	now := time.Now()
	var mark leaver
	err := b.store.Update(func(tx Tx) error {
		known, found, err := ReadRecord[leaver](tx, RecordNetworks, leaverKey(a.ID))
		if mark = known; err != nil || !found || known.Unsure {
			mark = leaver{now.Round(0).UTC(), now.Sub(trusted) > leaversEvery}
			if err := WriteRecord(tx, RecordNetworks, leaverKey(a.ID), mark); err != nil {
				return err
			}
		}
		_, err = tx.SetLinkState(a.ID, LinkSuspended, leftReason, now)
		return err
	})
	switch {
	case errors.Is(err, ErrNotLinked):
		return nil // unlinked meanwhile
	case err != nil:
		return err
	case trusted.Sub(mark.Since) >= keepLeaver:
		b.log.WarnContext(ctx, "somebody left 30 days ago and is deleted", "agent", a.ID, "since", mark.Since)
		if _, err := b.Unlink(a, byItself, ""); !errors.Is(err, ErrNotLinked) {
			return err
		}
		return nil // unlinked meanwhile
	}
	m := note("Somebody left", chat.T(fmt.Sprintf("%s is not on the network any more (%s). I do not ask for their numbers now, and delete them, with the credential, on %s.",
		cut(a.called(), 40), addresses(a), mark.Since.Add(keepLeaver).In(b.config.Load().Zone).Format("2 January 2006"))),
		chat.T("If they come back before, it goes on as before. Take them out of members in the configuration, if they are listed there."))
	m.Tone = chat.Warning
	if _, err := b.tellAdmins(fmt.Sprintf("left/%s/%s", a.ID, mark.Since.Format(time.DateOnly)), "", m, now); err != nil {
		return fmt.Errorf("tell the administrators who left: %w", err)
	}
	return nil
}

// isBack takes back that somebody had left.
func (b *Bot) isBack(a Agent, now time.Time) error {
	left, suspended := false, a.State == LinkSuspended && a.Reason == leftReason
	err := b.store.View(func(tx Tx) (err error) {
		_, left, err = tx.Record(RecordNetworks, leaverKey(a.ID))
		return err
	})
	if err != nil || !left && !suspended { // a record that is damaged is not there
		return err
	}
	return b.store.Update(func(tx Tx) error {
		if err := tx.DropRecord(RecordNetworks, leaverKey(a.ID)); err != nil || !suspended {
			return err
		}
		if _, err := tx.SetLinkState(a.ID, LinkUnverified, "", now); !errors.Is(err, ErrNotLinked) {
			return err
		}
		return nil
	})
}
