package store

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
)

// Link stores a credential, see [bot.Links].
//
// What an agent keeps of the link is the newest: name, credential, state, who
// linked and when. An address that joins by the very same credential changes
// none of these but the state. An agent of SamePerson that holds another user id
// is not joined: what the credential says counts more than the configuration.
func (s *Store) Link(l bot.Link) (bot.Linked, error) {
	linked, err := s.LinkAll([]bot.Link{l})
	if err != nil {
		return bot.Linked{}, err
	}
	return linked[0], nil
}

// LinkAll stores all of the links or none, see [bot.Links].
func (s *Store) LinkAll(links []bot.Link) ([]bot.Linked, error) {
	for _, l := range links {
		if err := checkLink(l); err != nil {
			return nil, err
		}
	}
	linked := make([]bot.Linked, len(links))
	err := s.update(func(t txn) (err error) {
		for i, l := range links {
			if linked[i], err = t.linkOnce(l); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.compactIfDue()
	return linked, nil
}

// linkOnce stores one link, unless its request was carried out before.
func (t txn) linkOnce(l bot.Link) (bot.Linked, error) {
	if err := t.once(l.RequestID); err != nil {
		return bot.Linked{}, err
	}
	l.Audit.At = stamp(l.Audit.At)
	linked, err := t.link(l)
	if errors.Is(err, bot.ErrHeld) {
		return bot.Linked{}, fmt.Errorf("link %s: %w", l.Address, err)
	}
	if err != nil {
		return bot.Linked{}, err
	}
	if l.Join != "" && !linked.Joined {
		return linked, nil
	}
	if linked.Joined {
		l.Audit.Detail = strings.TrimPrefix(l.Audit.Detail+"; joined agent "+string(linked.Agent.ID), "; ")
	}
	if l.Tell != nil {
		err = l.Tell(liveTx{t}, linked)
	}
	return linked, errors.Join(err, t.record(l.Audit))
}

// checkLink reports what the caller got wrong.
func checkLink(l bot.Link) error {
	if parsed, err := chat.ParseAddress(l.Address.String()); err != nil || parsed != l.Address {
		return fmt.Errorf("link: %q is not an address", l.Address)
	}
	if l.Join != "" {
		return nil
	}
	if l.State != bot.LinkActive && l.State != bot.LinkUnverified {
		return fmt.Errorf("link %s: a new link is active or unverified, not %q", l.Address, l.State)
	}
	if err := l.Credential.Validate(); err != nil {
		return fmt.Errorf("link %s: %w", l.Address, err)
	}
	return nil
}

// stamp returns the time as it will be read back: UTC, now for zero.
func stamp(at time.Time) time.Time {
	if at.IsZero() {
		at = time.Now()
	}
	return at.Round(0).UTC()
}

// once returns [bot.ErrDone] if the effect of a request was stored before, and
// otherwise stores that it is now.
func (t txn) once(requestID string) error {
	if requestID == "" {
		return nil
	}
	sum := sha256.Sum256([]byte(requestID))
	if t.get(bucketDone, string(sum[:])) != nil {
		return bot.ErrDone
	}
	return t.put(bucketDone, string(sum[:]), binary.BigEndian.AppendUint64(nil, uint64(time.Now().Unix())))
}

// link finds the agent that the link belongs to and changes or makes it.
func (t txn) link(l bot.Link) (bot.Linked, error) {
	if l.Join != "" {
		return t.join(l)
	}
	before, out, err := t.place(l)
	if err != nil {
		return bot.Linked{}, err
	}
	out.Agent = before
	switch {
	case before.ID == "":
		out.Agent.ID = t.newAgentID()
		renew(&out.Agent, l)
	case out.Joined && t.holds(before.ID, l):
		if l.State == bot.LinkActive { // proven now; unproven takes nothing away
			setState(&out.Agent, l.State, "", l.Audit.At)
		}
	default:
		out.Relink = true
		renew(&out.Agent, l)
	}
	out.Agent.Addresses = union(before.Addresses, l.Address)
	out.Agent.Teams = union(before.Teams, l.Teams...)
	if err := t.putAgent(before, out.Agent); err != nil {
		return bot.Linked{}, err
	}
	if before.ID != "" && !out.Relink {
		return out, nil
	}
	return out, t.putCredential(out.Agent.ID, l.Credential)
}

// join adds an address to an agent, unless it has one by now: two requests may
// come at once, and the agent's own link may be renewed between them.
func (t txn) join(l bot.Link) (out bot.Linked, err error) {
	if out.Agent, err = found(t.agentAt(l.Address)); err != nil || out.Agent.ID != "" {
		return out, err
	}
	before, err := t.agent(l.Join)
	if err != nil {
		return bot.Linked{}, err
	}
	out = bot.Linked{Agent: before, Joined: true}
	out.Agent.Addresses = union(before.Addresses, l.Address)
	return out, t.putAgent(before, out.Agent)
}

// place returns the agent that a link belongs to, the zero Agent for a new one,
// and what that does: the address may join it, and may have left another one.
func (t txn) place(l bot.Link) (a bot.Agent, does bot.Linked, err error) {
	holder, err := found(t.agentOf(l.Credential.UserID))
	if err != nil {
		return bot.Agent{}, does, err
	}
	own, err := found(t.agentAt(l.Address))
	if err != nil {
		return bot.Agent{}, does, err
	}
	if own.ID != "" {
		if mayHold(own, holder, l.Credential.UserID) {
			return own, does, nil
		}
		if does.Deleted, err = t.leave(own, l); err != nil {
			return bot.Agent{}, does, err
		}
	}
	a, err = t.partner(l, holder)
	does.Joined = a.ID != ""
	return a, does, err
}

// mayHold reports whether a credential with the user id, which the agent holder
// holds now if it is not zero, can be the agent a's.
func mayHold(a, holder bot.Agent, userID string) bool {
	if holder.ID != "" {
		return holder.ID == a.ID
	}
	return userID == "" || a.UserID == "" || a.UserID == userID
}

// partner returns the agent that an address without one joins, the zero Agent
// for none.
func (t txn) partner(l bot.Link, holder bot.Agent) (bot.Agent, error) {
	for _, addr := range l.SamePerson {
		a, err := found(t.agentAt(addr))
		if err != nil {
			return bot.Agent{}, err
		}
		if a.ID != "" && mayHold(a, holder, l.Credential.UserID) {
			return a, nil
		}
	}
	if holder.ID == "" {
		return bot.Agent{}, nil
	}
	held, err := t.credential(holder.ID)
	if err != nil {
		return bot.Agent{}, err
	}
	if l.State == bot.LinkActive && held.Token.Equal(l.Credential.Token) {
		return holder, nil
	}
	return bot.Agent{}, bot.ErrHeld
}

// leave takes an address from its agent, because the link shows another person.
// It returns the agent if no address is left, and it is deleted.
func (t txn) leave(a bot.Agent, l bot.Link) (deleted bot.AgentID, err error) {
	if rest := without(a, l.Address); len(rest.Addresses) > 0 {
		return "", t.putAgent(a, rest)
	}
	if err := t.dropAgent(a); err != nil {
		return "", err
	}
	return a.ID, t.record(bot.AuditEntry{At: l.Audit.At, Actor: l.Audit.Actor, Action: "unlink", Object: string(a.ID),
		Detail: "its last address, " + l.Address.String() + ", linked another user id"})
}

// holds reports whether an agent's stored credential is the link's.
func (t txn) holds(id bot.AgentID, l bot.Link) bool {
	held, err := t.credential(id)
	return err == nil && held.Equal(l.Credential)
}

// renew gives an agent what a link says.
func renew(a *bot.Agent, l bot.Link) {
	if l.Name != "" {
		a.Name = l.Name
	}
	a.UserID = l.Credential.UserID
	a.Credential = bot.CredentialKind(l.Credential.Kind())
	a.LinkedBy, a.LinkedAt = l.Audit.Actor, l.Audit.At
	setState(a, l.State, "", l.Audit.At)
}

// setState changes an agent's state and reports whether anything is new.
func setState(a *bot.Agent, state bot.LinkState, reason string, at time.Time) bool {
	if a.State == state && a.Reason == reason {
		return false
	}
	if a.State != state {
		a.Changed = at
	}
	a.State, a.Reason = state, reason
	return true
}

// union returns a with the values of b that it lacks added, as a new slice.
func union[T comparable](a []T, b ...T) []T {
	u := slices.Clone(a)
	for _, v := range b {
		if !slices.Contains(u, v) {
			u = append(u, v)
		}
	}
	return u
}

// found turns [bot.ErrNotLinked] into the zero Agent.
func found(a bot.Agent, err error) (bot.Agent, error) {
	if errors.Is(err, bot.ErrNotLinked) {
		return bot.Agent{}, nil
	}
	return a, err
}
