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

// bundle makes one message of the notices, and one of the digests, that wait for
// a person, if they are more than a few. Channels get each digest on its own: it
// is their record of the shift. Alerts are bundled when they are told.
//
// The rows that are carried are cancelled in the transaction that promises the
// bundle.
func (b *Bot) bundle(n chat.Network, now time.Time) error {
	c := b.config.Load()
	var ready []chat.Address
	err := b.store.View(func(tx Tx) error {
		crowded, err := tx.Crowded(n, waitingMost)
		if err != nil {
			return err
		}
		d := newDesk(tx, c, now, 0)
		for _, to := range crowded {
			if !c.isChannel(to) && slices.ContainsFunc(d.crowds(to), d.ripe) {
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

// isChannel reports whether an address is one of a team's channels.
func (c *Config) isChannel(addr chat.Address) bool {
	return slices.ContainsFunc(c.Teams, func(t Team) bool { return slices.Contains(t.Channels, addr) })
}

// crowds returns what waits for a person and can be bundled, by lane. A message
// that another one edits stays one of its own: the edit would have nothing to
// change.
func (d *desk) crowds(to chat.Address) (crowds [][]Row) {
	rows, err := d.tx.Waiting(to)
	d.fail(err)
	edited := map[string]bool{}
	for _, r := range rows {
		edited[r.Edits] = true
	}
	for _, lane := range []Lane{LaneNotice, LaneDigest} {
		var list []Row
		for _, r := range rows {
			if r.Lane == lane && r.bundles(d.now) && !edited[r.Key] {
				list = append(list, r)
			}
		}
		if len(list) > waitingMost {
			crowds = append(crowds, list)
		}
	}
	return crowds
}

// bundles reports whether a row can be carried by another: nobody can have seen
// it, and it is not to be sent at a time of its own.
func (r Row) bundles(now time.Time) bool {
	return r.State == RowPending && !r.InDoubt && r.Edits == "" && !r.NotBefore.After(now) && !strings.HasPrefix(r.Key, bundlePrefix)
}

// ripe reports whether rows have waited, and the network asks to wait no longer.
func (d *desk) ripe(list []Row) bool {
	now := d.now.Add(time.Millisecond) // the outbox wakes the deliverer by times that are cut
	asked := slices.ContainsFunc(list, func(r Row) bool { return r.Next.After(now) })
	return !asked && d.now.Sub(list[0].Added) >= bundleAge
}

// bundle is [Bot.bundle] for one person.
func (d *desk) bundle(to chat.Address) {
	for _, list := range d.crowds(to) {
		if !d.ripe(list) {
			continue
		}
		whole := Row{Key: bundlePrefix + list[0].Key, To: to, Lane: list[0].Lane, Message: bundled(list), GiveUp: list[0].GiveUp}
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
}

// bundled draws several messages as one.
func bundled(rows []Row) chat.Message {
	what := "messages"
	if rows[0].Lane == LaneDigest {
		what = "summaries"
	}
	m := chat.Message{Title: fmt.Sprintf("%d %s that waited", len(rows), what)}
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
