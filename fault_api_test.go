package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/bot/chat/chattest"
	"floorwalker/bot/secret"
	"floorwalker/dashboard"
	"floorwalker/dashboard/sim"
	"floorwalker/store"
)

// A bubble is the program's inside in a synctest bubble: a real store, the real
// client of the API behind a proxy, and a network in memory.
type bubble struct {
	t      *testing.T
	floor  *sim.Sim
	proxy  *proxy
	net    *chattest.Network
	store  *store.Store
	client *dashboard.Client
	bot    *bot.Bot
	loops  *errgroup.Group
	stop   context.CancelFunc
	log    syncBuffer

	mu        sync.Mutex // guards what follows
	forgetful bool       // keeps nothing of what arrives
	seen      []seen
	at        map[chat.Ref]chat.Address
	obstacle  func() error // asked before each message; nil: nothing is in the way
}

// seen is a message that arrived, or an edit.
type seen struct {
	to   string
	text string
	edit bool
	key  string
}

// newBubble makes an installation of a configuration, with so many agents, and
// starts its loops. Its clock is that of the bubble it is called in.
func newBubble(t *testing.T, dir, yaml string, agents int) *bubble {
	t.Helper()
	s := &bubble{t: t, floor: sim.New(sim.Config{Seed: 1, Agents: agents}), net: chattest.NewNetwork(chat.Slack), at: map[chat.Ref]chat.Address{}}
	config := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(config, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, _, err := Load(LoadOptions{Path: config})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(&s.log, nil))
	if s.store, err = store.Open(store.Config{Path: filepath.Join(dir, "floor.db"), Key: secret.New(killKey), Logger: log}); err != nil {
		t.Fatal(err)
	}
	front, back := newPipes(), newPipes()
	s.proxy = newProxy(func() (net.Conn, error) { return back.dial(context.Background()) })
	cc := clientConfig(cfg, log)
	transport := &http.Transport{MaxIdleConnsPerHost: 32, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return front.dial(ctx) }}
	cc.Transport = transport
	if s.client, err = dashboard.New(cc); err != nil {
		t.Fatal(err)
	}
	s.bot = bot.New(botConfig(cfg), s.client, s.store, discard{}, log)
	ctx, cancel := context.WithCancel(context.Background())
	s.loops, ctx = errgroup.WithContext(ctx)
	s.stop = func() {
		cancel()
		front.Close()
		transport.CloseIdleConnections()
	}
	s.loops.Go(func() error { return s.floor.Serve(ctx, back) })
	s.loops.Go(func() error { s.proxy.serve(front); return nil })
	for i, a := range s.floor.Agents() {
		who := chat.Address{Network: chat.Slack, ID: fmt.Sprintf("U0P%04d", i)}
		s.net.AddPerson(who.ID, chat.Person{Name: a.Name})
		if _, _, err := s.bot.Link(ctx, bot.LinkRequest{
			Address: who, Name: a.Name, Teams: []string{"support"}, Actor: who.String(), NoVerify: true,
			Credential: dashboard.Credential{UserID: a.UserID, Token: secret.New(a.Token)},
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"U0MEERA", "U0DEV"} {
		s.net.AddPerson(id, chat.Person{Name: id})
	}
	s.loops.Go(func() error { return s.bot.Watch(ctx) })
	s.loops.Go(func() error { return s.bot.Digests(ctx) })
	s.loops.Go(func() error { return s.bot.Deliver(ctx, watched{s.net, s}) })
	return s
}

// memoryDir returns a folder in memory where the system has one: in a bubble, a
// day's syncs are made in minutes. What they are good for is tested elsewhere.
func memoryDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "floorwalker-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// end stops everything and closes the files.
func (s *bubble) end() {
	s.t.Helper()
	s.stop()
	if err := s.loops.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		s.t.Error(err)
	}
	s.client.Close()
	if err := s.store.Close(); err != nil {
		s.t.Error(err)
	}
}

// chatRoom is a network in memory; embedded, its name hides no method.
type chatRoom = chattest.Network

// watched is a network of which the bubble sees what arrives.
type watched struct {
	*chatRoom
	s *bubble
}

// Send delivers a message.
func (w watched) Send(ctx context.Context, out chat.Outgoing) (chat.Ref, error) {
	if err := w.s.obstructed(); err != nil {
		return chat.Ref{}, err
	}
	ref, err := w.chatRoom.Send(ctx, out)
	if err == nil {
		w.s.mu.Lock()
		defer w.s.mu.Unlock()
		if w.s.forgetful {
			return ref, nil
		}
		w.s.at[ref] = out.To
		w.s.seen = append(w.s.seen, seen{out.To.ID, out.Message.Plain(), false, out.Key})
	}
	return ref, err
}

// Edit replaces a message.
func (w watched) Edit(ctx context.Context, ref chat.Ref, m chat.Message) error {
	err := w.chatRoom.Edit(ctx, ref, m)
	if err == nil {
		w.s.mu.Lock()
		defer w.s.mu.Unlock()
		if w.s.forgetful {
			return nil
		}
		w.s.seen = append(w.s.seen, seen{w.s.at[ref].ID, m.Plain(), true, ""})
	}
	return err
}

// forget keeps nothing of what arrives from now on.
func (s *bubble) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgetful = true
}

// obstruct has a function asked before each message.
func (s *bubble) obstruct(obstacle func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.obstacle = obstacle
}

func (s *bubble) obstructed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.obstacle == nil {
		return nil
	}
	return s.obstacle()
}

// count returns how many messages, or edits, that somebody got begin with a text.
func (s *bubble) count(to, prefix string, edits bool) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, m := range s.seen {
		if m.to == to && m.edit == edits && strings.HasPrefix(m.text, prefix) {
			n++
		}
	}
	return n
}

// transcript returns all that the supervisor got.
func (s *bubble) transcript(to string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for _, m := range s.seen {
		if m.to == to {
			title, _, _ := strings.Cut(m.text, "\n")
			fmt.Fprintf(&b, "%t %s\n", m.edit, title)
		}
	}
	return b.String()
}

// faultConfig is a team round the clock, a rule that reads a value, and one that
// reads how it grew.
const faultConfig = `
dashboard:
  base_url: http://localhost
  metrics: [{key: TH, confirmed: true}, {key: MH, confirmed: true}]
admins: [slack:U0DEV]
teams:
  - name: support
    supervisors: [slack:U0MEERA]
    shifts: [{name: all, days: [mon-sun], start: "00:00", end: "00:00"}]
alerts:
  - {name: missed-many, when: missed >= 5, clear: missed <= 3, message: "{{.Agent}} has missed many"}
  - {name: missed-burst, when: 'increase(missed, "10m") >= 2', clear: 'increase(missed, "10m") < 1', for: 1m, message: "{{.Agent}} misses calls"}
`

// answerOf is an answer of a server that is not the API.
func answerOf(status, header, body string) trouble {
	return trouble{garbage: fmt.Sprintf("HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s", status, header, len(body), body)}
}

// TestAPIFaults lets the API fail in every way for twelve minutes while one alert
// is open and everybody's numbers stand still. Nothing may fire, nothing recover;
// who is responsible hears once that no numbers come, if so, and once that they
// come again; and when the alert is over in earnest, it recovers.
func TestAPIFaults(t *testing.T) {
	for name, c := range map[string]struct {
		trouble trouble
		blind   bool // no number comes through
	}{
		"time-out":        {trouble{delay: 25 * time.Second}, true},
		"slow":            {trouble{delay: 4 * time.Second}, false},
		"slow body":       {trouble{trickle: time.Second}, true},
		"cut short":       {trouble{cut: 60}, true},
		"cut in the JSON": {trouble{cut: 150}, true},
		"reset":           {trouble{reset: true}, true},
		"black hole":      {trouble{hang: true}, true},
		"garbage":         {trouble{garbage: "\x00\xff no HTTP at all\r\n\r\n"}, true},
		"HTML with 200":   {answerOf("200 OK", "Content-Type: text/html\r\n", "<html>Please log in</html>"), true},
		"an empty 200":    {answerOf("200 OK", "", ""), true},
		"no row":          {answerOf("200 OK", "", `{"status":"success","message":[]}`), true},
		"a bare 401":      {answerOf("401 Unauthorized", "Content-Type: text/html\r\n", "<html>Please log in</html>"), true},
		"429":             {answerOf("429 Too Many Requests", "Retry-After: 60\r\n", "{}"), true},
		"503":             {answerOf("503 Service Unavailable", "Retry-After: 5\r\n", "busy"), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := memoryDir(t)
			synctest.Test(t, func(t *testing.T) {
				s := newBubble(t, dir, faultConfig, 4)
				defer s.end()
				s.missed(1, 6, 1, 1, 1)
				s.missed(6, 6, 1, 1, 1)
				s.proxy.set(c.trouble)
				s.missed(12, 6, 1, 1, 1)
				if n := s.count("U0MEERA", "Warning: No new data", false); c.blind != (n > 0) {
					t.Errorf("%d notices that no numbers come", n)
				}
				s.proxy.set(trouble{})
				s.missed(8, 6, 1, 1, 1)
				s.judgeHeld(c.blind)
				s.missed(8, 0, 1, 1, 1)
				s.judgeOver()
			})
		})
	}
}

// TestAPIExpires: the API refuses everybody's credential in the middle of the
// shift, as when all are logged out: nobody has recovered, nothing fires, each
// agent is told once, and it is not the API that is ill.
func TestAPIExpires(t *testing.T) {
	dir := memoryDir(t)
	synctest.Test(t, func(t *testing.T) {
		s := newBubble(t, dir, faultConfig, 4)
		defer s.end()
		s.missed(20, 6, 1, 1, 1)
		if err := s.floor.Fault("*", "expired", 0); err != nil {
			t.Fatal(err)
		}
		s.missed(40, 6, 1, 1, 1)
		if n := s.count("U0MEERA", "Warning: ", false); n != 1 {
			t.Errorf("%d warnings, want the first alone", n)
		}
		if n := s.count("U0MEERA", "Recovered: ", true) + s.count("U0MEERA", "Recovered: ", false); n != 0 {
			t.Error("somebody has recovered whose numbers nobody knows")
		}
		for i := range 4 {
			if n := s.count(fmt.Sprintf("U0P%04d", i), "Link again", false); n != 1 {
				t.Errorf("agent %d was told %d times to link again", i, n)
			}
		}
		if t.Failed() {
			t.Log(s.transcript("U0MEERA") + s.transcript("U0P0000"))
		}
	})
}

// TestAPIStale: a cache before the API hands out old answers among new ones, so
// that counters go backwards, and forwards again. Nobody has missed a call by
// that, and nobody has recovered.
func TestAPIStale(t *testing.T) {
	dir := memoryDir(t)
	synctest.Test(t, func(t *testing.T) {
		s := newBubble(t, dir, faultConfig, 4)
		defer s.end()
		s.missed(20, 6, 3, 3, 3)
		for range 20 {
			s.missed(1, 5, 2, 3, 1) // still 5 or more: the alert's value may not say that it is over
			s.missed(1, 6, 3, 3, 3)
		}
		s.judgeHeld(false)
		s.missed(10, 0, 3, 3, 3)
		s.judgeOver()
	})
}

// TestAPIRenamed: an agent gets another name while an alert about them is open:
// the API answers with it, their network calls them so, and then they are linked
// anew under it. They are who they were: nobody else's alert begins, theirs is not
// over, and it recovers, once, in the message that told of it.
func TestAPIRenamed(t *testing.T) {
	dir := memoryDir(t)
	synctest.Test(t, func(t *testing.T) {
		s := newBubble(t, dir, faultConfig, 4)
		defer s.end()
		s.missed(12, 6, 1, 1, 1)
		asha, who := s.floor.Agents()[0], chat.Address{Network: chat.Slack, ID: "U0P0000"}
		s.net.AddPerson(who.ID, chat.Person{Name: "Asha Menon"})
		if err := s.floor.Set(asha.UserID, map[string]any{"TH": 20, "MH": 6, "agentName": "Asha Menon"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(6 * time.Minute)
		s.judgeHeld(false)
		if _, _, err := s.bot.Link(t.Context(), bot.LinkRequest{
			Address: who, Name: "Asha Menon", Actor: "cli:0",
			Credential: dashboard.Credential{UserID: asha.UserID, Token: secret.New(asha.Token)},
		}); err != nil {
			t.Fatal(err)
		}
		s.missed(12, 6, 1, 1, 1)
		s.judgeHeld(false)
		s.missed(8, 0, 1, 1, 1)
		want := "false Warning: Asha Rao has missed many\ntrue Warning: Asha Menon has missed many\ntrue Recovered: Asha Menon has missed many\n"
		if got := s.transcript("U0MEERA"); got != want {
			t.Errorf("the supervisor got\n%s\nwant\n%s", got, want)
		}
	})
}

// missed lets minutes pass in which agents have missed so many calls.
func (s *bubble) missed(minutes int, missed ...int) {
	s.t.Helper()
	for i, n := range missed {
		if err := s.floor.Set(s.floor.Agents()[i].UserID, map[string]any{"TH": 20, "MH": n}); err != nil {
			s.t.Fatal(err)
		}
	}
	time.Sleep(time.Duration(minutes) * time.Minute)
	synctest.Wait()
}

// judgeHeld: one alert is open, as it was, and nothing else was said but that no
// numbers came.
func (s *bubble) judgeHeld(blind bool) {
	s.t.Helper()
	want := 1
	if blind {
		want = 2
	}
	told, notices := s.count("U0MEERA", "Warning: ", false), s.count("U0MEERA", "Warning: No new data", false)
	back := s.count("U0MEERA", "Recovered: No new data", true)
	recovered := s.count("U0MEERA", "Recovered: ", true) + s.count("U0MEERA", "Recovered: ", false) - back
	if s.count("U0MEERA", "Warning: Asha Rao has missed many", false) != 1 || told != want || notices != want-1 || back != want-1 || recovered != 0 {
		s.t.Errorf("%d warnings, %d of them that no numbers come, which ended %d times; %d recoveries:\n%s", told, notices, back, recovered, s.transcript("U0MEERA"))
	}
}

// judgeOver: the alert has recovered, once.
func (s *bubble) judgeOver() {
	s.t.Helper()
	if n := s.count("U0MEERA", "Recovered: Asha Rao has missed many", true); n != 1 {
		s.t.Errorf("the alert recovered %d times:\n%s\n%s", n, s.transcript("U0MEERA"), s.log.String())
	}
}
