package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"floorwalker/bot/chat"
)

// whoami says who the bot thinks the person is.
func (b *Bot) whoami(_ context.Context, r *request) (chat.Reply, error) {
	if err := r.noMore(); err != nil {
		return chat.Reply{}, err
	}
	var fields chat.Fields
	add := func(label, value string) {
		if value != "" {
			fields = append(fields, chat.Field{Label: label, Value: value})
		}
	}
	add("Address", r.From.String())
	agent, err := b.own(r)
	linked := err == nil
	if err != nil && !errors.Is(err, ErrNotLinked) {
		return chat.Reply{}, err
	}
	if linked {
		add("Name", cut(agent.Name, 60))
		add("Account", describe(agent))
		add("Linked", fmt.Sprintf("%s by %s", agent.LinkedAt.In(r.config.zoneOf(r.From)).Format("2 Jan 2006"), byWhom(agent, r.From)))
		for _, a := range agent.Addresses {
			if a != r.From {
				add("Also you", a.String())
			}
		}
		add("Teams", strings.Join(r.config.teamsOf(agent), ", "))
	} else {
		add("Account", "not linked")
		add("Teams", strings.Join(r.config.memberOf(r.From), ", "))
	}
	add("Supervisor of", strings.Join(r.config.supervises(r.From), ", "))
	if r.config.isAdmin(r.From) {
		add("Role", "administrator")
	}
	m := chat.Message{Title: "Who you are here", Private: true, Blocks: []chat.Block{fields}}
	if !linked {
		m.Blocks = append(m.Blocks, chat.Paragraph{Text: linkAdvice(r)})
		m.Actions = linkAction(r)
	}
	return chat.Show(m), nil
}

// describe says in words how an agent's link stands.
func describe(a Agent) string {
	kind := "user id " + a.UserID + " and token"
	if a.Credential == CredentialSSID {
		kind = "a session id"
	}
	switch a.State {
	case LinkRelink:
		return kind + ", refused: link again"
	case LinkSuspended:
		return kind + ", suspended by the dashboard"
	case LinkUnverified:
		return kind + ", not verified yet"
	}
	return kind + ", working"
}

func byWhom(a Agent, addr chat.Address) string {
	switch {
	case a.LinkedBy == addr.String():
		return "you"
	case strings.HasPrefix(a.LinkedBy, "cli:"):
		return "an administrator" // the audit trail knows as whom
	}
	return a.LinkedBy
}

// TeamsOf returns the names of an agent's teams, configured and added, sorted.
func (b *Bot) TeamsOf(a Agent) []string { return b.config.Load().teamsOf(a) }
