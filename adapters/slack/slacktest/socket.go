package slacktest

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const (
	maxSockets  = 10     // per app
	maxAckFrame = 20_480 // frames of this many bytes or more are dropped without a word
)

// connectionsOpen is apps.connections.open.
func (s *Server) connectionsOpen(args) (obj, *failure) {
	ticket := s.id("ticket")
	s.tickets[ticket] = true
	return obj{"url": "ws://" + s.host + "/link/?ticket=" + ticket + "&app_id=" + s.o.AppID}, nil
}

// A Socket is a Socket Mode connection, seen from Slack.
type Socket struct {
	Number int // connections are numbered through from 1

	s       *Server
	conn    *websocket.Conn
	writing sync.Mutex // one writer at a time
	done    chan struct{}

	// Guarded by s.mu.
	silent  bool
	closing bool // gets no more deliveries
	pongs   int
	code    int // of the close frame that the app sent; 0 none, 1006 cut
}

// Sockets returns the open connections, oldest first.
func (s *Server) Sockets() []*Socket {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sockets)
}

// WaitSockets waits until exactly n connections are open and have been greeted.
func (s *Server) WaitSockets(ctx context.Context, n int) ([]*Socket, error) {
	err := s.Wait(ctx, func() bool { return len(s.Sockets()) == n })
	return s.Sockets(), err
}

// RefuseSockets lets every new connection get a disconnect with this reason
// instead of a hello, such as "link_disabled". An empty reason ends that.
func (s *Server) RefuseSockets(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusal = reason
}

// serveSocket upgrades a connection and serves it until it ends.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	if !s.redeem(r.URL.Query().Get("ticket")) {
		http.Error(w, "this address was used before, or never given out", http.StatusBadRequest)
		return
	}
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := up.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	defer conn.Close()
	c := &Socket{s: s, conn: conn, done: make(chan struct{})}
	ended := make(chan struct{})
	s.mu.Lock() // the HTTP server does not count a hijacked connection, so we do
	s.spawn(func() { defer close(ended); c.serve() })
	open := s.ctx.Err() == nil
	s.mu.Unlock()
	if open {
		<-ended
	}
}

func (s *Server) redeem(ticket string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	ok := s.tickets[ticket]
	delete(s.tickets, ticket)
	return ok
}

// serve serves the connection until it ends.
func (c *Socket) serve() {
	s := c.s
	c.conn.SetPingHandler(c.pinged)
	c.conn.SetPongHandler(c.ponged)
	c.writing.Lock() // until the hello is out, deliveries to this connection wait
	n, refusal := c.join()
	if refusal != "" {
		c.put(disconnect(refusal))
		c.writing.Unlock()
		c.bye()
		c.conn.ReadMessage() // the peer's close, or the deadline
		return
	}
	c.put(obj{"type": "hello", "num_connections": n, "connection_info": obj{"app_id": s.o.AppID},
		"debug_info": obj{"host": "applink-1", "build_number": 1, "approximate_connection_time": 18060}})
	c.writing.Unlock()
	c.read()
}

// join puts the connection into service and returns how many there are now, or
// why not.
func (c *Socket) join() (n int, refusal string) {
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serial++
	c.Number = s.serial
	switch {
	case s.ctx.Err() != nil:
		return 0, "refresh_requested" // Close has cut the others already
	case s.refusal != "":
		return 0, s.refusal
	case len(s.sockets) >= maxSockets:
		return 0, "too_many_websockets"
	}
	s.sockets = append(s.sockets, c)
	s.spawn(c.ping)
	s.changed.ring()
	return len(s.sockets), ""
}

// read takes acks until the connection ends.
func (c *Socket) read() {
	defer c.gone()
	for {
		_, frame, err := c.conn.ReadMessage()
		if err != nil {
			c.s.mu.Lock()
			c.code = websocket.CloseAbnormalClosure
			if e, ok := err.(*websocket.CloseError); ok {
				c.code = e.Code
			}
			c.s.mu.Unlock()
			return
		}
		c.ack(frame)
	}
}

// ack looks at a frame from the app.
func (c *Socket) ack(frame []byte) {
	now := time.Now()
	var f struct {
		EnvelopeID string          `json:"envelope_id"`
		Payload    json.RawMessage `json:"payload"`
	}
	bad := json.Unmarshal(frame, &f) != nil
	s := c.s
	s.mu.Lock()
	d, silent := s.waiting[f.EnvelopeID], c.silent
	s.mu.Unlock()
	if silent {
		return
	}
	a := Ack{EnvelopeID: f.EnvelopeID, Socket: c.Number, Payload: f.Payload, Size: len(frame), At: now}
	switch {
	case len(frame) >= maxAckFrame:
		a.Ignored = "too large"
	case bad || d == nil:
		a.Ignored = "unknown envelope"
	default:
		a.Took, a.Attempt = now.Sub(d.At), d.Attempt
		switch {
		case a.Took > s.o.Times.Ack:
			a.Ignored = "late"
		case d.Socket != c.Number:
			a.Ignored = "other connection"
		}
	}
	s.acknowledge(a, d)
}

// gone takes the connection out of service.
func (c *Socket) gone() {
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sockets = slices.DeleteFunc(s.sockets, func(o *Socket) bool { return o == c })
	c.closing = true
	close(c.done)
	s.changed.ring()
}

// ping pings until the connection ends.
func (c *Socket) ping() {
	t := time.NewTicker(c.s.o.Times.Ping)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			c.control(websocket.PingMessage, []byte("Ping from applink-1"))
		case <-c.done:
			return
		}
	}
}

func (c *Socket) pinged(data string) error {
	c.control(websocket.PongMessage, []byte(data))
	return nil
}

func (c *Socket) ponged(string) error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.pongs++
	c.s.changed.ring()
	return nil
}

// control writes a control frame, unless the connection is silent. A failed
// write shows when reading.
func (c *Socket) control(kind int, data []byte) {
	if !c.isSilent() {
		c.conn.WriteControl(kind, data, time.Now().Add(writeWait))
	}
}

const writeWait = 5 * time.Second

// write writes a frame, unless the connection is silent. A failed write shows
// when reading.
func (c *Socket) write(v any) {
	if c.isSilent() {
		return
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	c.put(v)
}

// put is write for those who hold c.writing.
func (c *Socket) put(v any) {
	c.conn.SetWriteDeadline(time.Now().Add(writeWait))
	c.conn.WriteJSON(v)
}

func (c *Socket) isSilent() bool {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.silent
}

// bye starts the closing handshake and gives the peer a second to finish it.
func (c *Socket) bye() {
	c.s.mu.Lock()
	c.closing = true
	c.s.mu.Unlock()
	c.control(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""))
	c.conn.SetReadDeadline(time.Now().Add(time.Second))
}

func disconnect(reason string) obj {
	return obj{"type": "disconnect", "reason": reason, "debug_info": obj{"host": "applink-1"}}
}
