package slacktest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options describe the workspace and its app. The zero Options are usable.
type Options struct {
	BotToken      string   // default "xoxb-1"
	AppToken      string   // default "xapp-1"; for apps.connections.open only
	SigningSecret string   // default "signing-secret"
	Scopes        []string // of the bot token; default commands, chat:write, im:write, users:read, files:write
	TeamID        string   // default "T0TEAM"
	AppID         string   // default "A0APP"
	BotUser       string   // the bot's user id; default "U0BOT"

	RateLimits     bool // enforce Slack's limits per method and channel
	NoCharts       bool // refuse data_visualization and data_table blocks, as before their roll-out
	CommandReplace bool // let a command's response_url replace and delete its own last answer
	FileReadyAfter int  // calls (blocks, files.info) for which an uploaded file is not ready yet

	Times Times
}

// Times are Slack's durations; a zero field is Slack's own value.
type Times struct {
	Ack      time.Duration   // until an unacknowledged delivery counts as failed: 3 s
	Trigger  time.Duration   // life of a trigger id: 3 s
	Response time.Duration   // life of a response_url: 30 min
	Ping     time.Duration   // between pings on a socket: 10 s
	Warning  time.Duration   // between a "warning" and the close: 10 s
	Retry    []time.Duration // before each redelivery: 0, 1 min, 5 min; empty but not nil: none
}

func (t Times) withDefaults() Times {
	t.Ack = cmp.Or(t.Ack, 3*time.Second)
	t.Trigger = cmp.Or(t.Trigger, 3*time.Second)
	t.Response = cmp.Or(t.Response, 30*time.Minute)
	t.Ping = cmp.Or(t.Ping, 10*time.Second)
	t.Warning = cmp.Or(t.Warning, 10*time.Second)
	if t.Retry == nil {
		t.Retry = []time.Duration{0, time.Minute, 5 * time.Minute}
	}
	return t
}

func (o Options) withDefaults() Options {
	o.BotToken = cmp.Or(o.BotToken, "xoxb-1")
	o.AppToken = cmp.Or(o.AppToken, "xapp-1")
	o.SigningSecret = cmp.Or(o.SigningSecret, "signing-secret")
	o.TeamID = cmp.Or(o.TeamID, "T0TEAM")
	o.AppID = cmp.Or(o.AppID, "A0APP")
	o.BotUser = cmp.Or(o.BotUser, "U0BOT")
	if o.Scopes == nil {
		o.Scopes = []string{"commands", "chat:write", "im:write", "users:read", "files:write"}
	}
	o.Times = o.Times.withDefaults()
	return o
}

// A Server is a workspace and the network around it. Make one with [New] or
// [Serve] and end it with [Server.Close].
type Server struct {
	o       Options
	host    string // host:port of the listener
	http    *http.Server
	methods map[string]method
	ctx     context.Context // ends with Close; deliveries run under it
	stop    context.CancelFunc
	wg      sync.WaitGroup // deliveries and connections

	mu      sync.Mutex // guards everything below, and the fields of what it leads to
	changed bell
	serial  int // ids are numbered through
	dead    string
	scopes  []string
	world
	traffic
	surfaces
}

// world is who and what exists.
type world struct {
	users    map[string]*User
	channels map[string]*Channel
	messages map[string][]*Message // by channel
	private  map[string][]*Message // ephemeral ones, by reader
	files    map[string]*File
}

// traffic is what goes in and out.
type traffic struct {
	calls     []Call
	acks      []Ack
	faults    []*Fault
	buckets   map[string]*bucket
	tickets   map[string]bool // socket URLs not used yet
	sockets   []*Socket       // open ones
	turn      int             // whose turn a delivery is
	refusal   string          // reason every new socket gets instead of a hello
	triggers  map[string]*trigger
	hooks     map[string]*hook
	waiting   map[string]*delivery // by envelope id
	endpoints *Endpoints
}

// surfaces are the app's views.
type surfaces struct {
	views  map[string]*View   // open ones and homes, by id
	stacks map[string][]*View // modals of a user, bottom first
	homes  map[string]*View
}

// New starts a workspace on a free port of 127.0.0.1. It panics if there is
// none, as httptest.NewServer does.
func New(o Options) *Server {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(fmt.Sprintf("slacktest: listen: %v", err))
	}
	return Serve(l, o)
}

// Serve starts a workspace on l and returns at once. The Server owns l.
func Serve(l net.Listener, o Options) *Server {
	o = o.withDefaults()
	s := &Server{o: o, host: l.Addr().String(), scopes: o.Scopes, methods: methods()}
	s.world = world{map[string]*User{}, map[string]*Channel{}, map[string][]*Message{}, map[string][]*Message{}, map[string]*File{}}
	s.buckets, s.tickets = map[string]*bucket{}, map[string]bool{}
	s.triggers, s.hooks, s.waiting = map[string]*trigger{}, map[string]*hook{}, map[string]*delivery{}
	s.surfaces = surfaces{map[string]*View{}, map[string][]*View{}, map[string]*View{}}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.AddUser(User{ID: o.BotUser, Name: "floorwalker", Bot: true})

	mux := http.NewServeMux()
	mux.HandleFunc("/api/{method}", s.serveAPI)
	mux.HandleFunc("GET /link/", s.serveSocket)
	mux.HandleFunc("POST /response/{id}", s.serveHook)
	mux.HandleFunc("POST /upload/{id}", s.serveUpload)
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	s.wg.Go(func() {
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			panic(fmt.Sprintf("slacktest: serve: %v", err))
		}
	})
	return s
}

// Close cuts every connection, stops redelivering and waits until no goroutine
// of the server is left.
func (s *Server) Close() {
	s.mu.Lock()
	s.stop()
	s.mu.Unlock()
	for _, c := range s.Sockets() {
		c.Cut()
	}
	s.http.Close() // reports only the listener's own close
	s.wg.Wait()
}

// APIURL returns the base of the Web API, with its trailing slash.
func (s *Server) APIURL() string { return "http://" + s.host + "/api/" }

// Options returns the options with their defaults filled in.
func (s *Server) Options() Options {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.o
}

// Revoke makes every following call of the Web API fail with code, such as
// "invalid_auth", "token_revoked" or "account_inactive". Open sockets stay open.
// An empty code gives the tokens back.
func (s *Server) Revoke(code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead = code
}

// SetScopes replaces the scopes of the bot token.
func (s *Server) SetScopes(scopes ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scopes = scopes
}

// SetCharts turns charts and data tables on or off, as [Options.NoCharts] does
// from the start.
func (s *Server) SetCharts(allowed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.o.NoCharts = !allowed
}

// Wait returns nil as soon as done reports true. It asks again after each change
// in the workspace and is woken by nothing else; done may call any method of s
// that does not wait. The error is the context's cause.
func (s *Server) Wait(ctx context.Context, done func() bool) error {
	return s.wait(ctx, &s.changed, done)
}

// wait is Wait on a bell. done runs without s.mu.
func (s *Server) wait(ctx context.Context, b *bell, done func() bool) error {
	for {
		s.mu.Lock()
		rung := b.rung() // before done looks, so that no change is missed
		s.mu.Unlock()
		if done() {
			return nil
		}
		select {
		case <-rung:
		case <-ctx.Done():
			return fmt.Errorf("slacktest: waiting in vain: %w", context.Cause(ctx))
		}
	}
}

// A bell wakes everyone who waits for a change. Server.mu guards it.
type bell struct{ c chan struct{} }

// rung returns a channel that is closed at the next ring.
func (b *bell) rung() <-chan struct{} {
	if b.c == nil {
		b.c = make(chan struct{})
	}
	return b.c
}

func (b *bell) ring() {
	if b.c != nil {
		close(b.c)
		b.c = nil
	}
}

// spawn starts a goroutine that Close waits for, unless the server is closed.
// s.mu is held.
func (s *Server) spawn(f func()) {
	if s.ctx.Err() == nil {
		s.wg.Go(f)
	}
}

// id returns a new id with the given prefix. s.mu is held.
func (s *Server) id(prefix string) string {
	s.serial++
	return fmt.Sprintf("%s%07d", prefix, s.serial)
}

// ts returns a new timestamp as Slack writes them; they grow. s.mu is held.
func (s *Server) ts() string {
	s.serial++
	return fmt.Sprintf("%d.%06d", time.Now().Unix(), s.serial%1e6)
}

func (s *Server) hasScope(scope string) bool { return slices.Contains(s.scopes, scope) }

func (s *Server) provided() string { return strings.Join(s.scopes, ",") }
