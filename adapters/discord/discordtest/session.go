package discordtest

import (
	"encoding/json"
	"slices"
	"time"
)

// take looks at a frame from the app.
func (c *Conn) take(data []byte) {
	var f struct {
		Op   *int            `json:"op"`
		Data json.RawMessage `json:"d"`
	}
	bad := json.Unmarshal(data, &f) != nil || f.Op == nil || len(data) > maxFrame
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.changed.ring()
	switch {
	case c.absent:
	case c.tooFast():
		c.end(4008)
	case bad:
		c.end(4002)
	default:
		c.handle(*f.Op, f.Data)
	}
}

// tooFast counts what the app sends.
func (c *Conn) tooFast() bool {
	now := time.Now()
	c.received = slices.DeleteFunc(c.received, func(t time.Time) bool { return now.Sub(t) >= time.Minute })
	c.received = append(c.received, now)
	return len(c.received) > framesPerMin
}

func (c *Conn) handle(op int, data json.RawMessage) {
	switch op {
	case opHeartbeat:
		c.beats++
		c.lastBeat = time.Now()
		if !c.deaf {
			c.push(outgoing{frame: frame{Op: opAck}})
		}
	case opIdentify:
		c.identify(data)
	case opResume:
		c.resume(data)
	case opPresence, opVoice, opMembers:
		if !c.ready {
			c.end(4003)
		}
	default:
		c.end(4001)
	}
}

// identify starts a session. It counts, also when it is refused.
func (c *Conn) identify(data json.RawMessage) {
	var d struct {
		Token      string
		Intents    *int
		Compress   bool
		Shard      []int
		Properties map[string]any
	}
	s := c.s
	now := time.Now()
	s.nextDay(now)
	s.identifies++
	s.remaining--
	bad := json.Unmarshal(data, &d) != nil || d.Intents == nil || d.Properties == nil
	early := s.o.RateLimits && now.Sub(s.lastIdent) < s.o.Times.Identify
	s.lastIdent = now
	switch {
	case s.remaining < 0:
		s.revoke() // Discord resets the token
	case bad:
		c.end(4002)
	case c.ready:
		c.end(4005)
	case s.revoked || d.Token != s.o.BotToken && d.Token != "Bot "+s.o.BotToken:
		c.end(4004)
	case len(d.Shard) > 0 && (len(d.Shard) != 2 || d.Shard[0] < 0 || d.Shard[0] >= d.Shard[1]):
		c.end(4010)
	case s.o.Sharding && len(d.Shard) == 0:
		c.end(4011)
	case *d.Intents&^allIntents != 0:
		c.end(4013)
	case *d.Intents&privileged&^s.o.Privileged != 0:
		c.end(4014)
	case early:
		c.invalidate(false)
	default:
		c.compress = d.Compress
		c.start(*d.Intents, s.turn("identify"))
	}
}

// start tells READY, and the guilds, unless the test has something else in mind.
func (c *Conn) start(intents int, t *Turn) {
	if t != nil && !t.After {
		c.play(t)
		return
	}
	s := c.s
	ses := &session{id: "session-" + s.id(), intents: intents, conn: c}
	s.sessions[ses.id] = ses
	c.session, c.ready = ses, true
	guilds := []any{}
	for _, g := range s.visibleGuilds() {
		guilds = append(guilds, obj{"id": g.ID, "unavailable": true})
	}
	me := s.users[s.o.AppID].json()
	me["mfa_enabled"], me["locale"], me["verified"], me["email"] = false, "en-US", true, nil
	c.tell("READY", obj{"v": c.version(), "user": me, "guilds": guilds, "session_id": ses.id,
		"resume_gateway_url": s.gatewayURL() + "/resume", "application": obj{"id": s.o.AppID, "flags": 0, "flags_new": "0"}, "shard": []any{0, 1}})
	for _, g := range s.visibleGuilds() {
		if intents&intentGuilds != 0 && !g.out {
			c.tell("GUILD_CREATE", s.guildCreate(g))
		}
	}
	if t != nil {
		c.play(t)
	}
}

// version is the version of the API that the connection speaks.
func (c *Conn) version() int {
	if c.Version == "10" {
		return 10
	}
	return 9
}

// tell sends an event of the session. s.mu is held.
func (c *Conn) tell(kind string, data any) {
	raw, err := json.Marshal(data) // now: what it shows may change
	if err != nil {
		panic(err)
	}
	c.push(outgoing{frame: c.session.event(kind, json.RawMessage(raw))})
}

// resume goes on with a session: what was missed, then RESUMED.
func (c *Conn) resume(data json.RawMessage) {
	var d struct {
		Token   string
		Session string `json:"session_id"`
		Seq     *int
	}
	s := c.s
	s.resumes++
	bad := json.Unmarshal(data, &d) != nil || d.Seq == nil
	ses := s.sessions[d.Session]
	switch {
	case bad:
		c.end(4002)
	case c.ready:
		c.end(4005)
	case s.revoked || d.Token != s.o.BotToken && d.Token != "Bot "+s.o.BotToken:
		c.end(4004)
	case ses == nil:
		c.invalidate(false)
	case *d.Seq > ses.seq || *d.Seq < 0:
		c.session = ses
		c.end(4007)
	default:
		c.goOn(ses, *d.Seq, s.turn("resume"))
	}
}

func (c *Conn) goOn(ses *session, seq int, t *Turn) {
	if t != nil && !t.After {
		c.session = ses
		c.play(t)
		return
	}
	if ses.conn != nil {
		ses.conn.push(outgoing{cut: true}) // the app has left it
		ses.conn.ready = false
	}
	ses.conn, c.session, c.ready, c.resumed = c, ses, true, true
	for _, f := range ses.events {
		if *f.Seq > seq {
			c.push(outgoing{frame: f})
		}
	}
	c.tell("RESUMED", obj{"_trace": []any{}})
	ses.events = ses.events[:len(ses.events)-1] // is not said again
	if t != nil {
		c.play(t)
	}
}

// invalidate tells that the session is invalid. The connection may be used to
// identify, or to resume if that is said to be possible. s.mu is held.
func (c *Conn) invalidate(resumable bool) {
	c.detach()
	if !resumable && c.session != nil {
		delete(c.s.sessions, c.session.id)
		c.session = nil
	}
	c.push(outgoing{frame: frame{Op: opInvalid, Data: resumable}})
}
