package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"floorwalker/bot/chat"
)

// status answers /floor status: how the bot is doing.
func (b *Bot) status(_ context.Context, r *request) (chat.Reply, error) {
	if err := r.noMore(); err != nil {
		return chat.Reply{}, err
	}
	var waiting queued
	var dead []Row
	for row, err := range b.store.Rows(RowPending, RowLeased, RowDead) {
		if err != nil {
			return chat.Reply{}, fmt.Errorf("read the outbox: %w", err)
		}
		if row.State == RowDead {
			dead = append(dead, row)
			continue
		}
		waiting.add(row)
	}
	w := b.WatchStatus()
	m := chat.Message{Title: "How I am doing", Private: true, Blocks: []chat.Block{chat.Fields{
		{Label: "Watching", Value: w.words()},
		{Label: "Waiting to be sent", Value: fmt.Sprint(waiting.all), Note: waiting.note()},
		{Label: "Not delivered", Value: fmt.Sprint(len(dead))},
	}}}
	for _, line := range b.held(waiting) {
		m.Tone = chat.Warning
		m.Blocks = append(m.Blocks, chat.Paragraph{Text: chat.T(line)})
	}
	if damaged := b.store.Damaged(); len(damaged) > 0 {
		m.Tone = chat.Critical
		m.Blocks = append(m.Blocks, chat.Paragraph{Text: chat.T("Damaged in my database, and passed over: " + cut(strings.Join(damaged, ", "), 300) + ". What it said is lost, and what it promised is not sent; restore a backup if it matters.")})
	}
	if w.NoDisk {
		m.Tone = chat.Critical
		m.Blocks = append(m.Blocks, chat.Paragraph{Text: chat.T("My disk is full: numbers are not kept.")})
	}
	if len(dead) > 0 {
		m.Blocks = append(m.Blocks, undelivered(dead))
	}
	return chat.Show(m), nil
}

// words says what is watched.
func (w WatchStatus) words() string {
	switch {
	case w.Round.IsZero():
		return "not yet"
	case w.Polls == 0:
		return "nobody is on shift"
	}
	return fmt.Sprintf("%s every %s", plural(w.Polls, "poll"), roughly(w.Interval))
}

// A queued counts what waits to be sent.
type queued struct {
	all     int
	on      map[chat.Network]int
	contact int // for a first command
}

// note says how much waits for people.
func (q *queued) note() string {
	if q.contact == 0 {
		return ""
	}
	return fmt.Sprintf("%d until their readers type a first command", q.contact)
}

func (q *queued) add(r Row) {
	if q.on == nil {
		q.on = map[chat.Network]int{}
	}
	q.all++
	q.on[r.To.Network]++
	if r.UponContact() {
		q.contact++
	}
}

// held says what is not sent at present, why, and what to do.
func (b *Bot) held(waiting queued) []string {
	var lines []string
	for _, d := range b.DeliveryStatus() {
		if n := waiting.on[d.Network]; d.Off && n > 0 {
			lines = append(lines, fmt.Sprintf("%s for %s, which is switched off. If it stays so, what waits is given up when its time is over.", plural(n, "message"), d.Network))
		}
		if d.Held != "" {
			lines = append(lines, fmt.Sprintf("Nothing is sent on %s: %s", d.Network, d.Held))
		}
		for _, to := range d.Barred {
			lines = append(lines, fmt.Sprintf("Nothing is sent to %s: %s. I try again every few minutes.", to.To, to.Reason))
		}
	}
	return lines
}

// undelivered lists the newest messages that could not be delivered.
func undelivered(dead []Row) chat.Table {
	table := chat.Table{Columns: []chat.Column{{Title: "Not delivered to"}, {Title: "What", Evident: true}, {Title: "Why", Evident: true}}, More: max(0, len(dead)-5)}
	for _, row := range slices.Backward(dead[table.More:]) {
		table.Rows = append(table.Rows, []string{row.To.String(), lanes[row.Lane], cut(row.Reason, 60)})
	}
	return table
}

// audit answers /floor audit: the newest administrative acts.
func (b *Bot) audit(_ context.Context, r *request) (chat.Reply, error) {
	if err := r.noMore(); err != nil {
		return chat.Reply{}, err
	}
	var entries []AuditEntry
	for e, err := range b.store.AuditTrail(time.Now().Add(-30 * 24 * time.Hour)) {
		if err != nil {
			return chat.Reply{}, fmt.Errorf("read the audit trail: %w", err)
		}
		entries = append(entries, e)
	}
	slices.Reverse(entries)
	zone := r.config.zoneOf(r.From)
	m := chat.Message{Title: "Audit trail", Private: true}
	table := chat.Table{Columns: []chat.Column{{Title: "When"}, {Title: "Who", Evident: true}, {Title: "What", Evident: true}}}
	for _, e := range entries[:min(len(entries), 15)] {
		table.Rows = append(table.Rows, []string{e.At.In(zone).Format("2 Jan 15:04"), e.Actor, strings.TrimSpace(e.Action + " " + e.Object + " " + e.Detail)})
	}
	table.More = max(0, len(entries)-15)
	if len(table.Rows) == 0 {
		m.Blocks = append(m.Blocks, chat.Paragraph{Text: chat.T("Nothing was done in the last 30 days.")})
	} else {
		m.Blocks = append(m.Blocks, table)
	}
	m.Footer = chat.Join(chat.T("The last 30 days, times in "+zone.String()+". "), chat.Code("floorwalker audit"), chat.T(" prints all of it."))
	return chat.Show(m), nil
}
