package store

import (
	"fmt"
	"time"

	"floorwalker/bot/chat"
)

// A WorkspaceError says that a database belongs to another workspace.
type WorkspaceError struct {
	Network chat.Network
	Stored  string // id of the workspace that the database belongs to
	Given   string // id of the one that the bot is connected to now
}

// Error names both workspaces and what to do.
func (e *WorkspaceError) Error() string {
	return fmt.Sprintf("this database belongs to %s workspace %s, and the token is of %s: use that workspace's token, or a new store.path for this one",
		e.Network, e.Stored, e.Given)
}

// Workspace returns the id of the workspace that the database belongs to on a
// network, "" before the first connection.
func (s *Store) Workspace(network chat.Network) (id string, err error) {
	err = s.view(func(t txn) error {
		id, err = t.workspace(network)
		return err
	})
	return id, err
}

// SetWorkspace binds the database to a workspace at the first connection. It is
// idempotent, and returns a [WorkspaceError] for another workspace than the
// stored one.
func (s *Store) SetWorkspace(network chat.Network, id string) error {
	if network == "" || id == "" {
		return fmt.Errorf("workspace %q of network %q: both must be given", id, network)
	}
	return s.update(func(t txn) error {
		stored, err := t.workspace(network)
		switch {
		case err != nil:
			return err
		case stored == id:
			return errUnchanged
		case stored != "":
			return &WorkspaceError{network, stored, id}
		}
		return t.putSigned(bucketWorkspaces, kindWorkspace, string(network), workspaceForm{id, stamp(time.Time{})})
	})
}

func (t txn) workspace(network chat.Network) (string, error) {
	record := t.get(bucketWorkspaces, string(network))
	if record == nil {
		return "", nil
	}
	form, err := verified[workspaceForm](t.ring, kindWorkspace, string(network), record)
	return form.ID, err
}
