package store

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json/v1" // encoding/json, in a third of its time

	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
	"floorwalker/dashboard"
)

// The stored forms. Their names are on people's disks: a new field may be added
// if its absence means what it meant before; anything else is a new schema with
// a migration. testdata freezes them. Besides these, [bot.AuditEntry] is stored
// as it is, as [bot.Seen] was until schema 2.

// schemaForm must stay readable by every version, older ones included.
type schemaForm struct {
	Version int       `json:"version"`
	Created time.Time `json:"created"`
}

// keyForm is a data key, wrapped by the master key whose id is KEK.
type keyForm struct {
	KEK     string    `json:"kek"`
	Created time.Time `json:"created"`
	Wrapped []byte    `json:"wrapped"`
}

type agentForm struct {
	Name       string             `json:"name"`
	Addresses  []chat.Address     `json:"addresses"`
	UserID     string             `json:"user_id,omitempty"`
	Credential bot.CredentialKind `json:"credential"`
	State      bot.LinkState      `json:"state"`
	Reason     string             `json:"reason,omitempty"`
	Changed    time.Time          `json:"changed"`
	LinkedBy   string             `json:"linked_by"`
	LinkedAt   time.Time          `json:"linked_at"`
	Teams      []string           `json:"teams,omitempty"`
}

func formOf(a bot.Agent) agentForm {
	return agentForm{a.Name, a.Addresses, a.UserID, a.Credential, a.State, a.Reason,
		a.Changed.UTC(), a.LinkedBy, a.LinkedAt.UTC(), a.Teams}
}

func (f agentForm) agent(id bot.AgentID) bot.Agent {
	return bot.Agent{ID: id, Name: f.Name, Addresses: f.Addresses, UserID: f.UserID,
		Credential: f.Credential, State: f.State, Reason: f.Reason, Changed: f.Changed,
		LinkedBy: f.LinkedBy, LinkedAt: f.LinkedAt, Teams: f.Teams}
}

type addressForm struct {
	Agent bot.AgentID `json:"agent"`
}

// credentialForm is stored sealed. It holds the secrets as plain strings: never
// print it.
type credentialForm struct {
	SSID   string `json:"ssid,omitempty"`
	UserID string `json:"user_id,omitempty"`
	Token  string `json:"token,omitempty"`
}

func sealedForm(c dashboard.Credential) credentialForm {
	return credentialForm{c.SSID.Reveal(), c.UserID, c.Token.Reveal()}
}

func (f credentialForm) credential() dashboard.Credential {
	return dashboard.Credential{SSID: secret.New(f.SSID), UserID: f.UserID, Token: secret.New(f.Token)}
}

type workspaceForm struct {
	ID    string    `json:"id"`
	Since time.Time `json:"since"`
}

// encode marshals a stored form.
func encode(form any) ([]byte, error) { return json.Marshal(form) }

// decode unmarshals a stored form. The error does not quote the record, which
// may be a credential.
func decode[T any](of kind, place string, b []byte) (T, error) {
	var form T
	if err := json.Unmarshal(b, &form); err != nil {
		return form, fmt.Errorf("%s of %s: %w: not readable", of, place, ErrDamaged)
	}
	return form, nil
}
