package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"floorwalker/bot/chat"
)

// agentOf returns the agent of an address: its own, else that of another address
// that the configuration gives the same person. The error is ErrNotLinked if
// there is none.
func (b *Bot) agentOf(addr chat.Address) (Agent, error) {
	agent, err := b.store.AgentAt(addr)
	for _, other := range b.config.Load().samePerson(addr) {
		if !errors.Is(err, ErrNotLinked) {
			break
		}
		agent, err = b.store.AgentAt(other)
	}
	return agent, err
}

// own returns the agent of who asks. An address that the configuration gives an
// agent joins it here, at its first request: from then on the agent keeps it, the
// audit trail shows it, and both addresses are told.
func (b *Bot) own(r *request) (Agent, error) {
	agent, err := b.agentOf(r.From)
	if err != nil || slices.Contains(agent.Addresses, r.From) || agent.State == LinkRelink || agent.State == LinkSuspended {
		return agent, err
	}
	l := LinkRequest{Address: r.From, Actor: byItself}
	join := b.linkOf(l, agent.State)
	join.Join = agent.ID
	linked, err := b.store.Link(join)
	switch {
	case errors.Is(err, ErrNotSaved):
		return agent, nil // to read needs no space on the disk; it joins at another request
	case err != nil:
		return Agent{}, fmt.Errorf("let %s join its agent: %w", r.From, err)
	case !linked.Joined:
		return linked.Agent, nil // another request was first
	}
	b.bells.ring()
	return linked.Agent, nil
}

// member answers /floor team add and remove: who is in a team, beyond what the
// configuration says. The person is told.
func (b *Bot) member(r *request, add bool) (chat.Reply, error) {
	who, team, err := r.memberWords()
	if err != nil {
		return chat.Reply{}, err
	}
	agent, err := b.agentOf(who)
	if errors.Is(err, ErrNotLinked) {
		return chat.Reply{}, &problem{text: "That person is not linked yet, so I don't know their numbers.",
			next: chat.Join(chat.T("They type "), chat.Code(r.config.typed(r.From.Network, "floor", "link")), chat.T(" first."))}
	}
	if err != nil {
		return chat.Reply{}, err
	}
	teams := slices.DeleteFunc(slices.Clone(agent.Teams), func(t string) bool { return t == team.Name })
	if add {
		teams = append(teams, team.Name)
	}
	configured := slices.ContainsFunc(agent.Addresses, func(a chat.Address) bool { return slices.Contains(r.config.memberOf(a), team.Name) })
	if !add && configured {
		return chat.Reply{}, &problem{text: fmt.Sprintf("The configuration puts %s into %s.", cut(agent.called(), 40), team.Name),
			next: chat.T("An administrator takes them out under teams there.")}
	}
	if is := configured || slices.Contains(agent.Teams, team.Name); is == add {
		return chat.Show(note("", chat.T(fmt.Sprintf("%s is %s already.", cut(agent.called(), 40), inOrOut(add, team.Name))), nil)), nil
	}
	action := "team remove"
	if add {
		action = "team add"
	}
	audit := AuditEntry{At: time.Now().UTC(), Actor: r.From.String(), Action: action, Object: string(agent.ID), Detail: team.Name}
	notice, err := b.memberNotice(agent, team, add, r)
	if err != nil {
		return chat.Reply{}, err
	}
	if _, err := b.store.SetTeams(agent.ID, teams, audit, r.ID, notice); err != nil {
		return chat.Reply{}, fmt.Errorf("change the teams of %s: %w", agent.ID, err)
	}
	b.bells.ring()
	told := "I have told them."
	if !notice.NotBefore.IsZero() {
		told = "They are told when they type their first command."
	}
	now := "now"
	if !add {
		now = "no longer"
	}
	return chat.Show(note("", chat.T(fmt.Sprintf("%s is %s in %s. %s", cut(agent.called(), 40), now, team.Name, told)), nil)), nil
}

func inOrOut(in bool, team string) string {
	if in {
		return "in " + team
	}
	return "not in " + team
}

// memberNotice tells a person that they were put into a team or taken out.
func (b *Bot) memberNotice(agent Agent, team Team, add bool, r *request) (row Row, err error) {
	text := "You were added to the team " + team.Name + "."
	more := "Your numbers count in its summaries, and its supervisors can see them."
	if !add {
		text, more = "You were taken out of the team "+team.Name+".", "Your numbers no longer count there."
	}
	by := chat.Join(chat.T("By "), chat.Mention(r.From, r.Name), chat.T("."))
	m := note("", chat.Join(chat.T(text+" "), by), chat.T(more))
	err = b.store.View(func(tx Tx) error {
		d := newDesk(tx, r.config, time.Now(), 0)
		to := d.contact(agent.Addresses)
		row = d.uponContact(Row{
			Key: strings.Join([]string{"notice/team", string(agent.ID), team.Name, r.id, to.String()}, "/"), To: to, Lane: LaneNotice,
			Message: m, GiveUp: d.now.Add(keepUnmet),
		})
		return d.err
	})
	return row, err
}

// memberWords reads "@user TEAM" from the words.
func (r *request) memberWords() (chat.Address, Team, error) {
	usage := r.config.typed(r.From.Network, "floor", "team add @user TEAM")
	if len(r.args) == 0 {
		return chat.Address{}, Team{}, &problem{text: "Who, and which team?", next: chat.Join(chat.T("Type "), chat.Code(usage), chat.T("."))}
	}
	who, ok := mentioned(r.args[0])
	if !ok {
		return chat.Address{}, Team{}, &problem{text: fmt.Sprintf("“%s” is not a person.", cut(r.args[0], 30)),
			next: chat.Join(chat.T("Mention them: "), chat.Code(usage), chat.T("."))}
	}
	r.args = r.args[1:]
	team, err := r.supervisedTeam()
	if err != nil {
		return chat.Address{}, Team{}, err
	}
	return who, team, r.noMore()
}

// mentioned reads a mention, <@network:id>.
func mentioned(word string) (chat.Address, bool) {
	inner, ok := strings.CutPrefix(word, "<@")
	inner, closed := strings.CutSuffix(inner, ">")
	if !ok || !closed {
		return chat.Address{}, false
	}
	a, err := chat.ParseAddress(inner)
	return a, err == nil
}

func (b *Bot) teamAdd(_ context.Context, r *request) (chat.Reply, error) { return b.member(r, true) }
func (b *Bot) teamRemove(_ context.Context, r *request) (chat.Reply, error) {
	return b.member(r, false)
}
