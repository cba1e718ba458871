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
)

// A silence is an [alert.Silence] as it is kept: never changed but for its end.
type silence struct {
	alert.Silence
	N        int    `json:"n"`
	What     string `json:"what"` // the matcher, in words
	Name     string `json:"name"` // the author's
	Request  string `json:"request,omitempty"`
	Reminded bool   `json:"reminded,omitempty"`
}

// holds reports whether a silence that is kept holds at a moment. It has begun,
// whatever its start says: a poll may have read the clock before it was made and
// be written after it, and the clock may have been set back.
func (s silence) holds(now time.Time) bool { return now.Before(s.End) && s.End.After(s.Start) }

// repeats reports whether a silence says what an older one of the same person says
// that still holds, give or take a minute.
func (s silence) repeats(old silence) bool {
	return s.Matcher == old.Matcher && s.By == old.By && s.Comment == old.Comment && old.holds(s.Start) && s.End.Sub(old.End).Abs() < time.Minute
}

func silenceKey(n int) string { return fmt.Sprintf("%08d", n) }

// silences returns those that are kept, by their numbers.
func (d *desk) silences() []silence {
	if d.hushRead || d.err != nil {
		return d.hushes
	}
	d.hushes, d.hushRead = nil, true
	for k, err := range EachRecord[silence](d.tx, RecordSilences, "") {
		if err != nil {
			d.fail(err)
			break
		}
		d.hushes = append(d.hushes, k.Value)
	}
	return d.hushes
}

func (d *desk) putSilence(s silence) {
	d.silences()
	d.put(RecordSilences, silenceKey(s.N), s)
	i := slices.IndexFunc(d.hushes, func(old silence) bool { return old.N == s.N })
	if i < 0 {
		d.hushes = append(d.hushes, s)
	} else {
		d.hushes[i] = s
	}
}

// silenced returns the silence that holds an alert back longest.
func (d *desk) silenced(l alert.Labels) (longest silence, found bool) {
	for _, s := range d.silences() {
		if s.holds(d.now) && s.Matcher.Matches(l) && (!found || s.End.After(longest.End)) {
			longest, found = s, true
		}
	}
	return longest, found
}

// hides returns what of the open episodes the silence matches.
func (d *desk) hides(s silence, open []openEpisode) []line {
	var hidden []line
	for _, o := range open {
		i := slices.IndexFunc(o.teams(), func(team string) bool { return s.Matcher.Matches(o.labels(team)) })
		if i >= 0 {
			hidden = append(hidden, d.lineOf(o, o.teams()[i]))
		}
	}
	return hidden
}

// silence answers /floor silence, the buttons that silence, and their form.
func (b *Bot) silence(_ context.Context, r *request) (chat.Reply, error) {
	here := r.here()
	if len(r.args) == 0 {
		return chat.Reply{}, silenceUsage(r, "What shall be silent, and until when?")
	}
	what := r.args[0]
	r.args = r.args[1:]
	want, err := b.wanted(r, what)
	if err != nil {
		return chat.Reply{}, err
	}
	now := time.Now()
	if r.Kind == chat.KindForm {
		r.args = append(strings.Fields(r.Values["for"].Reveal()), r.Values["comment"].Reveal())
	} else if r.Kind == chat.KindAction && len(r.args) == 0 {
		return b.silenceForm(r, what, want, "")
	}
	var card chat.Message
	_, err = b.atDesk(now, func(d *desk) {
		made, err := d.silence(r, want)
		if err != nil {
			d.fail(err)
			return
		}
		d.tend()
		if card = d.silencedCard(r.From, made); here {
			card = d.cardFor(r.From, want.numbers)
		}
	})
	if p, ok := errors.AsType[*problem](err); ok && r.Kind == chat.KindForm {
		return b.silenceForm(r, what, want, p.text)
	}
	return chat.Show(card), err
}

// silenceForm asks how long something shall be silent, and why.
func (b *Bot) silenceForm(r *request, what string, want wanted, fault string) (chat.Reply, error) {
	form := chat.Form{
		ID: "floor", Value: "silence " + what, Title: "Silence", Submit: "Silence",
		Fields: []chat.Input{
			{Name: "for", Label: "For how long", Hint: "2h, shift or until 08:00; a week at most", Value: r.Values["for"].Reveal()},
			{Name: "comment", Label: "Why", Optional: true, Value: r.Values["comment"].Reveal()},
		},
	}
	if fault != "" {
		form.Errors = map[string]string{"for": fault}
	}
	err := b.lookAtDesk(time.Now(), func(d *desk) {
		targets, err := d.targets(r, want)
		d.fail(err)
		form.Intro = d.whatItHides(targets)
	})
	return chat.Ask(form), err
}

// whatItHides says what targets would silence, and what of that fires now.
func (d *desk) whatItHides(targets []target) chat.Text {
	var all []string
	var hidden []line
	open := d.allOpen()
	for _, t := range targets {
		all = append(all, t.what)
		hidden = append(hidden, d.hides(silence{Silence: alert.Silence{Matcher: t.Matcher}}, open)...)
	}
	now := ". None of that fires now."
	if len(hidden) > 0 {
		now = ". Firing now: #" + numberList(hidden) + "."
	}
	return chat.Join(chat.T("Keeps silent: "), chat.Strong(strings.Join(all, ", ")), chat.T(now))
}

// silence makes one silence for each target, from the words in r.args. A request
// that comes again finds those that it made, and who presses twice finds what they
// made a moment ago.
func (d *desk) silence(r *request, want wanted) ([]silence, error) {
	var made []silence
	for _, s := range d.silences() {
		if r.ID != "" && s.Request == r.From.String()+" "+r.ID {
			made = append(made, s)
		}
	}
	if len(made) > 0 {
		return made, nil
	}
	targets, err := d.targets(r, want)
	if err != nil {
		return nil, err
	}
	end, comment, err := d.until(r, targets)
	if err != nil {
		return nil, err
	}
	for _, t := range targets {
		s := silence{
			Silence: alert.Silence{Matcher: t.Matcher, Start: d.now, End: end.UTC().Round(0), By: r.From.String(), Comment: comment},
			What:    t.what, Name: cut(r.Name, 40), Request: r.From.String() + " " + r.ID,
		}
		if err := s.Validate(); err != nil {
			return nil, &problem{text: upperFirst(err.Error()) + "."}
		}
		if i := slices.IndexFunc(d.silences(), s.repeats); i >= 0 {
			made = append(made, d.silences()[i])
			continue
		}
		s.N = d.number(func(n *numbers) *int { return &n.Silence })
		d.putSilence(s)
		d.audit(r, "silence", fmt.Sprintf("silence %d", s.N), s.What+" until "+s.End.Format(time.RFC3339))
		made = append(made, s)
	}
	return made, nil
}

// silencedCard says what was silenced, and what that hides now.
func (d *desk) silencedCard(reader chat.Address, made []silence) chat.Message {
	m := chat.Message{Title: "Silenced", Private: true}
	var lines []chat.Text
	var hidden []line
	open := d.allOpen()
	var ns []int
	for _, s := range made {
		ns = append(ns, s.N)
		text := chat.Join(chat.Strong(s.What), chat.T(" until "), d.upTo(reader, s.End))
		if s.Comment != "" {
			text = chat.Join(text, chat.T(": "+s.Comment))
		}
		lines = append(lines, text)
		hidden = append(hidden, d.hides(s, open)...)
	}
	m.Actions = []chat.Action{{ID: "floor", Value: "unsilence " + writeNumbers(ns), Label: "End it", Replace: true}}
	m.Blocks = append(m.Blocks, chat.Paragraph{Text: chat.Lines(lines...)})
	if len(hidden) == 0 {
		m.Blocks = append(m.Blocks, chat.Paragraph{Quiet: true, Text: chat.T("Nothing that it hides fires now.")})
	} else {
		m.Blocks = append(m.Blocks, chat.Paragraph{Text: chat.T("It hides now:")}, d.table(reader, hidden))
	}
	m.Footer = chat.T("Rules are judged all the same; when the silence ends, you hear of what still fires.")
	return m
}

// silencesList answers /floor silences.
func (b *Bot) silencesList(_ context.Context, r *request) (chat.Reply, error) {
	if err := r.noMore(); err != nil {
		return chat.Reply{}, err
	}
	m := chat.Message{Title: "Silences", Private: true}
	err := b.lookAtDesk(time.Now(), func(d *desk) {
		table := chat.Table{Columns: []chat.Column{{Title: "#", Numeric: true}, {Title: "What", Evident: true}, {Title: "Until"}, {Title: "By"}, {Title: "Why", Evident: true}, {Title: "Hides now", Numeric: true}}}
		open := d.allOpen()
		for _, s := range d.silences() {
			if !s.holds(d.now) || !d.c.mayHandle(r.From, s.Matcher.Team) {
				continue
			}
			table.Rows = append(table.Rows, []string{strconv.Itoa(s.N), s.What, s.End.In(d.c.zoneOf(r.From)).Format("Mon 15:04"),
				s.Name, cut(s.Comment, 40), strconv.Itoa(len(d.hides(s, open)))})
		}
		if len(table.Rows) == 0 {
			m.Blocks = []chat.Block{chat.Paragraph{Text: chat.T("Nothing is silenced.")}}
			return
		}
		m.Blocks = []chat.Block{table}
		m.Footer = chat.Join(chat.Code(r.config.typed(r.From.Network, "floor", "unsilence N")), chat.T(" ends one."))
	})
	return chat.Show(m), err
}

// unsilence answers /floor unsilence N. Ending a silence twice changes nothing.
func (b *Bot) unsilence(_ context.Context, r *request) (chat.Reply, error) {
	var ns, on []int // on: the alerts on the card that the button is on
	if r.here() && len(r.args) == 2 {
		on, _ = parseNumbers(r.args[1])
		r.args = r.args[:1]
	}
	if len(r.args) > 0 {
		ns, _ = parseNumbers(r.args[0])
		r.args = r.args[1:]
	}
	if err := r.noMore(); err != nil {
		return chat.Reply{}, err
	}
	var m chat.Message
	_, err := b.atDesk(time.Now(), func(d *desk) {
		m = note("Silence ended", nil, nil)
		d.unsilence(r, ns, &m)
		if len(on) > 0 {
			m = d.cardFor(r.From, on)
		}
	})
	return chat.Show(m), err
}

// unsilence ends those of the silences that are the person's to end, and says
// which they are.
func (d *desk) unsilence(r *request, ns []int, m *chat.Message) {
	var ended []silence
	for _, s := range slices.Clone(d.silences()) {
		mine := s.By == r.From.String() || d.c.isAdmin(r.From) || s.Matcher.Team != "" && d.c.mayHandle(r.From, s.Matcher.Team)
		if !mine || !slices.Contains(ns, s.N) {
			continue
		}
		ended = append(ended, s)
		if s.holds(d.now) {
			s.Silence = s.Ended(d.now)
			d.putSilence(s)
			d.audit(r, "unsilence", fmt.Sprintf("silence %d", s.N), s.What)
		}
	}
	var said []chat.Text
	for _, s := range ended {
		said = append(said, d.toldAgain(s))
	}
	if len(said) == 0 {
		d.fail(&problem{text: "There is no such silence of yours.", next: chat.Join(chat.Code(r.config.typed(r.From.Network, "floor", "silences")), chat.T(" lists them."))})
	}
	d.tend()
	m.Blocks = []chat.Block{chat.Paragraph{Text: chat.Lines(said...)}}
}

// toldAgain says what the end of a silence changes: nothing while another holds
// all that it held.
func (d *desk) toldAgain(s silence) chat.Text {
	var others []int
	for _, o := range d.silences() {
		if o.N != s.N && o.holds(d.now) && o.coversAllOf(s) {
			others = append(others, o.N)
		}
	}
	if len(others) == 0 {
		return chat.Join(chat.T("You hear again of "), chat.Strong(s.What), chat.T("."))
	}
	return chat.Join(chat.Strong(upperFirst(s.What)), chat.T(" stays silent, because of #"+writeNumbers(others)+"."))
}

// coversAllOf reports whether a silence holds whatever another one holds.
func (s silence) coversAllOf(other silence) bool {
	mine, its := s.Matcher, other.Matcher
	return (mine.Rule == "" || mine.Rule == its.Rule) && (mine.Team == "" || mine.Team == its.Team) && (mine.Agent == "" || mine.Agent == its.Agent)
}
