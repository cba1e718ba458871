package bot

import (
	"context"
	"slices"
	"strings"
	"time"

	"floorwalker/bot/chat"
)

// keepUnmet is how long a notice waits for somebody to type their first command.
const keepUnmet = 90 * 24 * time.Hour

// notice promises a person something about their own doing. On Discord, to write
// to people who have not typed a command yet is against the rules: then it stays
// in the outbox until its time to give up, and goes with the answer to their
// first command, see [Bot.owed].
func (d *desk) notice(r Row) (added bool) {
	r.Lane = LaneNotice
	return d.enqueue(d.uponContact(r))
}

// uponContact puts a row off for as long as its recipient has not typed a command
// where they have to.
func (d *desk) uponContact(r Row) Row {
	if !d.reachable(r.To) {
		r.NotBefore = r.GiveUp
	}
	return r
}

// contact returns where to write to somebody: the first of their addresses that
// can be reached, and the first of all if there is none yet.
func (d *desk) contact(addresses []chat.Address) chat.Address {
	if to, ok := d.choose(addresses); ok {
		return to.addr
	}
	return addresses[0]
}

// UponContact reports whether the row waits for its recipient's first command.
func (r Row) UponContact() bool {
	return r.State == RowPending && r.Attempts == 0 && !r.GiveUp.IsZero() && r.NotBefore.Equal(r.GiveUp)
}

// owed adds to the answer to somebody's command the notices that wait for it, and
// settles them once it is shown. If it never is, they go with the next one.
func (b *Bot) owed(ctx context.Context, r *request, reply chat.Reply) chat.Reply {
	if r.From.Network != chat.Discord || reply.Message == nil || !reply.Message.Private {
		return reply
	}
	var waiting []Row
	err := b.store.View(func(tx Tx) (err error) {
		waiting, err = tx.Waiting(r.From)
		return err
	})
	if err != nil {
		b.log.ErrorContext(ctx, "what waits for a first command is not told", "from", r.From.String(), "err", err)
		return reply
	}
	waiting = slices.DeleteFunc(waiting, func(row Row) bool { return !row.UponContact() })
	if len(waiting) == 0 {
		return reply
	}
	return withNotes(reply, waiting, func(chat.Replacer) { b.told(waiting) })
}

// told settles notices that somebody has read.
func (b *Bot) told(notices []Row) {
	_, err := b.atDesk(time.Now(), func(d *desk) {
		for _, row := range notices {
			d.cancel(row.Key, "told with the answer to their first command")
		}
	})
	if err != nil {
		b.log.Error("what was told with a first command may be told again", "to", notices[0].To.String(), "err", err)
	}
}

// withNotes puts notices below a reply, and below what takes its place. Whichever
// is shown calls told, and stays: nothing replaces it that lacks them.
func withNotes(reply chat.Reply, notices []Row, told func(chat.Replacer)) chat.Reply {
	if reply.Message == nil {
		return reply
	}
	m := *reply.Message
	m.Blocks = slices.Clone(m.Blocks)
	for _, n := range notices {
		m.Blocks = append(m.Blocks, chat.Paragraph{Text: chat.Lines(inWords(n.Message)...)})
	}
	reply.Message, reply.Shown = &m, told
	if then := reply.Then; then != nil {
		reply.Then = func(ctx context.Context) (chat.Reply, error) {
			next, err := then(ctx)
			return withNotes(next, notices, told), err
		}
	}
	return reply
}

// inWords returns a message as lines of text: its title, its paragraphs and its
// fields. Tables and charts are left out.
func inWords(m chat.Message) []chat.Text {
	var lines []chat.Text
	if title := headed(m); title != "" {
		lines = append(lines, chat.Strong(title))
	}
	for _, block := range m.Blocks {
		switch b := block.(type) {
		case chat.Paragraph:
			lines = append(lines, b.Text)
		case chat.Fields:
			var facts []string
			for _, f := range b {
				facts = append(facts, strings.TrimSpace(f.Label+" "+f.Value))
			}
			lines = append(lines, chat.T(strings.Join(facts, " · ")))
		}
	}
	return lines
}

// headed returns a message's title with the word of its tone.
func headed(m chat.Message) string {
	if word := m.ToneWord(); word != "" {
		return word + ": " + m.Title
	}
	return m.Title
}
