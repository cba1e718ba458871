package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"floorwalker/bot/chat"
	"floorwalker/bot/schedule"
)

// Export is everything that is stored about an agent, but for the credential
// itself.
type Export struct {
	Agent      AgentID        `json:"agent"`
	Name       string         `json:"name"`
	Addresses  []chat.Address `json:"addresses"`
	UserID     string         `json:"user_id,omitempty"`
	Credential CredentialKind `json:"credential"` // kept sealed, not exported
	State      LinkState      `json:"state"`
	LinkedBy   string         `json:"linked_by"`
	LinkedAt   time.Time      `json:"linked_at"`
	Teams      []string       `json:"teams"`
	Counters   Seen           `json:"counters"`
	Audit      []AuditEntry   `json:"audit"`   // the entries about this agent
	Alerts     []ExportAlert  `json:"alerts"`  // those that named this agent
	History    []ExportSample `json:"history"` // one for each poll that is kept
}

// An ExportSample is one poll of the history.
type ExportSample struct {
	At     time.Time          `json:"at"`
	Values map[string]float64 `json:"values"` // by the payload's key; empty: not logged in
}

// export answers /floor export with a private file.
func (b *Bot) export(_ context.Context, r *request) (chat.Reply, error) {
	if err := r.noMore(); err != nil {
		return chat.Reply{}, err
	}
	agent, err := b.own(r)
	if err != nil {
		return chat.Reply{}, err
	}
	e, err := b.Export(agent)
	if err != nil {
		return chat.Reply{}, err
	}
	data, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return chat.Reply{}, fmt.Errorf("encode the export of %s: %w", agent.ID, err)
	}
	m := note("Everything stored about you", chat.T("It is in the file. Your credential is kept too, encrypted; it is never shown."), nil)
	m.Files = []chat.File{{Name: "floorwalker-export.json", Type: "application/json", Data: append(data, '\n')}}
	return chat.Show(m), nil
}

// Export gathers everything that is stored about an agent.
func (b *Bot) Export(agent Agent) (Export, error) {
	seen, err := b.store.Seen(agent.ID)
	if err != nil {
		return Export{}, fmt.Errorf("read the last counters of %s: %w", agent.ID, err)
	}
	e := Export{
		Agent: agent.ID, Name: agent.Name, Addresses: agent.Addresses, UserID: agent.UserID, Credential: agent.Credential,
		State: agent.State, LinkedBy: agent.LinkedBy, LinkedAt: agent.LinkedAt,
		Teams: b.config.Load().teamsOf(agent), Counters: seen, Audit: []AuditEntry{}, History: []ExportSample{},
	}
	about := map[string]bool{string(agent.ID): true}
	for _, a := range agent.Addresses {
		about[a.String()] = true
	}
	for entry, err := range b.store.AuditTrail(time.Time{}) {
		if err != nil {
			return Export{}, fmt.Errorf("read the audit trail: %w", err)
		}
		if about[entry.Object] || about[entry.Actor] {
			e.Audit = append(e.Audit, entry)
		}
	}
	if e.Alerts, err = b.exportAlerts(agent.ID); err != nil {
		return Export{}, fmt.Errorf("read the alerts about %s: %w", agent.ID, err)
	}
	for sample, err := range b.store.History(agent.ID, schedule.Span{Start: time.Now().AddDate(-3, 0, 0), End: time.Now().Add(time.Hour)}) {
		if err != nil {
			return Export{}, fmt.Errorf("read the history of %s: %w", agent.ID, err)
		}
		values := make(map[string]float64, len(sample.Values))
		for _, v := range sample.Values {
			values[v.Key] = v.N
		}
		e.History = append(e.History, ExportSample{sample.Tick, values})
	}
	return e, nil
}
