package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/dashboard"
	"floorwalker/store"
)

// Health is why the program is not ready, by part. Parts report what is wrong
// with them and take it back; with nothing wrong, the program is ready.
type Health struct {
	mu     sync.Mutex // guards what follows
	wrong  map[string]string
	stuck  map[string]bool // parts of wrong that stand still, which a restart would mend
	looked time.Time       // when the lookout last looked; zero: nobody does
	detail string          // what is not well elsewhere, and no reason not to be ready; ""
}

// Set records what is wrong with a part; "" says that it is well.
func (h *Health) Set(part, reason string) { h.set(part, reason, false) }

// set is Set; stuck says that the part stands still, so that a restart mends it.
func (h *Health) set(part, reason string, stuck bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.wrong, part)
	delete(h.stuck, part)
	if reason == "" {
		return
	}
	if h.wrong == nil {
		h.wrong, h.stuck = map[string]string{}, map[string]bool{}
	}
	h.wrong[part] = reason
	if stuck {
		h.stuck[part] = true
	}
}

// Reasons returns what is wrong now, by part. That nobody has looked for a while
// is something, too.
func (h *Health) Reasons(now time.Time) map[string]string {
	h.mu.Lock()
	defer h.mu.Unlock()
	reasons := map[string]string{}
	maps.Copy(reasons, h.wrong)
	if reason := h.blind(now); reason != "" {
		reasons["lookout"] = reason
	}
	return reasons
}

// Stuck reports whether a part stands still, so that a restart would help.
func (h *Health) Stuck(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.stuck) > 0 || h.blind(now) != ""
}

// blind says that nobody has looked for a while. Called with mu held.
func (h *Health) blind(now time.Time) string {
	return late("nobody has looked after all of this for %s", h.looked, time.Minute, now)
}

// mention sets what Detail returns.
func (h *Health) mention(detail string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.detail = detail
}

// Detail returns what is not well elsewhere, so that the program is ready all the
// same; "" for nothing.
func (h *Health) Detail() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.detail
}

func (h *Health) see(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.looked = now
}

// late says that something is too long ago; a zero time has not come yet. The
// format's %s is for how long.
func late(format string, at time.Time, limit time.Duration, now time.Time) string {
	if age := now.Sub(at); !at.IsZero() && age > limit {
		return fmt.Sprintf(format, age.Round(time.Second))
	}
	return ""
}

const (
	// lookEvery is how often readiness is looked at.
	lookEvery = 5 * time.Second

	// loopEvery is the interval of the loops that have none of their own: they
	// sleep half of it at most. A loop is late after two.
	loopEvery = time.Minute

	// houseEvery is how often old records are deleted, leaversEvery how often
	// people who left are looked for, which takes its time.
	houseEvery   = time.Hour
	leaversEvery = 24 * time.Hour
)

// A beat is when something was last done. The zero value is never.
type beat struct{ at atomic.Pointer[time.Time] }

func (b *beat) now() { b.at.Store(new(time.Now())) }

func (b *beat) last() time.Time {
	if at := b.at.Load(); at != nil {
		return *at
	}
	return time.Time{}
}

// A lookout keeps readiness true to what the loops, the outbox and the networks
// show. It reads memory and the queue of the outbox, so that it is cheap.
type lookout struct {
	health   *Health
	bot      *bot.Bot
	store    *store.Store
	client   *dashboard.Client // nil: there is no API to mention
	adapters []chat.Adapter
	house    *beat     // the last time that old records were deleted
	began    time.Time // what has not happened yet is late from then on
}

// run looks until ctx ends.
func (l *lookout) run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	l.health.see(time.Now()) // the first look is later, when everything runs
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			l.look(time.Now())
		}
	}
}

// look sets what is wrong with each part.
func (l *lookout) look(now time.Time) {
	w := l.bot.WatchStatus()
	l.watch(w, now)
	l.loop("alerts", "open alerts were last looked after %s ago", w.Alerts, now)
	l.loop("digests", "the last look for what is due was %s ago", w.Digests, now)
	l.health.Set("housekeeping", late("old records were last deleted %s ago", later(l.house.last(), l.began), 2*houseEvery, now))
	l.health.Set("leavers", late("people who left were last looked for %s ago", later(w.Leavers, l.began), 2*leaversEvery, now))
	full := ""
	switch {
	case w.NoDisk:
		full = "full: numbers are not saved"
	case l.store.Full():
		full = "full: something was not saved"
	}
	l.health.Set("disk", full)
	status := map[chat.Network]bot.DeliveryStatus{}
	for _, d := range l.bot.DeliveryStatus() {
		status[d.Network] = d
	}
	for _, a := range l.adapters {
		l.delivery(a.Network(), status[a.Network()], now)
		l.connection(a)
	}
	l.health.mention(l.elsewhere())
	l.health.see(now)
}

// elsewhere says what is no reason not to be ready: that the API fails, and that
// something stored is lost, which no restart brings back while all the rest works.
func (l *lookout) elsewhere() string {
	var all []string
	if l.client != nil {
		all = append(all, breaker(l.client.Stats().Breaker))
	}
	if n := len(l.store.Damaged()); n > 0 {
		all = append(all, "the store is damaged in "+count(n, "place")+", and goes on without what was there; floorwalker doctor names it")
	}
	return strings.Join(slices.DeleteFunc(all, func(s string) bool { return s == "" }), "; ")
}

// breaker says that the API is left alone after failures, which is not our fault.
func breaker(state string) string {
	if state == "closed" {
		return ""
	}
	return "the counters API fails, so it is asked only now and then (" + state + ")"
}

// loop judges a loop by its last round.
func (l *lookout) loop(part, format string, last, now time.Time) {
	l.health.set(part, late(format, later(last, l.began), 2*loopEvery, now), true)
}

// watch judges the watch: a round that is due longer than another one takes is
// late. It stands still only if no results come in either: the API may be slow.
func (l *lookout) watch(w bot.WatchStatus, now time.Time) {
	due := w.Due
	if due.IsZero() {
		due = l.began
	}
	reason := late("a round of polls is late by %s", due, max(w.Interval, loopEvery), now)
	l.health.set("watch", reason, now.Sub(w.Stored) > 2*loopEvery)
}

// delivery judges a network's deliverer and what waits for it. Each part is set
// once: what is wrong must not look well for a moment in between.
func (l *lookout) delivery(n chat.Network, d bot.DeliveryStatus, now time.Time) {
	part, outbox := "delivery on "+string(n), "outbox of "+string(n)
	late := late("the last look into the outbox was %s ago", later(d.Beat, l.began), 2*loopEvery, now)
	switch {
	case late != "":
		l.health.set(part, late, true)
	case d.Held != "":
		l.health.Set(part, "held: "+d.Held)
		l.health.Set(outbox, "") // what waits is late for that reason
		return
	default:
		l.health.Set(part, barred(d.Barred))
	}
	reason, stuck := l.backlog(n, now)
	l.health.set(outbox, reason, stuck)
}

// backlog judges what waits for a network, the most urgent lane first.
func (l *lookout) backlog(n chat.Network, now time.Time) (reason string, stuck bool) {
	lanes, err := l.store.Backlog(n, now)
	if err != nil {
		return err.Error(), false
	}
	for _, lane := range lanes {
		if reason := late("an attempt to deliver should have ended %s ago", lane.Overrun, 30*time.Second, now); reason != "" {
			return reason, true
		}
	}
	for _, lane := range lanes {
		if lane.Due.IsZero() {
			continue
		}
		if reason := late("the oldest message has been due for %s", later(lane.Due, l.began), 2*loopEvery, now); reason != "" {
			return reason, false
		}
	}
	return "", false
}

// connection asks a network how it is doing.
func (l *lookout) connection(a chat.Adapter) {
	healthy, ok := a.(interface{ Healthy() error })
	if !ok {
		return
	}
	reason := ""
	if err := healthy.Healthy(); err != nil {
		reason = err.Error()
	}
	l.health.Set("connection to "+string(a.Network()), reason)
}

// barred says which addresses the bot may not write to, and what to do.
func barred(list []bot.Barred) string {
	var each []string
	for _, b := range list {
		each = append(each, fmt.Sprintf("held for %s: %s", b.To, b.Reason))
	}
	return strings.Join(each, "; ")
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
