package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"floorwalker/adapters/slack/slacktest"
	"floorwalker/bot"
	"floorwalker/bot/secret"
	"floorwalker/dashboard/sim"
	"floorwalker/store"
)

var kills = flag.Int("kills", 30, "rounds of TestKillLoop")

const (
	killMost   = 50 // rounds of one installation; more are made in others, one after the other
	killKey    = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	killTeams  = 24
	killOwed   = 4 // digests that are due in each round
	killAsked  = 8 // digests that an administrator asks for in each round
	killLinked = 6 // people linked in each round, if there is time
)

// TestKillLoop starts the real program again and again, against a fake Slack and
// a simulated API, gives it work, and kills it at a random moment. Afterwards it
// judges, from what Slack shows, what the database holds and what the program had
// promised:
//
//   - each digest that was due is recorded once;
//   - each message was posted, and posted again only if it was on its way at a
//     kill: then it is marked;
//   - in each channel, messages came in their order;
//   - nothing is posted that is not in the outbox;
//   - every link, unlink and digest that was acknowledged is there;
//   - of alerts, what [history] says.
//
// The digests of a round become due when it begins: their record is set back
// while the program is dead, so that they are owed since before.
func TestKillLoop(t *testing.T) {
	for left := *kills; left > 0; left -= killMost {
		t.Run("", func(t *testing.T) { killLoop(t, min(left, killMost)) })
	}
}

// killLoop has an installation killed so many times.
func killLoop(t *testing.T, rounds int) {
	s := newKillSite(t, rounds)
	s.warmUp()
	for round := range rounds {
		s.round(round)
		if t.Failed() {
			t.Fatalf("round %d\n%s", round, s.lastLog())
		}
	}
	s.drain()
	s.judge()
}

// A killSite is an installation that is killed.
type killSite struct {
	t         *testing.T
	dir       string
	rounds    int
	config    string
	zone      *time.Location
	slack     *slacktest.Server
	floor     *sim.Sim
	rnd       *rand.Rand
	up        time.Duration   // how long the program takes until it is connected
	owed      []killDigest    // that were made due, so far
	atKill    map[string]int  // how often a row was leased when the program was killed, by key
	output    *os.File        // of all lives
	die       func(*exec.Cmd) // ends a life
	kills     []killed
	watched   []*watchedAgent    // linked before the first round; their numbers change between lives
	mu        sync.Mutex         // guards what follows
	asked     []killDigest       // acknowledged: "on its way"
	people    map[string]promise // by address
	next      int                // agent of the floor who is linked next
	questions map[string]int     // by the vendor's user
	assured   []assured
}

// promise is what the program has said about a link.
type promise int

const (
	linking   promise = iota // asked, and not answered: either is right
	linked                   // acknowledged
	unlinking                // asked, and not answered
	unlinked                 // acknowledged
)

// killDigest is a digest of the configuration.
type killDigest struct {
	team, name string
	at         time.Time // today, in the site's zone
}

func (d killDigest) channel() string { return "C0" + strings.ToUpper(d.team) }

// newKillSite writes the configuration: teams that work round the clock, with a
// digest for each round, all at times of the last hour.
func newKillSite(t *testing.T, rounds int) *killSite {
	s := &killSite{t: t, dir: t.TempDir(), rounds: rounds, atKill: map[string]int{}, people: map[string]promise{}, questions: map[string]int{}}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	s.rnd = rand.New(rand.NewPCG(seed, 0))
	s.config = filepath.Join(s.dir, "config.yaml")
	s.die = s.killSomehow
	s.zone = daylight(t, time.Now())
	s.floor = sim.New(sim.Config{Seed: 1, Agents: killLinked*rounds + 1 + killWatched})
	api := httptest.NewServer(s.counting(s.floor))
	t.Cleanup(api.Close)
	s.slack = slowSlack(t)
	s.slack.AddUser(slacktest.User{ID: "U0DEV"})
	var b strings.Builder
	fmt.Fprintf(&b, `
dashboard: {base_url: %q, poll_interval: 1s, requests_per_second: 500, cache_for: 0s, metrics: [{key: MH, confirmed: true}]}
slack: {bot_token: xoxb-1, app_token: xapp-1, api_url: %q}
ops: {listen: ""}
admins: [slack:U0DEV]
teams:
`, api.URL, s.slack.APIURL())
	for team := range killTeams {
		d := killDigest{team: teamName(team)}
		s.slack.AddChannel(slacktest.Channel{ID: d.channel(), Members: []string{"U0DEV"}})
		fmt.Fprintf(&b, `  - name: %s
    timezone: %s
    channels: [slack:%s]
    shifts: [{name: all, days: [mon, tue, wed, thu, fri, sat, sun], start: "00:00", end: "00:00"}]
    digests:
`, d.team, s.zone, d.channel())
		for round := range rounds {
			d := s.digest(team, round)
			fmt.Fprintf(&b, "      - {name: %s, days: [mon, tue, wed, thu, fri, sat, sun], at: %q}\n", d.name, d.at.Format("15:04"))
		}
	}
	b.WriteString(s.alertConfig())
	if err := os.WriteFile(s.config, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func teamName(team int) string { return fmt.Sprintf("team%02d", team) }

// digest returns a team's digest for a round: due between seven minutes and an
// hour ago, so that it is delayed, and still to be caught up.
func (s *killSite) digest(team, round int) killDigest {
	at := time.Now().In(s.zone).Add(-time.Duration(10+round%45) * time.Minute)
	return killDigest{teamName(team), fmt.Sprintf("r%03d", round), at}
}

// daylight returns a zone in which no midnight is near.
func daylight(t *testing.T, now time.Time) *time.Location {
	for _, name := range []string{"UTC", "Asia/Kolkata", "America/New_York"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		if h := now.In(zone).Hour(); 3 <= h && h < 22 {
			return zone
		}
	}
	t.Fatal("it is midnight everywhere")
	return nil
}

// A fronted listener says that it listens at the address of what stands before it.
type fronted struct {
	net.Listener
	front net.Addr
}

// Addr returns the address that others connect to.
func (f fronted) Addr() net.Addr { return f.front }

// slowSlack starts a Slack behind a proxy, which makes every message a while on
// its way, and its answer too: a kill meets some of both.
func slowSlack(t *testing.T) *slacktest.Server {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nap := func(r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "chat.postMessage") {
			time.Sleep(rand.N(250 * time.Millisecond))
		}
	}
	forward := &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: l.Addr().String()}) },
		ModifyResponse: func(r *http.Response) error { nap(r.Request); return nil },
		ErrorLog:       log.New(io.Discard, "", 0), // those who were killed are missed
	}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nap(r)
		forward.ServeHTTP(w, r)
	}))
	s := slacktest.Serve(fronted{l, front.Listener.Addr()}, slacktest.Options{})
	t.Cleanup(func() {
		front.CloseClientConnections()
		s.Close()
		front.Close()
	})
	return s
}

// start starts the program.
func (s *killSite) start() *exec.Cmd {
	s.t.Helper()
	var err error
	if s.output, err = os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command("floorwalker", "serve", "--config", s.config)
	cmd.Env = append(os.Environ(), "FLOORWALKER_STORE_KEY="+killKey)
	cmd.Stdout, cmd.Stderr = s.output, s.output
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	return cmd
}

// lastLog returns the end of what the program wrote.
func (s *killSite) lastLog() string {
	b, err := os.ReadFile(filepath.Join(s.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-4000):])
}

// office waits until the program is there, and returns its office; nil if ctx
// ends.
func (s *killSite) office(ctx context.Context) *clerk {
	for ctx.Err() == nil {
		if c := dialOffice(ctx, filepath.Join(s.dir, "floorwalker.db.sock")); c != nil {
			return c
		}
		time.Sleep(5 * time.Millisecond)
	}
	return nil
}

// connected waits until the program has a connection to Slack.
func (s *killSite) connected(ctx context.Context) error {
	return s.slack.Wait(ctx, func() bool { return len(s.slack.Sockets()) > 0 })
}

// open opens the database, while the program is dead.
func (s *killSite) open(fn func(st *store.Store)) {
	s.t.Helper()
	st, err := store.Open(store.Config{Path: filepath.Join(s.dir, "floorwalker.db"), Key: secret.New(killKey)})
	if err != nil {
		s.t.Fatal(err)
	}
	defer st.Close()
	fn(st)
}

// warmUp lets the program live once, so that it has seen its digests, none of
// which is due.
func (s *killSite) warmUp() {
	s.t.Helper()
	began, cmd := time.Now(), s.start()
	ctx, cancel := context.WithTimeout(s.t.Context(), 30*time.Second)
	defer cancel()
	if err := s.connected(ctx); err != nil {
		s.t.Fatalf("%v\n%s", err, s.lastLog())
	}
	s.up = time.Since(began)
	c := s.office(ctx)
	if c == nil {
		s.t.Fatalf("the program does not start\n%s", s.lastLog())
	}
	s.linkWatched(ctx, c)
	c.close()
	time.Sleep(200 * time.Millisecond)
	s.end(cmd, syscall.SIGTERM)
	s.open(func(st *store.Store) {
		err := st.View(func(tx bot.Tx) error {
			n := 0
			for range tx.Records(bot.RecordDigests, "") {
				n++
			}
			if want := killTeams * s.rounds; n != want {
				return fmt.Errorf("%d digests were seen, want %d", n, want)
			}
			return nil
		})
		if err != nil {
			s.t.Fatal(err)
		}
	})
}

// round is one life of the program.
func (s *killSite) round(round int) {
	s.t.Helper()
	teams := s.rnd.Perm(killTeams)
	var owed []killDigest
	for _, team := range teams[:killOwed] {
		owed = append(owed, s.digest(team, round))
	}
	s.open(func(st *store.Store) { s.makeDue(st, owed) })
	s.owed = append(s.owed, owed...)
	s.stir(s.rounds > 10 && round >= s.rounds-6)

	ctx, cancel := context.WithCancel(s.t.Context())
	cmd := s.start()
	var work sync.WaitGroup
	work.Go(func() { s.linkPeople(ctx) })
	work.Go(func() { s.supervise(ctx) })
	for _, team := range teams[killOwed : killOwed+killAsked] {
		d := s.digest(team, round)
		work.Go(func() { s.askFor(ctx, d) })
	}
	// Between 50 and 1500 ms, more often in the first half second, in which the
	// program has most to do. On a slow machine all takes longer.
	time.Sleep(50*time.Millisecond + rand.N(1+rand.N(max(1450*time.Millisecond, 5*s.up))))
	s.die(cmd)
	cancel()
	work.Wait()
	s.open(s.note)
}

// makeDue sets the records of digests back to before they were due.
func (s *killSite) makeDue(st *store.Store, owed []killDigest) {
	s.t.Helper()
	err := st.Update(func(tx bot.Tx) error {
		for _, d := range owed {
			record, found, err := bot.ReadRecord[map[string]any](tx, bot.RecordDigests, d.team+"/"+d.name)
			if err != nil || !found {
				return fmt.Errorf("%s/%s is on record: %v, %w", d.team, d.name, found, err)
			}
			record["since"] = time.Now().Add(-90 * time.Minute).UTC()
			if err := bot.WriteRecord(tx, bot.RecordDigests, d.team+"/"+d.name, record); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// linkPeople links people and unlinks some of them, and notes what it is told.
func (s *killSite) linkPeople(ctx context.Context) {
	c := s.office(ctx)
	if c == nil {
		return
	}
	defer c.close()
	for range killLinked {
		time.Sleep(rand.N(100 * time.Millisecond))
		s.mu.Lock()
		who := fmt.Sprintf("slack:U0P%04d", s.next)
		a := s.floor.Agents()[s.next]
		team := teamName(s.next % killTeams)
		s.next++
		s.people[who] = linking
		s.mu.Unlock()
		if _, err := ask[linkResult](ctx, c, "link", linkArgs{User: who, Name: a.Name, Teams: []string{team}, UserID: a.UserID, Token: a.Token, Actor: "cli:0"}); err != nil {
			if ctx.Err() == nil && !strings.Contains(err.Error(), "ask the running serve") && !strings.Contains(err.Error(), "read the answer") {
				s.t.Errorf("link %s: %v", who, err)
			}
			return
		}
		s.mu.Lock()
		s.people[who] = linked
		leaves := s.next%3 == 0
		if leaves {
			s.people[who] = unlinking
		}
		s.mu.Unlock()
		if !leaves {
			continue
		}
		if _, err := ask[unlinkResult](ctx, c, "unlink", userArgs{User: who, Actor: "cli:0"}); err != nil {
			return
		}
		s.mu.Lock()
		s.people[who] = unlinked
		s.mu.Unlock()
	}
}

// askFor asks for a digest in chat, and notes it if the answer says that it is on
// its way.
func (s *killSite) askFor(ctx context.Context, d killDigest) {
	if s.connected(ctx) != nil {
		return
	}
	time.Sleep(rand.N(500 * time.Millisecond))
	i := s.slack.Slash("U0DEV", d.channel(), "/floor", "digest now "+d.team+"/"+d.name)
	_, err := i.WaitReply(ctx, func(m slacktest.Message) bool { return strings.Contains(m.Plain(), "on its way") })
	if err != nil {
		return // killed before it could answer
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, d)
}

// drain lets the program look at everybody who is watched and deliver what is
// left, and stops it.
func (s *killSite) drain() {
	s.t.Helper()
	s.stir(true)
	cmd := s.start()
	defer s.end(cmd, syscall.SIGTERM)
	looked := s.askedAgain(3)
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	c := s.office(ctx)
	if c == nil {
		s.t.Fatalf("the program does not start\n%s", s.lastLog())
	}
	defer c.close()
	for {
		waiting := 0
		table, err := ask[outboxTable](ctx, c, "outbox", outboxArgs{})
		if err != nil {
			s.t.Errorf("%v\n%s", err, s.lastLog())
			return
		}
		for _, r := range table.Rows {
			if r.State != bot.RowDead {
				waiting++
			}
		}
		if waiting == 0 && looked() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}
