package bot

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"floorwalker/bot/alert"
	"floorwalker/bot/chat"
	"floorwalker/bot/schedule"
)

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
	what  string
	teams []string // whose shifts are meant by one's end; none: Matcher's team, and all if it has none
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
		for _, rule := range r.config.Rules {
			if strings.EqualFold(rule.Name, m.Rule) {
				want.rule = rule
			}
		}
		if want.rule == nil {
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
			return end, "", silenceUsage(r, quoted(upperFirst(err.Error()))+".")
		}
		end, rest = schedule.NextTimeOfDay(d.now, at, d.c.zoneOf(r.From)).At, rest[1:]
	default:
		length, ok := parseLength(strings.ReplaceAll(first, " ", ""))
		if !ok && len(rest) > 0 { // 30 min
			if length, ok = parseLength(first + strings.ToLower(rest[0])); ok {
				rest = rest[1:]
			}
		}
		if !ok {
			return end, "", silenceUsage(r, fmt.Sprintf("“%s” is not a time to be silent for.", cut(words[0], 30)))
		}
		end = d.now.Add(length)
	}
	return end, strings.TrimSpace(strings.Join(rest, " ")), nil
}

// lengthUnits are units of time as people write them.
func lengthUnits() map[string]string {
	return map[string]string{"min": "m", "mins": "m", "minutes": "m", "hr": "h", "hrs": "h", "hour": "h", "hours": "h", "day": "d", "days": "d"}
}

// parseLength reads 90m, 30min, 1h30m or 2d, up to 999 days: that it may be too
// long is said by who knows how long it may be.
func parseLength(s string) (time.Duration, bool) {
	digits := s[:len(s)-len(strings.TrimLeft(s, "0123456789"))]
	if unit, ok := lengthUnits()[s[len(digits):]]; ok {
		s = digits + unit
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.Atoi(days)
		return time.Duration(n) * 24 * time.Hour, err == nil && n > 0 && n <= 999
	}
	length, err := time.ParseDuration(s)
	return length, err == nil && length > 0
}

// shiftEnd returns when the running shifts of the teams that targets are about
// end, the last of them.
func (d *desk) shiftEnd(targets []target) (end time.Time, err error) {
	for _, t := range targets {
		for _, team := range d.c.Teams {
			if t.Team != "" && t.Team != team.Name || len(t.teams) > 0 && !slices.Contains(t.teams, team.Name) {
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
		t.Rule, t.what, t.teams = want.rule.Name, want.rule.Name, want.rule.Teams
	}
	if want.agent != nil {
		t.Agent, teams = string(want.agent.ID), d.c.teamsOf(*want.agent)
		t.what = strings.TrimPrefix(t.what+" of "+cut(want.agent.Name, 40), " of ")
	}
	if d.c.isAdmin(r.From) {
		if want.agent != nil {
			t.teams = teams
		}
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
		t := target{Matcher: alert.Matcher{Rule: g.rule, Team: g.team}, what: g.rule}
		if g.team != "" {
			t.what += " in " + g.team
		}
		if o := members[g][0]; len(members[g]) == 1 && o.isAgent() {
			t = target{Matcher: alert.Matcher{Rule: g.rule, Team: g.team, Agent: o.subject}, what: g.rule + " of " + o.who()}
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
		p.next = didYouMean(near)
	}
	return p
}

// findAgent finds an agent that somebody may see by what was typed: a mention,
// an address, a name or its beginning. Who has the whole name is meant, whatever
// longer names there are.
func (b *Bot) findAgent(r *request, typed string) (Agent, error) {
	typed = strings.TrimPrefix(typed, "@")
	address, mentioned := strings.CutPrefix(typed, "<@")
	address = strings.TrimSuffix(address, ">")
	var found, exact []Agent
	for a, err := range b.store.Agents() {
		if err != nil && a.ID != "" {
			continue // damaged: the watch says so, every round
		}
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
		if mine && (at || named && strings.EqualFold(a.Name, typed)) {
			exact = append(exact, a)
		}
	}
	if len(exact) > 0 {
		found = exact
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
