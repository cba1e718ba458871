package bot

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"floorwalker/bot/chat"
	"floorwalker/bot/stats"
)

// message draws a digest. Names of agents stand in it only where its readers may
// see them.
func (r report) message(due dueDigest) chat.Message {
	names := due.digest.ToSupervisors || r.team.NamesInChannel
	m := chat.Message{Title: r.title(), Tone: r.tone()}
	add := func(b chat.Block) { m.Blocks = append(m.Blocks, b) }
	add(chat.Paragraph{Text: chat.T(r.headline(due.delayed))})
	if r.all.Reporting > 0 {
		add(r.fields())
		if c, ok := hourly(r.all.Hours, r.team.Zone); ok {
			add(c)
		}
		if lines := r.stoodOut(names); len(lines) > 0 {
			add(chat.Paragraph{Text: chat.Lines(lines...)})
		}
		if board := r.leaderboard(); len(board.Rows) > 0 {
			add(board)
		}
	}
	// That nobody could be read is in the headline.
	if gaps := r.gaps(); gaps != "" && (r.all.Reporting > 0 || r.noData < len(r.agents)) {
		add(chat.Paragraph{Quiet: true, Text: chat.T(gaps)})
	}
	m.Footer = chat.T(r.footer())
	return m
}

// title names the team and the window: "support · day shift, Mon 2 Mar".
func (r report) title() string {
	what := "summary"
	if r.window.Shift != "" {
		what = r.window.Shift + " shift"
	}
	return fmt.Sprintf("%s · %s, %s", cut(r.team.Name, 40), cut(what, 40), r.window.Start.In(r.team.Zone).Format("Mon 2 Jan"))
}

// partial reports whether too little of the window was observed.
func (r report) partial() bool { return r.coverage() < r.team.MinCoverage }

func (r report) tone() chat.Tone {
	if r.all.Reporting == 0 || r.partial() {
		return chat.Warning
	}
	return chat.Neutral
}

// headline says in words how it went.
func (r report) headline(delayed bool) string {
	var b strings.Builder
	if delayed {
		fmt.Fprintf(&b, "Delayed, covers %s–%s. ", r.clock(r.window.Start), r.clock(r.window.End))
	}
	if r.all.Reporting == 0 {
		switch n := len(r.agents); n {
		case 0:
			b.WriteString("Nobody of this team is linked yet, so there are no numbers.")
		case 1:
			b.WriteString("No data: the one linked agent could not be read.")
		default:
			fmt.Fprintf(&b, "No data: none of %s could be read.", plural(n, "linked agent"))
		}
		return b.String()
	}
	if r.partial() {
		fmt.Fprintf(&b, "Partial: only %s of the time was observed. ", percent(r.coverage()))
	}
	b.WriteString(r.calls())
	if trend := r.trend(); trend != "" {
		b.WriteString(" " + trend)
	}
	return b.String()
}

func (r report) clock(t time.Time) string { return t.In(r.team.Zone).Format("15:04") }

// calls is the headline's first sentence.
func (r report) calls() string {
	t, d := r.all.Totals, r.config.Metrics
	offered, answered, missed, rate := t["offered"], t["answered"], t["missed"], t["miss_rate"]
	switch {
	case d.Confirmed("answered") && answered.Known() && rate.Known():
		return fmt.Sprintf("%s answered, %s missed (%s).", plural(int(answered.Value), "call"), decimal(missed.Value), percent(rate.Value))
	case d.Confirmed("answered") && answered.Known():
		return "No calls came in."
	case offered.Known():
		return fmt.Sprintf("%s offered (TH), if that key means what it seems to.", plural(int(offered.Value), "call"))
	}
	return "The dashboard sent no call counts."
}

// trend compares the calls offered with what is usual on this weekday.
func (r report) trend() string {
	now, usual := r.all.Totals["offered"], r.usual.Median("offered")
	if !now.Known() || !usual.Known() || usual.Value == 0 {
		return ""
	}
	share := now.Value/usual.Value - 1
	day := r.window.Start.In(r.team.Zone).Weekday().String()
	switch {
	case math.Abs(share) < 0.1:
		return "About as many as on a usual " + day + "."
	case share > 0:
		return fmt.Sprintf("%s more than on a usual %s.", percent(share), day)
	}
	return fmt.Sprintf("%s fewer than on a usual %s.", percent(-share), day)
}

// digestMetrics are the totals of a digest, most important first.
var digestMetrics = [...]string{"offered", "answered", "missed", "avg_talk", "hold", "calls_per_hour"}

// leastRate is how long agents must have been observed, on average, before a
// rate says more than when somebody happened to look.
const leastRate = 10 * time.Minute

// fields are the totals with their change against the usual.
func (r report) fields() chat.Fields {
	d := r.config.Metrics
	var fields chat.Fields
	for _, name := range digestMetrics {
		m, ok := d.ByName(name)
		switch name {
		case "answered":
			m, ok = stats.Metric{Name: name, Label: "Answered", Unit: stats.Count}, d.Confirmed(name)
		case "calls_per_hour":
			m, ok = stats.Metric{Name: name, Label: "Calls per agent and hour", Unit: stats.Count}, d.Confirmed(name) && r.all.Observed >= leastRate
		}
		n := r.all.Totals[name]
		if !ok || !n.Known() {
			continue
		}
		f := chat.Field{Label: label(d, m), Value: show(n, m.Unit)}
		if usual := r.usual.Median(name); usual.Known() {
			f.Note = change(n.Value-usual.Value, m.Unit)
		}
		if rate := r.all.Totals["miss_rate"]; name == "missed" && d.Confirmed("miss_rate") && rate.Known() {
			f.Note = strings.TrimPrefix(f.Note+" · "+percent(rate.Value)+" of offered", " · ")
		}
		fields = append(fields, f)
	}
	return append(fields, chat.Field{Label: "Agents with data", Value: fmt.Sprintf("%d of %d", r.all.Reporting, len(r.agents))})
}

// stoodOut says what was not as the rest.
func (r report) stoodOut(names bool) []chat.Text {
	var lines []chat.Text
	busiest, worst := r.peak(func(h stats.Hour) float64 { return h.Offered.Value }), r.peak(func(h stats.Hour) float64 { return h.Missed.Value })
	if h := r.all.Hours; busiest >= 0 && len(h) > 2 {
		lines = append(lines, chat.Join(chat.Strong("Busiest"), chat.T(fmt.Sprintf("  %s, %s offered", r.hour(busiest), decimal(math.Round(h[busiest].Offered.Value))))))
	}
	if h := r.all.Hours; worst >= 0 && h[worst].Missed.Value >= 3 {
		lines = append(lines, chat.Join(chat.Strong("Most missed"), chat.T(fmt.Sprintf("  %s, %s of %s", r.hour(worst),
			decimal(math.Round(h[worst].Missed.Value)), decimal(math.Round(h[worst].Offered.Value))))))
	}
	for _, line := range []chat.Text{r.whoMissed(names), r.staleLogins(names)} {
		if line != nil {
			lines = append(lines, line)
		}
	}
	return lines
}

// peak returns the hour with the largest positive value, -1 for none.
func (r report) peak(value func(stats.Hour) float64) int {
	best := -1
	for i, h := range r.all.Hours {
		if v := value(h); v > 0 && (best < 0 || v > value(r.all.Hours[best])) {
			best = i
		}
	}
	return best
}

func (r report) hour(i int) string {
	start := r.all.Hours[i].Start
	end := r.all.To
	if i+1 < len(r.all.Hours) {
		end = r.all.Hours[i+1].Start
	}
	return r.clock(start) + "–" + r.clock(end)
}

// whoMissed says who missed clearly more than the others, or how many did.
func (r report) whoMissed(names bool) chat.Text {
	rate := r.all.Totals["miss_rate"]
	if !r.config.Metrics.Confirmed("miss_rate") || !rate.Known() {
		return nil
	}
	var list []agentReport
	for _, a := range r.agents {
		missed, own := a.summary.Totals["missed"], a.summary.Totals["miss_rate"]
		if missed.Value >= 3 && own.Value >= 2*rate.Value {
			list = append(list, a)
		}
	}
	if len(list) == 0 {
		return nil
	}
	if !names {
		return chat.T(fmt.Sprintf("%s missed more than twice their share.", plural(len(list), "agent")))
	}
	slices.SortFunc(list, func(a, b agentReport) int {
		return cmp.Compare(b.summary.Totals["missed"].Value, a.summary.Totals["missed"].Value)
	})
	var who []string
	for _, a := range list {
		who = append(who, fmt.Sprintf("%s %s", cut(a.agent.called(), 30), decimal(a.summary.Totals["missed"].Value)))
	}
	return chat.Join(chat.Strong("Missed more than twice their share"), chat.T("  "+some(who)))
}

// staleLogins says who had been logged in for more than a day, or how many had:
// they have forgotten to log out, and what counts by login is not of this day.
func (r report) staleLogins(names bool) chat.Text {
	list := slices.DeleteFunc(slices.Clone(r.agents), func(a agentReport) bool {
		return a.summary.Login.IsZero() || a.summary.Last.Sub(a.summary.Login) < 24*time.Hour
	})
	if len(list) == 0 {
		return nil
	}
	slices.SortStableFunc(list, func(a, b agentReport) int { return a.summary.Login.Compare(b.summary.Login) })
	var who []string
	for _, a := range list {
		who = append(who, fmt.Sprintf("%s %s", cut(a.agent.called(), 30), roughly(a.summary.Last.Sub(a.summary.Login))))
	}
	text := plural(len(who), "agent")
	if names {
		text = some(who)
	}
	return chat.Join(chat.Strong("Logged in for over a day"), chat.T("  "+text))
}

// some writes the first three of a list, and how many more there are.
func some(list []string) string {
	text := strings.Join(list[:min(3, len(list))], ", ")
	if more := len(list) - 3; more > 0 {
		text += fmt.Sprintf(", +%d more", more)
	}
	return text
}

// leaderboard names the best, where the team wants that. Nobody is named by what
// is computed of numbers that nobody has confirmed.
func (r report) leaderboard() chat.Table {
	by, d := r.team.LeaderboardBy, r.config.Metrics
	m, ok := d.ByName(by)
	if r.team.Leaderboard == 0 || !ok && !d.Confirmed(by) {
		return chat.Table{}
	}
	if ok {
		m.Label = label(d, m)
	} else {
		m = stats.Metric{Name: by, Label: upperFirst(strings.ReplaceAll(by, "_", " ")), Unit: stats.Count, Better: stats.Higher}
	}
	write := func(n stats.Number) string { return show(n, m.Unit) }
	if by == "miss_rate" {
		m.Better, write = stats.Lower, rate
	}
	var list []agentReport
	for _, a := range r.agents {
		if a.summary.Totals[by].Known() {
			list = append(list, a)
		}
	}
	slices.SortStableFunc(list, func(a, b agentReport) int {
		order := cmp.Compare(b.summary.Totals[by].Value, a.summary.Totals[by].Value)
		if m.Better == stats.Lower {
			order = -order
		}
		return order
	})
	table := chat.Table{Columns: []chat.Column{{Title: "Best of the shift"}, {Title: m.Label, Numeric: true}}}
	for i, a := range list[:min(r.team.Leaderboard, len(list))] {
		table.Rows = append(table.Rows, []string{fmt.Sprintf("%d  %s", i+1, cut(a.agent.called(), 40)), write(a.summary.Totals[by])})
	}
	return table
}

// gaps says of how many agents something is missing.
func (r report) gaps() string {
	var parts []string
	if r.relink > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d need to link again", r.relink, len(r.agents)))
	}
	if r.suspended > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d suspended", r.suspended, len(r.agents)))
	}
	if r.noData > 0 {
		who := "agent"
		if len(parts) > 0 {
			who = "other agent"
		}
		parts = append(parts, plural(r.noData, who)+" without data")
	}
	var shared []string
	for _, a := range r.agents {
		if len(r.config.teamsOf(a.agent)) > 1 {
			shared = append(shared, a.agent.called())
		}
	}
	if len(shared) > 0 {
		parts = append(parts, fmt.Sprintf("%s also in another team, counted in both", plural(len(shared), "agent")))
	}
	return strings.Join(parts, " · ")
}

// footer names the window, its zone, its odd length, and how much was observed.
func (r report) footer() string {
	parts := []string{r.window.String()}
	if r.all.To.Before(r.window.End) {
		parts[0] += ", so far"
	}
	if l := r.window.Label(); l != "" {
		parts = append(parts, l)
	}
	if r.all.Reporting > 0 {
		if r.usual.Median("offered").Known() {
			parts = append(parts, "▲▼ against a usual "+r.window.Start.In(r.team.Zone).Weekday().String())
		}
		parts = append(parts, percent(r.coverage())+" observed")
		if r.all.Last.Before(r.all.To.Add(-5 * time.Minute)) {
			parts = append(parts, "last numbers of "+r.clock(r.all.Last))
		}
	}
	return strings.Join(parts, " · ")
}

// plural writes a count with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
