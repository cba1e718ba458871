package bot_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/alert"
	"floorwalker/bot/chat"
	"floorwalker/bot/schedule"
)

// doAlerts carries out a line of a script about alerts:
//
//	rule missed-burst when: missed >= 3 | for: 2m | severity: critical    adds or changes a rule; on its own, it deletes it
//	builtin login-lost          adds a built-in rule
//	supervisor lea              adds one to the team; two words are two addresses of one person
//	member lila 2               adds one to the team, and links them to the floor's agent 2
//	newteam sales sid ravi      a second team: its supervisor, its member
//	shifts sales 12:00-13:00 13:00-15:00    the team's shifts, every day
//	team quiet 12:00-13:00      the team's quiet hours
//	discord fail gone 1         as send fail, on Discord
//	delete meera                she deletes all messages that she has got
//	outbox                      the rows of alerts, each with its step and what became of it
func (s *stage) doAlerts(line string) (err error) {
	word, rest, _ := strings.Cut(line, " ")
	team := &s.config.Teams[0]
	switch word {
	case "rule", "builtin":
		return s.rule(word, rest)
	case "supervisor":
		var p bot.Person
		for w := range strings.FieldsSeq(rest) {
			p.Addresses = append(p.Addresses, s.addressOf(w))
		}
		team.Supervisors = append(slices.Clone(team.Supervisors), p)
	case "member":
		name, number, _ := strings.Cut(rest, " ")
		team.Members = append(slices.Clone(team.Members), bot.Person{Addresses: []chat.Address{s.addressOf(name)}})
		s.bot.Configure(s.config)
		return s.link(name, number, "")
	case "team":
		if team.QuietHours, err = schedule.ParseQuietHours(strings.TrimPrefix(rest, "quiet ")); err != nil {
			return err
		}
	case "shifts":
		name, spans, _ := strings.Cut(rest, " ")
		if err := s.shifts(name, strings.Fields(spans)); err != nil {
			return err
		}
	case "newteam":
		words := strings.Fields(rest)
		other := *team
		other.Name, other.Rota.Team, other.Channels, other.Digests = words[0], words[0], nil, nil
		other.Supervisors = []bot.Person{{Addresses: []chat.Address{s.addressOf(words[1])}}}
		other.Members = []bot.Person{{Addresses: []chat.Address{s.addressOf(words[2])}}}
		s.config.Teams = append(slices.Clone(s.config.Teams), other)
	case "discord":
		return s.discordFails(strings.Fields(rest))
	case "delete":
		s.seeing.Lock()
		defer s.seeing.Unlock()
		maps.DeleteFunc(s.sent, func(_ chat.Ref, to chat.Address) bool { return to.ID == rest })
	case "outbox":
		return s.outbox()
	default:
		return fmt.Errorf("no such line")
	}
	s.bot.Configure(s.config)
	return nil
}

// shifts gives a team other shifts.
func (s *stage) shifts(team string, spans []string) error {
	s.config.Teams = slices.Clone(s.config.Teams)
	i := slices.IndexFunc(s.config.Teams, func(t bot.Team) bool { return t.Name == team })
	var shifts []schedule.Shift
	for _, span := range spans {
		start, end, _ := strings.Cut(span, "-")
		from, err := schedule.ParseTimeOfDay(start)
		if err != nil {
			return err
		}
		to, err := schedule.ParseTimeOfDay(end)
		if err != nil {
			return err
		}
		shifts = append(shifts, schedule.Shift{Name: span, Days: schedule.EveryDay, Start: from, End: to})
	}
	s.config.Teams[i].Rota.Shifts, s.config.Teams[i].Digests = shifts, nil
	return nil
}

func (s *stage) discordFails(words []string) error {
	console := s.net
	s.net = s.discord
	defer func() { s.net = console }()
	n, err := strconv.Atoi(words[2])
	if err != nil {
		return err
	}
	return s.sendFails(words[1], n)
}

// addressOf makes a person known by a word: a name, or network:name.
func (s *stage) addressOf(word string) chat.Address {
	a, err := chat.ParseAddress(word)
	if err != nil {
		a = person(word)
	}
	net := s.net
	if a.Network == chat.Discord {
		net = s.discord
	}
	net.AddPerson(a.ID, chat.Person{Name: a.ID})
	return a
}

// rule adds, changes or deletes a rule, and reloads.
func (s *stage) rule(word, rest string) error {
	name, text, _ := strings.Cut(rest, " ")
	s.specs = slices.DeleteFunc(s.specs, func(r alert.RuleSpec) bool { return r.Name == name })
	spec := alert.RuleSpec{Name: name}
	for part := range strings.SplitSeq(text, " | ") {
		key, value, _ := strings.Cut(part, ": ")
		d, _ := time.ParseDuration(value)
		switch key {
		case "when":
			spec.When = value
		case "clear":
			spec.Clear = value
		case "for":
			spec.For = &d
		case "keep":
			spec.KeepFiringFor = &d
		case "escalate":
			spec.EscalateAfter = &d
		case "repeat":
			spec.Repeat = &d
		case "severity":
			spec.Severity = value
		case "scope":
			spec.Scope = value
		case "message":
			spec.Message = value
		case "enabled":
			spec.Enabled = new(value == "true")
		case "":
		default:
			return fmt.Errorf("rule: no such part %q", key)
		}
	}
	if text != "" || word == "builtin" {
		s.specs = append(s.specs, spec)
	}
	rules, err := compileRules(s.config, s.specs)
	if err != nil {
		return err
	}
	s.config.Rules = rules
	s.bot.Configure(s.config)
	return nil
}

// compileRules compiles specs, and no built-in rule that they do not name: a
// story has those that it is about.
func compileRules(c bot.Config, specs []alert.RuleSpec) (rules []*alert.Rule, err error) {
	var metrics []alert.Metric
	for _, m := range c.Metrics {
		metrics = append(metrics, alert.Metric{Name: m.Name, Key: m.Key, Unit: string(m.Unit), Kind: alert.Kind(m.Kind), Confirmed: m.Confirmed})
	}
	env := alert.NewEnv(metrics)
	for _, spec := range specs {
		r, err := alert.Compile(spec, env)
		if err != nil {
			return nil, err
		}
		rules = append(rules, r)
	}
	return rules, nil
}

// outbox shows the rows of alerts without the ids of their episodes.
func (s *stage) outbox() error {
	short := map[string]string{}
	name := func(key string) string {
		episode, step, to, ok := alert.ParseKey(key)
		if !ok {
			return key
		}
		if short[episode] == "" {
			short[episode] = fmt.Sprint("e", len(short)+1)
		}
		return short[episode] + "/" + step + "/" + to
	}
	for r, err := range s.store.Rows() {
		if err != nil {
			return err
		}
		if r.Lane != bot.LaneAlert {
			continue
		}
		reason := r.Reason
		if by, ok := strings.CutPrefix(reason, "carried by "); ok {
			reason = "carried by " + name(by)
		}
		fmt.Fprintln(&s.seen, strings.TrimSpace(name(r.Key)+" "+string(r.State)+" "+reason))
	}
	return nil
}
