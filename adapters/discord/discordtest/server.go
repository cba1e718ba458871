package discordtest

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// obj is a decoded JSON object.
type obj = map[string]any

// A Server is Discord: people, guilds, and the app. Make one with [New] or
// [Serve] and end it with [Server.Close].
type Server struct {
	o      Options
	host   string // host:port of the listener
	http   *http.Server
	routes []route
	key    ed25519.PrivateKey
	ctx    context.Context // ends with Close; deliveries run under it
	stop   context.CancelFunc
	wg     sync.WaitGroup // deliveries and connections

	mu      sync.Mutex // guards everything below, and the fields of what it leads to
	changed bell
	lastID  uint64
	revoked bool
	world
	traffic
	gateway
}

// world is who and what exists.
type world struct {
	users    map[string]*User
	guilds   map[string]*Guild
	channels map[string]*Channel
	messages []*Message // oldest first
	modals   map[string]*Modal
	commands map[string][]*command  // by guild; "" = global
	creates  map[string][]time.Time // by guild
	opened   []time.Time            // when direct messages were opened
	files    map[string]*Attachment
}

// traffic is what goes in and out over HTTP.
type traffic struct {
	calls        []Call
	faults       []*Fault
	stalled      int              // calls that wait for a Fault's delay
	limits       map[string]Limit // by route, in place of the route's own
	buckets      map[string]*bucket
	global       bucket
	invalid      []time.Time             // answers that count towards Discord's ban of an address
	interactions map[string]*Interaction // by token
	asked        []*Interaction          // oldest first
	acks         []Ack
	endpoint     string // URL for interactions; "" = over the gateway
}

// New starts a network on a free port of 127.0.0.1. It panics if there is none,
// as httptest.NewServer does.
func New(o Options) *Server {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(fmt.Sprintf("discordtest: listen: %v", err))
	}
	return Serve(l, o)
}

// Serve starts a network on l and returns at once. The Server owns l.
func Serve(l net.Listener, o Options) *Server {
	o = o.withDefaults()
	seed := sha256.Sum256([]byte(o.Seed))
	s := &Server{o: o, host: l.Addr().String(), routes: routes(), key: ed25519.NewKeyFromSeed(seed[:])}
	s.world = world{
		users: map[string]*User{}, guilds: map[string]*Guild{}, channels: map[string]*Channel{}, modals: map[string]*Modal{},
		commands: map[string][]*command{}, creates: map[string][]time.Time{}, files: map[string]*Attachment{},
	}
	s.traffic = traffic{limits: map[string]Limit{}, buckets: map[string]*bucket{}, interactions: map[string]*Interaction{}}
	s.gateway = gateway{sessions: map[string]*session{}, remaining: o.Identifies, resets: time.Now().Add(24 * time.Hour)}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.AddUser(User{ID: o.AppID, Name: o.BotName, Bot: true})

	mux := http.NewServeMux()
	mux.HandleFunc("/api/", s.serveAPI)
	mux.HandleFunc("GET /gateway", s.serveGateway)
	mux.HandleFunc("GET /gateway/", s.serveGateway)
	mux.HandleFunc("GET /attachments/{channel}/{id}/{name}", s.serveAttachment)
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	s.wg.Go(func() {
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			panic(fmt.Sprintf("discordtest: serve: %v", err))
		}
	})
	return s
}

// Close cuts every connection, and waits until no goroutine of the server is
// left.
func (s *Server) Close() {
	s.mu.Lock()
	s.stop()
	s.mu.Unlock()
	s.Heal()
	for _, c := range s.Conns() {
		c.Cut()
	}
	s.http.Close() // reports only the listener's own close
	s.wg.Wait()
}

// APIURL returns the base of the REST API, without a slash at its end. The other
// current version answers alike, at the same place with v10.
func (s *Server) APIURL() string { return "http://" + s.host + "/api/v9" }

// Options returns the options with their defaults filled in.
func (s *Server) Options() Options { return s.o }

// PublicKey returns the key that the app's endpoint verifies interactions with,
// in hexadecimal, as the developer portal shows it.
func (s *Server) PublicKey() string {
	return hex.EncodeToString(s.key.Public().(ed25519.PublicKey))
}

// RevokeToken ends the bot's token, as a reset in the developer portal does:
// every session is closed with 4004, and every call that needs the token is
// answered with 401.
func (s *Server) RevokeToken() {
	s.mu.Lock()
	s.revoke()
	s.mu.Unlock()
}

// revoke is RevokeToken for those who hold s.mu.
func (s *Server) revoke() {
	s.revoked = true
	clear(s.sessions)
	for _, c := range s.conns {
		s.spawn(func() { c.Close(4004) })
	}
	s.changed.ring()
}

// Wait returns nil as soon as done reports true. It asks again after each change
// and is woken by nothing else; done may call any method of s that does not
// wait. The error is the context's cause.
func (s *Server) Wait(ctx context.Context, done func() bool) error {
	for {
		s.mu.Lock()
		rung := s.changed.rung() // before done looks, so that no change is missed
		s.mu.Unlock()
		if done() {
			return nil
		}
		select {
		case <-rung:
		case <-ctx.Done():
			return fmt.Errorf("discordtest: waiting in vain: %w", context.Cause(ctx))
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

// sleep waits, and reports whether the server is still open.
func (s *Server) sleep(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-s.ctx.Done():
		return false
	}
}

// epoch is when Discord's ids begin to count, in milliseconds.
const epoch = 1420070400000

// id returns a new snowflake. They grow. s.mu is held.
func (s *Server) id() string {
	now := uint64(max(0, time.Now().UnixMilli()-epoch)) << 22
	s.lastID = max(s.lastID+1, now)
	return strconv.FormatUint(s.lastID, 10)
}
