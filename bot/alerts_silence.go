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

// A silence is an [alert.Silence] as it is kept: never changed but for its end.
type silence struct {
	alert.Silence
	N        int    `json:"n"`
	What     string `json:"what"` // the matcher, in words
	Name     string `json:"name"` // the author's
	Request  string `json:"request,omitempty"`
	Reminded bool   `json:"reminded,omitempty"`
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
		if s.Active(d.now) && s.Matcher.Matches(l) && (!found || s.End.After(longest.End)) {
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

// A wanted is what somebody wants silenced, as they named it: numbers of open
// alerts, or a rule, an agent, or a rule of an agent.
type wanted struct {
	numbers []int
	rule    *alert.Rule // nil for every rule
	agent   *Agent      // nil for everybody
}

// A target is a matcher in the words of people.
type target struct {
	alert.Matcher
	what string
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

// wanted reads what somebody wants silenced: 12-15, RULE, @agent or RULE@agent.
func (b *Bot) wanted(r *request, what string) (want wanted, err error) {
	if ns, ok := parseNumbers(what); ok {
		return wanted{numbers: ns}, nil
	}
	m, err := alert.ParseMatcher(strings.Replace(what, "<@", "@<@", 1))
	if err != nil {
		return want, silenceUsage(r, fmt.Sprintf("“%s” names no alerts.", cut(what, 40)))
	}
	if m.Rule != "" {
		if want.rule = r.config.rule(m.Rule); want.rule == nil {
			return want, unknownRule(r.config, m.Rule)
		}
	}
	if m.Agent != "" {
		agent, err := b.findAgent(r, m.Agent)
		if err != nil {
			return want, err
		}
		want.agent = &agent
	}
	return want, nil
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
	now := "Nothing of that fires now."
	if len(hidden) > 0 {
		now = "Of that fires now: #" + numberList(hidden) + "."
	}
	return chat.T("It silences " + strings.Join(all, ", ") + ". " + now)
}

// silence makes one silence for each target, from the words in r.args. A request
// that comes again finds those that it made.
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
		s.N = d.number(func(n *numbers) *int { return &n.Silence })
		d.putSilence(s)
		d.audit(r, "silence", fmt.Sprintf("silence %d", s.N), s.What+" until "+s.End.Format(time.RFC3339))
		made = append(made, s)
	}
	return made, nil
}

// until reads when a silence ends: 1h, shift, or until 08:00. What is left is
// the comment.
func (d *desk) until(r *request, targets []target) (end time.Time, comment string, err error) {
	words := r.args
	if len(words) == 0 {
		return end, "", silenceUsage(r, "Until when?")
	}
	first, rest := strings.ToLower(words[0]), words[1:]
	if at, ok := strings.CutPrefix(first, "until "); ok {
		first, rest = "until", append([]string{at}, rest...)
	}
	switch {
	case first == "shift":
		if end, err = d.shiftEnd(targets); err != nil {
			return end, "", err
		}
	case first == "until" && len(rest) > 0:
		at, err := schedule.ParseTimeOfDay(rest[0])
		if err != nil {
			return end, "", silenceUsage(r, upperFirst(err.Error())+".")
		}
		end, rest = schedule.NextTimeOfDay(d.now, at, d.c.zoneOf(r.From)).At, rest[1:]
	default:
		length, ok := parseLength(first)
		if !ok {
			return end, "", silenceUsage(r, fmt.Sprintf("“%s” is not a time to be silent for.", cut(words[0], 30)))
		}
		end = d.now.Add(length)
	}
	return end, strings.TrimSpace(strings.Join(rest, " ")), nil
}

// parseLength reads 90m, 1h30m or 2d.
func parseLength(s string) (time.Duration, bool) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.Atoi(days)
		return time.Duration(n) * 24 * time.Hour, err == nil && n > 0 && n <= 7
	}
	length, err := time.ParseDuration(s)
	return length, err == nil && length > 0
}

// shiftEnd returns when the running shifts of the teams that targets are about
// end, the last of them.
func (d *desk) shiftEnd(targets []target) (end time.Time, err error) {
	for _, t := range targets {
		for _, team := range d.c.Teams {
			if t.Team != "" && t.Team != team.Name {
				continue
			}
			for _, w := range (schedule.Rotas{team.Rota}).Current(d.now) {
				end = later(end, w.End)
			}
		}
	}
	if end.IsZero() {
		return end, &problem{text: "No shift runs now.", next: chat.T("Say how long instead, such as 1h, or until 08:00.")}
	}
	return end, nil
}

func silenceUsage(r *request, text string) error {
	return &problem{text: text, next: chat.Join(chat.T("For example "),
		chat.Code(r.config.typed(r.From.Network, "floor", "silence missed-burst 1h")), chat.T(", "),
		chat.Code(r.config.typed(r.From.Network, "floor", "silence @asha shift")), chat.T(" or "),
		chat.Code(r.config.typed(r.From.Network, "floor", "silence 12 until 08:00 training")), chat.T("."))}
}

// targets turns what somebody wants silenced into matchers. They never reach
// beyond the teams that the person supervises.
func (d *desk) targets(r *request, want wanted) ([]target, error) {
	if len(want.numbers) > 0 {
		return d.targetsOf(r, want.numbers)
	}
	var t target
	var teams []string
	if want.rule != nil {
		t.Rule, t.what = want.rule.Name, want.rule.Name
	}
	if want.agent != nil {
		t.Agent, teams = string(want.agent.ID), d.c.teamsOf(*want.agent)
		t.what = strings.TrimPrefix(t.what+" of "+cut(want.agent.Name, 40), " of ")
	}
	if d.c.isAdmin(r.From) {
		return []target{t}, nil
	}
	var list []target
	for _, team := range d.c.supervises(r.From) {
		covered := want.rule == nil || want.rule.Covers(team) && want.rule.Name != alert.SourceStale
		if covered && (want.agent == nil || slices.Contains(teams, team)) {
			mine := t
			mine.Team, mine.what = team, t.what+" in "+team
			list = append(list, mine)
		}
	}
	if len(list) == 0 {
		return nil, &problem{text: "That is not about a team of yours, so it is not yours to silence."}
	}
	return list, nil
}

// targetsOf is what buttons silence: one agent's alert, or a rule in a team if
// the numbers are those of several agents.
func (d *desk) targetsOf(r *request, ns []int) ([]target, error) {
	type group struct{ rule, team string }
	var order []group
	members := map[group][]openEpisode{}
	for _, o := range d.allOpen() {
		for _, team := range o.teams() {
			may := d.c.isAdmin(r.From) || team != "" && d.c.mayHandle(r.From, team)
			if g := (group{o.rule, team}); slices.Contains(ns, o.N) && may {
				if members[g] == nil {
					order = append(order, g)
				}
				members[g] = append(members[g], o)
			}
		}
	}
	var list []target
	for _, g := range order {
		t := target{alert.Matcher{Rule: g.rule, Team: g.team}, g.rule}
		if g.team != "" {
			t.what += " in " + g.team
		}
		if o := members[g][0]; len(members[g]) == 1 && o.isAgent() {
			t = target{alert.Matcher{Rule: g.rule, Team: g.team, Agent: o.subject}, g.rule + " of " + o.who()}
		}
		list = append(list, t)
	}
	if len(list) == 0 {
		return nil, noSuchAlert(ns)
	}
	return list, nil
}

// rule returns the rule of a name, nil if there is none.
func (c *Config) rule(name string) *alert.Rule {
	for _, r := range c.Rules {
		if r.Name == name {
			return r
		}
	}
	return nil
}

func unknownRule(c *Config, name string) error {
	var names []string
	for _, r := range c.Rules {
		names = append(names, r.Name)
	}
	p := &problem{text: fmt.Sprintf("I don't know a rule “%s”.", cut(name, 40)), next: chat.T("There are " + strings.Join(names, ", ") + ".")}
	if near := nearest(name, names); near != "" {
		p.next = chat.T("Did you mean " + near + "?")
	}
	return p
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
		text := chat.Join(chat.Strong(s.What), chat.T(" until "), chat.At(s.End.In(d.c.zoneOf(reader)), chat.DayClock))
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

// findAgent finds an agent that somebody may see by what was typed: a mention,
// an address, a name or its beginning.
func (b *Bot) findAgent(r *request, typed string) (Agent, error) {
	typed = strings.TrimPrefix(typed, "@")
	address, mentioned := strings.CutPrefix(typed, "<@")
	address = strings.TrimSuffix(address, ">")
	var found []Agent
	for a, err := range b.store.Agents() {
		if err != nil {
			return Agent{}, fmt.Errorf("list the agents: %w", err)
		}
		mine := slices.ContainsFunc(r.config.teamsOf(a), func(team string) bool { return r.config.mayHandle(r.From, team) })
		named := !mentioned && strings.HasPrefix(strings.ToLower(a.Name), strings.ToLower(typed))
		at := slices.ContainsFunc(a.Addresses, func(addr chat.Address) bool {
			return addr.String() == address || !mentioned && addr.ID == typed
		})
		if mine && (named || at) {
			found = append(found, a)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return Agent{}, &problem{text: fmt.Sprintf("I don't know an agent “%s” in your teams.", cut(typed, 40)),
			next: chat.Join(chat.Code(r.config.typed(r.From.Network, "floor", "team")), chat.T(" lists them."))}
	}
	var names []string
	for _, a := range found[:min(5, len(found))] {
		names = append(names, cut(a.Name, 40))
	}
	return Agent{}, &problem{text: fmt.Sprintf("“%s” may be %s.", cut(typed, 40), strings.Join(names, " or ")),
		next: chat.T("Write more of the name, in quotation marks.")}
}

// silencesList answers /floor silences.
func (b *Bot) silencesList(_ context.Context, r *request) (chat.Reply, error) {
	if err := r.noMore(); err != nil {
		return chat.Reply{}, err
	}
	m := chat.Message{Title: "Silences", Private: true}
	err := b.lookAtDesk(time.Now(), func(d *desk) {
		table := chat.Table{Columns: []chat.Column{{Title: "#", Numeric: true}, {Title: "What"}, {Title: "Until"}, {Title: "By"}, {Title: "Why"}, {Title: "Hides now", Numeric: true}}}
		open := d.allOpen()
		for _, s := range d.silences() {
			if !s.Active(d.now) || !d.c.mayHandle(r.From, s.Matcher.Team) {
				continue
			}
			table.Rows = append(table.Rows, []string{strconv.Itoa(s.N), s.What, s.End.In(d.c.zoneOf(r.From)).Format("Mon 15:04"),
				s.Name, cut(s.Comment, 40), strconv.Itoa(len(d.hides(s, open)))})
		}
		m.Blocks = []chat.Block{table}
		if len(table.Rows) == 0 {
			m.Blocks = []chat.Block{chat.Paragraph{Text: chat.T("Nothing is silenced.")}}
		}
	})
	m.Footer = chat.Join(chat.Code(r.config.typed(r.From.Network, "floor", "unsilence N")), chat.T(" ends one."))
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
	var said []chat.Text
	for _, s := range slices.Clone(d.silences()) {
		mine := s.By == r.From.String() || d.c.isAdmin(r.From) || s.Matcher.Team != "" && d.c.mayHandle(r.From, s.Matcher.Team)
		if !mine || !slices.Contains(ns, s.N) {
			continue
		}
		said = append(said, chat.T(upperFirst(s.What)+" is told again."))
		if s.Active(d.now) {
			s.Silence = s.Ended(d.now)
			d.putSilence(s)
			d.audit(r, "unsilence", fmt.Sprintf("silence %d", s.N), s.What)
		}
	}
	if len(said) == 0 {
		d.fail(&problem{text: "There is no such silence of yours.", next: chat.Join(chat.Code(r.config.typed(r.From.Network, "floor", "silences")), chat.T(" lists them."))})
	}
	d.tend()
	m.Blocks = []chat.Block{chat.Paragraph{Text: chat.Lines(said...)}}
}
