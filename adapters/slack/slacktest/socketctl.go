package slacktest

import "time"

// Disconnect sends a disconnect frame. After a "warning" the connection works
// on for [Times.Warning] and is then closed; after any other reason, such as
// "refresh_requested", it is closed at once.
func (c *Socket) Disconnect(reason string) {
	c.write(disconnect(reason))
	if reason != "warning" {
		c.bye()
		return
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.s.spawn(func() {
		select {
		case <-time.After(c.s.o.Times.Warning):
			c.bye()
		case <-c.done:
		}
	})
}

// Silence makes the connection go quiet for ever, as a half-dead one does:
// nothing more is sent, not even a pong, and nothing that arrives counts. Slack
// does not know, and goes on to deliver into it.
func (c *Socket) Silence() {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.silent = true
}

// Cut ends the connection without a closing handshake.
func (c *Socket) Cut() { c.conn.UnderlyingConn().Close() }

// Send writes any frame, such as one that Slack would not send.
func (c *Socket) Send(frame any) { c.write(frame) }

// Pongs returns how many of the server's pings were answered.
func (c *Socket) Pongs() int {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.pongs
}

// Closed reports whether the connection has ended, and with which code: that of
// the app's close frame, or 1006 if there was none.
func (c *Socket) Closed() (code int, closed bool) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.code, c.code != 0
}

// trySocket delivers an interaction to one of the open connections and waits for
// the ack.
func (s *Server) trySocket(i *Interaction, attempt int, reason string) (failure string, again bool) {
	c, d := s.assign(i, attempt, reason)
	if c == nil {
		return "dispatch_failed", i.Kind == "events_api"
	}
	envelope := obj{"envelope_id": d.EnvelopeID, "type": i.Kind, "payload": i.Payload, "accepts_response_payload": i.accepts}
	if attempt > 0 || i.Kind == "events_api" {
		envelope["retry_attempt"], envelope["retry_reason"] = attempt, reason
	}
	c.write(envelope)
	select {
	case <-d.acked:
		return "", false
	case <-time.After(s.o.Times.Ack):
	case <-s.ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if i.ack != nil { // it came in this moment
		return "", false
	}
	return "operation_timeout", s.ctx.Err() == nil
}

// assign picks a connection, in turn, and expects the ack on it.
func (s *Server) assign(i *Interaction, attempt int, reason string) (*Socket, *delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range s.sockets {
		c := s.sockets[s.turn%len(s.sockets)]
		s.turn++
		if c.closing {
			continue
		}
		d := &delivery{i: i, acked: make(chan struct{})}
		d.Delivery = Delivery{EnvelopeID: s.id("envelope-"), Socket: c.Number, Attempt: attempt, Reason: reason, At: time.Now()}
		i.deliveries = append(i.deliveries, d.Delivery)
		s.waiting[d.EnvelopeID] = d
		i.changed.ring()
		return c, d
	}
	return nil, nil
}
