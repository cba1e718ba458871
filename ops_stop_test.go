package main

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/bot/chat/chattest"
	"floorwalker/bot/schedule"
	"floorwalker/bot/secret"
	"floorwalker/bot/stats"
	"floorwalker/dashboard"
	"floorwalker/store"
)

// A barrier stops whoever comes to it in a function with a name, until it is
// lifted. It asks nobody to cooperate: so a deadlock looks.
type barrier struct {
	mu   sync.Mutex    // guards what follows
	name string        // of the function; "" stops nobody
	open chan struct{} // closed when it goes on
	held bool          // somebody waits
}

// stop stops the function from now on, lift lets it go.
func (b *barrier) stop(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.name, b.open, b.held = name, make(chan struct{}), false
}

// stopped reports whether somebody waits.
func (b *barrier) stopped() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.held
}

func (b *barrier) lift() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.name = ""
	close(b.open)
}

func (b *barrier) pass() {
	b.mu.Lock()
	open := b.open
	stops := b.name != "" && strings.Contains(string(debug.Stack()), b.name)
	b.held = b.held || stops
	b.mu.Unlock()
	if stops {
		<-open
	}
}

// barredStore is a store with a barrier before everything that the loops do, on a
// disk that may be full.
type barredStore struct {
	bot.Store
	*barrier
	full *atomic.Bool
}

func (s barredStore) Update(f func(bot.Tx) error) error {
	s.pass()
	if s.full.Load() {
		return bot.ErrNotSaved
	}
	return s.Store.Update(f)
}

func (s barredStore) View(f func(bot.Tx) error) error { s.pass(); return s.Store.View(f) }
func (s barredStore) AppendHistory(a []bot.AgentSample) error {
	s.pass()
	return s.Store.AppendHistory(a)
}
func (s barredStore) Agents() iter.Seq2[bot.Agent, error]    { s.pass(); return s.Store.Agents() }
func (s barredStore) Wake(n chat.Network) (time.Time, error) { s.pass(); return s.Store.Wake(n) }
func (s barredStore) Lease(n chat.Network, now, until time.Time, most int) (due, lost []bot.Row, err error) {
	s.pass()
	return s.Store.Lease(n, now, until, most)
}

// barredSource is an API that answers at once, or never.
type barredSource struct{ *barrier }

func (s barredSource) Counters(context.Context, dashboard.Query) (dashboard.Counters, error) {
	s.pass()
	return dashboard.Counters{At: time.Now()}, nil
}

func (barredSource) Forget(string) {}

// barredNetwork is a network to which a message takes no time, or for ever.
type barredNetwork struct {
	inMemory
	*barrier
}

// inMemory is a network in memory, under another name than that of its method.
type inMemory = *chattest.Network

func (n barredNetwork) Send(ctx context.Context, out chat.Outgoing) (chat.Ref, error) {
	n.pass()
	return n.inMemory.Send(ctx, out)
}

func (n barredNetwork) Healthy() error { n.pass(); return nil }

// A stopSite is a whole program in a bubble, all of whose loops can be stopped.
type stopSite struct {
	*barrier
	health *Health
	pings  *pings
	store  *store.Store
	full   atomic.Bool
}

var asha = chat.Address{Network: chat.Console, ID: "asha"}

// say has something sent.
func (s *stopSite) say(key string) error {
	return s.store.Update(func(tx bot.Tx) error {
		_, err := tx.Enqueue(bot.Row{Key: key, To: asha, Lane: bot.LaneNotice, Message: chat.Message{Title: key}, Added: time.Now()})
		return err
	})
}

// runStopSite runs do while the loops run, on a floor where everybody is on
// shift.
func runStopSite(t *testing.T, do func(*stopSite)) {
	cryptotest.SetGlobalRandom(t, 1) // agents' ids fix when they are polled
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := &stopSite{barrier: &barrier{}, health: &Health{}, pings: &pings{}}
		log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
		st, err := store.Open(store.Config{Path: filepath.Join(dir, "floor.db"), Key: secret.New(killKey)})
		if err != nil {
			t.Fatal(err)
		}
		s.store = st
		rota := schedule.Rota{Team: "support", Zone: time.UTC, Shifts: []schedule.Shift{{Name: "all", Days: schedule.EveryDay}}}
		team := bot.Team{
			Name: "support", Zone: time.UTC, Poll: true, MinCoverage: 0.8, Members: []bot.Person{{Addresses: []chat.Address{asha}}},
			Rota: rota, Digests: []bot.Digest{{Name: "noon", Schedule: schedule.Digest{Rota: rota, Days: schedule.EveryDay, Times: []schedule.TimeOfDay{12 * 60}}}},
		}
		config := bot.Config{
			Metrics: stats.Defaults(), Zone: time.UTC, Teams: []bot.Team{team},
			PollInterval: time.Minute, RequestsPerSecond: 50, MaxInFlight: 8,
		}
		network := barredNetwork{chattest.NewNetwork(chat.Console), s.barrier}
		network.AddPerson(asha.ID, chat.Person{Name: "Asha"})
		b := bot.New(config, barredSource{s.barrier}, barredStore{st, s.barrier, &s.full}, discard{}, log)
		if _, _, err := b.Link(t.Context(), bot.LinkRequest{
			Address: asha, Name: "Asha", Actor: "cli:0", NoVerify: true, Credential: dashboard.Credential{UserID: "1", Token: secret.New("t")},
		}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		g, ctx := errgroup.WithContext(ctx)
		kept := &beat{}
		kept.now()
		look := &lookout{health: s.health, bot: b, store: st, adapters: []chat.Adapter{network}, house: kept, began: time.Now()}
		ping := newHeartbeat(secret.New("https://hc.example/x"), s.health, log)
		ping.via = s.pings
		g.Go(func() error { return b.Watch(ctx) })
		g.Go(func() error { return b.Digests(ctx) })
		g.Go(func() error { return b.Deliver(ctx, network) })
		g.Go(func() error { return look.run(ctx) })
		g.Go(func() error { return ping.run(ctx) })
		do(s)
		cancel()
		if err := errors.Join(g.Wait(), st.Close()); err != nil {
			t.Error(err)
		}
	})
}

// TestStopped stops one thing after another. Within two intervals readiness is
// red and no heartbeat leaves any more; when it goes on, all is well again.
func TestStopped(t *testing.T) {
	for _, test := range []struct {
		what, function string
		part           string // that must be red, perhaps among others
		stuck          bool   // a restart would help
	}{
		{"an API that never answers", "barredSource.Counters", "watch", true},
		{"the watch before a round", "(*watcher).plan", "watch", true},
		{"the writer", "(*watcher).commit", "watch", true},
		{"the alerts that are open", "tendAlerts", "alerts", true},
		{"the digests", "(*digestLoop).round", "digests", true},
		{"the deliverer", "(*deliverer).run", "delivery on console", true},
		{"an attempt to deliver", "barredNetwork.Send", "outbox of console", true},
		{"the lookout", "(*lookout).look", "lookout", true},
	} {
		t.Run(test.what, func(t *testing.T) {
			runStopSite(t, func(s *stopSite) {
				time.Sleep(5*time.Minute + time.Second)
				if reasons := s.health.Reasons(time.Now()); len(reasons) > 0 || s.pings.since(time.Time{}) < 5 {
					t.Fatalf("before: %v, %d heartbeats", reasons, s.pings.since(time.Time{}))
				}
				s.stop(test.function)
				if err := s.say("hello"); err != nil {
					t.Fatal(err)
				}
				for !s.stopped() {
					time.Sleep(time.Second)
				}
				time.Sleep(2*time.Minute + lookEvery)
				red := s.health.Reasons(time.Now())
				if red[test.part] == "" || s.health.Stuck(time.Now()) != test.stuck {
					t.Errorf("after two intervals: %v, stuck %v", red, s.health.Stuck(time.Now()))
				}
				then := time.Now()
				time.Sleep(10 * time.Minute)
				if n := s.pings.since(then); n > 0 {
					t.Errorf("%d heartbeats left", n)
				}
				s.lift()
				time.Sleep(3 * time.Minute)
				if reasons := s.health.Reasons(time.Now()); len(reasons) > 0 || s.pings.since(then) == 0 {
					t.Errorf("it goes on, and still: %v", reasons)
				}
			})
		})
	}
}
