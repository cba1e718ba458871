package store

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/dashboard"
	bolt "go.etcd.io/bbolt"
)

// The buckets, see the package comment.
const (
	bucketMeta        = "meta"
	bucketKeys        = "keys"
	bucketAgents      = "agents"
	bucketAddresses   = "addresses"
	bucketUsers       = "users"
	bucketCredentials = "credentials"
	bucketSeen        = "seen" // until schema 2
	bucketAudit       = "audit"
	bucketDone        = "done"
	bucketWorkspaces  = "workspaces"

	// Since schema 2.
	bucketOutbox      = "outbox"
	bucketPromises    = "promises"
	bucketQueue       = "queue"
	bucketOccurrences = "occurrences"
	bucketForget      = "forget"

	// Since schema 3, in the place of seen.
	bucketFirst = "first"
	bucketLast  = "last"
)

// buckets returns the names of all buckets of a schema.
func buckets(version int) []string {
	names := []string{bucketMeta, bucketKeys, bucketAgents, bucketAddresses, bucketUsers,
		bucketCredentials, bucketSeen, bucketAudit, bucketDone, bucketWorkspaces}
	if version >= 2 {
		names = append(names, bucketOutbox, bucketPromises, bucketQueue, bucketOccurrences, bucketForget)
		for _, kind := range recordKinds() {
			names = append(names, string(kind))
		}
	}
	if version >= 3 {
		names = slices.DeleteFunc(names, func(name string) bool { return name == bucketSeen })
		names = append(names, bucketFirst, bucketLast)
	}
	return names
}

// A txn reads and writes records in one transaction.
type txn struct {
	*bolt.Tx
	ring    *ring
	damages *damages
}

func (t txn) in(bucket string) *bolt.Bucket { return t.Bucket([]byte(bucket)) }

// get returns a value, nil if there is none. It is valid in the transaction only.
func (t txn) get(bucket, key string) []byte { return t.in(bucket).Get([]byte(key)) }

// A finder reads many values of a bucket for less than one by one costs. The
// bucket may change meanwhile.
type finder struct{ *bolt.Cursor }

// get returns a value, nil if there is none. It is valid in the transaction only.
func (f finder) get(key []byte) []byte {
	if found, value := f.Seek(key); bytes.Equal(found, key) {
		return value
	}
	return nil
}

func (t txn) put(bucket, key string, value []byte) error {
	return t.in(bucket).Put([]byte(key), value)
}

// drop deletes a key, there or not.
func (t txn) drop(bucket, key string) error { return t.in(bucket).Delete([]byte(key)) }

// putSigned stores a form with a signature for its place.
func (t txn) putSigned(bucket string, k kind, key string, form any) error {
	body, err := encode(form)
	if err != nil {
		return err
	}
	return t.put(bucket, key, t.ring.sign(k, key, body))
}

// verified verifies and decodes a signed record.
func verified[T any](r *ring, k kind, key string, record []byte) (T, error) {
	body, err := r.verify(k, key, record)
	if err != nil {
		var none T
		return none, err
	}
	return decode[T](k, key, body)
}

// agent returns an agent by its id, or [bot.ErrNotLinked].
func (t txn) agent(id bot.AgentID) (bot.Agent, error) {
	record := t.get(bucketAgents, string(id))
	if record == nil {
		return bot.Agent{}, bot.ErrNotLinked
	}
	form, err := verified[agentForm](t.ring, kindAgent, string(id), record)
	if err != nil {
		return bot.Agent{}, err
	}
	return form.agent(id), nil
}

// agentAt returns the agent of an address, or [bot.ErrNotLinked].
func (t txn) agentAt(addr chat.Address) (bot.Agent, error) {
	record := t.get(bucketAddresses, addr.String())
	if record == nil {
		return bot.Agent{}, bot.ErrNotLinked
	}
	form, err := verified[addressForm](t.ring, kindAddress, addr.String(), record)
	if err != nil {
		return bot.Agent{}, err
	}
	a, err := t.agent(form.Agent)
	switch {
	case errors.Is(err, bot.ErrNotLinked), err == nil && !a.Has(addr):
		return bot.Agent{}, fmt.Errorf("address %s: %w: agent %s does not know it", addr, ErrDamaged, form.Agent)
	}
	return a, err
}

// agentOf returns the agent that holds a vendor's user id, or
// [bot.ErrNotLinked]. The index is not signed, but the agent is.
func (t txn) agentOf(userID string) (bot.Agent, error) {
	id := t.get(bucketUsers, userID)
	if userID == "" || id == nil {
		return bot.Agent{}, bot.ErrNotLinked
	}
	a, err := t.agent(bot.AgentID(id))
	switch {
	case errors.Is(err, bot.ErrNotLinked), err == nil && a.UserID != userID:
		return bot.Agent{}, fmt.Errorf("user id %s: %w: agent %s does not hold it", userID, ErrDamaged, id)
	}
	return a, err
}

// credential opens an agent's credential, or returns [bot.ErrNotLinked].
func (t txn) credential(id bot.AgentID) (dashboard.Credential, error) {
	sealed := t.get(bucketCredentials, string(id))
	if sealed == nil {
		return dashboard.Credential{}, bot.ErrNotLinked
	}
	plain, err := t.ring.open(kindCredential, string(id), sealed)
	if err != nil {
		return dashboard.Credential{}, err
	}
	form, err := decode[credentialForm](kindCredential, string(id), plain)
	return form.credential(), err
}

// putCredential seals an agent's credential.
func (t txn) putCredential(id bot.AgentID, c dashboard.Credential) error {
	plain, err := encode(sealedForm(c))
	if err != nil {
		return err
	}
	return t.put(bucketCredentials, string(id), t.ring.seal(kindCredential, string(id), plain))
}

// setLinkState changes the state of an agent's link, and reports whether
// anything is new.
func (t txn) setLinkState(id bot.AgentID, state bot.LinkState, reason string, at time.Time) (changed bool, err error) {
	switch state {
	case bot.LinkActive:
		reason = ""
	case bot.LinkUnverified, bot.LinkRelink, bot.LinkSuspended:
	default:
		return false, fmt.Errorf("agent %s: %q is not a state of a link", id, state)
	}
	before, err := t.agent(id)
	if err != nil {
		return false, err
	}
	a := before
	if stamp(at).Before(before.LinkedAt) || !setState(&a, state, reason, stamp(at)) {
		return false, nil
	}
	return true, t.putAgent(before, a)
}

// newAgentID returns an id that no agent has.
func (t txn) newAgentID() bot.AgentID {
	for {
		var b [8]byte
		rand.Read(b[:]) // never fails, says its documentation
		if id := hex.EncodeToString(b[:]); t.get(bucketAgents, id) == nil {
			return bot.AgentID(id)
		}
	}
}

// putAgent replaces what is stored of an agent by a, indexes included. before is
// the agent as it was, zero for a new one.
func (t txn) putAgent(before, a bot.Agent) error {
	if err := t.dropIndexes(before, a); err != nil {
		return err
	}
	for _, addr := range a.Addresses {
		if before.Has(addr) {
			continue
		}
		if err := t.putSigned(bucketAddresses, kindAddress, addr.String(), addressForm{a.ID}); err != nil {
			return err
		}
	}
	if a.UserID != "" && a.UserID != before.UserID {
		if err := t.put(bucketUsers, a.UserID, []byte(a.ID)); err != nil {
			return err
		}
	}
	return t.putSigned(bucketAgents, kindAgent, string(a.ID), formOf(a))
}

// dropIndexes deletes the index records of before that a does not have.
func (t txn) dropIndexes(before, a bot.Agent) error {
	for _, addr := range before.Addresses {
		if a.Has(addr) {
			continue
		}
		if err := t.drop(bucketAddresses, addr.String()); err != nil {
			return err
		}
	}
	if before.UserID == "" || before.UserID == a.UserID {
		return nil
	}
	return t.drop(bucketUsers, before.UserID)
}

// dropAgent deletes an agent and everything stored of it in this file, marks the
// file for a compaction, and notes that the history is to forget the agent.
func (t txn) dropAgent(a bot.Agent) error {
	if err := t.dropIndexes(a, bot.Agent{}); err != nil {
		return err
	}
	for _, bucket := range []string{bucketAgents, bucketCredentials, bucketFirst, bucketLast} {
		if err := t.drop(bucket, string(a.ID)); err != nil {
			return err
		}
	}
	return errors.Join(t.dropRecordsOf(a.ID), t.forgetLater(a.ID), t.put(bucketMeta, keyCompact, []byte{1}))
}
