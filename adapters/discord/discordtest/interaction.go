package discordtest

import (
	"context"
	"slices"
	"time"
)

// Kinds of interactions.
const (
	KindPing         = 1
	KindCommand      = 2
	KindComponent    = 3
	KindAutocomplete = 4
	KindSubmit       = 5
)

// Kinds of first answers.
const (
	AnswerPong           = 1
	AnswerMessage        = 4
	AnswerDeferred       = 5 // a message will come
	AnswerDeferredUpdate = 6 // the message will be edited
	AnswerUpdate         = 7
	AnswerChoices        = 8
	AnswerModal          = 9
)

// An Interaction is something that a person did, on its way to the app and back.
type Interaction struct {
	ID      string
	Token   string
	Kind    int
	User    string
	Channel string
	Payload map[string]any // as the app gets it; not to be changed

	s        *Server
	command  string   // its name, for a command
	message  *Message // what the component stands in; nil for a command
	option   int      // kind of the focused option
	at       time.Time
	until    time.Time // life of the token
	onSubmit func()    // closes the modal; s.mu held

	// Guarded by s.mu.
	ack      *Ack
	failed   string
	refused  []string // answers that were not taken, and why
	over     bool
	original *Message
	replies  []*Message
	choices  []Choice
	modal    *Modal
}

// An Ack is the first answer to an interaction.
type Ack struct {
	Type  int // AnswerMessage and so on
	Flags int // FlagEphemeral or 0
	At    time.Time
	Took  time.Duration
	HTTP  bool // it came as the answer to a signed request
}

// A Choice is a suggestion for an option.
type Choice struct {
	Name  string
	Value any
}

// Interactions returns all interactions, oldest first.
func (s *Server) Interactions() []*Interaction {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// Acks returns the first answers to all interactions, in the order they came.
func (s *Server) Acks() []Ack {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.acks)
}

// Ack returns the first answer, and whether there is one yet.
func (i *Interaction) Ack() (Ack, bool) {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	if i.ack == nil {
		return Ack{}, false
	}
	return *i.ack, true
}

// WaitAck waits for the first answer.
func (i *Interaction) WaitAck(ctx context.Context) (Ack, error) {
	var a Ack
	err := i.s.Wait(ctx, func() (ok bool) {
		a, ok = i.Ack()
		return ok
	})
	return a, err
}

// WaitOver waits until the interaction was answered or given up.
func (i *Interaction) WaitOver(ctx context.Context) error {
	return i.s.Wait(ctx, func() bool {
		i.s.mu.Lock()
		defer i.s.mu.Unlock()
		return i.over
	})
}

// Failure returns what the person was shown instead of an answer: "The
// application did not respond", "This interaction failed", "Something went
// wrong. Try again." of a modal, or "". It stays.
func (i *Interaction) Failure() string {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	return i.failed
}

// Refused returns why answers in the body of an HTTP response were not taken.
func (i *Interaction) Refused() []string {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	return slices.Clone(i.refused)
}

// Replies returns the messages that answered, oldest first, as they stand now:
// the first answer, or the message that a component stands in once it was
// updated, and follow-ups. Those that were deleted are left out, and so are
// placeholders.
func (i *Interaction) Replies() []Message {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	var all []Message
	for _, m := range i.replies {
		if !m.Deleted && m.Flags&FlagLoading == 0 {
			all = append(all, m.copy())
		}
	}
	return all
}

// WaitReply waits until match is true of one of the replies and returns it; a
// nil match is any.
func (i *Interaction) WaitReply(ctx context.Context, match func(Message) bool) (Message, error) {
	var found Message
	err := i.s.Wait(ctx, func() bool {
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

// WaitChoices waits for the answer to an autocomplete interaction.
func (i *Interaction) WaitChoices(ctx context.Context) ([]Choice, error) {
	_, err := i.WaitAck(ctx)
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	return slices.Clone(i.choices), err
}

// WaitModal waits for a modal as the answer.
func (i *Interaction) WaitModal(ctx context.Context) (Modal, error) {
	var found Modal
	err := i.s.Wait(ctx, func() bool {
		i.s.mu.Lock()
		defer i.s.mu.Unlock()
		if i.modal != nil {
			found = *i.modal
		}
		return i.modal != nil
	})
	return found, err
}

// At returns when the person did it.
func (i *Interaction) At() time.Time { return i.at }

// Expire makes the token too old, at once.
func (i *Interaction) Expire() {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	i.until = time.Time{}
}

// replied adds a message to what came back, once. s.mu is held.
func (i *Interaction) replied(m *Message) {
	if !slices.Contains(i.replies, m) {
		i.replies = append(i.replies, m)
	}
	i.s.changed.ring()
}

// launch sends an interaction on its way. s.mu is held.
func (s *Server) launch(i *Interaction) {
	s.interactions[i.Token] = i
	s.asked = append(s.asked, i)
	s.changed.ring()
	i.at = time.Now()
	i.until = i.at.Add(s.o.Times.Token)
	if url := s.endpoint; url != "" {
		s.spawn(func() { s.deliver(i, url) })
	} else if !s.broadcast(0, "INTERACTION_CREATE", i.Payload) {
		i.fail()
		return
	}
	s.spawn(func() {
		if s.sleep(s.o.Times.Ack) {
			s.mu.Lock()
			defer s.mu.Unlock()
			i.fail()
		}
	})
}

// fail gives the interaction up unless it was answered. s.mu is held.
func (i *Interaction) fail() {
	if i.ack == nil && i.failed == "" {
		switch i.Kind {
		case KindCommand:
			i.failed = "The application did not respond"
		case KindSubmit:
			i.failed = "Something went wrong. Try again."
		default:
			i.failed = "This interaction failed"
		}
	}
	i.over = true
	i.s.changed.ring()
}

// Redeliver brings an interaction to the app once more, with the same id and
// token.
func (s *Server) Redeliver(i *Interaction) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if url := s.endpoint; url != "" {
		s.spawn(func() { s.deliver(i, url) })
		return
	}
	s.broadcast(0, "INTERACTION_CREATE", i.Payload)
}

// sign adds to a message what tells that an interaction made it.
func (i *Interaction) sign(o obj) {
	o["webhook_id"], o["application_id"] = i.s.o.AppID, i.s.o.AppID
	meta := obj{"id": i.ID, "type": i.Kind, "user": i.s.users[i.User].json(), "authorizing_integration_owners": i.Payload["authorizing_integration_owners"]}
	if i.Kind == KindCommand {
		o["type"] = 20
		o["interaction"] = obj{"id": i.ID, "type": i.Kind, "name": i.command, "user": i.s.users[i.User].json()}
	}
	if i.Kind == KindComponent && i.message != nil {
		meta["interacted_message_id"] = i.message.ID
	}
	o["interaction_metadata"] = meta
}
