package bot

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"floorwalker/bot/alert"
	"floorwalker/bot/chat"
	"floorwalker/bot/stats"
)

// A line is what cards and tables say of one episode.
type line struct {
	n               int
	rule, who, team string
	text            string // the rule's message
	value, limit    string
	severity        alert.Severity
	phase           alert.Phase
	data            alert.Data
	began, seen     time.Time // seen: of the newest value
	ended           time.Time // zero while it is open
	reason          alert.Reason
	ackBy           string // "" for nobody
	ackUntil        time.Time
	silence         silence // the zero one: it is not silenced
	overBudget      bool
	subject         string
}

// lineOf describes an open episode.
func (d *desk) lineOf(o openEpisode, team string) line {
	s := o.state.State
	l := line{
		n: o.N, rule: o.rule, who: o.who(), team: team, text: o.Sentence, value: o.Value, limit: o.Limit, severity: o.Handling.Severity,
		phase: s.Phase, data: s.Data, began: o.Began, seen: s.Last.At, overBudget: slices.Contains(o.Spent, team), subject: o.subject,
	}
	if o.Handling.Acked(d.now) {
		l.ackBy, l.ackUntil = o.AckName, o.Handling.Ack.Until
	}
	l.silence, _ = d.silenced(o.labels(team))
	return l
}

// lines describes the episodes of a bulletin.
func (d *desk) lines(b *bulletin) []line {
	var lines []line
	for _, m := range b.Members {
		if m.Over != nil {
			lines = append(lines, line{
				n: m.N, rule: m.Rule, who: m.Over.Who, team: m.Team, text: m.Over.Text, value: m.Over.Value, limit: m.Over.Limit,
				severity: m.Over.Severity, began: m.Over.Began, ended: m.Over.Ended, reason: m.Over.Reason, subject: m.Subject,
			})
		} else if o, ok := d.open(m.Subject, m.Rule); ok {
			lines = append(lines, d.lineOf(o, m.Team))
		}
	}
	return lines
}

// card draws a bulletin as it stands.
func (d *desk) card(b *bulletin) chat.Message {
	lines := d.lines(b)
	m := d.draw(b.To, lines)
	firing := openLines(lines)
	lead := map[string]string{
		"escalate": "Nobody had acknowledged this, so it comes to you.",
		"repeat":   "Still firing, and nobody had acknowledged it.",
		"rise":     "This is more severe now.",
	}[b.Kind]
	if len(firing) == 0 {
		lead = ""
	}
	when := ""
	switch {
	case b.Kind == kindQuiet:
		when = " in your quiet hours"
	case len(lines) > 1 && (b.Kind == kindCrowd || mixed(lines)):
		when = " at once"
	}
	if when != "" {
		if len(lines) == 1 {
			lead = m.Title
		}
		m.Title = tally(len(lines), len(firing), when)
	}
	if lead != "" {
		m.Blocks = slices.Insert(m.Blocks, 0, chat.Block(chat.Paragraph{Text: chat.T(lead)}))
	}
	return m
}

// tally is "3 alerts at once, 1 still firing".
func tally(all, firing int, when string) string {
	text := plural(all, "alert") + when
	if 0 < firing && firing < all {
		text += fmt.Sprintf(", %d still firing", firing)
	}
	return text
}

func openLines(lines []line) []line {
	return slices.DeleteFunc(slices.Clone(lines), func(l line) bool { return !l.ended.IsZero() })
}

// mixed reports whether lines are of several rules or teams.
func mixed(lines []line) bool {
	return slices.ContainsFunc(lines, func(l line) bool { return l.rule != lines[0].rule || l.team != lines[0].team })
}

// draw makes a card of episodes for a reader.
func (d *desk) draw(reader chat.Address, lines []line) chat.Message {
	m := chat.Message{Private: true, Tone: tone(lines), Word: overWord(lines), Actions: d.buttons(reader, openLines(lines))}
	switch len(lines) {
	case 0:
	case 1:
		d.drawOne(&m, reader, lines[0])
	default:
		d.drawMany(&m, reader, lines)
	}
	return m
}

// tone is that of the worst that is open, and good if all has recovered.
func tone(lines []line) chat.Tone {
	open := openLines(lines)
	if len(open) == 0 {
		if slices.ContainsFunc(lines, func(l line) bool { return !l.recovered() }) {
			return chat.Neutral
		}
		return chat.Good
	}
	switch slices.MaxFunc(open, func(a, b line) int { return cmp.Compare(a.severity, b.severity) }).severity {
	case alert.Critical:
		return chat.Critical
	case alert.Warning:
		return chat.Warning
	}
	return chat.Neutral
}

// overWord says of episodes that all have ended how they did.
func overWord(lines []line) string {
	switch {
	case len(lines) == 0 || len(openLines(lines)) > 0:
		return ""
	case tone(lines) == chat.Good:
		return "Recovered"
	}
	return "Over"
}

// recovered reports whether an episode that is over ended well.
func (l line) recovered() bool { return l.reason == alert.Recovered || l.reason == alert.Cleared }

func (d *desk) drawOne(m *chat.Message, reader chat.Address, l line) {
	m.Title = upperFirst(cut(l.text, 140))
	var said []chat.Text
	if l.ended.IsZero() {
		said = append(said, d.facts(reader, l))
	} else {
		said = append(said, chat.Join(chat.T(endings[l.reason]+" at "), d.clock(reader, l.ended), chat.T(", after "+roughly(l.ended.Sub(l.began))+".")))
	}
	if l.ackBy != "" {
		said = append(said, chat.Join(chat.T("Acknowledged by "+cut(l.ackBy, 40)+" until "), d.clock(reader, l.ackUntil), chat.T(".")))
	}
	if s := l.silence; s.N > 0 {
		text := chat.Join(chat.T("Silenced by "+cut(s.Name, 40)+" until "), d.upTo(reader, s.End))
		if s.Comment != "" {
			text = chat.Join(text, chat.T(": "+s.Comment))
		} else {
			text = chat.Join(text, chat.T("."))
		}
		said = append(said, text)
	}
	if l.overBudget {
		said = append(said, chat.T("Not sent: it has been told twice in this shift."))
	}
	m.Blocks = append(m.Blocks, chat.Paragraph{Text: chat.Lines(said...)})
	m.Footer = d.footer(reader, l)
}

// upTo writes an instant to come, with its day unless that is today.
func (d *desk) upTo(reader chat.Address, at time.Time) chat.Text {
	if sameDay(at, d.now, d.c.zoneOf(reader)) {
		return d.clock(reader, at)
	}
	return chat.At(at.In(d.c.zoneOf(reader)), chat.DayClock)
}

// endings are the reasons for which an episode ends, in words before a time.
var endings = map[alert.Reason]string{
	alert.Recovered:     "Back to normal",
	alert.Cleared:       "Back to normal",
	alert.Missing:       "No longer reported",
	alert.ExpiredNoData: "The shift ended, or no more numbers came: closed",
	alert.CounterReset:  "The counters were reset",
	alert.RuleChanged:   "The rule was changed",
	alert.RuleDisabled:  "The rule was switched off",
	alert.RuleDeleted:   "The rule was deleted",
}

// facts says how an open line stands: its value beside the limit, and since when.
func (d *desk) facts(reader chat.Address, l line) chat.Text {
	var text chat.Text
	if l.value != "" {
		text = chat.Join(chat.Strong("Now "+l.value), chat.T(", limit "+l.limit+" · "))
	}
	return chat.Join(text, chat.T("since "), d.clock(reader, l.began))
}

// footer says where a single line comes from, and of when its value is.
func (d *desk) footer(reader chat.Address, l line) chat.Text {
	parts := []string{l.rule}
	if l.team != "" && l.team != l.who {
		parts = append(parts, cut(l.team, 40))
	}
	parts = append(parts, fmt.Sprintf("#%d", l.n))
	text := chat.T(strings.Join(parts, " · "))
	if !l.ended.IsZero() {
		return text
	}
	text = chat.Join(text, chat.T(" · as of "), d.clock(reader, l.seen))
	if l.data != alert.Fresh {
		text = chat.Join(text, chat.T(", no new data since"))
	}
	return text
}

// drawMany draws several episodes as a table.
func (d *desk) drawMany(m *chat.Message, reader chat.Address, lines []line) {
	firing := len(openLines(lines))
	agents := plural(len(lines), "agent")
	switch {
	case mixed(lines):
		m.Title = tally(len(lines), firing, "")
	case firing > 0 && firing < len(lines):
		m.Title = fmt.Sprintf("%s, %d of %s still firing", lines[0].rule, firing, agents)
	default:
		m.Title = lines[0].rule + ", " + agents
	}
	m.Blocks = append(m.Blocks, d.table(reader, lines))
	if !mixed(lines) {
		parts := []string{lines[0].rule}
		if lines[0].team != "" {
			parts = append(parts, cut(lines[0].team, 40))
		}
		if i := slices.IndexFunc(lines, func(l line) bool { return l.limit != "" }); i >= 0 {
			parts = append(parts, "limit "+lines[i].limit)
		}
		m.Footer = chat.T(strings.Join(parts, " · "))
	}
}

// table lists episodes, those that are open first.
func (d *desk) table(reader chat.Address, lines []line) chat.Table {
	several := mixed(lines)
	table := chat.Table{Columns: []chat.Column{{Title: "#", Numeric: true}, {Title: "Who", Evident: true}}}
	if several {
		table.Columns = append(table.Columns, chat.Column{Title: "Alert", Evident: true})
	}
	table.Columns = append(table.Columns, chat.Column{Title: "Now", Numeric: true}, chat.Column{Title: "Since"}, chat.Column{Title: "State", Evident: true})
	zone := d.c.zoneOf(reader)
	lines = slices.Clone(lines)
	slices.SortStableFunc(lines, func(a, b line) int {
		return cmp.Or(boolCompare(!a.ended.IsZero(), !b.ended.IsZero()), cmp.Compare(b.severity, a.severity))
	})
	for _, l := range lines {
		row := []string{strconv.Itoa(l.n), cut(l.who, 24)}
		if several {
			row = append(row, cut(l.rule, 24))
		}
		table.Rows = append(table.Rows, append(row, cmp.Or(l.value, missing), l.began.In(zone).Format("15:04"), l.state(zone)))
	}
	return table
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// state says in a word or two where an episode stands.
func (l line) state(zone *time.Location) string {
	switch {
	case l.recovered():
		return "recovered " + l.ended.In(zone).Format("15:04")
	case !l.ended.IsZero():
		return strings.ReplaceAll(string(l.reason), "_", " ") + " " + l.ended.In(zone).Format("15:04")
	case l.silence.N > 0:
		return "silenced until " + l.silence.End.In(zone).Format("15:04")
	case l.ackBy != "":
		return cut(l.ackBy, 20) + " has it until " + l.ackUntil.In(zone).Format("15:04")
	case l.overBudget:
		return "firing, not sent: third in this shift"
	case l.data != alert.Fresh:
		return "no new data"
	case l.phase == alert.Recovering:
		return "clearing"
	}
	return "firing"
}

// buttons are what a reader can do about open episodes.
func (d *desk) buttons(reader chat.Address, open []line) []chat.Action {
	var mine, unacked []line
	for _, l := range open {
		if !d.c.mayHandle(reader, l.team) {
			continue
		}
		mine = append(mine, l)
		if l.ackBy == "" {
			unacked = append(unacked, l)
		}
	}
	if len(mine) == 0 {
		return nil
	}
	all := numberList(mine)
	var silences []int
	for _, l := range mine {
		silences = append(silences, l.silence.N)
	}
	var list []chat.Action
	if len(unacked) > 0 {
		list = append(list, chat.Action{ID: "floor", Value: "ack " + numberList(unacked) + " here", Label: "Acknowledge", Style: chat.Primary, Replace: true})
	}
	switch {
	case !slices.Contains(silences, 0):
		list = append(list, chat.Action{ID: "floor", Value: "unsilence " + writeNumbers(silences) + " " + all + " here", Label: "End the silence", Replace: true})
	case mine[0].team != "" || d.c.isAdmin(reader):
		list = append(list,
			chat.Action{ID: "floor", Value: "silence " + all + " 1h here", Label: "Silence 1 h", Replace: true},
			chat.Action{ID: "floor", Value: "silence " + all + " shift here", Label: "Silence this shift", Replace: true},
			chat.Action{ID: "floor", Value: "silence " + all, Label: "Silence…", Form: true})
	}
	return append(list, chat.Action{ID: "floor", Value: "alerts " + all, Label: "Refresh", Replace: true})
}

// mayHandle reports whether somebody may acknowledge and silence a team's
// alerts, or those of the source, which are everybody's.
func (c *Config) mayHandle(addr chat.Address, team string) bool {
	mine := c.supervises(addr)
	return c.isAdmin(addr) || slices.Contains(mine, team) || team == "" && len(mine) > 0
}

// numberList writes the numbers of episodes as people type them.
func numberList(lines []line) string {
	var ns []int
	for _, l := range lines {
		ns = append(ns, l.n)
	}
	return writeNumbers(ns)
}

// writeNumbers writes 12, or 12-15,18. What would not fit on a button is left
// out.
func writeNumbers(ns []int) string {
	slices.Sort(ns)
	ns = slices.Compact(ns)
	list := ""
	for i := 0; i < len(ns); {
		j := i
		for j+1 < len(ns) && ns[j+1] == ns[j]+1 {
			j++
		}
		part := strconv.Itoa(ns[i])
		if j > i {
			part += "-" + strconv.Itoa(ns[j])
		}
		if len(list)+len(part) > 25 {
			break
		}
		list = strings.TrimPrefix(list+","+part, ",")
		i = j + 1
	}
	return list
}

// ruleAmount writes a rule's value in its unit: a share with two places, minutes
// without any.
func ruleAmount(v float64, unit string) string {
	switch unit {
	case alert.UnitNone:
		return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64)
	case alert.UnitMinutes:
		v = math.Round(v)
	}
	return amount(v, stats.Unit(unit))
}

func upperFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[n:]
}
