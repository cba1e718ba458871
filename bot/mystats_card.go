package bot

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"floorwalker/bot/chat"
	"floorwalker/bot/stats"
	"floorwalker/dashboard"
)

// A card is one answer to /mystats while it is made.
type card struct {
	r      *request
	agent  Agent
	view   string
	seen   Seen               // the newest answer included
	before dashboard.Counters // the newest but one; zero for none
	asked  time.Time          // when the API was asked
}

func (c card) zone() *time.Location { return c.r.config.zoneOf(c.r.From) }

// show makes the reply from what was seen.
func (b *Bot) show(c card, now time.Time) (chat.Reply, error) {
	m, err := b.draw(c, now)
	if err != nil {
		return chat.Reply{}, err
	}
	return chat.Show(m), nil
}

// draw makes the card of a view: today and raw from the newest answer, the
// others, and the pace of today, from history.
func (b *Bot) draw(c card, now time.Time) (chat.Message, error) {
	switch c.view {
	case "raw":
		return c.raw(), nil
	case "shift":
		return c.shift(b, now)
	case "week":
		return c.week(b, now)
	}
	m := c.today()
	if pace := c.pace(b, now); pace != nil {
		m.Blocks = slices.Insert(m.Blocks, 1, chat.Block(chat.Paragraph{Text: pace}))
	}
	return m, nil
}

// waiting is shown while the API takes its time.
func (b *Bot) waiting(c card, now time.Time) (chat.Message, error) {
	if c.seen.Last.At.IsZero() {
		return note(c.title(""), chat.T("Asking the dashboard…"), nil), nil
	}
	m, err := b.draw(c, now)
	if err != nil {
		return chat.Message{}, err
	}
	m.Actions = nil
	m.Footer = chat.T(fmt.Sprintf("Numbers of %s · asking the dashboard for fresh ones…", ago(now.Sub(c.seen.Last.At))))
	return m, nil
}

// stale shows the stored numbers under the reason why there are no fresh ones.
func (b *Bot) stale(c card, now time.Time, why chat.Message) (chat.Reply, error) {
	m, err := b.draw(c, now)
	if err != nil {
		return chat.Reply{}, err
	}
	m.Tone = why.Tone
	m.Title = c.title("numbers of " + c.seen.Last.At.In(c.zone()).Format("15:04"))
	text := chat.Text{}
	if p, ok := why.Blocks[0].(chat.Paragraph); ok {
		text = p.Text
	}
	text = chat.Join(text, chat.T(fmt.Sprintf(" These are the numbers of %s.", ago(now.Sub(c.seen.Last.At)))))
	m.Blocks = append([]chat.Block{chat.Paragraph{Text: text}}, m.Blocks...)
	return chat.Show(m), nil
}

// title names the person and the window.
func (c card) title(window string) string {
	name := cut(c.agent.Name, 60)
	if name == "" {
		name = "Your numbers"
	}
	if window == "" {
		return name
	}
	return name + " · " + window
}

// Card is the card of an agent's newest counters, without buttons, for an
// administrator's command.
func (b *Bot) Card(agent Agent, counters dashboard.Counters) chat.Message {
	r := &request{config: b.config.Load()}
	r.From = agent.Addresses[0]
	m := card{r: r, agent: agent, view: "today", seen: Seen{Last: counters}}.today()
	m.Actions = nil
	return m
}

// actions are the buttons below a card.
func (c card) actions() []chat.Action {
	all := []chat.Action{
		{ID: "mystats", Value: c.view, Label: "Refresh", Replace: true},
		{ID: "mystats", Value: "today", Label: "Today", Replace: true},
		{ID: "mystats", Value: "shift", Label: "Shift", Replace: true},
		{ID: "mystats", Value: "week", Label: "Week", Replace: true},
	}
	return slices.DeleteFunc(all, func(a chat.Action) bool { return a.Label != "Refresh" && a.Value == c.view })
}

// order is how important the known metrics are on a card. Others follow in the
// order of the dictionary.
var order = [...]string{"offered", "answered", "missed", "avg_talk", "hold", "calls", "total_calls", "idle"}

// today shows the newest answer as it is.
func (c card) today() chat.Message {
	last, d := c.seen.Last, c.r.config.Metrics
	m := chat.Message{Title: c.title("today"), Private: true, Actions: c.actions()}
	var fields chat.Fields
	unconfirmed, changed := false, false
	for _, metric := range c.shown() {
		n := d.Read(last, metric.Name)
		f := chat.Field{Label: label(d, metric), Value: show(n, metric.Unit), Note: c.note(metric, n)}
		fields = append(fields, f)
		changed = changed || strings.ContainsAny(f.Note, "▲▼")
		unconfirmed = unconfirmed || !d.Confirmed(metric.Name)
	}
	m.Blocks = append(m.Blocks, fields)
	var splits []chat.Text
	for _, metric := range d {
		if split := split(metric, last); split != "" {
			splits = append(splits, chat.Join(chat.Strong(label(d, metric)), chat.T("  "+split)))
		}
	}
	if len(splits) > 0 {
		m.Blocks = append(m.Blocks, chat.Paragraph{Text: chat.Lines(splits...)})
	}
	if unconfirmed {
		m.Blocks = append(m.Blocks, chat.Paragraph{Quiet: true,
			Text: chat.T("A key in brackets means that nobody here has confirmed yet what that number counts.")})
	}
	m.Footer = c.footer(changed)
	return m
}

// shown returns the metrics a card shows: the usual ones in their order, then
// the numbers that the configuration adds.
func (c card) shown() []stats.Metric {
	d := c.r.config.Metrics
	var list []stats.Metric
	for _, name := range order {
		if name == "calls" && d.Confirmed("answered") {
			continue // they are the answered ones, said twice
		}
		if metric, ok := d.ByName(name); ok && c.seen.Last.Value(metric.Key).Present() {
			list = append(list, metric)
		} else if name == "answered" && d.Confirmed(name) && d.Read(c.seen.Last, name).Known() {
			list = append(list, stats.Metric{Name: name, Label: "Answered", Unit: stats.Count, Better: stats.Higher})
		}
	}
	for _, metric := range d {
		numeric := metric.Kind == stats.Counter || metric.Kind == stats.Gauge || metric.Kind == stats.Average
		known := slices.Contains(order[:], metric.Name) || metric.Name == "login_age"
		if numeric && !known && c.seen.Last.Value(metric.Key).Present() {
			list = append(list, metric)
		}
	}
	return list
}

// label is a metric's label, with its raw key while nobody has confirmed it.
func label(d stats.Dictionary, m stats.Metric) string {
	if d.Confirmed(m.Name) {
		return m.Label
	}
	return fmt.Sprintf("%s (%s)", m.Label, m.Key)
}

// note says what stands beside a number: what changed since the numbers were last
// asked for, and then the share of missed calls or the talk time in all.
func (c card) note(m stats.Metric, n stats.Number) string {
	d, last := c.r.config.Metrics, c.seen.Last
	var notes []string
	if old := d.Read(c.before, m.Name); m.Kind != stats.Gauge && old.Known() && n.Known() && sameDay(c.before.At, last.At, c.r.config.Zone) {
		if text := change(n.Value-old.Value, m.Unit); text != "" {
			notes = append(notes, text)
		}
	}
	switch rate := d.Read(last, "miss_rate"); {
	case m.Name == "missed" && d.Confirmed("miss_rate") && rate.Known():
		notes = append(notes, percent(rate.Value)+" of offered")
	case m.Name == "avg_talk" && d.Confirmed(m.Name) && d.Confirmed("answered") && n.Known():
		if answered := d.Read(last, "answered"); answered.Known() && answered.Value > 0 {
			notes = append(notes, "≈"+noBreak+clock(n.Value*answered.Value)+" in all")
		}
	}
	return strings.Join(notes, " · ")
}

// split writes a map of counts, largest first: "inbound: 12 · outbound: 3".
func split(m stats.Metric, c dashboard.Counters) string {
	if m.Kind != stats.Map {
		return ""
	}
	counts, _ := c.Value(m.Key).Counts()
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		if counts[a] != counts[b] {
			return int(counts[b] - counts[a])
		}
		return strings.Compare(a, b)
	})
	var parts []string
	for _, name := range names {
		parts = append(parts, cut(name, 30)+":"+noBreak+decimal(counts[name]))
	}
	if len(parts) > 6 {
		parts = append(parts[:6], fmt.Sprintf("+%d more", len(parts)-6))
	}
	return strings.Join(parts, " · ")
}

// footer says what the numbers are of: their time, since when they changed, and
// the login they belong to.
func (c card) footer(changed bool) chat.Text {
	last, d := c.seen.Last, c.r.config.Metrics
	text := chat.Join(chat.T("As of "), chat.At(last.At.In(c.zone()), chat.Clock))
	if changed {
		text = chat.Join(text, chat.T(" · ▲▼ since "), chat.At(c.before.At.In(c.zone()), chat.Clock))
	}
	start, ok := d.LoginStart(last)
	if !ok {
		return text
	}
	style := chat.Clock
	if !sameDay(start, last.At, c.zone()) {
		style = chat.DayClock
	}
	text = chat.Join(text, chat.T(" · logged in since "), chat.At(start.In(c.zone()), style))
	if kind, ok := last.Value("l.type").Text(); ok && kind != "" {
		text = chat.Join(text, chat.T(" ("+cut(kind, 20)+")"))
	}
	return text
}

// raw shows the payload's keys as they came.
func (c card) raw() chat.Message {
	last := c.seen.Last
	table := chat.Table{Columns: []chat.Column{{Title: "Key"}, {Title: "Value", Evident: true}, {Title: "Read as"}}}
	for _, key := range last.Keys() {
		var read []string
		for _, m := range c.r.config.Metrics {
			if m.Key == key || strings.HasPrefix(m.Key, key+".") {
				read = append(read, m.Name)
			}
		}
		table.Rows = append(table.Rows, []string{key, cut(last.Value(key).Raw(), 60), strings.Join(read, ", ")})
	}
	return chat.Message{
		Title: c.title("the raw payload"), Private: true, Blocks: []chat.Block{table}, Actions: c.actions(),
		Footer: chat.Join(chat.T("As it came at "), chat.At(last.At.In(c.zone()), chat.Clock)),
	}
}

// since shows what was counted since the first answer of the day.
func (c card) since() chat.Message {
	first, last, d := c.seen.First, c.seen.Last, c.r.config.Metrics
	window := "this shift"
	if c.view == "week" {
		window = "this week"
	}
	m := chat.Message{Title: c.title(window), Private: true, Actions: c.actions()}
	m.Blocks = append(m.Blocks, chat.Paragraph{Text: chat.Join(chat.T("Counted since "), chat.At(first.At.In(c.zone()), chat.Clock),
		chat.T(", when I first saw your numbers today."))})
	var fields chat.Fields
	for _, metric := range c.shown() {
		if metric.Kind != stats.Gauge {
			fields = append(fields, chat.Field{Label: label(d, metric), Value: show(d.Since(metric.Name, first, last), metric.Unit)})
		}
	}
	m.Blocks = append(m.Blocks, fields)
	m.Footer = chat.Join(chat.T("As of "), chat.At(last.At.In(c.zone()), chat.Clock))
	return m
}

// refused are the measures that people ask for and the payload does not hold.
const refused = "Handle time, occupancy, adherence, service level, abandonment, queue depth and break times are not here: the dashboard's counters hold none of them."

// explainNumbers says what each number on the card means.
func (b *Bot) explainNumbers(r *request) chat.Message {
	d := r.config.Metrics
	lines := []chat.Text{
		chat.Join(chat.Strong("Calls offered"), chat.T("  calls the dashboard gave you")),
		chat.Join(chat.Strong("Answered"), chat.T("  offered less missed")),
		chat.Join(chat.Strong("Missed"), chat.T("  offered calls you did not pick up; the share is of those offered")),
		chat.Join(chat.Strong("Average talk"), chat.T("  talk time per answered call, hold left out")),
		chat.Join(chat.Strong("Hold time"), chat.T("  time callers spent on hold, over all your calls")),
		chat.Join(chat.Strong("Total calls"), chat.T("  all calls, also those you made")),
		chat.Join(chat.Strong("Idle"), chat.T("  minutes since your last call")),
		chat.Join(chat.Strong("Calls by type, by campaign"), chat.T("  the calls, split; campaigns by the dashboard's ids")),
	}
	var open []string
	for _, m := range d {
		if !m.Confirmed {
			open = append(open, m.Key)
		}
	}
	m := chat.Message{Title: "What the numbers mean", Private: true, Blocks: []chat.Block{
		chat.Paragraph{Text: chat.Lines(lines...)},
		chat.Paragraph{Text: chat.T("A day runs from midnight to midnight, " + r.config.Zone.String() + " time. – is a number the dashboard did not send; ≈ is an estimate; ▲ and ▼ are changes.")},
		chat.Paragraph{Text: chat.T(refused)},
	}}
	if len(open) > 0 {
		m.Blocks = append(m.Blocks, chat.Paragraph{Quiet: true, Text: chat.T("Not confirmed yet against the dashboard: " + strings.Join(open, ", ") + ".")})
	}
	m.Actions = []chat.Action{{ID: "mystats", Label: "My numbers"}}
	return m
}
