package slacktest

// chatPost is chat.postMessage.
func (s *Server) chatPost(a args) (obj, *failure) {
	channel, f := s.destination(a.str("channel"), true)
	if f != nil {
		return nil, f
	}
	c, f := s.content(a)
	if f != nil {
		return nil, f
	}
	if c.empty() {
		return nil, fail("no_text")
	}
	c.text = cut(c.text, maxPostText)
	thread := a.str("thread_ts")
	if thread != "" && s.find(channel.ID, thread) == nil {
		return nil, fail("thread_not_found")
	}
	m := s.post(channel, "", thread, c)
	return obj{"channel": channel.ID, "ts": m.TS, "message": m.json(s)}, nil
}

// chatPostEphemeral is chat.postEphemeral.
func (s *Server) chatPostEphemeral(a args) (obj, *failure) {
	channel, f := s.destination(a.str("channel"), false)
	if f != nil {
		return nil, f
	}
	reader := a.str("user")
	if s.users[reader] == nil || !member(channel, reader) {
		return nil, fail("user_not_in_channel")
	}
	c, f := s.content(a)
	if f != nil {
		return nil, f
	}
	if c.empty() {
		return nil, fail("no_text")
	}
	m := s.post(channel, reader, a.str("thread_ts"), c)
	return obj{"message_ts": m.TS}, nil
}

// chatUpdate is chat.update. It wants the id of the channel: not a user's, not a
// name. Blocks and attachments that are not given stay; empty ones go.
func (s *Server) chatUpdate(a args) (obj, *failure) {
	channel, f := s.destination(a.str("channel"), false)
	if f != nil {
		return nil, f
	}
	m := s.find(channel.ID, a.str("ts"))
	if m == nil {
		return nil, fail("message_not_found")
	}
	c, f := s.content(a)
	if f != nil {
		return nil, f
	}
	if len([]rune(c.text)) > maxUpdateText {
		return nil, fail("msg_too_long")
	}
	if c.text == "" && c.blocks == nil && c.attachments == nil {
		return nil, fail("no_text")
	}
	if c.blocks == nil {
		c.blocks = m.Blocks
	}
	if c.attachments == nil {
		c.attachments = m.Attachments
	}
	if c.empty() {
		return nil, fail("no_text")
	}
	s.edit(m, c)
	return obj{"channel": channel.ID, "ts": m.TS, "text": m.Text, "message": m.json(s)}, nil
}

// chatDelete is chat.delete.
func (s *Server) chatDelete(a args) (obj, *failure) {
	channel, f := s.destination(a.str("channel"), false)
	if f != nil {
		return nil, f
	}
	m := s.find(channel.ID, a.str("ts"))
	if m == nil {
		return nil, fail("message_not_found")
	}
	m.Deleted = true
	return obj{"channel": channel.ID, "ts": m.TS}, nil
}

// cut shortens a text to n characters, silently, as Slack does.
func cut(text string, n int) string {
	if r := []rune(text); len(r) > n {
		return string(r[:n])
	}
	return text
}
