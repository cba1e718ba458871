package bot

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"floorwalker/bot/chat"
)

// digestNow answers /floor digest now: it posts the digest, once per request. If
// that shift or day has had this digest already, it says so and asks.
func (b *Bot) digestNow(ctx context.Context, r *request) (chat.Reply, error) {
	run, again := r.again()
	team, d, err := r.digestNamed()
	if err != nil {
		return chat.Reply{}, err
	}
	now := time.Now()
	due, err := d.now(team, now)
	if err != nil {
		return chat.Reply{}, err
	}
	if !again {
		before, err := b.posted(r.config, due, now)
		if err != nil {
			return chat.Reply{}, err
		}
		if len(before) > 0 {
			return chat.Show(askAgain(r, due, before)), nil
		}
	}
	report, err := b.report(ctx, r.config, team, due.window, now)
	if err != nil {
		return chat.Reply{}, err
	}
	return b.postNow(r, due, run, report.message(due), now)
}

// again takes the confirmation from the end of the words, and returns what names
// this run of the digest: one confirmation posts once, however often it is
// pressed.
func (r *request) again() (run string, confirmed bool) {
	if n := len(r.args); n > 0 && strings.HasPrefix(r.args[n-1], "again-") {
		run, r.args = r.args[n-1], r.args[:n-1]
		return run, true
	}
	return "now-" + cmp.Or(r.ID, r.id), false
}

// postNow promises a digest to its readers, and records who wanted it.
func (b *Bot) postNow(r *request, due dueDigest, run string, m chat.Message, now time.Time) (chat.Reply, error) {
	name := digestName(due.team, due.digest)
	var to []chat.Address
	err := b.store.Update(func(tx Tx) error {
		desk := newDesk(tx, r.config, now, 0)
		to = desk.audience(due)
		added := false
		for _, addr := range to {
			row := Row{Key: due.keyOf(run, addr), To: addr, Lane: LaneDigest, Message: m, GiveUp: now.Add(time.Hour)}
			added = desk.enqueue(row) || added
		}
		if desk.err != nil || !added {
			return desk.err
		}
		return tx.Audit(AuditEntry{At: now.UTC(), Actor: r.From.String(), Action: "digest now", Object: name, Detail: "to " + addressList(to)})
	})
	if err != nil {
		return chat.Reply{}, fmt.Errorf("post %s: %w", name, err)
	}
	if len(to) == 0 {
		return chat.Reply{}, noReaders(due)
	}
	b.bells.ring()
	return chat.Show(note("Posting", chat.Join(chat.T(name+" is on its way to "), due.places(to), chat.T(".")), nil)), nil
}

func noReaders(due dueDigest) error {
	p := &problem{text: "That digest has no readers.", next: chat.T("Its team has no channel in the configuration.")}
	if due.digest.ToSupervisors {
		p.next = chat.T("No supervisor of its team can be reached: one who is only on Discord has to type a command there first.")
	}
	return p
}

// places names where a digest goes, as the reader's network names it.
func (due dueDigest) places(list []chat.Address) (text chat.Text) {
	for i, addr := range list {
		if i > 0 {
			text = chat.Join(text, chat.T(", "))
		}
		if due.digest.ToSupervisors {
			text = chat.Join(text, chat.Mention(addr, addr.String()))
		} else {
			text = chat.Join(text, chat.Channel(addr))
		}
	}
	return text
}

// addressList writes addresses for the audit trail.
func addressList(list []chat.Address) string {
	var words []string
	for _, a := range list {
		words = append(words, a.String())
	}
	return strings.Join(words, ", ")
}

// addressesOf reads what addressList wrote.
func addressesOf(list string) (all []chat.Address) {
	for word := range strings.SplitSeq(list, ", ") {
		if addr, err := chat.ParseAddress(word); err == nil {
			all = append(all, addr)
		}
	}
	return all
}

// A posting is one time that a digest was posted.
type posting struct {
	at time.Time
	by string // who asked for it; "": it was due
	to []chat.Address
}

// posted returns when this digest was posted about the same shift or day before,
// oldest first. What could not be delivered was not posted.
func (b *Bot) posted(c *Config, due dueDigest, now time.Time) ([]posting, error) {
	last, err := b.lastOccurrence(due.team.Name, due.digest.Name, now)
	if err != nil {
		return nil, err
	}
	var list []posting
	if last.Skipped == "" && !last.At.IsZero() && last.Window.Start.Equal(due.window.Start) {
		due.run.Nominal = last.Nominal
		err := b.store.View(func(tx Tx) error {
			desk := newDesk(tx, c, now, 0)
			var to []chat.Address
			for _, row := range desk.copies(due) {
				to = append(to, row.To)
			}
			if len(to) > 0 {
				list = append(list, posting{last.Recorded, "", to})
			}
			return desk.err
		})
		if err != nil {
			return nil, err
		}
	}
	for e, err := range b.store.AuditTrail(due.window.Start) {
		if err != nil {
			return nil, fmt.Errorf("read the audit trail: %w", err)
		}
		if e.Action == "digest now" && e.Object == digestName(due.team, due.digest) {
			list = append(list, posting{e.At, e.Actor, addressesOf(strings.TrimPrefix(e.Detail, "to "))})
		}
	}
	slices.SortStableFunc(list, func(a, b posting) int { return a.at.Compare(b.at) })
	return list, nil
}

// askAgain asks whether a digest is to be posted once more.
func askAgain(r *request, due dueDigest, before []posting) chat.Message {
	name := digestName(due.team, due.digest)
	m := chat.Message{Title: "Post " + name + " again?", Private: true}
	for _, p := range before[max(0, len(before)-3):] {
		why := chat.T("it was due")
		if by, err := chat.ParseAddress(p.by); err == nil {
			why = chat.Join(chat.Mention(by, by.ID), chat.T(" asked for it"))
		} else if p.by != "" {
			why = chat.T(p.by + " asked for it")
		}
		when := chat.At(p.at.In(r.config.zoneOf(r.From)), chat.DayClock)
		m.Blocks = append(m.Blocks, chat.Paragraph{Text: chat.Join(when, chat.T(": to "), due.places(p.to), chat.T(", because "), why)})
	}
	m.Actions = []chat.Action{{ID: "floor", Value: "digest now " + buttonName(name) + " again-" + r.id, Label: "Post it again", Replace: true}}
	return m
}

// buttonName returns a digest's name as a button carries it. Networks take few
// bytes there (Discord: 100 in all), and a name in Devanagari has three to a
// letter: a long one goes by its hash.
func buttonName(name string) string {
	if len(name) <= 40 {
		return quoteWord(name)
	}
	sum := sha256.Sum256([]byte(name))
	return "~" + hex.EncodeToString(sum[:6])
}
