package discord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"floorwalker/bot/chat"
)

// gateway is how the gateway is kept connected.
type gateway struct {
	open     time.Duration // for a session to begin
	stuck    time.Duration // for the library to notice that a connection was cut
	idle     time.Duration // without anything heard, a connection is dead
	first    time.Duration // the first pause between connections
	longest  time.Duration // it doubles up to this
	lasting  time.Duration // a session that lived so long begins with the first pause again
	identify time.Duration // between two sign-ins; Discord allows one in five seconds
}

func defaultGateway() gateway {
	return gateway{
		open: 30 * time.Second, stuck: 2 * time.Second, idle: 95 * time.Second,
		// At ten minutes a bad day stays below 300 sign-ins.
		first: time.Second, longest: 10 * time.Minute, lasting: 5 * time.Minute, identify: 5 * time.Second,
	}
}

// Discord allows 1,000 sign-ins a day. At the last one it ends all sessions and
// resets the token.
const (
	identifiesLeft   = 50  // by Discord's count: then no more
	identifiesPerDay = 500 // by ours, for when Discord's cannot be had
	resumes          = 3   // attempts to go on with a session before it is given up
)

// keep keeps the gateway connected until ctx is done. It returns an error that
// wraps [chat.ErrFinal] when no other connection must be made.
func (s *session) keep(ctx context.Context) error {
	k := &keeper{session: s, pause: pause{first: s.timing.gateway.first, longest: s.timing.longest, lasting: s.timing.lasting}}
	defer k.drop()
	for {
		lived, err := k.connect(ctx)
		s.health.down(time.Now(), err)
		switch final := errFatal(err); {
		case ctx.Err() != nil:
			return nil
		case final != nil:
			return fmt.Errorf("%w: %w", final, chat.ErrFinal)
		case errors.Is(err, chat.ErrFinal):
			return err
		}
		wait := k.pause.next(lived)
		if retry, ok := errors.AsType[*chat.RetryError](err); ok {
			wait = max(wait, retry.After)
		}
		s.log.WarnContext(ctx, "discord: no gateway session, trying again", "err", err, "lived", lived.Round(time.Millisecond), "in", wait.Round(time.Millisecond))
		if sleep(ctx, wait) != nil {
			return nil
		}
	}
}

// A keeper keeps one session of the gateway at a time.
type keeper struct {
	*session
	pause  pause
	line   *line     // to be resumed, nil if there is none
	tries  int       // to resume it in a row
	opened time.Time // when that was last tried; the sign-in was not later
}

// connect makes one connection and returns when it has ended, with how long its
// session lived and why it ended.
func (k *keeper) connect(ctx context.Context) (lived time.Duration, err error) {
	if k.line != nil && (!k.line.resumable() || k.tries >= resumes) {
		k.drop()
	}
	if k.line == nil {
		if err := k.begin(ctx); err != nil {
			return 0, err
		}
	}
	k.tries++
	k.health.note(func(st *Stats) { st.Connects++ })
	at, err := k.line.open(ctx)
	k.opened = time.Now() // at the latest: a slow network may have held the sign-in up
	if err != nil {
		k.judge(err)
		return 0, err
	}
	k.tries = 0
	up := time.Now()
	k.health.up(up)
	k.log.InfoContext(ctx, "discord: gateway session works")
	select {
	case <-at.down:
		err = at.reason()
	case <-ctx.Done():
		k.line.cut()
		return time.Since(up), context.Cause(ctx)
	}
	k.judge(err)
	return time.Since(up), err
}

// judge drops the session if it cannot go on after the error.
func (k *keeper) judge(err error) {
	if errors.Is(err, errStuck) || errors.Is(err, errInvalid) {
		k.drop()
	}
}

// drop gives the session up.
func (k *keeper) drop() {
	if k.line != nil {
		k.line.retire()
		libraryLog.remove(k.line)
		k.line = nil
	}
}

// gatewayInfo is what Discord says about connecting.
type gatewayInfo struct {
	URL   string `json:"url"`
	Limit struct {
		Total      int   `json:"total"`
		Remaining  int   `json:"remaining"`
		ResetAfter int64 `json:"reset_after"` // milliseconds
	} `json:"session_start_limit"`
}

// begin prepares a new session: a sign-in, which is counted before it is made.
func (k *keeper) begin(ctx context.Context) error {
	info, err := ask[gatewayInfo](ctx, k.Adapter, at("GET", "/gateway/bot"))
	if err != nil {
		return err
	}
	now := time.Now()
	if err := k.budget(now, info); err != nil {
		return err
	}
	if err := sleep(ctx, k.opened.Add(k.timing.identify).Sub(now)); err != nil {
		return err
	}
	l, err := newLine(k.config.BotToken, info.URL, k.timing.gateway)
	if err != nil {
		return fmt.Errorf("discord: %w", err)
	}
	l.take, l.heard = k.guarded, func() { k.health.heard(time.Now()) }
	k.notes.add(keyIdentify, time.Now())
	libraryLog.add(l)
	k.line, k.tries = l, 0
	return nil
}

// budget returns an error if no sign-in must be made for now.
func (k *keeper) budget(now time.Time, info gatewayInfo) error {
	left := time.Duration(info.Limit.ResetAfter) * time.Millisecond
	if info.Limit.Total > 0 && info.Limit.Remaining < identifiesLeft {
		return &chat.RetryError{After: max(left, time.Minute), Err: fmt.Errorf(
			"discord: only %d sign-ins to the gateway are left today, and at none Discord resets the token: find out what signs in so often", info.Limit.Remaining)}
	}
	if n := k.notes.today(keyIdentify, now); n >= identifiesPerDay {
		tomorrow := now.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
		return &chat.RetryError{After: tomorrow.Sub(now), Err: fmt.Errorf("discord: %d sign-ins to the gateway today are enough", n)}
	}
	return nil
}

// guarded is event for the library's goroutines, where a panic ends the program.
func (k *keeper) guarded(kind string, raw json.RawMessage) {
	defer func() {
		if value := recover(); value != nil {
			k.log.Error("discord: an event panicked", "kind", kind, "panic", fmt.Sprint(value))
		}
	}()
	k.event(kind, raw)
}

// pause is the time between two connections. It doubles until a session has
// lasted: one that begins and ends at once is as good as none.
type pause struct {
	first, longest, lasting time.Duration
	last                    time.Duration
}

// next returns the pause after a session that lived so long, with jitter.
func (p *pause) next(lived time.Duration) time.Duration {
	switch {
	case p.last == 0 || lived >= p.lasting:
		p.last = p.first
	default:
		p.last = min(2*p.last, p.longest)
	}
	return p.last/2 + rand.N(p.last/2+1)
}
