package slacktest

import (
	"context"
	"slices"
	"time"
)

// A Message is what stands in a conversation.
type Message struct {
	Channel     string
	TS          string
	User        string // the person whose typed command it shows; "" for what the app says
	Thread      string // thread_ts
	Text        string
	Blocks      []map[string]any
	Attachments []map[string]any
	Metadata    map[string]any
	Files       []File
	For         string // an ephemeral message: who alone sees it
	Edits       int
	Deleted     bool
	Unfurls     bool // links or media in it may unfurl
	At          time.Time

	// Live lists the control sequences that Slack acts on, as written, such as
	// "<!channel>", "<@U1>" and "<https://example.com|here>", times excepted.
	Live []string

	// Pings lists who was notified of it beyond the ordinary unread mark:
	// "channel", "here", "everyone", or the id of a member or user group. An
	// edit and an ephemeral message notify nobody.
	Pings []string

	s *Server
}

// Ephemeral reports whether only one person sees the message.
func (m Message) Ephemeral() bool { return m.For != "" }

// content is the part of a message that the app decides.
type content struct {
	text        string
	blocks      []obj // nil: not given
	attachments []obj // nil: not given
	metadata    obj
	linked      bool // plain "@channel" counts too
	unfurls     bool
}

// Limits of messages. Slack cuts a text when it is posted and refuses it when it
// is an edit; the limit over all blocks is measured, not documented.
const (
	maxPostText   = 40_000
	maxUpdateText = 4_000
	maxBlockChars = 13_200
	maxMetadata   = 16_000
)

// content reads and checks the content of a message. s.mu is held.
func (s *Server) content(a args) (content, *failure) {
	c := content{text: a.str("text"), linked: a.is("link_names") || a.str("parse") == "full"}
	c.unfurls = unfurls(a)
	if !a.decode("blocks", &c.blocks) {
		return c, fail("invalid_blocks_format")
	}
	if !a.decode("attachments", &c.attachments) {
		return c, fail("invalid_attachments")
	}
	if len(c.attachments) > 100 {
		return c, fail("too_many_attachments")
	}
	if f := s.checkMetadata(a, &c); f != nil {
		return c, f
	}
	if f := s.checkBlocks(c); f != nil {
		return c, f
	}
	return c, nil
}

func (s *Server) checkMetadata(a args, c *content) *failure {
	if !a.decode("metadata", &c.metadata) {
		return fail("invalid_metadata_format")
	}
	if c.metadata == nil {
		return nil
	}
	_, hasType := c.metadata["event_type"].(string)
	_, hasPayload := c.metadata["event_payload"].(obj)
	if !hasType || !hasPayload {
		return fail("invalid_metadata_schema")
	}
	if len(a.str("metadata")) > maxMetadata {
		return fail("metadata_too_large")
	}
	return nil
}

func (s *Server) checkBlocks(c content) *failure {
	k := &checker{surface: inMessage, noCharts: s.o.NoCharts, file: s.fileReady}
	k.message("/blocks", c.blocks)
	if len(k.problems) > 0 {
		return k.failure("invalid_blocks")
	}
	for i, a := range c.attachments {
		blocks, ok := objects(a["blocks"])
		if !ok {
			k.bad(at("/attachments", i, "blocks"), "must be an array")
		}
		k.message(at("/attachments", i, "blocks"), blocks)
	}
	if len(k.problems) > 0 {
		return k.failure("invalid_attachments")
	}
	if k.chars > maxBlockChars {
		return fail("msg_blocks_too_long")
	}
	return nil
}

// unfurls tells whether links or media in the message may unfurl. Links of an
// app do not, unless asked for; media do, unless forbidden.
func unfurls(a args) bool {
	media, given := a.flag("unfurl_media")
	return a.is("unfurl_links") || media || !given
}

func (c content) empty() bool {
	return c.text == "" && len(c.blocks) == 0 && len(c.attachments) == 0
}

// put writes content into a message.
func (c content) put(m *Message) {
	m.Text, m.Blocks, m.Attachments = c.text, c.blocks, c.attachments
	m.Unfurls = c.unfurls
	if c.metadata != nil {
		m.Metadata = c.metadata
	}
	m.Live = live(c)
}

// post adds a message to a channel, or shows it to one reader. s.mu is held.
func (s *Server) post(channel *Channel, reader, thread string, c content) *Message {
	m := &Message{Channel: channel.ID, TS: s.ts(), Thread: thread, For: reader, At: time.Now(), s: s}
	s.name(c.blocks)
	c.put(m)
	if reader != "" {
		s.private[reader] = append(s.private[reader], m)
	} else {
		m.Pings = pings(m.Live, channel)
		s.messages[channel.ID] = append(s.messages[channel.ID], m)
	}
	s.changed.ring()
	return m
}

// edit replaces the content of a message. s.mu is held.
func (s *Server) edit(m *Message, c content) {
	s.name(c.blocks)
	c.put(m)
	m.Edits++
	s.changed.ring()
}

// find returns a message that everyone in its channel sees. s.mu is held.
func (s *Server) find(channel, ts string) *Message {
	for _, m := range slices.Backward(s.messages[channel]) {
		if m.TS == ts && !m.Deleted {
			return m
		}
	}
	return nil
}

// Messages returns what stands in a channel, oldest first. A user's id means
// their direct messages with the app.
func (s *Server) Messages(channel string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return standing(s.messages[s.place(channel).ID])
}

// Ephemerals returns the messages that only this person sees, in all channels,
// oldest first.
func (s *Server) Ephemerals(user string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return standing(s.private[s.person(user).ID])
}

// WaitMessage returns the newest message of a channel for which match reports
// true, once there is one; a nil match is any.
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

func standing(all []*Message) []Message {
	var ms []Message
	for _, m := range all {
		if !m.Deleted {
			ms = append(ms, m.copy())
		}
	}
	return ms
}

func (m *Message) copy() Message {
	c := *m
	c.Blocks, c.Attachments = slices.Clone(m.Blocks), slices.Clone(m.Attachments)
	c.Files, c.Live, c.Pings = slices.Clone(m.Files), slices.Clone(m.Live), slices.Clone(m.Pings)
	return c
}

// json returns the message as Slack's answers and payloads hold it.
func (m *Message) json(s *Server) obj {
	o := obj{"type": "message", "subtype": "bot_message", "text": m.Text, "ts": m.TS, "user": s.o.BotUser,
		"bot_id": "B0BOT", "app_id": s.o.AppID, "team": s.o.TeamID}
	if len(m.Blocks) > 0 {
		o["blocks"] = m.Blocks
	}
	if len(m.Attachments) > 0 {
		o["attachments"] = m.Attachments
	}
	if m.Metadata != nil {
		o["metadata"] = m.Metadata
	}
	if m.Thread != "" {
		o["thread_ts"] = m.Thread
	}
	if m.Edits > 0 {
		o["edited"] = obj{"user": s.o.BotUser, "ts": m.TS}
	}
	return o
}
