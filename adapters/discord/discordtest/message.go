package discordtest

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"time"
)

// Flags of a message.
const (
	FlagSuppressEmbeds = 1 << 2
	FlagEphemeral      = 1 << 6
	FlagLoading        = 1 << 7
	FlagSilent         = 1 << 12 // nobody's telephone rings
	FlagV2             = 1 << 15 // its components are its content
)

// A Message is what stands in a channel.
type Message struct {
	ID          string
	Channel     string
	Content     string
	Embeds      []map[string]any
	Components  []map[string]any
	Attachments []Attachment
	Flags       int
	Nonce       string
	For         string // an ephemeral message: who alone sees it
	Edits       int
	Deleted     bool
	At          time.Time

	// Pings lists who was notified of it beyond the ordinary unread mark:
	// "everyone", "here", or the id of a person or role. An edit and an ephemeral
	// message notify nobody.
	Pings []string

	// Live lists what in it Discord acts on, as written: mentions of people,
	// roles, channels and everyone, and links with another text than their
	// address. Times are left out.
	Live []string

	s         *Server
	asked     *Interaction
	mentioned []string // people
	edited    time.Time
}

// An Attachment is a file of a message.
type Attachment struct {
	ID   string
	Name string
	Kind string // content type
	Alt  string
	Data []byte

	channel string
}

// Ephemeral reports whether only one person sees the message.
func (m Message) Ephemeral() bool { return m.For != "" }

// Thinking reports whether the message is the placeholder of a deferred answer.
func (m Message) Thinking() bool { return m.Flags&FlagLoading != 0 }

// Messages returns what stands in a channel, oldest first, without what is
// ephemeral or deleted. A user's id means their direct messages with the app.
func (s *Server) Messages(channel string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.place(channel)
	return s.list(func(m *Message) bool { return m.Channel == c.ID && m.For == "" })
}

// Ephemerals returns what only one person can see, oldest first.
func (s *Server) Ephemerals(user string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.person(user)
	return s.list(func(m *Message) bool { return m.For == user })
}

// Screen returns everything of the app that a person can see, oldest first:
// direct messages, the channels they can read, and what is ephemeral.
func (s *Server) Screen(user string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.person(user)
	return s.list(func(m *Message) bool {
		c := s.channels[m.Channel]
		return m.For == user || m.For == "" && c != nil && s.reads(user, c)
	})
}

// list returns copies of the messages that are there. s.mu is held.
func (s *Server) list(match func(*Message) bool) []Message {
	var all []Message
	for _, m := range s.messages {
		if !m.Deleted && match(m) {
			all = append(all, m.copy())
		}
	}
	return all
}

func (m *Message) copy() Message {
	c := *m
	c.Embeds, c.Components = slices.Clone(m.Embeds), slices.Clone(m.Components)
	c.Attachments, c.Pings, c.Live = slices.Clone(m.Attachments), slices.Clone(m.Pings), slices.Clone(m.Live)
	return c
}

// WaitMessage waits until match is true of a message in a channel and returns
// the newest such; a nil match is any.
func (s *Server) WaitMessage(ctx context.Context, channel string, match func(Message) bool) (Message, error) {
	var found Message
	err := s.Wait(ctx, func() bool {
		for _, m := range slices.Backward(s.Messages(channel)) {
			if match == nil || match(m) {
				found = m
				return true
			}
		}
		return false
	})
	return found, err
}

// Message returns a message as it is now, also a deleted one.
func (s *Server) Message(id string) (Message, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.messages {
		if m.ID == id {
			return m.copy(), true
		}
	}
	return Message{}, false
}

// look finds a message that is there. s.mu is held.
func (s *Server) look(id string) *Message {
	for _, m := range slices.Backward(s.messages) {
		if m.ID == id && !m.Deleted {
			return m
		}
	}
	return nil
}

// post adds a message. s.mu is held.
func (s *Server) post(c *Channel, reader string, d *draft) *Message {
	m := &Message{ID: s.id(), Channel: c.ID, For: reader, At: time.Now(), s: s, Nonce: d.nonce, asked: d.asked}
	m.set(d)
	if reader != "" {
		m.Flags |= FlagEphemeral
	} else {
		m.Pings = s.pings(m.Content, d.mentions, c)
	}
	s.messages = append(s.messages, m)
	if reader == "" {
		s.broadcast(messageIntent(c), "MESSAGE_CREATE", m.event())
	}
	s.changed.ring()
	return m
}

// edit changes a message. s.mu is held.
func (s *Server) edit(m *Message, d *draft) {
	m.set(d)
	m.Edits++
	m.edited = time.Now()
	if c := s.channels[m.Channel]; c != nil && m.For == "" {
		s.broadcast(messageIntent(c), "MESSAGE_UPDATE", m.event())
	}
	s.changed.ring()
}

// remove deletes a message. s.mu is held.
func (s *Server) remove(m *Message) {
	m.Deleted = true
	if c := s.channels[m.Channel]; c != nil && m.For == "" {
		e := obj{"id": m.ID, "channel_id": c.ID}
		if c.Guild != "" {
			e["guild_id"] = c.Guild
		}
		s.broadcast(messageIntent(c), "MESSAGE_DELETE", e)
	}
	s.changed.ring()
}

// set applies what a draft gives; the rest stays.
func (m *Message) set(d *draft) {
	if d.has("content") {
		m.Content = d.content
	}
	if d.has("embeds") {
		m.Embeds = d.embeds
	}
	if d.has("components") {
		m.Components = d.components
	}
	m.Attachments = d.attachments
	m.Flags = m.Flags&^FlagSuppressEmbeds&^FlagLoading | d.flags
	m.Live = live(m)
	m.mentioned = mentionedPeople(m.Content)
	for i := range m.Attachments {
		a := &m.Attachments[i]
		a.channel = m.Channel
		m.s.files[a.ID] = a
	}
}

// event is the message in an event of the gateway.
func (m *Message) event() obj {
	o := m.json()
	if c := m.s.channels[m.Channel]; c != nil && c.Guild != "" {
		o["guild_id"] = c.Guild
	}
	return o
}

// json returns the message as the API does. s.mu is held.
func (m *Message) json() obj {
	o := obj{"id": m.ID, "channel_id": m.Channel, "type": 0, "content": m.Content, "author": m.s.users[m.s.o.AppID].json(),
		"mentions": []any{}, "mention_roles": []any{}, "mention_everyone": slices.Contains(m.Pings, "everyone"), "pinned": false, "tts": false,
		"timestamp": stamp(m.At), "edited_timestamp": nil, "flags": m.Flags, "attachments": []any{}, "embeds": []any{}, "components": []any{}}
	if m.Edits > 0 {
		o["edited_timestamp"] = stamp(m.edited)
	}
	if m.Nonce != "" {
		o["nonce"] = m.Nonce
	}
	if m.asked != nil {
		m.asked.sign(o)
	}
	for _, id := range m.mentioned {
		if u := m.s.users[id]; u != nil {
			o["mentions"] = append(o["mentions"].([]any), u.json())
		}
	}
	for i := range m.Attachments {
		o["attachments"] = append(o["attachments"].([]any), m.s.attachmentJSON(&m.Attachments[i], m.For != ""))
	}
	for _, e := range m.Embeds {
		o["embeds"] = append(o["embeds"].([]any), m.embedJSON(e))
	}
	for _, c := range m.Components {
		o["components"] = append(o["components"].([]any), m.show(c))
	}
	return o
}

// embedJSON returns an embed as the API does: with a type, and with addresses in
// place of attachment:// names.
func (m *Message) embedJSON(e obj) obj {
	out := obj{"type": "rich"}
	maps.Copy(out, e)
	for _, key := range []string{"image", "thumbnail"} {
		picture, ok := e[key].(obj)
		if !ok {
			continue
		}
		url, _ := picture["url"].(string)
		if a := m.attached(url); a != nil {
			url = m.s.attachmentURL(a)
		}
		out[key] = obj{"url": url, "proxy_url": url, "width": 800, "height": 260}
	}
	return out
}

// show returns a part of a component as the API does: pictures and files with
// their addresses.
func (m *Message) show(v any) any {
	switch v := v.(type) {
	case []any:
		all := []any{}
		for _, e := range v {
			all = append(all, m.show(e))
		}
		return all
	case obj:
		o := obj{}
		for k, e := range v {
			o[k] = m.show(e)
		}
		for _, key := range []string{"media", "file"} {
			if media, ok := v[key].(obj); ok {
				o[key] = m.media(media)
			}
		}
		return o
	}
	return v
}

func (m *Message) media(o obj) obj {
	url, _ := o["url"].(string)
	id := "1"
	if a := m.attached(url); a != nil {
		url, id = m.s.attachmentURL(a), a.ID
	}
	return obj{"id": id, "url": url, "proxy_url": url, "width": 800, "height": 260, "content_type": nil}
}

// attached returns the attachment that an attachment:// address means.
func (m *Message) attached(url string) *Attachment {
	for i := range m.Attachments {
		if url == "attachment://"+m.Attachments[i].Name {
			return &m.Attachments[i]
		}
	}
	return nil
}

func (s *Server) attachmentURL(a *Attachment) string {
	return "http://" + s.host + "/attachments/" + a.channel + "/" + a.ID + "/" + a.Name
}

func (s *Server) attachmentJSON(a *Attachment, ephemeral bool) obj {
	url := s.attachmentURL(a)
	o := obj{"id": a.ID, "filename": a.Name, "size": len(a.Data), "url": url, "proxy_url": url, "content_type": a.Kind}
	if a.Alt != "" {
		o["description"] = a.Alt
	}
	if ephemeral {
		o["ephemeral"] = true
	}
	return o
}

// each calls f for a component and all below it.
func each(c obj, f func(obj)) {
	f(c)
	for _, key := range []string{"components", "items"} {
		for _, child := range items(c[key]) {
			if o, ok := child.(obj); ok {
				each(o, f)
			}
		}
	}
	for _, key := range []string{"component", "accessory"} {
		if o, ok := c[key].(obj); ok {
			each(o, f)
		}
	}
}

// items is a list of anything; what is no list has none.
func items(v any) []any {
	l, _ := v.([]any)
	return l
}

// integer returns a JSON number that is whole, or one of our own.
func integer(v any) (int, bool) {
	switch n := v.(type) {
	case int:
		return n, true
	case float64:
		return int(n), n == float64(int(n))
	}
	return 0, false
}

// idOf returns an id, which may be a number.
func idOf(v any) string {
	if n, ok := integer(v); ok {
		return strconv.Itoa(n)
	}
	s, _ := v.(string)
	return s
}
