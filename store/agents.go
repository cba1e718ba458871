package store

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/dashboard"
)

// pageSize is how many records an iterator reads, and a clean-up deletes, in one
// transaction.
const pageSize = 256

// AgentAt returns the agent of an address, or [bot.ErrNotLinked].
func (s *Store) AgentAt(addr chat.Address) (a bot.Agent, err error) {
	err = s.view(func(t txn) error {
		a, err = t.agentAt(addr)
		return err
	})
	return a, err
}

// Agents yields all agents in the order of their ids. A record that cannot be
// read is yielded as its id and an error, and the iteration goes on; [Store.Damaged]
// names it.
func (s *Store) Agents() iter.Seq2[bot.Agent, error] {
	return pages(s, bucketAgents, nil, func(r *ring, key, value []byte) (bot.Agent, error) {
		id := bot.AgentID(key)
		form, err := verified[agentForm](r, kindAgent, string(id), value)
		if err != nil {
			s.damages.pass("agent "+string(id), err)
			return bot.Agent{ID: id}, err
		}
		return form.agent(id), nil
	})
}

// Credential opens the sealed credential of an agent, or returns
// [bot.ErrNotLinked].
func (s *Store) Credential(id bot.AgentID) (c dashboard.Credential, err error) {
	err = s.view(func(t txn) error {
		c, err = t.credential(id)
		return err
	})
	return c, err
}

// SetLinkState records that a credential stopped or started to work, or returns
// [bot.ErrNotLinked]. Saying again what is known writes nothing.
func (s *Store) SetLinkState(id bot.AgentID, state bot.LinkState, reason string, at time.Time) error {
	return s.update(func(t txn) error {
		if changed, err := t.setLinkState(id, state, reason, at); changed || err != nil {
			return err
		}
		return errUnchanged
	})
}

// SetTeams replaces the memberships of an agent, see [bot.Links].
func (s *Store) SetTeams(id bot.AgentID, teams []string, by bot.AuditEntry, requestID string, notice bot.Row) (a bot.Agent, err error) {
	by.At = stamp(by.At)
	err = s.update(func(t txn) error {
		if err := t.once(requestID); err != nil {
			return err
		}
		before, err := t.agent(id)
		if err != nil {
			return err
		}
		a = before
		a.Teams = slices.Sorted(slices.Values(teams))
		if _, err := t.enqueue(notice); err != nil {
			return err
		}
		return errors.Join(t.putAgent(before, a), t.record(by))
	})
	return a, err
}

// UnlinkAddress takes an address from an agent who has others, and rewrites the
// file so that no old bytes are left. Credential, numbers and history stay. It
// returns the agent as it is now, or [bot.ErrNotLinked]; the only address is not
// taken: that is for Unlink.
func (s *Store) UnlinkAddress(addr chat.Address, by bot.AuditEntry) (a bot.Agent, err error) {
	by.At = stamp(by.At)
	err = s.update(func(t txn) error {
		before, err := t.agentAt(addr)
		if err != nil {
			return err
		}
		a = without(before, addr)
		if len(a.Addresses) == 0 {
			return fmt.Errorf("%s is the only address of agent %s", addr, a.ID)
		}
		by.Object = string(a.ID)
		return errors.Join(t.putAgent(before, a), t.record(by), t.put(bucketMeta, keyCompact, []byte{1}))
	})
	if err != nil {
		return bot.Agent{}, err
	}
	s.compactIfDue()
	return a, nil
}

// without returns an agent without one of the addresses.
func without(a bot.Agent, addr chat.Address) bot.Agent {
	a.Addresses = slices.DeleteFunc(slices.Clone(a.Addresses), func(x chat.Address) bool { return x == addr })
	return a
}

// Unlink deletes an agent and everything stored of it, and rewrites the file so
// that no old bytes are left. It returns the agent as it was, or
// [bot.ErrNotLinked]. The agent's samples go with the next [Store.TrimHistory]
// or [Store.ForgetHistory], and none is added.
func (s *Store) Unlink(id bot.AgentID, by bot.AuditEntry, requestID string) (a bot.Agent, err error) {
	by.At = stamp(by.At)
	err = s.update(func(t txn) error {
		if err := t.once(requestID); err != nil {
			return err
		}
		if a, err = t.agent(id); err != nil {
			return err
		}
		if err := t.dropAgent(a); err != nil {
			return err
		}
		return t.record(by)
	})
	if err != nil {
		return bot.Agent{}, err
	}
	s.compactIfDue()
	return a, nil
}
