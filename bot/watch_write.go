package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"floorwalker/bot/chat"
	"floorwalker/bot/stats"
	"floorwalker/dashboard"
)

// A batch is what one commit holds.
type batch struct {
	polls []polled
	end   *roster // not nil: all polls of the round came before
	err   error   // history did not take the polls
}

// record puts results into batches, and each into history, until the channel of
// results is closed. While it does, the batch before is judged and written by
// [watcher.write]; no batch is before it is in history.
func (w *watcher) record() {
	age := time.NewTimer(batchAge)
	defer age.Stop()
	var polls, others []polled // of the batch that is filled, and of the one before, which may still be read
	for open := true; open; {
		var end *roster
		select {
		case p, ok := <-w.results:
			switch {
			case !ok:
				open = false
			case p.end != nil:
				end = p.end
			default:
				if len(polls) == 0 {
					age.Reset(batchAge)
				}
				if polls = append(polls, p); len(polls) < batchSize {
					continue
				}
			}
		case <-age.C:
		}
		if len(polls) == 0 && end == nil {
			continue
		}
		b := batch{polls, end, w.remember(polls)}
		select {
		case w.batches <- b: // the writer takes it when it has written the one before
		case <-w.stopped:
			return
		}
		polls, others = others[:0], polls
	}
}

// remember puts polls into history, which is idempotent.
func (w *watcher) remember(polls []polled) error {
	samples := make([]AgentSample, 0, len(polls))
	for _, p := range polls {
		if !p.sample.Tick.IsZero() {
			samples = append(samples, AgentSample{p.agent.ID, p.sample})
		}
	}
	return w.b.store.AppendHistory(samples)
}

// write commits batches until their channel is closed.
func (w *watcher) write(ctx context.Context) error {
	for b := range w.batches {
		if err := w.commit(ctx, b); err != nil {
			return err
		}
		if b.end != nil {
			w.b.watching.written()
		}
	}
	return nil
}

// commit stores what follows from a batch that is in history, in one transaction.
// On a full disk the batch is a gap.
func (w *watcher) commit(ctx context.Context, b batch) error {
	c, now := w.b.config.Load(), time.Now()
	alerts := w.floor.take(ctx, c, b.polls, b.end, now)
	err := b.err
	if err == nil {
		err = w.b.store.Update(func(tx Tx) error {
			if err := w.b.judge(tx, c, b.polls); err != nil {
				return err
			}
			if err := alerts.judge(tx); !errors.Is(err, errIdle) || len(b.polls) == 0 {
				return err
			}
			return nil
		})
	}
	switch {
	case errors.Is(err, errIdle):
		return nil
	case errors.Is(err, ErrNotSaved):
		w.b.log.ErrorContext(ctx, "polls not saved", "agents", len(b.polls), "err", err)
		w.b.watching.full(true)
		w.landed(b.polls, false)
		return nil
	case err != nil:
		return fmt.Errorf("store %d polls: %w", len(b.polls), err)
	}
	w.b.watching.full(false)
	w.landed(b.polls, true)
	w.b.poke()
	if alerts.rows {
		w.b.bells.ring()
	}
	return nil
}

// keep is what history keeps of a poll: the answer, or that the agent is not
// logged in. A poll that failed is a gap and leaves nothing.
func (p polled) keep(c *Config) stats.Sample {
	class, failed := dashboard.ClassOf(p.err)
	switch {
	case !failed && p.err == nil:
		return c.Metrics.Sample(p.counters, p.tick)
	case failed && class == dashboard.ClassOffShift:
		return stats.Sample{Tick: p.tick.UTC(), Out: true}
	}
	return stats.Sample{}
}

// landed notes which final polls are done, and keeps those that failed or could
// not be saved.
func (w *watcher) landed(batch []polled, saved bool) {
	for _, p := range batch {
		if p.final.IsZero() {
			continue
		}
		class, failed := dashboard.ClassOf(p.err)
		if saved && (!failed || class != dashboard.ClassTransient) {
			w.b.watching.land(p.final)
			continue
		}
		w.mu.Lock()
		w.retry = append(w.retry, p.poll)
		w.mu.Unlock()
	}
}

// judge is the part of a batch that happens in the transaction.
func (b *Bot) judge(tx Tx, c *Config, batch []polled) error {
	for _, p := range batch {
		if p.err == nil {
			if err := b.see(tx, c, p); err != nil {
				return err
			}
		}
		if err := b.judgeLink(tx, c, p); err != nil {
			return err
		}
	}
	return nil
}

// see stores an answer as the newest, and as the first if it begins a count.
func (b *Bot) see(tx Tx, c *Config, p polled) error {
	seen, err := tx.SeenTimes(p.agent.ID)
	if err != nil { // it cannot be read, and is begun anew
		b.log.Error("the last counters are lost", "agent", p.agent.ID, "err", err)
		seen = Seen{}
	}
	switch newer, begins := seen.takes(p.counters, c); {
	case !newer:
		return nil
	case begins:
		return tx.SaveSeen(p.agent.ID, Seen{First: p.counters, Last: p.counters})
	}
	return tx.SaveLast(p.agent.ID, p.counters)
}

// judgeLink records that a credential stopped or started to work. A person whose
// credential is refused is told, once, and of an account that is denied the
// administrators are, too.
func (b *Bot) judgeLink(tx Tx, c *Config, p polled) error {
	state, reason := linkState(p.agent.State, p.err)
	if state == p.agent.State {
		return nil
	}
	if _, left, err := tx.Record(RecordNetworks, leaverKey(p.agent.ID)); left || err != nil {
		return err // found to have left after this poll was planned
	}
	changed, err := tx.SetLinkState(p.agent.ID, state, reason, p.tick)
	if err != nil && !errors.Is(err, ErrNotLinked) {
		return err
	}
	d := newDesk(tx, c, p.tick, 0)
	switch {
	case !changed:
		return nil // they linked again or unlinked while it was asked
	case state == LinkSuspended:
		d.tellSuspended(p.agent)
		return d.err
	case state != LinkRelink:
		return nil
	}
	to := d.contact(p.agent.Addresses)
	d.notice(Row{
		Key: strings.Join([]string{"notice/relink", string(p.agent.ID), p.tick.In(c.Zone).Format(time.DateOnly), to.String()}, "/"),
		To:  to, Message: relinkNotice(c, to), GiveUp: p.tick.Add(24 * time.Hour),
	})
	return d.err
}

// relinkNotice tells a person that their credential is refused.
func relinkNotice(c *Config, to chat.Address) chat.Message {
	r := &request{config: c}
	r.From, r.SecretForms = to, to.Network != chat.Discord
	return note("Link again", chat.T("The dashboard does not accept your credential any more, so I stopped asking with it."),
		chat.Join(chat.T("It may have expired: your account needs a new one. "), linkAdvice(r)), linkAction(r)...)
}
