package slacktest

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"time"
)

// A Fault is what goes wrong with a call. The zero Fault does nothing. For
// example:
//
//	Fault{Error: "fatal_error"}                     ok: false
//	Fault{Status: 429, RetryAfter: 2 * time.Second} rate limited
//	Fault{Status: 429, Error: "message_limit_exceeded"} the 429 without Retry-After
//	Fault{Status: 503, Stored: true}                done, and yet a 503
//	Fault{Reset: true, Stored: true}                done, and no answer
//	Fault{Delay: 5 * time.Second}                   slow
type Fault struct {
	Channel    string        // only calls with this channel argument; "" = all
	Error      string        // Slack's code; default by Status
	Status     int           // of the HTTP answer; default 200
	RetryAfter time.Duration // sent as a header when more than 0; whole seconds
	Reset      bool          // close the connection instead of answering
	Stored     bool          // go wrong only after the call has done its work
	Delay      time.Duration // wait before anything else
	Extra      map[string]any

	method string
	left   int
}

// Fail lets the next n calls of a method go wrong as f says; n < 0 means until
// [Server.Heal]. Method "" is any method of the Web API, "response_url" and
// "upload" are those addresses. Faults of a method are used up in order.
func (s *Server) Fail(name string, f Fault, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.method, f.left = name, n
	s.faults = append(s.faults, &f)
}

// Heal takes all faults back.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// takeFault returns the fault for a call, nil if there is none.
func (s *Server) takeFault(name, channel string) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		ours := f.method == name || f.method == "" && s.methods[name].run != nil
		if !ours || f.left == 0 || f.Channel != "" && f.Channel != channel {
			continue
		}
		f.left--
		return f
	}
	return nil
}

// wait makes the call slow. It reports whether the caller is still there.
func (f *Fault) wait(ctx context.Context) bool {
	if f == nil || f.Delay == 0 {
		return true
	}
	select {
	case <-time.After(f.Delay):
		return true
	case <-ctx.Done():
		return false
	}
}

// instead reports whether the fault takes the place of the call.
func (f *Fault) instead() bool { return f != nil && !f.Stored && f.failure() != nil }

// failure is the fault as an answer, nil if it was only slow.
func (f *Fault) failure() *failure {
	if f.Error == "" && f.Status == 0 && !f.Reset {
		return nil
	}
	code := f.Error
	switch {
	case code != "":
	case f.Status == http.StatusTooManyRequests:
		code = "ratelimited"
	case f.Status == http.StatusServiceUnavailable:
		code = "service_unavailable"
	default:
		code = "internal_error"
	}
	return &failure{code: code, extra: f.Extra, status: cmp.Or(f.Status, http.StatusOK), retry: f.RetryAfter, reset: f.Reset}
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
