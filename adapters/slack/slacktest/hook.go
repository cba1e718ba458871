package slacktest

import (
	"net/http"
	"slices"
	"time"
)

// A trigger is a trigger_id: one use, soon.
type trigger struct {
	user  string
	until time.Time
	used  bool
}

// trigger makes a trigger id for something a person did. s.mu is held.
func (s *Server) trigger(user string) string {
	id := s.id("trigger.")
	s.triggers[id] = &trigger{user: user, until: time.Now().Add(s.o.Times.Trigger)}
	return id
}

// redeemTrigger uses a trigger id up and returns whose it is. s.mu is held.
func (s *Server) redeemTrigger(id string) (user string, f *failure) {
	t := s.triggers[id]
	switch {
	case t == nil:
		return "", fail("invalid_trigger_id")
	case t.used:
		return "", fail("exchanged_trigger_id")
	case time.Now().After(t.until):
		return "", fail("expired_trigger_id")
	}
	t.used = true
	return t.user, nil
}

const maxHookUses = 5

// A hook is a response_url, bound to a person and a channel.
type hook struct {
	i        *Interaction
	user     string
	channel  *Channel
	until    time.Time
	uses     int
	original *Message // what replace_original means; nil for a command
	command  string   // as typed, "" for anything but a command
	echoed   bool     // the channel has seen the command
}

// hook gives an interaction a response_url. s.mu is held.
func (s *Server) hook(i *Interaction, user string, channel *Channel) *hook {
	id := s.id("")
	i.hook = &hook{i: i, user: user, channel: channel, until: time.Now().Add(s.o.Times.Response)}
	i.ResponseURL = "http://" + s.host + "/response/" + id
	s.hooks[id] = i.hook
	return i.hook
}

// serveHook answers a call of a response_url. Success is an empty answer without
// a Content-Type; errors are 4xx with the code as plain text.
func (s *Server) serveHook(w http.ResponseWriter, r *http.Request) {
	a, f := parseArgs(w, r)
	c := Call{Method: "response_url", At: time.Now(), Args: a.flat(), Token: bearer(r), Status: http.StatusOK}
	fault := s.takeFault(c.Method, "")
	if !fault.wait(r.Context()) {
		return
	}
	switch {
	case f != nil:
	case fault.instead():
		f = fault.failure()
	default:
		if f = s.useHook(r.PathValue("id"), a, c.At); f == nil && fault != nil {
			f = fault.failure()
		}
	}
	if f != nil {
		c.Error, c.Status = f.code, f.status
		if c.Status == 0 {
			c.Status = http.StatusBadRequest
		}
	}
	s.record(c)
	switch {
	case f == nil:
		w.Header()["Content-Type"] = nil
	case f.reset:
		reset(w)
	default:
		f.retryHeader(w.Header())
		http.Error(w, f.code, c.Status)
	}
}

func (s *Server) useHook(id string, a args, now time.Time) *failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.hooks[id]
	switch {
	case h == nil, now.After(h.until):
		return &failure{code: "expired_url", status: http.StatusNotFound}
	case h.uses >= maxHookUses:
		return &failure{code: "used_url", status: http.StatusNotFound}
	}
	h.uses++
	return s.respond(h, a)
}

// respond does what an answer to an interaction says. s.mu is held.
func (s *Server) respond(h *hook, a args) *failure {
	defer h.i.changed.ring()
	if a.is("delete_original") {
		if h.original != nil {
			h.original.Deleted = true
			s.changed.ring()
		}
		return nil
	}
	c, f := s.content(a)
	if f != nil {
		return f
	}
	if c.empty() {
		return fail("no_text")
	}
	if a.is("replace_original") && h.original != nil && !h.original.Deleted {
		s.edit(h.original, c)
		h.i.replied(h.original)
		return nil
	}
	s.reply(h, a, c)
	return nil
}

// reply shows a new answer: to the person alone, unless it is to be in_channel,
// which shows a typed command as well.
func (s *Server) reply(h *hook, a args, c content) {
	reader := h.user
	if a.str("response_type") == "in_channel" {
		reader = ""
		if h.command != "" && !h.echoed {
			s.post(h.channel, "", "", content{text: h.command}).User = h.user
			h.echoed = true
		}
	}
	m := s.post(h.channel, reader, a.str("thread_ts"), c)
	h.i.replied(m)
	if h.command != "" && s.o.CommandReplace {
		h.original = m
	}
}

// replied adds a message to what came back, once. s.mu is held.
func (i *Interaction) replied(m *Message) {
	if !slices.Contains(i.replies, m) {
		i.replies = append(i.replies, m)
	}
}
