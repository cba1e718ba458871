package discordtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A route is one method and path of the REST API.
type route struct {
	pattern string // "GET /channels/{channel}"
	major   string // the part of the path that has its own limits; "" = none
	limit   Limit
	free    bool // needs no token in a header
	exempt  bool // from the limit over everything
	run     func(*Server, *request) (any, *failure)
}

// routes is the table of the REST API. The first that fits counts.
func routes() []route {
	perChannel, perGuild, perToken := "channel", "guild", "token"
	return []route{
		{pattern: "GET /gateway", free: true, run: (*Server).getGateway},
		{pattern: "GET /gateway/bot", run: (*Server).getGatewayBot},
		{pattern: "GET /applications/@me", run: (*Server).getApplication},
		{pattern: "GET /oauth2/applications/@me", run: (*Server).getApplication},

		{pattern: "GET /users/@me", run: (*Server).getMe},
		{pattern: "GET /users/@me/guilds", run: (*Server).getMyGuilds},
		{pattern: "POST /users/@me/channels", limit: Limit{N: 10, Per: 10 * time.Second}, run: (*Server).openDM},
		{pattern: "GET /users/{user}", limit: Limit{N: 30, Per: 30 * time.Second}, run: (*Server).getUser},

		{pattern: "GET /guilds/{guild}", major: perGuild, run: (*Server).getGuild},
		{pattern: "GET /guilds/{guild}/channels", major: perGuild, run: (*Server).getGuildChannels},
		{pattern: "GET /guilds/{guild}/members/{user}", major: perGuild, run: (*Server).getMember},

		{pattern: "GET /channels/{channel}", major: perChannel, run: (*Server).getChannel},
		{pattern: "POST /channels/{channel}/typing", major: perChannel, run: (*Server).startTyping},
		{pattern: "GET /channels/{channel}/messages", major: perChannel, run: (*Server).getMessages},
		{pattern: "POST /channels/{channel}/messages", major: perChannel, run: (*Server).createMessage},
		{pattern: "GET /channels/{channel}/messages/{message}", major: perChannel, run: (*Server).getMessage},
		{pattern: "PATCH /channels/{channel}/messages/{message}", major: perChannel, run: (*Server).editMessage},
		{pattern: "DELETE /channels/{channel}/messages/{message}", major: perChannel, limit: Limit{N: 5, Per: time.Second}, run: (*Server).deleteMessage},

		{pattern: "GET /applications/{app}/commands", run: (*Server).listCommands},
		{pattern: "POST /applications/{app}/commands", run: (*Server).createCommand},
		{pattern: "PUT /applications/{app}/commands", run: (*Server).overwriteCommands},
		{pattern: "GET /applications/{app}/commands/{command}", run: (*Server).getCommand},
		{pattern: "PATCH /applications/{app}/commands/{command}", run: (*Server).editCommand},
		{pattern: "DELETE /applications/{app}/commands/{command}", run: (*Server).deleteCommand},
		{pattern: "GET /applications/{app}/guilds/{guild}/commands", major: perGuild, run: (*Server).listCommands},
		{pattern: "POST /applications/{app}/guilds/{guild}/commands", major: perGuild, run: (*Server).createCommand},
		{pattern: "PUT /applications/{app}/guilds/{guild}/commands", major: perGuild, run: (*Server).overwriteCommands},
		{pattern: "GET /applications/{app}/guilds/{guild}/commands/{command}", major: perGuild, run: (*Server).getCommand},
		{pattern: "PATCH /applications/{app}/guilds/{guild}/commands/{command}", major: perGuild, run: (*Server).editCommand},
		{pattern: "DELETE /applications/{app}/guilds/{guild}/commands/{command}", major: perGuild, run: (*Server).deleteCommand},

		{pattern: "POST /interactions/{interaction}/{token}/callback", major: perToken, free: true, exempt: true, run: (*Server).callback},
		{pattern: "POST /webhooks/{app}/{token}", major: perToken, free: true, exempt: true, run: (*Server).followUp},
		{pattern: "GET /webhooks/{app}/{token}/messages/{message}", major: perToken, free: true, exempt: true, run: (*Server).getResponse},
		{pattern: "PATCH /webhooks/{app}/{token}/messages/{message}", major: perToken, free: true, exempt: true, run: (*Server).editResponse},
		{pattern: "DELETE /webhooks/{app}/{token}/messages/{message}", major: perToken, free: true, exempt: true, run: (*Server).deleteResponse},
	}
}

// fits compares a path with the path of a pattern. It returns what stands in for
// the {names}.
func fits(pattern, path string) (map[string]string, bool) {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	params := map[string]string{}
	for i, w := range want {
		if name, ok := strings.CutPrefix(w, "{"); ok && got[i] != "" {
			params[strings.TrimSuffix(name, "}")] = got[i]
		} else if w != got[i] {
			return nil, false
		}
	}
	return params, true
}

// find returns the route for a request, or the failure of there being none.
func (s *Server) find(method, path string) (route, map[string]string, *failure) {
	other := false
	for _, r := range s.routes {
		m, p, _ := strings.Cut(r.pattern, " ")
		params, ok := fits(p, path)
		if ok && m == method {
			return r, params, nil
		}
		other = other || ok
	}
	if other {
		return route{}, nil, plainFail(http.StatusMethodNotAllowed)
	}
	return route{}, nil, plainFail(http.StatusNotFound)
}

// A Call is one request to the REST API.
type Call struct {
	Route  string // as in the documentation: "POST /channels/{channel}/messages"; "" if there is none
	Method string
	Path   string // below the version: "/channels/80351110224678912/messages"
	Query  string
	At     time.Time       // when it arrived
	Body   json.RawMessage // of a multipart body its payload_json
	Files  []string        // names of uploaded files
	Header http.Header
	Status int // of the answer; 0 if there was none
	Code   int // Discord's code in it
}

// JSON decodes the body into v.
func (c Call) JSON(v any) error { return json.Unmarshal(c.Body, v) }

// Calls returns the calls of a route, such as "POST /channels/{channel}/messages"
// or "POST /channels/80351110224678912/messages", oldest first, and with "" all.
func (s *Server) Calls(route string) []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.calls), func(c Call) bool { return !c.is(route) })
}

// is reports whether a call is one of a route.
func (c Call) is(route string) bool {
	if route == "" {
		return true
	}
	method, path, _ := strings.Cut(route, " ")
	_, ok := fits(path, c.Path)
	return ok && method == c.Method
}

// Invalid returns how many answers of the last 10 minutes count towards the ban
// of an address: 401, 403 and 429, but not of scope shared.
func (s *Server) Invalid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.invalidAt(time.Now())
}

// serveAPI answers one call of the REST API.
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	path, f := below(r.URL.Path)
	c := Call{Method: r.Method, Path: path, Query: r.URL.RawQuery, At: time.Now(), Header: r.Header.Clone()}
	q := &request{w: w, query: r.URL.Query(), token: r.Header.Get("Authorization")}
	var rt route
	if f == nil {
		rt, q.params, f = s.find(r.Method, path)
	}
	if f == nil {
		c.Route = rt.pattern
		q.unread = q.read(r.Header.Get("Content-Type"), r.Body)
		c.Body, c.Files = q.raw, q.names()
	}
	if page := s.cloudflare(r, c.At); page != nil {
		f = page
	}
	fault := s.takeFault(c)
	if !s.before(r.Context(), fault) {
		s.record(c, nil) // the caller hung up
		return
	}
	answer, f := s.run(rt, q, fault, f)
	if !s.after(r.Context(), fault) {
		s.record(c, nil)
		return
	}
	s.answer(w, c, answer, f)
}

// run runs a route unless the call has failed, or a fault takes its place.
func (s *Server) run(rt route, q *request, fault *Fault, f *failure) (any, *failure) {
	if fault.instead() {
		if f = fault.failure(); f.status == http.StatusTooManyRequests {
			s.exhausted(rt, q.w.Header())
		}
	}
	if f != nil {
		return nil, f
	}
	answer, f := s.call(rt, q)
	if f == nil && fault.late() {
		f = fault.failure()
	}
	return answer, f
}

// below returns the part of a path below the version.
func below(path string) (string, *failure) {
	version, rest, _ := strings.Cut(strings.TrimPrefix(path, "/api/"), "/")
	if version != "v9" && version != "v10" {
		return path, fail(50041)
	}
	return "/" + rest, nil
}

// call checks who is calling, how often and what, and runs the route.
func (s *Server) call(rt route, q *request) (any, *failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.changed.ring()
	q.at = time.Now()
	if !rt.free && (s.revoked || q.token != "Bot "+s.o.BotToken) {
		return nil, plainFail(http.StatusUnauthorized)
	}
	if f := s.limit(rt, q); f != nil {
		return nil, f
	}
	if q.unread != nil {
		return nil, q.unread
	}
	return rt.run(s, q)
}

// created is an answer that says so in its status.
type created struct{ body any }

// answer writes the answer and records the call.
func (s *Server) answer(w http.ResponseWriter, c Call, answer any, f *failure) {
	c.Status = http.StatusOK
	if made, ok := answer.(created); ok {
		c.Status, answer = http.StatusCreated, made.body
	}
	if f != nil {
		c.Status, c.Code = f.status, f.code
	} else if answer == nil {
		c.Status = http.StatusNoContent
	}
	if f != nil && f.reset {
		c.Status = 0
	}
	s.record(c, f)
	switch {
	case f != nil && f.reset:
		reset(w)
	case f != nil:
		f.write(w)
	case answer == nil:
		w.WriteHeader(http.StatusNoContent)
	default:
		writeJSON(w, c.Status, answer)
	}
}

// cloudflare returns the page of those who stand before Discord and turn a call
// away, nil if they let it pass.
func (s *Server) cloudflare(r *http.Request, now time.Time) *failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !strings.HasPrefix(r.UserAgent(), "DiscordBot ("):
		return &failure{status: http.StatusForbidden, html: true, message: "Access denied: error code 1010"}
	case s.invalidAt(now) >= s.o.BanAfter:
		return &failure{status: http.StatusTooManyRequests, html: true, message: "Access denied: error code 1015", retry: banWindow}
	}
	return nil
}

// banWindow is how long an invalid answer counts.
const banWindow = 10 * time.Minute

func (s *Server) invalidAt(now time.Time) int {
	s.invalid = slices.DeleteFunc(s.invalid, func(t time.Time) bool { return now.Sub(t) >= banWindow })
	return len(s.invalid)
}

func (s *Server) record(c Call, f *failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f != nil && f.scope != "shared" && slices.Contains([]int{401, 403, 429}, f.status) {
		s.invalid = append(s.invalid, time.Now())
	}
	s.calls = append(s.calls, c)
	s.changed.ring()
}

// write writes a failure.
func (f *failure) write(w http.ResponseWriter) {
	if f.status == http.StatusTooManyRequests {
		f.retryHeaders(w.Header())
	}
	if f.html {
		w.Header().Set("Content-Type", "text/html; charset=UTF-8")
		w.Header().Set("Server", "cloudflare")
		w.WriteHeader(f.status)
		fmt.Fprintf(w, "<!DOCTYPE html>\n<html><head><title>%s | discord.com</title></head><body>%[1]s</body></html>\n", f.message) // a failed write is the caller's loss
		return
	}
	writeJSON(w, f.status, f.body())
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v) // a failed write is the caller's loss
}
