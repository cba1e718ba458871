package discordtest

import (
	"bytes"
	"compress/zlib"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/gorilla/websocket"
)

// A Conn is a connection to the gateway, seen from Discord.
type Conn struct {
	Number  int    // connections are numbered through from 1
	Path    string // "/gateway/", or "/gateway/resume/" for the address that READY gave
	Version string // the v of its address

	s    *Server
	conn *websocket.Conn
	done chan struct{}
	wake chan struct{} // one slot: something is in the queue

	// Guarded by s.mu.
	queue    []outgoing
	session  *session
	ready    bool
	resumed  bool
	absent   bool // nothing that arrives counts
	silent   bool // and nothing is said any more
	deaf     bool // heartbeats get no ACK
	compress bool
	beats    int
	lastBeat time.Time
	code     int // of the close frame that the app sent; 1006 cut
	received []time.Time
}

// outgoing is what a connection does next.
type outgoing struct {
	frame frame
	code  int  // close with this code instead
	cut   bool // cut instead
	hush  bool // fall silent instead
}

// serveGateway upgrades a connection and serves it until it ends.
func (s *Server) serveGateway(w http.ResponseWriter, r *http.Request) {
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := up.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	defer conn.Close()
	c := &Conn{s: s, conn: conn, done: make(chan struct{}), wake: make(chan struct{}, 1), Path: r.URL.Path, Version: r.URL.Query().Get("v")}
	ended := make(chan struct{})
	s.mu.Lock() // the HTTP server does not count a hijacked connection, so we do
	s.spawn(func() { defer close(ended); c.serve(r.URL.Query().Get("encoding")) })
	open := s.ctx.Err() == nil
	s.mu.Unlock()
	if open {
		<-ended
	}
}

// serve serves the connection until it ends.
func (c *Conn) serve(encoding string) {
	if !c.join(encoding) {
		return
	}
	defer c.gone()
	for {
		_, data, err := c.conn.ReadMessage()
		if err != nil {
			c.ended(err)
			return
		}
		c.take(data)
	}
}

// join greets the connection.
func (c *Conn) join(encoding string) bool {
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return false // Close has cut the others already
	}
	s.serial++
	c.Number, c.lastBeat = s.serial, time.Now()
	s.conns = append(s.conns, c)
	s.spawn(c.write)
	s.spawn(c.watch)
	s.changed.ring()
	if t := s.turn("connect"); t != nil && !t.After {
		c.play(t)
		return true
	}
	if c.Version != "9" && c.Version != "10" {
		c.push(outgoing{code: 4012})
	} else if encoding != "json" && encoding != "" {
		c.push(outgoing{code: 4002})
	}
	c.push(outgoing{frame: frame{Op: opHello, Data: obj{"heartbeat_interval": s.o.Times.Heartbeat.Milliseconds(), "_trace": []any{}}}})
	return true
}

// push queues what the connection does next. s.mu is held.
func (c *Conn) push(o outgoing) {
	c.queue = append(c.queue, o)
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// write works through the queue until the connection ends.
func (c *Conn) write() {
	for {
		select {
		case <-c.wake:
		case <-c.done:
			return
		}
		for _, o := range c.pending() {
			c.do(o)
		}
	}
}

func (c *Conn) pending() []outgoing {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	q := c.queue
	c.queue = nil
	return q
}

// do does one thing of the queue. A failed write shows when reading.
func (c *Conn) do(o outgoing) {
	c.s.mu.Lock()
	if o.hush {
		c.silent = true
	}
	silent, compress := c.silent, c.compress
	c.s.mu.Unlock()
	c.conn.SetWriteDeadline(time.Now().Add(writeWait))
	switch {
	case o.cut:
		c.conn.UnderlyingConn().Close()
	case silent:
	case o.code != 0:
		c.conn.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(o.code, closeReasons[o.code]))
		c.conn.SetReadDeadline(time.Now().Add(time.Second))
	default:
		c.send(o.frame, compress)
	}
}

// send writes a frame; a large one is compressed if the app asked for it.
func (c *Conn) send(f frame, compress bool) {
	data, err := json.Marshal(f)
	if err != nil {
		panic(err) // what the tests deliver is JSON
	}
	if !compress || len(data) < compressAbove {
		c.conn.WriteMessage(websocket.TextMessage, data)
		return
	}
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	z.Write(data) // a Buffer takes everything
	z.Close()
	c.conn.WriteMessage(websocket.BinaryMessage, b.Bytes())
}

// closeReasons are Discord's words for its close codes.
var closeReasons = map[int]string{
	4000: "Unknown error.", 4001: "Unknown opcode.", 4002: "Error while decoding payload.", 4003: "Not authenticated.",
	4004: "Authentication failed.", 4005: "Already authenticated.", 4007: "Invalid seq.", 4008: "Rate limited.",
	4009: "Session timed out.", 4010: "Invalid shard.", 4011: "Sharding required.", 4012: "Invalid API version.",
	4013: "Invalid intent(s).", 4014: "Disallowed intent(s).",
}

// ends reports whether a close with this code ends the session too.
func ends(code int) bool {
	return code == websocket.CloseNormalClosure || code == websocket.CloseGoingAway ||
		slices.Contains([]int{4004, 4007, 4009, 4010, 4011, 4012, 4013, 4014}, code)
}

// ended records how the app ended the connection. With 1000 and 1001 the session
// ends too.
func (c *Conn) ended(err error) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.code = websocket.CloseAbnormalClosure
	if e, ok := errors.AsType[*websocket.CloseError](err); ok {
		c.code = e.Code
	}
	if c.session != nil && ends(c.code) {
		delete(c.s.sessions, c.session.id)
	}
}

// gone takes the connection out of service.
func (c *Conn) gone() {
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	c.detach()
	s.conns = slices.DeleteFunc(s.conns, func(o *Conn) bool { return o == c })
	close(c.done)
	s.changed.ring()
}

// detach takes the connection from its session. s.mu is held.
func (c *Conn) detach() {
	if c.session != nil && c.session.conn == c {
		c.session.conn = nil
	}
	c.ready = false
}

// watch closes the connection of an app whose heart has stopped.
func (c *Conn) watch() {
	t := time.NewTicker(c.s.o.Times.Heartbeat)
	defer t.Stop()
	for {
		select {
		case now := <-t.C:
			c.s.mu.Lock()
			if now.Sub(c.lastBeat) > missedInterval*c.s.o.Times.Heartbeat {
				c.end(4009)
			}
			c.s.mu.Unlock()
		case <-c.done:
			return
		}
	}
}

// end closes the connection from our side. s.mu is held.
func (c *Conn) end(code int) {
	if c.session != nil && ends(code) {
		delete(c.s.sessions, c.session.id)
	}
	c.detach()
	c.push(outgoing{code: code})
}
