package discordtest

import (
	"maps"
	"slices"
	"time"
)

// A Turn is what the gateway does instead of its usual answer, or after it. Set
// one of Op, Code, Cut and Silent:
//
//	Turn{Op: 7}                 asks to reconnect, as the first packet
//	Turn{Op: 9}                 invalid session; with Resumable, try again
//	Turn{Code: 4004}            closes with a code
//	Turn{Cut: true}             cuts the connection
//	Turn{Silent: true}          says nothing more, for ever; nothing that arrives counts
//	Turn{Silent: true, After: true}  answers as usual, and then falls silent
type Turn struct {
	Op        int
	Resumable bool
	Code      int
	Cut       bool
	Silent    bool
	After     bool

	when string
	left int
}

// OnConnect lets the next n connections be met with t instead of a hello; n < 0
// means all.
func (s *Server) OnConnect(t Turn, n int) { s.plan("connect", t, n) }

// OnIdentify lets the next n good IDENTIFYs be answered with t instead of READY.
func (s *Server) OnIdentify(t Turn, n int) { s.plan("identify", t, n) }

// OnResume lets the next n good RESUMEs be answered with t instead of RESUMED.
func (s *Server) OnResume(t Turn, n int) { s.plan("resume", t, n) }

func (s *Server) plan(when string, t Turn, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t.when, t.left = when, n
	s.turns = append(s.turns, &t)
}

// Calm takes all turns back.
func (s *Server) Calm() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turns = nil
}

// turn returns what is planned for now, nil if nothing is. s.mu is held.
func (s *Server) turn(when string) *Turn {
	for _, t := range s.turns {
		if t.when == when && t.left != 0 {
			t.left--
			return t
		}
	}
	return nil
}

// play does what a turn says. s.mu is held.
func (c *Conn) play(t *Turn) {
	switch {
	case t.Op == opReconnect:
		c.push(outgoing{frame: frame{Op: opReconnect}})
	case t.Op == opInvalid:
		c.invalidate(t.Resumable)
	case t.Code != 0:
		c.end(t.Code)
	case t.Cut:
		c.push(outgoing{cut: true})
	case t.Silent:
		c.absent = true
		c.push(outgoing{hush: true})
	}
}

// Reconnect asks the app to reconnect and resume (opcode 7).
func (c *Conn) Reconnect() { c.turn(Turn{Op: opReconnect}) }

// Invalidate tells the app that its session is invalid (opcode 9).
func (c *Conn) Invalidate(resumable bool) { c.turn(Turn{Op: opInvalid, Resumable: resumable}) }

// Close closes the connection with a code of Discord's, such as 4000, or any
// other. The codes after which no RESUME works end the session.
func (c *Conn) Close(code int) { c.turn(Turn{Code: code}) }

// Cut ends the connection without a closing handshake. The session stays.
func (c *Conn) Cut() { c.conn.UnderlyingConn().Close() }

// Silence makes the connection go quiet for ever, as a half-dead one does:
// nothing more is sent, not even an ACK, and nothing that arrives counts.
// Discord does not know, and goes on to deliver into it.
func (c *Conn) Silence() { c.turn(Turn{Silent: true}) }

// Deafen makes heartbeats go without ACK, and the rest work on.
func (c *Conn) Deafen() {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.deaf = true
}

// AskHeartbeat asks the app for a heartbeat at once (opcode 1).
func (c *Conn) AskHeartbeat() { c.Send(obj{"op": opHeartbeat, "d": nil}) }

// Send writes any frame, such as one that Discord would not send: op, d, s, t.
func (c *Conn) Send(f map[string]any) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	op, _ := integer(f["op"])
	out := frame{Op: op, Data: f["d"]}
	if t, ok := f["t"].(string); ok {
		out.Type = &t
	}
	if n, ok := integer(f["s"]); ok {
		out.Seq = &n
	}
	c.push(outgoing{frame: out})
}

func (c *Conn) turn(t Turn) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.play(&t)
}

// Heartbeats returns how many the app sent on this connection, and when the last
// one came.
func (c *Conn) Heartbeats() (n int, last time.Time) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.beats, c.lastBeat
}

// Resumed reports whether the connection goes on with an earlier session.
func (c *Conn) Resumed() bool {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.resumed
}

// Closed reports whether the connection has ended, and with which code: that of
// the app's close frame, or 1006 if there was none.
func (c *Conn) Closed() (code int, closed bool) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.code, c.code != 0
}

// Event sends an event to the sessions that are connected, and to the others
// when they resume.
func (s *Server) Event(kind string, data any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broadcast(0, kind, data)
}

// Sessions returns the ids of the sessions that may be resumed, connected or not,
// sorted.
func (s *Server) Sessions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.sessions))
}

// EndSessions forgets all sessions, as after a long absence: a RESUME is answered
// with opcode 9. Open connections are cut.
func (s *Server) EndSessions() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.sessions)
	for _, c := range s.conns {
		c.detach()
		c.push(outgoing{cut: true})
	}
}
