package slacktest

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"
)

// An Interaction is something that a person did, or an event, on its way to the
// app and back.
type Interaction struct {
	Kind        string // "slash_commands", "interactive", "events_api" or anything else that was delivered
	Payload     any    // as the app gets it; not to be changed
	TriggerID   string // "" for events
	ResponseURL string // "" for events and in views

	s       *Server
	hook    *hook
	accepts bool              // whether an ack may carry an answer
	onAck   func(args) string // applies the answer, s.mu held; what it returns is what the person sees fail
	onFail  func()            // s.mu held

	// Guarded by s.mu.
	deliveries []Delivery
	ack        *Ack
	failed     string
	over       bool // nothing more will be tried
	replies    []*Message
	changed    bell
}

// A Delivery is one attempt to bring an Interaction to the app.
type Delivery struct {
	EnvelopeID string
	Socket     int    // Socket.Number; 0 over HTTP
	Attempt    int    // 0 = the first
	Reason     string // of a redelivery
	At         time.Time
}

// delivery is a Delivery that waits for its ack.
type delivery struct {
	Delivery
	i     *Interaction
	acked chan struct{}
}

// An Ack is the app's acknowledgement.
type Ack struct {
	EnvelopeID string
	Socket     int // Socket.Number; 0 over HTTP
	Payload    json.RawMessage
	Size       int // bytes of the frame, or of the HTTP body
	At         time.Time
	Took       time.Duration // since that delivery
	Attempt    int

	// Ignored says why Slack does not count it: "too large", "unknown
	// envelope", "late" or "other connection". Empty is a good ack.
	Ignored string
}

// Acks returns all acknowledgements, also those that did not count.
func (s *Server) Acks() []Ack {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.acks)
}

// Ack returns the acknowledgement that counted, and whether there is one yet.
func (i *Interaction) Ack() (Ack, bool) {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	if i.ack == nil {
		return Ack{}, false
	}
	return *i.ack, true
}

// WaitAck waits for the acknowledgement that counts.
func (i *Interaction) WaitAck(ctx context.Context) (Ack, error) {
	var a Ack
	err := i.s.wait(ctx, &i.changed, func() (ok bool) {
		a, ok = i.Ack()
		return ok
	})
	return a, err
}

// WaitOver waits until the interaction was acknowledged or given up.
func (i *Interaction) WaitOver(ctx context.Context) error {
	return i.s.wait(ctx, &i.changed, func() bool {
		i.s.mu.Lock()
		defer i.s.mu.Unlock()
		return i.over
	})
}

// Deliveries returns the attempts so far.
func (i *Interaction) Deliveries() []Delivery {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	return slices.Clone(i.deliveries)
}

// Failure returns what the person was shown instead of an answer:
// "operation_timeout" (not acknowledged in time), "dispatch_failed" (no
// connection), "http_service_error", or what is wrong with the answer in the
// ack. It stays, even if a redelivery is acknowledged later.
func (i *Interaction) Failure() string {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	return i.failed
}

// Replies returns the messages that came back in the ack or through the
// response_url, oldest first, as they stand now.
func (i *Interaction) Replies() []Message {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	return standing(i.replies)
}

// WaitReply waits until match is true of one of the replies and returns it; a
// nil match is any.
func (i *Interaction) WaitReply(ctx context.Context, match func(Message) bool) (Message, error) {
	var found Message
	err := i.s.wait(ctx, &i.changed, func() bool {
		for _, m := range slices.Backward(i.Replies()) {
			if match == nil || match(m) {
				found = m
				return true
			}
		}
		return false
	})
	return found, err
}

// Expire makes the trigger id and the response_url too old, at once.
func (i *Interaction) Expire() {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	if t := i.s.triggers[i.TriggerID]; t != nil {
		t.until = time.Time{}
	}
	if i.hook != nil {
		i.hook.until = time.Time{}
	}
}

// launch sends an interaction on its way. s.mu is held.
func (s *Server) launch(i *Interaction) {
	i.s = s
	s.spawn(func() { s.run(i) })
}

// run delivers an interaction until it is acknowledged or given up.
func (s *Server) run(i *Interaction) {
	reason := ""
	for attempt := 0; ; attempt++ {
		failure, again := s.try(i, attempt, reason)
		if failure == "" {
			break
		}
		s.failing(i, failure)
		if !again || attempt == len(s.o.Times.Retry) || !s.sleep(s.o.Times.Retry[attempt]) {
			break
		}
		reason = retryReason(failure)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i.over = true
	i.changed.ring()
	s.changed.ring()
}

// try makes one attempt. It returns what went wrong, if anything, and whether
// Slack tries again.
func (s *Server) try(i *Interaction, attempt int, reason string) (failure string, again bool) {
	s.mu.Lock()
	e := s.endpoints
	s.mu.Unlock()
	if e != nil {
		return s.tryHTTP(e, i, attempt, reason)
	}
	return s.trySocket(i, attempt, reason)
}

// failing records what the person sees.
func (s *Server) failing(i *Interaction, failure string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i.failed == "" {
		i.failed = failure
		if i.onFail != nil {
			i.onFail()
		}
	}
	i.changed.ring()
	s.changed.ring()
}

// acknowledge records an ack and, if it counts, applies the answer in it.
func (s *Server) acknowledge(a Ack, d *delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acks = append(s.acks, a)
	s.changed.ring()
	if a.Ignored != "" {
		return
	}
	i := d.i
	delete(s.waiting, d.EnvelopeID)
	defer close(d.acked)
	if i.ack != nil {
		return
	}
	i.ack = &a
	if i.accepts && i.onAck != nil {
		i.failed = cmp.Or(i.failed, i.onAck(answered(a.Payload)))
	}
	i.changed.ring()
}

// answered reads the answer in an ack. Over HTTP it may be plain text.
func answered(payload json.RawMessage) args {
	answer := args{}
	var words string
	if json.Unmarshal(payload, &words) == nil && words != "" {
		answer["text"] = words
	} else if json.Unmarshal(payload, &answer) != nil {
		return args{}
	}
	return answer
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

func retryReason(failure string) string {
	if failure == "http_service_error" {
		return "http_error"
	}
	if failure == "dispatch_failed" {
		return "connection_failed"
	}
	return "timeout"
}
