package slacktest

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// obj is a decoded JSON object.
type obj = map[string]any

// A Call is one request to the Web API, to a response_url or to an upload URL.
type Call struct {
	Method string    // "chat.postMessage"; "response_url" and "upload" for those
	At     time.Time // when it arrived
	Args   map[string]string
	Token  string // from the Authorization header
	Error  string // Slack's code; empty when it went well
	Status int    // of the HTTP answer; 0 if the connection was reset
}

// JSON decodes an argument that holds JSON, such as "blocks", into v.
func (c Call) JSON(arg string, v any) error { return json.Unmarshal([]byte(c.Args[arg]), v) }

// Calls returns the calls of a method, oldest first, and with "" all calls.
func (s *Server) Calls(name string) []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name == "" {
		return slices.Clone(s.calls)
	}
	var found []Call
	for _, c := range s.calls {
		if c.Method == name {
			found = append(found, c)
		}
	}
	return found
}

// WaitCall returns the first call of a method for which match reports true; a
// nil match is any.
func (s *Server) WaitCall(ctx context.Context, name string, match func(Call) bool) (Call, error) {
	var found Call
	seen := 0
	err := s.wait(ctx, &s.changed, func() bool {
		s.mu.Lock()
		fresh := slices.Clone(s.calls[seen:])
		s.mu.Unlock()
		for _, c := range fresh {
			seen++
			if c.Method == name && (match == nil || match(c)) {
				found = c
				return true
			}
		}
		return false
	})
	return found, err
}

// A method is one method of the Web API.
type method struct {
	scopes    []string // any one of them; none = no scope needed
	app       bool     // wants the app-level token
	perMinute int      // of its tier; see limits.go
	run       func(*Server, args) (obj, *failure)
}

// A failure is an answer that is not ok.
type failure struct {
	code   string
	extra  obj
	status int           // default 200
	retry  time.Duration // Retry-After, if more than 0
	reset  bool          // no answer at all
}

func fail(code string) *failure { return &failure{code: code} }

// methods is the table of the Web API.
func methods() map[string]method {
	return map[string]method{
		"auth.test":                    {perMinute: 300, run: (*Server).authTest},
		"apps.connections.open":        {app: true, perMinute: tier1, run: (*Server).connectionsOpen},
		"chat.postMessage":             {scopes: []string{"chat:write"}, run: (*Server).chatPost},
		"chat.postEphemeral":           {scopes: []string{"chat:write"}, perMinute: tier4, run: (*Server).chatPostEphemeral},
		"chat.update":                  {scopes: []string{"chat:write"}, perMinute: tier3, run: (*Server).chatUpdate},
		"chat.delete":                  {scopes: []string{"chat:write"}, perMinute: tier3, run: (*Server).chatDelete},
		"conversations.open":           {scopes: []string{"im:write", "mpim:write"}, perMinute: tier3, run: (*Server).conversationsOpen},
		"conversations.info":           {scopes: []string{"channels:read", "groups:read", "im:read"}, perMinute: tier3, run: (*Server).conversationsInfo},
		"users.info":                   {scopes: []string{"users:read"}, perMinute: tier4, run: (*Server).usersInfo},
		"users.lookupByEmail":          {scopes: []string{"users:read.email"}, perMinute: tier3, run: (*Server).usersLookup},
		"views.open":                   {perMinute: tier4, run: (*Server).viewsOpen},
		"views.push":                   {perMinute: tier4, run: (*Server).viewsPush},
		"views.update":                 {perMinute: tier4, run: (*Server).viewsUpdate},
		"views.publish":                {perMinute: tier4, run: (*Server).viewsPublish},
		"files.getUploadURLExternal":   {scopes: []string{"files:write"}, perMinute: tier4, run: (*Server).filesGetURL},
		"files.completeUploadExternal": {scopes: []string{"files:write"}, perMinute: tier4, run: (*Server).filesComplete},
		"files.info":                   {scopes: []string{"files:read"}, perMinute: tier4, run: (*Server).filesInfo},
	}
}

// serveAPI answers one call of the Web API.
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("method")
	a, f := parseArgs(w, r)
	c := Call{Method: name, At: time.Now(), Args: a.flat(), Token: bearer(r)}
	fault := s.takeFault(name, a.str("channel"))
	if !fault.wait(r.Context()) {
		return // the caller hung up
	}
	var answer obj
	switch {
	case f != nil:
	case fault.instead():
		f = fault.failure()
	default:
		if answer, f = s.call(name, a, c); f == nil && fault != nil {
			f = fault.failure() // after the deed
		}
	}
	s.answer(w, c, answer, f)
}

// call checks who is calling and runs the method.
func (s *Server) call(name string, a args, c Call) (obj, *failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.changed.ring()
	m, ok := s.methods[name]
	if !ok {
		return nil, fail("unknown_method")
	}
	if f := s.authorize(m, c.Token); f != nil {
		return nil, f
	}
	if f := s.limit(name, a.str("channel"), m.perMinute, c.At); f != nil {
		return nil, f
	}
	return m.run(s, a)
}

// authorize checks the token of the header. One in the body or in the URL counts
// for nothing: Slack advises against it, and some methods refuse it.
func (s *Server) authorize(m method, token string) *failure {
	want, other := s.o.BotToken, s.o.AppToken
	if m.app {
		want, other = other, want
	}
	switch {
	case token == "":
		return fail("not_authed")
	case token == other:
		return fail("not_allowed_token_type")
	case token != want:
		return fail("invalid_auth")
	case s.dead != "":
		return fail(s.dead)
	}
	if len(m.scopes) > 0 && !slices.ContainsFunc(m.scopes, s.hasScope) {
		return &failure{code: "missing_scope", extra: obj{"needed": m.scopes[0], "provided": s.provided()}}
	}
	return nil
}

// answer writes the answer and records the call.
func (s *Server) answer(w http.ResponseWriter, c Call, answer obj, f *failure) {
	c.Status = http.StatusOK
	if f != nil {
		answer = obj{"ok": false, "error": f.code}
		maps.Copy(answer, f.extra)
		c.Error = f.code
		if f.status != 0 {
			c.Status = f.status
		}
		if f.reset {
			c.Status = 0
		}
	} else {
		answer["ok"] = true
	}
	scopes := s.record(c)
	if c.Status == 0 {
		reset(w)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("X-OAuth-Scopes", scopes)
	h.Set("X-Accepted-OAuth-Scopes", strings.Join(s.methods[c.Method].scopes, ","))
	f.retryHeader(h)
	w.WriteHeader(c.Status)
	json.NewEncoder(w).Encode(answer) // a caller that hung up is its own fault
}

// record keeps a call and returns the scopes at that moment.
func (s *Server) record(c Call) (scopes string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, c)
	s.changed.ring()
	return s.provided()
}

func (f *failure) retryHeader(h http.Header) {
	if f != nil && f.retry > 0 {
		h.Set("Retry-After", strconv.Itoa(int((f.retry+time.Second-1)/time.Second)))
	}
}

func bearer(r *http.Request) string {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return token
}

func (s *Server) authTest(args) (obj, *failure) {
	return obj{"url": "https://example.slack.com/", "team": "Example", "team_id": s.o.TeamID,
		"user": s.users[s.o.BotUser].Name, "user_id": s.o.BotUser, "bot_id": "B0BOT", "is_enterprise_install": false}, nil
}
