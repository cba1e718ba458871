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

// unlink answers /floor unlink: it asks, and deletes when confirmed.
func (b *Bot) unlink(_ context.Context, r *request) (chat.Reply, error) {
	agent, err := b.own(r)
	if err != nil {
		return chat.Reply{}, err
	}
	confirmed := len(r.args) == 1 && strings.EqualFold(r.args[0], "confirm")
	if !confirmed {
		if err := r.noMore(); err != nil {
			return chat.Reply{}, err
		}
		return chat.Show(askUnlink(agent)), nil
	}
	if _, err := b.Unlink(agent, r.From.String(), r.ID); err != nil {
		return chat.Reply{}, err
	}
	return chat.Show(note("Unlinked", chat.T("Your credential and your numbers are deleted here. Nothing changed in the dashboard."),
		chat.Join(chat.T("You can come back with "), chat.Code(r.config.typed(r.From.Network, "floor", "link")), chat.T(".")))), nil
}

func askUnlink(agent Agent) chat.Message {
	m := note("Delete what is stored about you?",
		chat.T("Your credential, your stored numbers and your addresses are deleted here. Nothing changes in the dashboard."), nil)
	if n := len(agent.Addresses); n > 1 {
		m.Blocks = append(m.Blocks, chat.Paragraph{Text: chat.T(fmt.Sprintf("That covers all %d addresses you linked.", n))})
	}
	m.Actions = []chat.Action{{ID: "floor", Value: "unlink confirm", Label: "Delete", Style: chat.Danger, Replace: true,
		Confirm: &chat.Confirm{Title: "Delete everything?", Text: "Your credential and numbers cannot be brought back.", Yes: "Delete", No: "Keep"}}}
	return m
}

// Unlink deletes an agent and everything stored about them.
func (b *Bot) Unlink(a Agent, actor, requestID string) (Agent, error) {
	id := a.ID
	agent, err := b.store.Unlink(id, AuditEntry{At: time.Now().UTC(), Actor: actor, Action: "unlink", Object: string(id), Detail: addresses(a)}, requestID)
	if err != nil {
		return Agent{}, fmt.Errorf("unlink %s: %w", id, err)
	}
	b.src.Forget(string(id))
	if err := b.forgetAddresses(agent.Addresses); err != nil {
		return Agent{}, fmt.Errorf("forget the addresses of %s: %w", id, err)
	}
	b.ringUnlinked()
	return agent, nil
}

// UnlinkAddress takes an address from an agent who has others: all else of the agent
// stays. It returns the agent as it is now.
func (b *Bot) UnlinkAddress(addr chat.Address, actor string) (Agent, error) {
	agent, err := b.store.UnlinkAddress(addr, AuditEntry{At: time.Now().UTC(), Actor: actor, Action: "unlink", Detail: addr.String() + " alone"})
	if err != nil {
		return Agent{}, fmt.Errorf("unlink %s: %w", addr, err)
	}
	if err := b.forgetAddresses([]chat.Address{addr}); err != nil {
		return Agent{}, fmt.Errorf("forget the address %s: %w", addr, err)
	}
	return agent, nil
}

// left carries on after a link: an agent that lost the last address is as good as
// unlinked.
func (b *Bot) left(linked Linked) {
	if linked.Deleted != "" {
		b.src.Forget(string(linked.Deleted))
		b.ringUnlinked()
	}
}

func (b *Bot) ringUnlinked() {
	select {
	case b.unlinked <- struct{}{}:
	default: // it rings already
	}
}

// forgetAddresses deletes what is kept of addresses beside the agent's records:
// that they typed a command, their quiet hours, and their link pages. Nobody is
// told any more that they are linked. Those who supervise or administer are still
// written to.
func (b *Bot) forgetAddresses(list []chat.Address) error {
	c := b.config.Load()
	return b.store.Update(func(tx Tx) error {
		for _, a := range list {
			if err := errors.Join(dropTicketOf(tx, a), cancelNotices(tx, a)); err != nil {
				return err
			}
			if c.isAdmin(a) || len(c.supervises(a)) > 0 {
				continue
			}
			err := errors.Join(tx.DropRecord(RecordNetworks, string(a.Network)+"/user/"+a.ID), tx.DropRecord(RecordQuiet, a.String()))
			if err != nil {
				return err
			}
			b.met.Delete(a)
		}
		return nil
	})
}

// cancelNotices takes back what waits for an address about its link, also if it
// begins a bundle.
func cancelNotices(tx Tx, to chat.Address) error {
	waiting, err := tx.Waiting(to)
	for _, row := range waiting {
		what, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(row.Key, bundlePrefix), "notice/"), "/")
		if row.Lane == LaneNotice && slices.Contains([]string{"linked", "link-page", "joined", "relink", "team"}, what) {
			_, cancelled := tx.Cancel(row.Key, "unlinked before it was sent", time.Now())
			err = errors.Join(err, cancelled)
		}
	}
	return err
}

// addresses lists an agent's addresses for the audit trail.
func addresses(a Agent) string {
	var list []string
	for _, addr := range a.Addresses {
		list = append(list, addr.String())
	}
	return strings.Join(list, ", ")
}

// Unlinked tells whoever keeps house that the history of an agent is to be
// deleted.
func (b *Bot) Unlinked() <-chan struct{} { return b.unlinked }
