package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"floorwalker/bot/alert"
	"floorwalker/bot/chat"
	"floorwalker/bot/schedule"
)

// lookAtDesk runs f in a transaction that reads.
func (b *Bot) lookAtDesk(now time.Time, f func(*desk)) error {
	c := b.config.Load()
	return b.store.View(func(tx Tx) error {
		d := newDesk(tx, c, now, b.pollEvery(c))
		f(d)
		return d.err
	})
}

// audit records an act in the same transaction.
func (d *desk) audit(r *request, action, object, detail string) {
	if d.err == nil {
		d.wrote = true
		d.fail(d.tx.Audit(AuditEntry{At: d.now, Actor: r.From.String(), Action: action, Object: object, Detail: cut(detail, 200)}))
	}
}

// here takes the word that says that a button's answer is to be the card it is
// on.
func (r *request) here() bool {
	n := len(r.args) - 1
	if r.Kind != chat.KindAction || n < 0 || r.args[n] != "here" {
		return false
	}
	r.args = r.args[:n]
	return true
}

// parseNumbers reads 12, #12, or 12-15,18.
func parseNumbers(s string) ([]int, bool) {
	var ns []int
	for part := range strings.SplitSeq(s, ",") {
		from, to, isRange := strings.Cut(strings.TrimPrefix(part, "#"), "-")
		a, err := strconv.Atoi(from)
		b := a
		if isRange && err == nil {
			b, err = strconv.Atoi(to)
		}
		if err != nil || a < 1 || b < a || b-a > 1000 || len(ns) > 1000 {
			return nil, false
		}
		for ; a <= b; a++ {
			ns = append(ns, a)
		}
	}
	return ns, true
}

// numbers takes numbers of alerts from the words.
func (r *request) numbers() ([]int, error) {
	if len(r.args) == 0 {
		return nil, nil
	}
	ns, ok := parseNumbers(strings.Join(r.args, ","))
	if !ok {
		return nil, &problem{text: fmt.Sprintf("“%s” is not the number of an alert.", cut(strings.Join(r.args, " "), 30)),
			next: chat.Join(chat.Code(r.config.typed(r.From.Network, "floor", "alerts")), chat.T(" lists them."))}
	}
	return ns, nil
}

func noSuchAlert(ns []int) error {
	if len(ns) == 1 {
		return &problem{text: fmt.Sprintf("No alert of your teams is open with the number %d.", ns[0]), next: chat.T("It may be over already.")}
	}
	return &problem{text: "None of these alerts is open any more."}
}

// mine returns the open episodes that somebody may handle, those of the numbers,
// or all if none is given.
func (d *desk) mine(addr chat.Address, ns []int) []openEpisode {
	return slices.DeleteFunc(d.allOpen(), func(o openEpisode) bool {
		handles := slices.ContainsFunc(o.teams(), func(team string) bool { return d.c.mayHandle(addr, team) })
		return !handles || len(ns) > 0 && !slices.Contains(ns, o.N)
	})
}

// linesFor describes open episodes for a reader: each by a team of theirs.
func (d *desk) linesFor(addr chat.Address, open []openEpisode) []line {
	var lines []line
	for _, o := range open {
		teams := o.teams()
		i := max(0, slices.IndexFunc(teams, func(team string) bool { return d.c.mayHandle(addr, team) }))
		lines = append(lines, d.lineOf(o, teams[i]))
	}
	return lines
}

// cardFor draws the card that a reader has of some episodes, as it is now. It
// has no title if there is none.
func (d *desk) cardFor(reader chat.Address, ns []int) chat.Message {
	for _, b := range slices.Backward(d.bulletinsTo(reader)) {
		if slices.ContainsFunc(b.Members, func(m member) bool { return slices.Contains(ns, m.N) }) {
			return d.card(b)
		}
	}
	return d.draw(reader, d.linesFor(reader, d.mine(reader, ns)))
}

// alerts answers /floor alerts: what is open, for a supervisor that of their
// teams, and for everybody what names them.
func (b *Bot) alerts(_ context.Context, r *request) (chat.Reply, error) {
	ns, err := r.numbers()
	if err != nil {
		return chat.Reply{}, err
	}
	if !r.may(supervisor) {
		return b.alertsAbout(r)
	}
	var m chat.Message
	err = b.lookAtDesk(time.Now(), func(d *desk) {
		if len(ns) > 0 {
			if m = d.cardFor(r.From, ns); m.Title == "" {
				d.fail(noSuchAlert(ns))
			}
			return
		}
		m = d.list(r.From, d.linesFor(r.From, d.mine(r.From, nil)))
	})
	if err != nil || len(ns) > 0 {
		return chat.Show(m), err
	}
	if about := b.aboutSupervisor(r); len(about) > 0 {
		m.Blocks = append(m.Blocks, chat.Paragraph{Text: chat.Lines(about...)})
	}
	return chat.Show(m), nil
}

// aboutSupervisor is what alertsAbout says to a supervisor who takes calls too,
// in lines below what they supervise; nothing if no alert names them, or if their
// own record cannot be read: what they supervise does not depend on it.
func (b *Bot) aboutSupervisor(r *request) (lines []chat.Text) {
	about, err := b.alertsAbout(r)
	if err != nil {
		if !errors.Is(err, ErrNotLinked) {
			b.log.Error("alerts about a supervisor are left out", "from", r.From.String(), "err", err)
		}
		return nil
	}
	if table, ok := about.Message.Blocks[0].(chat.Table); ok {
		lines = append(lines, chat.Strong(about.Message.Title))
		for _, row := range table.Rows {
			lines = append(lines, chat.T(strings.Join(row, "  ")))
		}
	}
	return lines
}

// list is all that is open, as a table, with buttons for the first few.
func (d *desk) list(reader chat.Address, lines []line) chat.Message {
	m := chat.Message{Title: "Open alerts", Private: true, Tone: tone(lines)}
	if len(lines) == 0 {
		m.Tone = chat.Neutral
		m.Blocks = []chat.Block{chat.Paragraph{Text: chat.T("Nothing fires now.")}}
	} else {
		m.Blocks = []chat.Block{d.wideTable(reader, lines)}
	}
	for _, l := range lines[:min(3, len(lines))] {
		if l.ackBy == "" {
			m.Actions = append(m.Actions, chat.Action{ID: "floor", Value: fmt.Sprintf("ack %d", l.n), Label: fmt.Sprintf("Acknowledge %d", l.n)})
		}
		if l.silence.N == 0 && (l.team != "" || d.c.isAdmin(reader)) {
			m.Actions = append(m.Actions, chat.Action{ID: "floor", Value: fmt.Sprintf("silence %d 1h", l.n), Label: fmt.Sprintf("Silence %d for 1 h", l.n)})
		}
	}
	m.Actions = append(m.Actions, chat.Action{ID: "floor", Value: "alerts", Label: "Refresh", Replace: true})
	return m
}

// wideTable is table with the rule always.
func (d *desk) wideTable(reader chat.Address, lines []line) chat.Table {
	padded := append(slices.Clone(lines), line{rule: "\x00", ended: d.now})
	table := d.table(reader, padded)
	table.Rows = table.Rows[:len(lines)]
	return table
}

// alertsAbout lists the alerts that name an agent: open ones, and what ended in
// the last day.
func (b *Bot) alertsAbout(r *request) (chat.Reply, error) {
	m := chat.Message{Title: "Alerts about you", Private: true}
	agent, err := b.own(r)
	if err != nil {
		return chat.Reply{}, err
	}
	table := chat.Table{Columns: []chat.Column{{Title: "Since"}, {Title: "What", Evident: true}, {Title: "State", Evident: true}}}
	zone := r.config.zoneOf(r.From)
	err = b.lookAtDesk(time.Now(), func(d *desk) {
		for _, o := range d.allOpen() {
			if o.subject == string(agent.ID) {
				table.Rows = append(table.Rows, []string{o.Began.In(zone).Format("15:04"), upperFirst(cut(o.Sentence, 80)), "open"})
			}
		}
		for _, e := range d.endings(string(agent.ID)) {
			if d.now.Sub(e.Ended) < 24*time.Hour {
				table.Rows = append(table.Rows, []string{e.Began.In(zone).Format("15:04"), upperFirst(cut(e.Text, 80)), "over at " + e.Ended.In(zone).Format("15:04")})
			}
		}
	})
	m.Blocks = []chat.Block{table}
	if len(table.Rows) == 0 {
		m.Blocks = []chat.Block{chat.Paragraph{Text: chat.T("No alert has named you in the last day.")}}
	}
	m.Footer = chat.T("Your supervisors get these as direct messages. Nobody else does.")
	return chat.Show(m), err
}

// endings returns the episodes of a subject that are over and kept, newest last.
func (d *desk) endings(subject string) []ending {
	var list []ending
	if d.err != nil {
		return nil
	}
	for k, err := range EachRecord[ending](d.tx, RecordHandling, subject+"/") {
		if err != nil {
			d.fail(err)
			break
		}
		list = append(list, k.Value)
	}
	return list
}

// An ExportAlert is an alert that named an agent, as they may export it.
type ExportAlert struct {
	Rule  string    `json:"rule"`
	Text  string    `json:"text"`
	Began time.Time `json:"began"`
	Ended time.Time `json:"ended,omitzero"` // zero: it is open
	Sent  bool      `json:"sent"`           // false: silenced, or told often enough in that shift
}

// exportAlerts returns the alerts that named an agent, as long as they are kept.
func (b *Bot) exportAlerts(id AgentID) ([]ExportAlert, error) {
	list := []ExportAlert{}
	err := b.lookAtDesk(time.Now(), func(d *desk) {
		for _, e := range d.endings(string(id)) {
			list = append(list, ExportAlert{e.Rule, e.Text, e.Began, e.Ended, e.Outcome == alert.Tell})
		}
		for _, o := range d.allOpen() {
			if o.subject == string(id) {
				list = append(list, ExportAlert{o.rule, o.Sentence, o.Began, time.Time{}, o.Outcome == alert.Tell})
			}
		}
	})
	return list, err
}

// ack answers /floor ack: the person takes alerts in hand for an hour.
func (b *Bot) ack(_ context.Context, r *request) (chat.Reply, error) {
	here := r.here()
	ns, err := r.numbers()
	if err != nil {
		return chat.Reply{}, err
	}
	if len(ns) == 0 {
		return chat.Reply{}, &problem{text: "Which alert?", next: chat.Join(chat.Code(r.config.typed(r.From.Network, "floor", "alerts")),
			chat.T(" lists them, "), chat.Code(r.config.typed(r.From.Network, "floor", "ack 12")), chat.T(" acknowledges one."))}
	}
	var m chat.Message
	_, err = b.atDesk(time.Now(), func(d *desk) {
		open := d.mine(r.From, ns)
		if len(open) == 0 {
			d.fail(noSuchAlert(ns))
			return
		}
		var said []chat.Text
		title := "In hand already"
		for _, o := range open {
			text, taken := d.ack(r, o)
			if said = append(said, text); taken {
				title = "Acknowledged"
			}
		}
		d.tend()
		m = chat.Message{Title: title, Private: true, Blocks: []chat.Block{chat.Paragraph{Text: chat.Lines(said...)}}}
		if here {
			m = d.cardFor(r.From, ns)
		}
	})
	return chat.Show(m), err
}

// ack acknowledges one episode and says what came of it. The one who has it may
// keep it shortly before it ends.
func (d *desk) ack(r *request, o openEpisode) (said chat.Text, taken bool) {
	h, by := o.Handling, r.From.String()
	if h.Acked(d.now) && h.Ack.By == by && !d.now.Before(h.Ack.Until.Add(-alert.AckReminder)) {
		h.Ack = alert.Ack{}
	}
	h, taken = h.Acknowledge(by, d.now)
	if taken {
		o.Handling, o.AckName, o.Acked, o.Reminded = h, cut(r.Name, 40), true, false
		for _, b := range d.bulletinsOf(o.episode) {
			if b.Kind == "escalate" || b.Kind == "repeat" {
				d.withdraw(b, o, "acknowledged before it was sent")
			}
		}
		d.mark(o)
		d.audit(r, "ack", fmt.Sprintf("alert %d", o.N), o.rule)
	}
	number := chat.Strong(fmt.Sprintf("#%d", o.N))
	if taken || h.Ack.By == by {
		return chat.Join(number, chat.T(" is yours until "), d.clock(r.From, h.Ack.Until), chat.T(": "+o.Sentence)), taken
	}
	return chat.Join(number, chat.T(": "+o.AckName+" acknowledged it at "), d.clock(r.From, h.Ack.At), chat.T(".")), false
}

// quiet answers /floor quiet: a person's own quiet hours.
func (b *Bot) quiet(_ context.Context, r *request) (chat.Reply, error) {
	text := strings.ToLower(strings.Join(r.args, " "))
	if text == "" || text == "show" {
		return b.quietShow(r)
	}
	var q schedule.QuietHours
	if text != "off" {
		var err error
		if q, err = schedule.ParseQuietHours(text); err != nil {
			return chat.Reply{}, &problem{text: quoted(upperFirst(err.Error())) + ".", next: chat.Join(chat.T("For example "),
				chat.Code(r.config.typed(r.From.Network, "floor", "quiet 22:00-07:00 mon-fri")), chat.T(" or "),
				chat.Code(r.config.typed(r.From.Network, "floor", "quiet off")), chat.T("."))}
		}
		if faults := q.Faults(); len(faults) > 0 {
			return chat.Reply{}, &problem{text: upperFirst(faults[0].Reason) + "."}
		}
	}
	_, err := b.atDesk(time.Now(), func(d *desk) {
		d.fail(d.tx.Once(r.ID)) // or one that is replayed after a restart undoes a later one
		for _, addr := range append(r.config.samePerson(r.From), r.From) {
			d.setQuiet(addr, q)
		}
	})
	if err != nil && !errors.Is(err, ErrDone) {
		return chat.Reply{}, err
	}
	return b.quietShow(r)
}

// quietShow says when somebody has quiet hours, and whose choice that is.
func (b *Bot) quietShow(r *request) (chat.Reply, error) {
	zone := r.config.zoneOf(r.From)
	var text string
	err := b.lookAtDesk(time.Now(), func(d *desk) {
		own := d.reader(r.From).Quiet
		switch {
		case own != nil && *own == (schedule.QuietHours{}):
			text = "You have no quiet hours: alerts come at any time."
		case own != nil:
			text = fmt.Sprintf("Your quiet hours are %s, %s time.", own, zone)
		default:
			text = d.c.teamsQuiet(r.From)
		}
	})
	return chat.Show(note("Quiet hours", chat.T(text),
		chat.T("In quiet hours only what is critical is sent. When they end, one message says what still fires and what came and went."))), err
}

// teamsQuiet says which quiet hours somebody has who chose none.
func (c *Config) teamsQuiet(addr chat.Address) string {
	for _, name := range c.supervises(addr) {
		if t, ok := c.team(name); ok && t.QuietHours != (schedule.QuietHours{}) {
			return fmt.Sprintf("You have those of the team %s: %s, %s time.", t.Name, t.QuietHours, t.Zone)
		}
	}
	return "You have no quiet hours."
}

// testAlert answers /floor test: an alert to oneself that travels the whole path
// and is over soon.
func (b *Bot) testAlert(_ context.Context, r *request) (chat.Reply, error) {
	if err := r.noMore(); err != nil {
		return chat.Reply{}, err
	}
	id := r.ID
	if id == "" {
		id = r.id
	}
	now := time.Now()
	_, err := b.atDesk(now, func(d *desk) {
		fire := alert.Key("test-"+id, alert.StepFire, r.From.String())
		m := chat.Message{Title: "This is a test alert", Tone: chat.Warning, Private: true,
			Blocks: []chat.Block{chat.Paragraph{Text: chat.T("A real one says here who it is about, and has buttons to acknowledge and to silence it.")}},
			Footer: chat.Join(chat.T("asked for by you at "), d.clock(r.From, now))}
		d.enqueue(Row{Key: fire, To: r.From, Lane: LaneAlert, Message: m, GiveUp: now.Add(time.Hour)})
		m.Title, m.Tone, m.Word = "This was a test alert", chat.Good, "Recovered"
		m.Blocks = []chat.Block{chat.Paragraph{Text: chat.T("When an alert is over, its message changes like this one, and nobody is pinged again.")}}
		d.enqueue(Row{Key: alert.Key("test-"+id, alert.StepResolve, r.From.String()), To: r.From, Lane: LaneAlert, Message: m,
			Edits: fire, NotBefore: now.Add(testFor), GiveUp: now.Add(time.Hour)})
	})
	if err != nil {
		return chat.Reply{}, err
	}
	return chat.Show(note("A test alert is on its way", chat.T("It goes the way of a real one, and recovers in "+roughly(testFor)+"."),
		chat.Join(chat.T("If it does not come, an administrator finds out why with "), chat.Code("floorwalker doctor"), chat.T(".")))), nil
}

// testFor is how long a test alert fires.
const testFor = 20 * time.Second
