package bot_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
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
	"floorwalker/dashboard/sim"
	"floorwalker/store"
)

// A site is an installation that lives through a test in a synctest bubble: a bot
// on real files, a simulated API and a network in memory. It can be stopped,
// started, and killed: then the next life has what was on disk at that moment.
//
// It notes whom the API was asked about and what arrived on the network, and
// judges nothing.
type site struct {
	t      *testing.T
	config bot.Config
	wrap   func(bot.Store) bot.Store // what the bot sees of the store; nil: all of it
	floor  *sim.Sim
	net    *chattest.Network
	dir    string // of this life's files
	lives  int

	store  *store.Store
	client *dashboard.Client
	bot    *bot.Bot
	line   *line
	cancel context.CancelFunc // nil: nothing runs
	loops  *errgroup.Group
	log    syncBuffer

	mu    sync.Mutex // guards what follows
	asked []asked
	posts []post
	bad   map[chat.Address]error // what the network says about an address
	slow  time.Duration          // how long a message is on its way, and as long its answer
}

// asked is one request that the API got.
type asked struct {
	at   time.Time
	user string
}

// post is a message that arrived, or an edit of one.
type post struct {
	at     time.Time
	key    string // of the outbox; "" for an edit
	to     chat.Address
	text   string
	resent bool
	edits  chat.Ref
	ref    chat.Ref
}

// newSite makes an installation with people and channels, and starts nothing.
func newSite(t *testing.T, dir string, c bot.Config) *site {
	s := &site{t: t, config: c, dir: dir, floor: sim.New(sim.Config{Seed: 1}), net: chattest.NewNetwork(chat.Console), bad: map[chat.Address]error{}}
	for _, team := range c.Teams {
		for _, to := range team.Channels {
			s.net.AddChannel(to.ID)
		}
		for _, p := range slices.Concat(team.Supervisors, team.Members) {
			s.net.AddPerson(p.Addresses[0].ID, chat.Person{Name: p.Addresses[0].ID})
		}
	}
	return s
}

// open opens the files, as a process does that starts.
func (s *site) open() {
	s.t.Helper()
	log := slog.New(slog.NewTextHandler(&s.log, nil))
	var err error
	if s.store, err = store.Open(store.Config{Path: filepath.Join(s.dir, "floor.db"), Key: secret.New(key), Logger: log}); err != nil {
		s.t.Fatal(err)
	}
	s.client, err = dashboard.New(dashboard.Config{BaseURL: "http://127.0.0.1", Transport: noting{s, s.floor.Transport()}, Logger: log})
	if err != nil {
		s.t.Fatal(err)
	}
	seen := bot.Store(s.store)
	if s.wrap != nil {
		seen = s.wrap(seen)
	}
	s.bot = bot.New(s.config, s.client, seen, nothing{}, log)
	s.line = &line{memory: s.net, s: s}
}

// start opens the files and runs the loops, as serve does.
func (s *site) start() {
	s.t.Helper()
	s.open()
	if _, err := s.store.Recover(time.Now()); err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.loops, ctx = errgroup.WithContext(ctx)
	s.cancel = cancel
	b, l := s.bot, s.line
	s.loops.Go(func() error { return b.Watch(ctx) })
	s.loops.Go(func() error { return b.Digests(ctx) })
	s.loops.Go(func() error { return b.Deliver(ctx, l) })
}

// stop ends the loops, which finish what they are at, and closes the files.
func (s *site) stop() {
	s.t.Helper()
	s.cancel()
	if err := s.loops.Wait(); err != nil {
		s.t.Errorf("%s: the loops ended with: %v", time.Now().UTC().Format(time.DateTime), err)
	}
	s.close()
}

func (s *site) close() {
	s.t.Helper()
	if err := s.store.Close(); err != nil {
		s.t.Error(err)
	}
	s.client.Close()
	s.cancel = nil
}

// kill ends this life as kill -9 would: what is on disk now is what the next one
// finds. What is on the line but has not arrived never does.
func (s *site) kill() {
	s.t.Helper()
	synctest.Wait() // nothing is being written
	s.lives++
	next := filepath.Join(s.dir, fmt.Sprint("life-", s.lives))
	if err := copyFiles(next, s.dir); err != nil {
		s.t.Fatal(err)
	}
	s.line.cut()
	s.cancel()
	s.loops.Wait() // what it comes to is not on disk any more
	s.close()
	s.dir = next
}

// copyFiles copies a life's files.
func copyFiles(to, from string) error {
	files, err := filepath.Glob(filepath.Join(from, "floor.db*"))
	if err != nil {
		return err
	}
	for _, file := range files {
		into := filepath.Join(to, filepath.Base(file))
		if info, err := os.Stat(file); err != nil {
			return err
		} else if info.IsDir() {
			if err := os.CopyFS(into, os.DirFS(file)); err != nil {
				return err
			}
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(to, 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(into, data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// until lets time pass until an instant, written in UTC.
func (s *site) until(at string) {
	s.t.Helper()
	time.Sleep(time.Until(utc(s.t, at)))
	synctest.Wait()
}

// utc reads an instant such as 2026-03-23 12:30 or 2026-03-23 12:30:05.
func utc(t testing.TB, at string) time.Time {
	t.Helper()
	if len(at) == len("2026-03-23 12:30") {
		at += ":00"
	}
	instant, err := time.Parse(time.DateTime, at)
	if err != nil {
		t.Fatal(err)
	}
	return instant
}

// link links a person to an agent of the floor. The bot must not run.
func (s *site) link(name string, agent int) bot.AgentID {
	s.t.Helper()
	a := s.floor.Agents()[agent]
	linked, _, err := s.bot.Link(context.Background(), bot.LinkRequest{
		Address: person(name), Name: a.Name, Actor: person(name).String(), NoVerify: true,
		Credential: dashboard.Credential{UserID: a.UserID, Token: secret.New(a.Token)},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return linked.Agent.ID
}

// refuse makes the network answer with an error to what is sent to an address,
// until it is called with nil.
func (s *site) refuse(to string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bad[person(to)] = err
}

// arrived returns what arrived so far, in order.
func (s *site) arrived() []post {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.posts)
}

// requests returns what the API was asked so far, in order.
func (s *site) requests() []asked {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// occurrences returns what is recorded of a digest, the newest first.
func (s *site) occurrences(team, name string) (all []bot.Occurrence) {
	s.t.Helper()
	err := s.store.View(func(tx bot.Tx) error {
		for by := time.Now().AddDate(100, 0, 0); ; {
			o, found, err := tx.LastOccurrence(team, name, by)
			if !found || err != nil {
				return err
			}
			all = append(all, o)
			by = o.At.Add(-1)
		}
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

// noting is a transport that notes whom the API is asked about.
type noting struct {
	s    *site
	next http.RoundTripper
}

// RoundTrip notes the request and passes it on.
func (n noting) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var who struct {
		User string `json:"userId"`
	}
	if err := json.Unmarshal(body, &who); err != nil {
		return nil, fmt.Errorf("a request that the API would not understand: %w", err)
	}
	n.s.mu.Lock()
	n.s.asked = append(n.s.asked, asked{time.Now(), who.User})
	n.s.mu.Unlock()
	r.Body = io.NopCloser(bytes.NewReader(body))
	return n.next.RoundTrip(r)
}

// A line is the network as the bot reaches it in one life.
type line struct {
	*memory
	s *site

	mu      sync.Mutex // guards what follows
	dead    bool       // the process that wrote to it is no more
	sending int
}

// errCut is what a dead process would get to hear.
var errCut = errors.New("the line is cut")

func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dead = true
}

// busy returns how many messages are on their way.
func (l *line) busy() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sending
}

// pass waits for as long as a message takes, and says whether it arrives.
func (l *line) pass(to chat.Address) error {
	l.mu.Lock()
	l.sending++
	l.mu.Unlock()
	l.s.mu.Lock()
	slow, bad := l.s.slow, l.s.bad[to]
	l.s.mu.Unlock()
	time.Sleep(slow)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		return errCut
	}
	return bad
}

// answer waits for as long as the network's answer takes.
func (l *line) answer() {
	l.s.mu.Lock()
	slow := l.s.slow
	l.s.mu.Unlock()
	time.Sleep(slow)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sending--
}

// Send delivers a message.
func (l *line) Send(ctx context.Context, out chat.Outgoing) (chat.Ref, error) {
	defer l.answer()
	err := l.pass(out.To)
	if errors.Is(err, errHangs) {
		<-ctx.Done()
	}
	if err != nil && !errors.Is(err, errArrived) {
		return chat.Ref{}, err
	}
	ref, failed := l.memory.Send(context.WithoutCancel(ctx), out) // it has arrived by now
	if failed != nil {
		return ref, failed
	}
	l.s.note(post{key: out.Key, to: out.To, text: out.Message.Plain(), resent: out.Resent, ref: ref})
	return ref, err
}

// Edit replaces a message.
func (l *line) Edit(ctx context.Context, ref chat.Ref, m chat.Message) error {
	defer l.answer()
	if err := l.pass(chat.Address{}); err != nil {
		return err
	}
	if err := l.memory.Edit(ctx, ref, m); err != nil {
		return err
	}
	l.s.note(post{text: m.Plain(), edits: ref})
	return nil
}

// errHangs is the error of a message that never gets an answer.
var errHangs = fmt.Errorf("no answer: %w", chat.ErrUnclear)

// errArrived is the error of a message whose answer is lost.
var errArrived = fmt.Errorf("the answer is lost: %w", chat.ErrUnclear)

func (s *site) note(p post) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.at = time.Now()
	s.posts = append(s.posts, p)
}

// tampered is a store with something between it and the bot.
type tampered struct {
	bot.Store
	history func()              // called before history is read
	update  func(bot.Tx) bot.Tx // what a transaction that writes sees
}

// History reads an agent's samples.
func (x tampered) History(id bot.AgentID, span schedule.Span, without ...string) iter.Seq2[stats.Sample, error] {
	if x.history != nil {
		x.history()
	}
	return x.Store.History(id, span, without...)
}

// Update runs a transaction.
func (x tampered) Update(f func(bot.Tx) error) error {
	if x.update == nil {
		return x.Store.Update(f)
	}
	return x.Store.Update(func(tx bot.Tx) error { return f(x.update(tx)) })
}

// days are the days of a working week.
var days = schedule.On(time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday)

// zone loads a time zone.
func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// fault makes the API fail for a user, "*" for all; "" ends it.
func (s *site) fault(user, name string) {
	s.t.Helper()
	if err := s.floor.Fault(user, name, 0); err != nil {
		s.t.Fatal(err)
	}
}
