package bot_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	_ "time/tzdata"

	"golang.org/x/sync/errgroup"

	"floorwalker/bot"
	"floorwalker/bot/alert"
	"floorwalker/bot/chat"
	"floorwalker/bot/chat/chattest"
	"floorwalker/bot/schedule"
	"floorwalker/bot/secret"
	"floorwalker/bot/stats"
	"floorwalker/dashboard"
	"floorwalker/dashboard/sim"
	"floorwalker/store"
)

// A stage is a bot with a real store and a simulated API, and the people who
// talk to it.
type stage struct {
	t       *testing.T
	path    string
	floor   *sim.Sim
	store   *store.Store
	wrap    func(*store.Store) bot.Store // what the bot gets instead; nil: the store itself
	client  *dashboard.Client
	bot     *bot.Bot
	seeing  sync.Mutex // guards came and sent
	seen    strings.Builder
	came    []arrival // since the last line
	all     []arrival // before
	log     syncBuffer
	agent   map[string]int          // by person
	last    map[string]chat.Message // what each person saw last
	where   map[string]string       // and on which network
	form    map[string]chat.Form
	again   chat.Request
	count   int           // of requests
	slow    time.Duration // how long a message is on its way
	unseen  int           // so many of the next answers do not arrive
	net     *chattest.Network
	discord *chattest.Network
	config  bot.Config
	specs   []alert.RuleSpec
	sent    map[chat.Ref]chat.Address
	stop    func()                   // ends what run began; nil: nothing runs
	typed   []string                 // words of commands that look like secrets, and of link pages
	pages   map[string]secret.Secret // the words of link pages, by person
}

const key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

func newStage(t *testing.T, dir string) *stage {
	s := &stage{
		t: t, path: filepath.Join(dir, "floor.db"),
		agent: map[string]int{}, last: map[string]chat.Message{}, where: map[string]string{}, form: map[string]chat.Form{}, pages: map[string]secret.Secret{},
		net: chattest.NewNetwork(chat.Console), discord: chattest.NewNetwork(chat.Discord), config: stageConfig(t), sent: map[chat.Ref]chat.Address{},
	}
	s.net.AddChannel("#support")
	for _, name := range []string{"asha", "ravi", "meera", "dev", "nobody"} {
		s.net.AddPerson(name, chat.Person{Name: name})
	}
	s.floor = sim.New(sim.Config{Seed: 1})
	s.open()
	return s
}

func (s *stage) open() {
	var err error
	if s.store, err = store.Open(store.Config{Path: s.path, Key: secret.New(key)}); err != nil {
		s.t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.client, err = dashboard.New(dashboard.Config{BaseURL: "http://127.0.0.1", Transport: s.floor.Transport(), Logger: log})
	if err != nil {
		s.t.Fatal(err)
	}
	var st bot.Store = s.store
	if s.wrap != nil {
		st = s.wrap(s.store)
	}
	s.bot = bot.New(s.config, s.client, st, nothing{}, log)
}

// run starts the loops of the bot, as serve does.
func (s *stage) run() {
	ctx, cancel := context.WithCancel(context.Background())
	g, ctx := errgroup.WithContext(ctx)
	b := s.bot
	if _, err := s.store.Recover(time.Now()); err != nil {
		s.t.Fatal(err)
	}
	g.Go(func() error { return b.Watch(ctx) })
	g.Go(func() error { return b.Digests(ctx) })
	g.Go(func() error { return b.Deliver(ctx, wire{s.net, s}) })
	g.Go(func() error { return b.Deliver(ctx, wire{s.discord, s}) })
	s.stop = func() {
		cancel()
		if err := g.Wait(); err != nil && !errors.Is(err, errKilled) {
			s.t.Error(err)
		}
		s.stop = nil
	}
}

// restart closes the store and opens it anew, with the loops running if they did.
func (s *stage) restart() error {
	running := s.stop != nil
	if running {
		s.stop()
	}
	if err := s.store.Close(); err != nil {
		return err
	}
	s.open()
	if running {
		s.run()
	}
	return nil
}

// wire is the network as the deliverer sees it; what goes over it is shown.
type wire struct {
	*memory
	s *stage
}

// memory is the network in memory, under a name that leaves its method Network
// visible.
type memory = chattest.Network

func (w wire) Send(ctx context.Context, out chat.Outgoing) (chat.Ref, error) {
	time.Sleep(w.s.slow)
	ref, err := w.memory.Send(ctx, out)
	if err == nil {
		w.s.seeing.Lock()
		w.s.sent[ref] = out.To
		w.s.seeing.Unlock()
		w.s.arrived("to", out.To, out.Message, out.Resent)
	}
	return ref, err
}

func (w wire) Edit(ctx context.Context, ref chat.Ref, m chat.Message) error {
	w.s.seeing.Lock()
	to, there := w.s.sent[ref]
	w.s.seeing.Unlock()
	if !there {
		return fmt.Errorf("message_not_found: %w", chat.ErrGone)
	}
	err := w.memory.Edit(ctx, ref, m)
	if err == nil {
		w.s.arrived("edited, to", to, m, false)
	}
	return err
}

// An arrival is a message that was sent or edited.
type arrival struct {
	at  time.Time
	to  chat.Address
	how string
	m   chat.Message
}

// arrived notes what was sent.
func (s *stage) arrived(how string, to chat.Address, m chat.Message, again bool) {
	if again {
		how = "re-sent, " + how
	}
	s.seeing.Lock()
	defer s.seeing.Unlock()
	s.came = append(s.came, arrival{time.Now(), to, how, m})
}

// flush shows what has arrived, with the time in the vendor's zone. Which of two
// people gets their message first at the same instant is nobody's promise.
func (s *stage) flush() {
	s.seeing.Lock()
	defer s.seeing.Unlock()
	slices.SortStableFunc(s.came, func(a, b arrival) int {
		return cmp.Or(a.at.Compare(b.at), strings.Compare(a.to.String(), b.to.String()))
	})
	for _, a := range s.came {
		s.last[a.to.ID], s.where[a.to.ID] = a.m, string(a.to.Network)
		fmt.Fprintf(&s.seen, "%s %s %s:\n", a.at.In(kolkata(s.t)).Format("15:04:05"), a.how, a.to.ID)
		for line := range strings.Lines(hideIDs(a.m.Plain()) + "\n") {
			s.seen.WriteString("  " + line)
		}
	}
	s.all, s.came = append(s.all, s.came...), nil
}

// sendFails makes the network refuse what is sent.
func (s *stage) sendFails(what string, n int) error {
	errs := map[string]error{"gone": chat.ErrGone, "rejected": chat.ErrRejected, "refused": chat.ErrRefused,
		"unclear": chat.ErrUnclear, "retry": &chat.RetryError{After: time.Minute, Err: errors.New("too many")}}
	if errs[what] == nil {
		return fmt.Errorf("no such failure: %s", what)
	}
	s.net.Fail(errs[what], n)
	return nil
}

func (s *stage) close() {
	if s.stop != nil {
		s.stop()
	}
	time.Sleep(time.Minute) // let calls that nobody waits for end
	if err := s.store.Close(); err != nil {
		s.t.Error(err)
	}
	s.noSecrets()
}

// noSecrets looks for every secret of the floor in everything that was logged
// and stored. What people typed into commands counts as secret too.
func (s *stage) noSecrets() {
	file, err := os.ReadFile(s.path)
	if err != nil {
		s.t.Fatal(err)
	}
	var secrets []string
	for _, a := range s.floor.Agents() {
		secrets = append(secrets, a.Token, a.SSID)
	}
	for _, secret := range append(secrets, s.typed...) {
		if bytes.Contains(file, []byte(secret)) {
			s.t.Errorf("the database holds the secret %q", secret)
		}
		if strings.Contains(s.log.String(), secret) {
			s.t.Errorf("the log holds %q", secret)
		}
	}
	if s.log.String() == "" {
		s.t.Error("nothing was logged, so nothing was looked at")
	}
}

// syncBuffer is a log that several goroutines write.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// nothing counts nothing.
type nothing struct{}

func (nothing) Command(string, string, time.Duration) {}
func (nothing) Delivery(string, string, string)       {}

// kolkata is the vendor's zone.
func kolkata(t testing.TB) *time.Location {
	zone, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func person(name string) chat.Address { return chat.Address{Network: chat.Console, ID: name} }

func stageConfig(t testing.TB) bot.Config {
	d := stats.Defaults()
	for i := range d {
		d[i].Confirmed = d[i].Name != "total_calls" && d[i].Name != "idle"
	}
	rota := schedule.Rota{Team: "support", Zone: kolkata(t), Shifts: []schedule.Shift{{
		Name: "day", Days: schedule.On(time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday), Start: 9 * 60, End: 18 * 60,
	}}}
	return bot.Config{
		Metrics: d, Zone: kolkata(t), Admins: []chat.Address{person("dev")},
		PollInterval: time.Minute, RequestsPerSecond: 50, MaxInFlight: 32,
		Teams: []bot.Team{{
			Name: "support", Zone: kolkata(t), Channels: []chat.Address{person("#support")},
			Rota: rota, Poll: true, MinCoverage: 0.8,
			Digests:     []bot.Digest{{Name: "day-summary", Schedule: schedule.Digest{Rota: rota, Shift: "day", CatchUp: 2 * time.Hour}}},
			Supervisors: []bot.Person{{Addresses: []chat.Address{person("meera")}}},
			Members: []bot.Person{
				{Addresses: []chat.Address{person("asha"), {Network: chat.Discord, ID: "asha"}}},
				{Addresses: []chat.Address{person("ravi")}},
			},
		}},
	}
}
