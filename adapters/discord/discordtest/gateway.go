package discordtest

import (
	"context"
	"encoding/json"
	"slices"
	"time"
)

// Opcodes of the gateway.
const (
	opDispatch  = 0
	opHeartbeat = 1
	opIdentify  = 2
	opPresence  = 3
	opVoice     = 4
	opResume    = 6
	opReconnect = 7
	opMembers   = 8
	opInvalid   = 9
	opHello     = 10
	opAck       = 11
)

const (
	intentGuilds         = 1 << 0
	intentGuildMessages  = 1 << 9
	intentDirectMessages = 1 << 12
	privileged           = 1<<1 | 1<<8 | 1<<15
	allIntents           = 1<<26 - 1

	maxIdentifies  = 1000
	maxFrame       = 4096 // bytes that an app may send at once
	framesPerMin   = 120
	compressAbove  = 512
	writeWait      = 5 * time.Second
	missedInterval = 2 // heartbeat intervals after which a silent app is cut off
)

func messageIntent(c *Channel) int {
	if c.With != "" {
		return intentDirectMessages
	}
	return intentGuildMessages
}

// gateway is the state of the gateway.
type gateway struct {
	sessions   map[string]*session
	conns      []*Conn // open ones
	serial     int
	remaining  int       // sessions that may still be started
	resets     time.Time // when the number starts again
	identifies int
	resumes    int
	lastIdent  time.Time
	turns      []*Turn
}

// A session outlives its connections.
type session struct {
	id      string
	intents int
	seq     int
	events  []frame // all of them, to be replayed
	conn    *Conn   // nil while there is none
}

// A frame is what goes over a connection.
type frame struct {
	Op   int     `json:"op"`
	Data any     `json:"d"`
	Seq  *int    `json:"s"`
	Type *string `json:"t"`
}

// Conns returns the open connections, oldest first.
func (s *Server) Conns() []*Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.conns)
}

// Ready returns the connections that have a session, oldest first.
func (s *Server) Ready() []*Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.conns), func(c *Conn) bool { return !c.ready })
}

// WaitReady waits until a connection newer than the one with the number after,
// 0 for any, has been told READY or RESUMED, and returns it.
func (s *Server) WaitReady(ctx context.Context, after int) (*Conn, error) {
	var found *Conn
	err := s.Wait(ctx, func() bool {
		for _, c := range s.Ready() {
			if c.Number > after {
				found = c
			}
		}
		return found != nil
	})
	return found, err
}

// Identifies returns how many IDENTIFYs there were, refused ones too.
func (s *Server) Identifies() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.identifies
}

// Resumes returns how many RESUMEs there were, refused ones too.
func (s *Server) Resumes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.resumes
}

// Connections returns how many connections there ever were.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.serial
}

// SetRemaining sets how many sessions may still be started today.
func (s *Server) SetRemaining(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remaining = n
}

func (s *Server) gatewayURL() string { return "ws://" + s.host + "/gateway" }

func (s *Server) getGateway(*request) (any, *failure) {
	return obj{"url": s.gatewayURL()}, nil
}

func (s *Server) getGatewayBot(q *request) (any, *failure) {
	s.nextDay(q.at)
	limit := obj{"total": maxIdentifies, "remaining": max(0, s.remaining), "reset_after": s.resets.Sub(q.at).Milliseconds(), "max_concurrency": 1}
	shards := 1
	if s.o.Sharding {
		shards = 4
	}
	return obj{"url": s.gatewayURL(), "shards": shards, "session_start_limit": limit}, nil
}

// nextDay starts the count of sessions again when it is time. s.mu is held.
func (s *Server) nextDay(now time.Time) {
	if !now.Before(s.resets) {
		s.remaining, s.resets = maxIdentifies, now.Add(24*time.Hour)
	}
}

// broadcast sends an event to the sessions that have the intent; 0 needs none.
// Those without a connection get it when they resume. It reports whether there
// was a session. s.mu is held.
func (s *Server) broadcast(intent int, kind string, data any) bool {
	taken := false
	raw, err := json.Marshal(data) // now: what it shows may change
	if err != nil {
		panic(err)
	}
	for _, ses := range s.sessions {
		if intent != 0 && ses.intents&intent == 0 {
			continue
		}
		f := ses.event(kind, json.RawMessage(raw))
		if ses.conn != nil {
			ses.conn.push(outgoing{frame: f})
		}
		taken = true
	}
	return taken
}

// event numbers an event and keeps it. s.mu is held.
func (ses *session) event(kind string, data any) frame {
	ses.seq++
	seq := ses.seq
	f := frame{Op: opDispatch, Data: data, Seq: &seq, Type: &kind}
	ses.events = append(ses.events, f)
	return f
}
