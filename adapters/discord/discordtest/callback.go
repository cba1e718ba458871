package discordtest

import "slices"

// interactionOf returns the interaction whose first answer a call is.
func (s *Server) interactionOf(q *request) (*Interaction, *failure) {
	i := s.interactions[q.params["token"]]
	switch {
	case i == nil || i.ID != q.params["interaction"]:
		return nil, fail(10062)
	case i.ack != nil:
		return nil, fail(40060)
	case s.channels[i.Channel] == nil:
		return nil, fail(10003)
	case i.over, q.at.After(i.until):
		return nil, fail(10062)
	}
	return i, nil
}

// callback is the first answer to an interaction.
func (s *Server) callback(q *request) (any, *failure) {
	i, f := s.interactionOf(q)
	if f != nil {
		return nil, f
	}
	if f := s.respond(i, q, false); f != nil {
		return nil, f
	}
	if q.query.Get("with_response") != "true" {
		return nil, nil
	}
	return i.callbackJSON(), nil
}

// callbackJSON is the answer with with_response. s.mu is held.
func (i *Interaction) callbackJSON() obj {
	about := obj{"id": i.ID, "type": i.Kind}
	o := obj{"interaction": about}
	resource := obj{"type": AnswerMessage} // of a deferred one, too
	if i.ack.Type == AnswerUpdate {
		resource["type"] = AnswerUpdate
	}
	if m := i.original; m != nil && i.ack.Type != AnswerDeferredUpdate {
		about["response_message_id"], about["response_message_loading"] = m.ID, m.Flags&FlagLoading != 0
		about["response_message_ephemeral"] = m.For != ""
		resource["message"] = m.json()
	}
	if i.ack.Type != AnswerDeferredUpdate && i.ack.Type != AnswerModal {
		o["resource"] = resource
	}
	return o
}

// answers says which first answers fit which interaction.
func (i *Interaction) answers() []int {
	switch i.Kind {
	case KindCommand:
		return []int{AnswerMessage, AnswerDeferred, AnswerModal}
	case KindComponent:
		return []int{AnswerMessage, AnswerDeferred, AnswerDeferredUpdate, AnswerUpdate, AnswerModal}
	case KindAutocomplete:
		return []int{AnswerChoices}
	case KindSubmit:
		if i.message != nil {
			return []int{AnswerMessage, AnswerDeferred, AnswerDeferredUpdate, AnswerUpdate}
		}
		return []int{AnswerMessage, AnswerDeferred}
	}
	return []int{AnswerMessage, AnswerDeferred, AnswerDeferredUpdate, AnswerUpdate, AnswerChoices, AnswerModal}
}

// respond does what a first answer says. s.mu is held.
func (s *Server) respond(i *Interaction, q *request, http bool) *failure {
	body, f := q.object()
	if f != nil {
		return f
	}
	var form form
	kind, _ := integer(body["type"])
	data, _ := body["data"].(obj)
	form.at().known(body, []string{"type", "data"})
	if !slices.Contains(i.answers(), kind) {
		form.at("type").wrong("BASE_TYPE_CHOICES", "Value must be one of %v.", i.answers())
		return form.failure()
	}
	ack := &Ack{Type: kind, At: q.at, Took: q.at.Sub(i.at), HTTP: http}
	switch kind {
	case AnswerMessage:
		f = s.answerMessage(i, q, data, ack, &form)
	case AnswerDeferred:
		f = s.answerDeferred(i, data, ack, &form)
	case AnswerDeferredUpdate:
		i.original = i.message
	case AnswerUpdate:
		f = s.answerUpdate(i, q, data, &form)
	case AnswerChoices:
		f = s.answerChoices(i, data, &form)
	case AnswerModal:
		f = s.answerModal(i, data, &form)
	}
	if f == nil {
		i.acked(ack)
	}
	return f
}

// acked records the first answer. s.mu is held.
func (i *Interaction) acked(a *Ack) {
	i.ack, i.over = a, true
	i.s.acks = append(i.s.acks, *a)
	if i.onSubmit != nil {
		i.onSubmit()
	}
	i.s.changed.ring()
}

// hidden returns who alone sees an answer with these flags, "" for everyone.
func (i *Interaction) hidden(flags int) string {
	if flags&FlagEphemeral != 0 {
		return i.User
	}
	return ""
}

func (s *Server) answerMessage(i *Interaction, q *request, data obj, ack *Ack, form *form) *failure {
	d := s.draft(writing{place: form.at("data"), body: data, request: q, webhook: true, flags: webhookFlags})
	if f := form.failure(); f != nil {
		return f
	}
	if d.empty(nil) {
		return fail(50006)
	}
	ack.Flags = d.flags & FlagEphemeral
	i.original = i.say(d)
	return nil
}

const webhookFlags = FlagSuppressEmbeds | FlagEphemeral | FlagSilent | FlagV2

// say posts a message that answers the interaction. s.mu is held.
func (i *Interaction) say(d *draft) *Message {
	c := i.s.channels[i.Channel]
	if d.mentions == nil { // here the default is people only
		d.mentions = &mentions{parse: []string{"users"}}
	}
	d.asked = i
	m := i.s.post(c, i.hidden(d.flags), d)
	i.replied(m)
	return m
}

// answerDeferred shows a placeholder. Of the flags only ephemeral counts, and it
// stays.
func (s *Server) answerDeferred(i *Interaction, data obj, ack *Ack, form *form) *failure {
	n, ok := integer(data["flags"])
	if !ok && data["flags"] != nil {
		form.at("data", "flags").wrong("NUMBER_TYPE_COERCE", "Value is not int.")
		return form.failure()
	}
	ack.Flags = n & FlagEphemeral
	m := i.say(&draft{body: obj{}, flags: FlagLoading | ack.Flags})
	i.original = m
	return nil
}

func (s *Server) answerUpdate(i *Interaction, q *request, data obj, form *form) *failure {
	if i.message == nil || i.message.Deleted {
		return fail(10008)
	}
	d := s.draft(writing{place: form.at("data"), body: data, request: q, flags: FlagSuppressEmbeds | FlagV2, before: i.message, webhook: true})
	if f := form.failure(); f != nil {
		return f
	}
	if d.empty(i.message) {
		return fail(50006)
	}
	i.original = i.message
	s.edit(i.message, d)
	i.replied(i.message)
	return nil
}

func (s *Server) answerChoices(i *Interaction, data obj, form *form) *failure {
	p := form.at("data")
	p.known(data, []string{"choices"})
	if data["choices"] == nil {
		p.at("choices").required()
	}
	var all []Choice
	for n, o := range p.list(data, "choices", 25) {
		p.at("choices", n).choice(o, i.option)
		name, _ := o["name"].(string)
		all = append(all, Choice{Name: name, Value: o["value"]})
	}
	if f := form.failure(); f != nil {
		return f
	}
	i.choices = all
	return nil
}

// hookOf returns the interaction whose token a call uses, as a webhook.
func (s *Server) hookOf(q *request) (*Interaction, *failure) {
	i := s.interactions[q.params["token"]]
	switch {
	case q.params["app"] != s.o.AppID, i == nil:
		return nil, fail(10015)
	case q.at.After(i.until):
		return nil, fail(50027)
	case s.channels[i.Channel] == nil:
		return nil, fail(10003)
	case i.ack == nil, i.ack.Type == AnswerChoices:
		return nil, fail(10015)
	}
	return i, nil
}

// followUp is a further answer. Right after a deferred one it takes its place.
func (s *Server) followUp(q *request) (any, *failure) {
	i, f := s.hookOf(q)
	if f != nil {
		return nil, f
	}
	if i.original != nil && i.original.Flags&FlagLoading != 0 && !i.original.Deleted {
		return s.rewrite(i, i.original, q)
	}
	body, f := q.object()
	if f != nil {
		return nil, f
	}
	var form form
	d := s.draft(writing{place: form.at(), body: body, request: q, webhook: true, flags: webhookFlags})
	if f := form.failure(); f != nil {
		return nil, f
	}
	if d.empty(nil) {
		return nil, fail(50006)
	}
	return i.say(d).json(), nil
}

// responseOf returns the message that a call of a webhook names: the first
// answer, or a follow-up.
func (s *Server) responseOf(q *request) (*Interaction, *Message, *failure) {
	i, f := s.hookOf(q)
	if f != nil {
		return nil, nil, f
	}
	m := i.original
	if id := q.params["message"]; id != "@original" {
		at := slices.IndexFunc(i.replies, func(m *Message) bool { return m.ID == id })
		if m = nil; at >= 0 {
			m = i.replies[at]
		}
	}
	if m == nil || m.Deleted {
		return nil, nil, fail(10008)
	}
	return i, m, nil
}

func (s *Server) getResponse(q *request) (any, *failure) {
	_, m, f := s.responseOf(q)
	if f != nil {
		return nil, f
	}
	return m.json(), nil
}

func (s *Server) editResponse(q *request) (any, *failure) {
	i, m, f := s.responseOf(q)
	if f != nil {
		return nil, f
	}
	return s.rewrite(i, m, q)
}

// rewrite edits an answer. What was deferred gets its content.
func (s *Server) rewrite(i *Interaction, m *Message, q *request) (any, *failure) {
	body, f := q.object()
	if f != nil {
		return nil, f
	}
	var form form
	d := s.draft(writing{place: form.at(), body: body, request: q, flags: FlagSuppressEmbeds | FlagV2 | FlagEphemeral, before: m, webhook: true})
	if f := form.failure(); f != nil {
		return nil, f
	}
	if d.empty(m) {
		return nil, fail(50006)
	}
	d.flags &^= FlagEphemeral // who sees it is settled
	first := m.Flags&FlagLoading != 0
	s.edit(m, d)
	if first && m.For == "" {
		if d.mentions == nil {
			d.mentions = &mentions{parse: []string{"users"}}
		}
		m.Pings = s.pings(m.Content, d.mentions, s.channels[m.Channel])
	}
	i.replied(m)
	return m.json(), nil
}

func (s *Server) deleteResponse(q *request) (any, *failure) {
	_, m, f := s.responseOf(q)
	if f != nil {
		return nil, f
	}
	s.remove(m)
	return nil, nil
}
