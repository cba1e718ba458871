package discord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/bwmarrin/discordgo"
	"github.com/gorilla/websocket"

	"floorwalker/bot/secret"
)

// A line is one session of the gateway: signed in once, and resumed over as many
// connections as it lasts. It is the library's Session with what keeps its faults
// away.
//
// It is never closed but by cutting the connection under it. The library's Close
// says goodbye, which ends a session that could be resumed; it sleeps with its
// lock held; and while its reader answers a request for a heartbeat it takes the
// connection away from under it, which is a nil pointer. Cut, the reader finds
// the end itself and cleans up.
type line struct {
	session *discordgo.Session
	url     string // of the gateway
	times   gateway
	take    func(kind string, raw json.RawMessage)
	heard   func()

	mu      sync.Mutex         // guards the rest
	now     *attempt           // the connection being made or used
	dialing context.CancelFunc // stops making it
	conn    net.Conn           // below it
	signed  bool               // it has been READY: it can be resumed
	retired bool               // it was given up: what it still hears is not of interest
}

// An attempt is one connection of a line.
type attempt struct {
	up, down         chan struct{} // closed on READY or RESUMED, and when it has ended
	upOnce, downOnce sync.Once

	mu  sync.Mutex // guards err
	err error      // why it ended, nil if the gateway did not say
}

func (at *attempt) ended(err error) {
	at.mu.Lock()
	defer at.mu.Unlock()
	if at.err == nil {
		at.err = err
	}
}

func (at *attempt) reason() error {
	at.mu.Lock()
	defer at.mu.Unlock()
	if at.err == nil {
		return errLost
	}
	return at.err
}

// Why a line has no connection.
var (
	errLost    = errors.New("the connection was lost")
	errSilent  = errors.New("the gateway fell silent before the session had begun")
	errStuck   = errors.New("the library is stuck")
	errInvalid = errors.New("the gateway does not know the session any more")
)

func newLine(token secret.Secret, gatewayURL string, times gateway) (*line, error) {
	s, err := discordgo.New("Bot " + token.Reveal())
	if err != nil {
		return nil, err
	}
	l := &line{session: s, url: strings.TrimSuffix(gatewayURL, "/"), times: times}
	s.ShouldReconnectOnError = false // it would sign in for ever with a token that was revoked
	s.ShouldRetryOnRateLimit, s.MaxRestRetries = false, 0
	s.StateEnabled = false // its state is read and written without a lock
	s.SyncEvents = true    // events arrive in order, on the goroutine that reads
	s.LogLevel = discordgo.LogWarning
	s.Identify.Intents = discordgo.IntentsGuilds
	s.LastHeartbeatAck = time.Time{} // tells fuse when the greeting was read
	s.Client = &http.Client{Transport: known(l.url)}
	s.Dialer = &websocket.Dialer{Proxy: http.ProxyFromEnvironment, HandshakeTimeout: times.open, NetDialContext: l.dial}
	s.AddHandler(l.event)
	s.AddHandler(l.disconnected)
	return l, nil
}

// known answers the library's question for the gateway's address, which we have
// asked already: its own way knows neither a context nor an end.
type known string

// RoundTrip returns the address.
func (k known) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := json.Marshal(struct {
		URL string `json:"url"`
	}{string(k)})
	if err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{}, Request: req,
		Body: io.NopCloser(strings.NewReader(string(body))),
	}, nil
}

// open makes a connection and returns once the session has begun or goes on. If
// it fails with errStuck, the line can never be used again.
func (l *line) open(ctx context.Context) (*attempt, error) {
	at := &attempt{up: make(chan struct{}), down: make(chan struct{})}
	l.mu.Lock()
	l.now, l.conn = at, nil
	l.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, l.times.open)
	defer cancel()
	opened := make(chan error, 1)
	go func() { opened <- l.session.Open() }() // it takes no context
	select {
	case err := <-opened:
		if err != nil {
			return at, l.explain(err)
		}
	case <-ctx.Done():
		// The library waits without an end for the first packet, with its lock held.
		l.cut()
		return at, l.rescue(opened)
	}
	return at, l.await(ctx, at)
}

// rescue waits a little for Open to return from a connection that was cut. If it
// does not it never will: it has met a request to reconnect in place of the first
// packet, and waits for the lock that it holds.
func (l *line) rescue(opened <-chan error) error {
	timer := time.NewTimer(l.times.stuck)
	defer timer.Stop()
	select {
	case err := <-opened:
		if err = l.explain(err); errors.Is(err, errInvalid) {
			return err
		}
		return errSilent
	case <-timer.C:
		return errStuck
	}
}

// await waits for READY or RESUMED. The library is content with any first packet,
// and after RESUME what was missed comes before RESUMED.
func (l *line) await(ctx context.Context, at *attempt) error {
	select {
	case <-at.up:
		return nil
	case <-at.down:
		return at.reason()
	case <-ctx.Done():
		return errors.Join(errSilent, l.hangUp(at))
	}
}

// hangUp cuts the connection and waits until the library has noticed, after which
// the line can be opened again.
func (l *line) hangUp(at *attempt) error {
	l.cut()
	const goodbye = time.Second // that the library sleeps before it tells
	timer := time.NewTimer(goodbye + l.times.stuck)
	defer timer.Stop()
	select {
	case <-at.down:
		return nil
	case <-timer.C:
		return errStuck
	}
}

// cut ends the connection from below.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dialing != nil {
		l.dialing()
	}
	if l.conn != nil {
		l.conn.Close() // the reader hears of it
	}
}

// retire cuts the connection for good.
func (l *line) retire() {
	l.mu.Lock()
	l.retired = true
	l.mu.Unlock()
	l.cut()
}

// explain returns what an error of the library's Open means.
func (l *line) explain(err error) error {
	if errors.Is(err, discordgo.ErrWSShardBounds) { // the fuse
		return errInvalid
	}
	if err == nil {
		return errSilent
	}
	return err
}

// event handles an event. It runs on the library's reading goroutine, with its
// lock held if that is Open's.
func (l *line) event(_ *discordgo.Session, e *discordgo.Event) {
	l.mu.Lock()
	at, retired := l.now, l.retired
	if e.Type == "READY" {
		l.signed = true
	}
	l.mu.Unlock()
	if retired {
		return
	}
	if e.Type == "READY" || e.Type == "RESUMED" {
		at.upOnce.Do(func() { close(at.up) })
	}
	l.take(e.Type, e.RawData)
}

// disconnected handles the end of a connection.
func (l *line) disconnected(*discordgo.Session, *discordgo.Disconnect) {
	l.mu.Lock()
	at := l.now
	l.mu.Unlock()
	at.downOnce.Do(func() { close(at.down) })
}

// resumable reports whether the session can go on over another connection.
func (l *line) resumable() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.signed
}

// heardOf is told of the ends that the library says in its log only: a close code
// of a running connection, and that the fuse has blown. The connection is of no
// more use, and is cut: after the one the library would say goodbye on it, which
// ends a session that could go on; after the other it would wait on.
//
// The log names the gateway and not the session. So it counts for nothing else:
// what a read or a write meets is dealt with where it is met, in [conn], and an
// old session that is late to notice its end does not end the one after it.
func (l *line) heardOf(err error) {
	var end *websocket.CloseError
	switch {
	case errors.As(err, &end) && end.Code != websocket.CloseAbnormalClosure: // which is an end without a code
		l.finish(end)
	case errors.Is(err, discordgo.ErrWSShardBounds):
		l.finish(errInvalid)
	}
}

// finish ends the connection for a reason.
func (l *line) finish(why error) {
	l.mu.Lock()
	at := l.now
	l.mu.Unlock()
	if at == nil {
		return
	}
	at.ended(why)
	l.cut()
}

// dial makes the connection below the session's.
func (l *line) dial(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l.mu.Lock()
	l.dialing = cancel
	l.mu.Unlock()
	var d net.Dialer
	raw, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: raw, idle: l.times.idle, heard: l.heard}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.signed {
		c.fuse = l.fuse
	}
	l.conn = c
	return c, nil
}

// fuse makes every sign-in of the session but the first fail. The library signs
// in again at once whenever the gateway does not accept a session, for ever: a
// day's sign-ins are used up in seconds, and then Discord resets the token.
//
// It works by a shard that is out of bounds, which the library refuses, and is
// called by reads on the connection. The first read after the greeting follows
// the first sign-in. It reports whether it is set.
func (l *line) fuse() bool {
	if l.session.LastHeartbeatAck.IsZero() {
		return false // not greeted yet
	}
	l.session.ShardCount, l.session.ShardID = 2, 2
	return true
}

// A conn is a connection that ends when nothing is heard: heartbeats are answered
// every 41 seconds. The library would wait for five of them.
//
// It closes at the first error. The library's next step would be to say goodbye
// on it, which ends a session that could go on.
type conn struct {
	net.Conn
	idle  time.Duration
	heard func()
	fuse  func() bool // nil once it is set; used by the goroutine that reads
}

// Read reads within the time that a connection may be silent.
func (c *conn) Read(b []byte) (int, error) {
	if c.fuse != nil && c.fuse() {
		c.fuse = nil
	}
	if err := c.SetReadDeadline(time.Now().Add(c.idle)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(b)
	if err != nil {
		c.Close() // what is wrong with it is in err
		return n, err
	}
	c.heard()
	return n, nil
}

// Write writes, and closes a connection that does not take it.
func (c *conn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if err != nil {
		c.Close() // what is wrong with it is in err
	}
	return n, err
}

// finality returns an operator's sentence for a close code after which Discord
// wants no other connection, "" for all others.
func finality(code int) string {
	switch code {
	case 4004:
		return "the bot token is not valid: copy it again from Bot in the developer portal to discord.bot_token"
	case 4010, 4011:
		return "Discord wants the bot to shard, which it does not: it is in too many servers"
	case 4012:
		return "this version of the gateway is no longer served: update floorwalker"
	case 4013, 4014:
		return "the intents are refused: the application may not see the servers that it is in"
	default:
		return ""
	}
}

// errFatal is the end of a connection that must be the last.
func errFatal(err error) error {
	var end *websocket.CloseError
	if errors.As(err, &end) {
		if why := finality(end.Code); why != "" {
			return fmt.Errorf("discord: the gateway closed with %d: %s", end.Code, why)
		}
	}
	return nil
}
