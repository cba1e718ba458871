package bot

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"floorwalker/bot/chart"
	"floorwalker/bot/chat"
	"floorwalker/bot/schedule"
	"floorwalker/bot/stats"
)

const (
	// medianShifts is how many earlier shifts a person is compared with.
	medianShifts = 7

	// watchedEnough is the share of a shift that must have been observed for it to
	// be compared.
	watchedEnough = 0.5
)

// shift answers /mystats shift: the running shift that began last, else the last
// that ended.
func (c card) shift(b *Bot, now time.Time) (chat.Message, error) {
	rotas := c.r.config.rotas(c.agent)
	window, ok := rotas.At(now)
	if !ok {
		return c.since(), nil
	}
	s := b.past(c.r.config, window.Zone)
	defer s.close(context.Background(), "request", c.r.id)
	span := schedule.Span{Start: window.Start, End: minTime(window.End, now)}
	sum := s.summary(c.agent.ID, span)
	usual := s.usualShift(c.agent.ID, rotas, window, span.End.Sub(span.Start))
	name := "this shift"
	if !now.Before(window.End) {
		name = "the last shift"
	}
	m := chat.Message{Title: c.title(name), Private: true, Actions: c.actions()}
	if sum.Polled == 0 {
		m.Blocks = append(m.Blocks, chat.Paragraph{Text: chat.T("I have no numbers of this shift. I collect them while it runs and you are logged in.")})
		m.Footer = chat.T(window.String())
		return m, nil
	}
	if sum.Late(s.Every) {
		m.Blocks = append(m.Blocks, chat.Paragraph{Text: chat.Join(chat.T("Since "), chat.At(sum.First.In(c.zone()), chat.Clock), chat.T(", when I first saw your numbers in this shift."))})
	}
	m.Blocks = append(m.Blocks, c.totals(sum, usual))
	if ch, ok := hourly(sum.Hours, window.Zone); ok {
		m.Blocks = append(m.Blocks, ch)
	}
	m.Footer = chat.Join(chat.T(window.String()+" · "+percent(sum.Coverage())+" observed · as of "), chat.At(sum.Last.In(c.zone()), chat.Clock))
	if len(usual) >= 3 {
		m.Footer = chat.Join(m.Footer, chat.T(" · ▲▼ against your usual at this point of a shift"))
	}
	return m, nil
}

// pace compares what was answered in the running shift with the person's own
// earlier shifts at the same point. It is nil if none runs, or if too little of it
// or of those is known.
func (c card) pace(b *Bot, now time.Time) chat.Text {
	rotas := c.r.config.rotas(c.agent)
	running := rotas.Current(now)
	if len(running) == 0 || !c.r.config.Metrics.Confirmed("answered") {
		return nil
	}
	window := running[len(running)-1]
	s := b.past(c.r.config, window.Zone)
	defer s.close(context.Background(), "request", c.r.id)
	sum := s.summary(c.agent.ID, schedule.Span{Start: window.Start, End: now})
	n := sum.Totals["answered"]
	if !n.Known() || len(stats.Baseline{sum}.Covered(watchedEnough)) == 0 {
		return nil
	}
	usual := s.usualShift(c.agent.ID, rotas, window, now.Sub(window.Start)).Median("answered")
	if !usual.Known() {
		return nil
	}
	how := "as usual"
	if text := change(n.Value-usual.Value, stats.Count); text != "" {
		how = text + " against your usual"
	}
	return chat.Join(chat.Strong("Pace"), chat.T(fmt.Sprintf("  %s answered in this shift, %s at this point", show(n, stats.Count), how)))
}

// rotas are the shifts of an agent, watched or not.
func (c *Config) rotas(a Agent) schedule.Rotas {
	var rotas schedule.Rotas
	for _, name := range c.teamsOf(a) {
		if t, ok := c.team(name); ok {
			rotas = append(rotas, t.Rota)
		}
	}
	return rotas
}

// team returns the team with a name.
func (c *Config) team(name string) (Team, bool) {
	for _, t := range c.Teams {
		if t.Name == name {
			return t, true
		}
	}
	return Team{}, false
}

// usualShift is the person's own earlier shifts of the same name, each up to the
// same point.
func (p *past) usualShift(id AgentID, rotas schedule.Rotas, window schedule.Window, elapsed time.Duration) stats.Baseline {
	var usual stats.Baseline
	for day := 1; day <= 21 && len(usual) < medianShifts; day++ {
		from := schedule.Civil{Date: window.From.Date - schedule.Date(day), Time: window.From.Time}
		start, _ := schedule.Resolve(from, window.Zone)
		earlier, ok := shiftFrom(rotas, window, start)
		if !ok {
			continue
		}
		sum := p.summary(id, schedule.Span{Start: earlier.Start, End: minTime(earlier.End, earlier.Start.Add(elapsed))})
		usual = append(usual, stats.Baseline{sum}.Covered(watchedEnough)...)
	}
	return usual
}

// shiftFrom finds the shift of the same team and name that began at an instant.
func shiftFrom(rotas schedule.Rotas, like schedule.Window, start time.Time) (schedule.Window, bool) {
	for _, r := range rotas {
		for _, w := range r.Occurrences(schedule.Span{Start: start, End: start.Add(time.Second)}) {
			if w.Start.Equal(start) && w.Team == like.Team && w.Shift == like.Shift {
				return w, true
			}
		}
	}
	return schedule.Window{}, false
}

// totals are a window's numbers with the pace against what is usual.
func (c card) totals(sum stats.Summary, usual stats.Baseline) chat.Fields {
	d := c.r.config.Metrics
	var fields chat.Fields
	add := func(m stats.Metric) {
		n := sum.Totals[m.Name]
		if !n.Known() {
			return
		}
		f := chat.Field{Label: label(d, m), Value: show(n, m.Unit)}
		var notes []string
		if u := usual.Median(m.Name); u.Known() {
			if text := change(n.Value-u.Value, m.Unit); text != "" {
				notes = append(notes, text)
			} else {
				notes = append(notes, "as usual")
			}
		}
		if rate := sum.Totals["miss_rate"]; m.Name == "missed" && d.Confirmed("miss_rate") && rate.Known() {
			notes = append(notes, percent(rate.Value)+" of offered")
		}
		f.Note = strings.Join(notes, " · ")
		fields = append(fields, f)
	}
	for _, name := range order {
		switch m, ok := d.ByName(name); {
		case name == "calls" && d.Confirmed("answered"):
		case name == "answered" && d.Confirmed(name):
			add(stats.Metric{Name: name, Label: "Answered", Unit: stats.Count})
		case ok && m.Kind != stats.Gauge:
			add(m)
		}
	}
	if d.Confirmed("calls_per_hour") {
		add(stats.Metric{Name: "calls_per_hour", Label: "Calls an hour", Unit: stats.Count})
	}
	return fields
}

// glimpse is the part of an hour that must be observed before it is said that
// nobody called in it.
const glimpse = 6 * time.Minute

// hourly is the chart of what was offered and missed by the hour.
func hourly(hours []stats.Hour, zone *time.Location) (chat.Chart, bool) {
	if len(hours) < 2 || len(hours) > 20 {
		return chat.Chart{}, false
	}
	c := chat.Chart{Title: "Calls by the hour", Unit: "calls"}
	offered, missed := chat.Series{Name: "offered"}, chat.Series{Name: "missed"}
	known := false
	for _, h := range hours {
		unseen := !h.Offered.Known() || h.Observed < glimpse && h.Offered.Value == 0
		known = known || h.Offered.Known()
		c.Labels = append(c.Labels, h.Start.In(zone).Format("15"))
		offered.Points = append(offered.Points, chat.Point{Value: math.Round(h.Offered.Value), Missing: unseen})
		missed.Points = append(missed.Points, chat.Point{Value: math.Round(h.Missed.Value), Missing: unseen})
	}
	c.Series = []chat.Series{offered, missed}
	c.Alt = chart.Alt(c)
	return c, known
}

// week answers /mystats week: this civil week's shifts so far, day by day.
func (c card) week(b *Bot, now time.Time) (chat.Message, error) {
	rotas := c.r.config.rotas(c.agent)
	if len(rotas) == 0 {
		return c.since(), nil
	}
	zone := rotas[0].Zone
	today := schedule.DateOf(now, zone)
	monday := today - schedule.Date((int(today.Weekday())+6)%7)
	start, _ := schedule.Resolve(schedule.Civil{Date: monday}, zone)
	s := b.past(c.r.config, zone)
	defer s.close(context.Background(), "request", c.r.id)
	var all []stats.Summary
	ch := chat.Chart{Title: "Answered by the day", Unit: "calls"}
	answered := chat.Series{Name: "answered"}
	worked := shiftsByDay(rotas, schedule.Span{Start: start, End: now}, zone)
	for day := monday; day <= today; day++ {
		var parts []stats.Summary
		for _, span := range worked[day] {
			parts = append(parts, s.summary(c.agent.ID, span))
		}
		sum := c.r.config.Metrics.Join(parts)
		all = append(all, sum)
		n := sum.Totals["answered"]
		ch.Labels = append(ch.Labels, day.Weekday().String()[:3])
		answered.Points = append(answered.Points, chat.Point{Value: n.Value, Missing: !n.Known()})
	}
	sum := c.r.config.Metrics.Join(all)
	m := chat.Message{Title: c.title("this week"), Private: true, Actions: c.actions()}
	if sum.Polled == 0 {
		m.Blocks = append(m.Blocks, chat.Paragraph{Text: chat.T("I have no numbers of this week yet. I collect them during your shifts.")})
		return m, nil
	}
	m.Blocks = append(m.Blocks, c.totals(sum, nil))
	if c.r.config.Metrics.Confirmed("answered") && len(ch.Labels) > 1 {
		ch.Series = []chat.Series{answered}
		ch.Alt = chart.Alt(ch)
		m.Blocks = append(m.Blocks, ch)
	}
	m.Footer = chat.Join(chat.T(fmt.Sprintf("Since %s, in your shifts · as of ", start.In(zone).Format("Mon 2 Jan"))), chat.At(sum.Last.In(c.zone()), chat.Clock))
	return m, nil
}

// shiftsByDay returns the shifts that began in a span, by the date they began
// on, so far as they lie in it. Those of a day that touch or overlap are one, and
// what shifts of two days share is the earlier day's: no time is counted twice.
func shiftsByDay(rotas schedule.Rotas, span schedule.Span, zone *time.Location) map[schedule.Date][]schedule.Span {
	var all []schedule.Window
	for _, r := range rotas {
		all = append(all, r.Occurrences(span)...)
	}
	slices.SortStableFunc(all, func(a, b schedule.Window) int { return a.Start.Compare(b.Start) })
	days := map[schedule.Date][]schedule.Span{}
	var until time.Time
	for _, w := range all {
		part := schedule.Span{Start: later(w.Start, until), End: minTime(w.End, span.End)}
		if part.Empty() {
			continue
		}
		until = part.End
		if w.Start.Before(span.Start) {
			continue
		}
		date := schedule.DateOf(w.Start, zone)
		if n := len(days[date]); n > 0 && days[date][n-1].End.Equal(part.Start) {
			days[date][n-1].End = part.End
		} else {
			days[date] = append(days[date], part)
		}
	}
	return days
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
