package bot

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"floorwalker/bot/chat"
)

// bundleAge is how long the first of some rows must have waited to be made one: what leaves in
// time leaves as it was written.
const bundleAge = time.Minute

const bundlePrefix = "bundle/"

// bundle makes one message of the notices that wait for a person, if they are more
// than a few. Alerts are bundled when they are told; digests never are: each is
// the record of a shift, with its table and chart, and is edited when late numbers
// come.
//
// The rows that are carried are cancelled in the transaction that promises the
// bundle.
func (b *Bot) bundle(n chat.Network, now time.Time) error {
	var ready []chat.Address
	err := b.store.View(func(tx Tx) error {
		crowded, err := tx.Crowded(n, waitingMost)
		if err != nil {
			return err
		}
		d := newDesk(tx, b.config.Load(), now, 0)
		for _, to := range crowded {
			if d.ripe(d.crowd(to)) {
				ready = append(ready, to)
			}
		}
		return d.err
	})
	if err != nil {
		return fmt.Errorf("look for what can be bundled: %w", err)
	}
	for _, to := range ready {
		if _, err := b.atDesk(now, func(d *desk) { d.bundle(to) }); err != nil {
			return fmt.Errorf("bundle what waits for %s: %w", to, err)
		}
	}
	return nil
}

// crowd returns the notices that wait for a person and can be bundled.
func (d *desk) crowd(to chat.Address) []Row {
	rows, err := d.tx.Waiting(to)
	d.fail(err)
	return slices.DeleteFunc(rows, func(r Row) bool { return !r.bundles(d.now) })
}

// bundles reports whether a row can be carried by another: nobody can have seen
// it, and it is not to be sent at a time of its own.
func (r Row) bundles(now time.Time) bool {
	return r.Lane == LaneNotice && r.State == RowPending && !r.InDoubt && !r.NotBefore.After(now) && !strings.HasPrefix(r.Key, bundlePrefix)
}

// ripe reports whether rows are more than a few and have waited, and the network
// asks to wait no longer.
func (d *desk) ripe(list []Row) bool {
	now := d.now.Add(time.Millisecond) // the outbox wakes the deliverer by times that are cut
	asked := slices.ContainsFunc(list, func(r Row) bool { return r.Next.After(now) })
	return len(list) > waitingMost && !asked && d.now.Sub(list[0].Added) >= bundleAge
}

// bundle is [Bot.bundle] for one person.
func (d *desk) bundle(to chat.Address) {
	list := d.crowd(to)
	if !d.ripe(list) {
		return
	}
	whole := Row{Key: bundlePrefix + list[0].Key, To: to, Lane: LaneNotice, Message: bundled(list), GiveUp: list[0].GiveUp}
	for _, r := range list {
		d.cancel(r.Key, "carried by "+whole.Key)
		if r.GiveUp.IsZero() || whole.GiveUp.IsZero() {
			whole.GiveUp = time.Time{}
		} else {
			whole.GiveUp = later(whole.GiveUp, r.GiveUp)
		}
	}
	d.enqueue(whole)
}

// bundled draws several messages as one.
func bundled(rows []Row) chat.Message {
	m := chat.Message{Title: fmt.Sprintf("%d messages that waited", len(rows))}
	drawn := false
	for _, r := range rows {
		m.Private = m.Private || r.Message.Private
		m.Tone = max(m.Tone, r.Message.Tone)
		m.Blocks = append(m.Blocks, chat.Paragraph{Text: chat.Lines(inWords(r.Message)...)})
		if len(r.Message.Footer) > 0 {
			m.Blocks = append(m.Blocks, chat.Paragraph{Quiet: true, Text: r.Message.Footer})
		}
		drawn = drawn || slices.ContainsFunc(r.Message.Blocks, isDrawn)
		for _, a := range r.Message.Actions {
			if !slices.ContainsFunc(m.Actions, func(b chat.Action) bool { return a.ID == b.ID && a.Value == b.Value }) {
				m.Actions = append(m.Actions, a)
			}
		}
	}
	if drawn {
		m.Footer = chat.T("Charts and tables are left out, because these come together.")
	}
	return m
}

func isDrawn(b chat.Block) bool {
	switch b.(type) {
	case chat.Chart, chat.Table:
		return true
	}
	return false
}
