package discordtest

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// A Fault is what goes wrong with a call. The zero Fault does nothing. For
// example:
//
//	Fault{Code: 50013}                                 one of Discord's codes, with its status
//	Fault{Status: 429, RetryAfter: 2 * time.Second}    rate limited on this route
//	Fault{Status: 429, Scope: "shared", RetryAfter: …} the resource is, by others
//	Fault{Status: 429, Scope: "global", RetryAfter: …} everything is
//	Fault{Status: 429, HTML: true, RetryAfter: …}      Cloudflare's page
//	Fault{Status: 502, Stored: true}                   done, and yet a 502
//	Fault{Reset: true, Stored: true}                   done, and no answer
//	Fault{Delay: 5 * time.Second}                      slow
//	Fault{Delay: time.Hour, Stored: true}              done, and no answer in time
type Fault struct {
	Code       int           // Discord's; default by Status
	Status     int           // of the HTTP answer; default by Code
	Message    string        // default by Code
	RetryAfter time.Duration // of a 429
	Scope      string        // of a 429: "user" (the default), "shared", "global"
	Bare       bool          // a global 429 without X-RateLimit-Reset-After, as in Discord's own example
	HTML       bool          // a page of HTML, not JSON
	Reset      bool          // close the connection instead of answering
	Stored     bool          // go wrong only after the call has done its work
	Delay      time.Duration // wait before the call does its work, or after it if Stored

	route  string
	left   int
	healed chan struct{}
}

// Fail lets the next n calls of a route go wrong as f says; n < 0 means until
// [Server.Heal]. The route is written as in the documentation, such as
// "POST /channels/{channel}/messages"; an id in place of a {name} narrows it, and
// "" is every call. Faults of a route are used up in order.
func (s *Server) Fail(route string, f Fault, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mustRoute(route)
	f.route, f.left, f.healed = route, n, make(chan struct{})
	if f.Code != 0 && f.Status == 0 && f.Message == "" {
		f.Message = fail(f.Code).message // panics if the code is unknown
	}
	s.faults = append(s.faults, &f)
}

// mustRoute panics if no call can be of the route.
func (s *Server) mustRoute(name string) {
	if name == "" {
		return
	}
	method, path, _ := strings.Cut(name, " ")
	for _, r := range s.routes {
		m, p, _ := strings.Cut(r.pattern, " ")
		if _, ok := fits(p, path); ok && m == method {
			return
		}
	}
	panic(fmt.Sprintf("discordtest: no route %q", name))
}

// Slow lets the next n calls of a route take longer by d.
func (s *Server) Slow(route string, d time.Duration, n int) { s.Fail(route, Fault{Delay: d}, n) }

// StoreThenFail lets the next n calls of a route do their work and then be
// answered with a status, such as 502.
func (s *Server) StoreThenFail(route string, status, n int) {
	s.Fail(route, Fault{Status: status, Stored: true}, n)
}

// Heal takes all faults back. Calls that a Delay holds up go on.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		close(f.healed)
	}
	s.faults = nil
}

// takeFault returns the fault for a call, nil if there is none.
func (s *Server) takeFault(c Call) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		if f.left != 0 && c.is(f.route) {
			f.left--
			return f
		}
	}
	return nil
}

// Stalled returns how many calls a Delay is holding up now.
func (s *Server) Stalled() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stalled
}

// before makes a call slow before its work is done. It reports whether the caller
// is still there.
func (s *Server) before(ctx context.Context, f *Fault) bool {
	return f == nil || f.Stored || s.hold(ctx, f)
}

// after makes a call slow when its work is done.
func (s *Server) after(ctx context.Context, f *Fault) bool {
	return f == nil || !f.Stored || s.hold(ctx, f)
}

func (s *Server) hold(ctx context.Context, f *Fault) bool {
	s.stall(1)
	defer s.stall(-1)
	select {
	case <-time.After(f.Delay):
	case <-f.healed:
	case <-ctx.Done():
		return false
	}
	return true
}

func (s *Server) stall(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stalled += n
	s.changed.ring()
}

// instead reports whether the fault takes the place of the call.
func (f *Fault) instead() bool { return f != nil && !f.Stored && f.failure() != nil }

// late reports whether the fault shows after the call.
func (f *Fault) late() bool { return f != nil && f.Stored && f.failure() != nil }

// failure is the fault as an answer, nil if it was only slow.
func (f *Fault) failure() *failure {
	if f.Code == 0 && f.Status == 0 && !f.Reset {
		return nil
	}
	known := codes[f.Code]
	status := cmp.Or(f.Status, known.status, http.StatusBadRequest)
	words := fmt.Sprintf("%d: %s", status, http.StatusText(status))
	if status == http.StatusTooManyRequests {
		words = "You are being rate limited."
	}
	e := &failure{status: status, code: f.Code, message: cmp.Or(f.Message, known.text, words)}
	e.retry, e.scope, e.bare, e.html, e.reset = f.RetryAfter, cmp.Or(f.Scope, "user"), f.Bare, f.HTML, f.Reset
	return e
}

// reset ends the connection without an answer, so that the caller sees a reset
// and not an end of file where the transport knows the difference.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2 or a recorder: the server cuts it
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0) // best effort: a plain close cuts as well
	}
	conn.Close()
}
