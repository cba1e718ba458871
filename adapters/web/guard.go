package web

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"floorwalker/bot/secret"
)

// A route is where a request goes. Its name is what is logged of the path.
type route struct {
	name    string
	methods string        // as in Allow
	ticket  secret.Secret // of a link page
	serve   func(w http.ResponseWriter, r *http.Request, ticket secret.Secret)
}

// routeOf finds the route of a path; one without a name is none.
func (s *Server) routeOf(path string) route {
	for _, c := range s.config.Callbacks {
		if c.Path == path {
			return route{name: path, methods: c.Methods, serve: func(w http.ResponseWriter, r *http.Request, _ secret.Secret) {
				b := &body{ReadCloser: r.Body, small: s.limits.small, places: s.places}
				defer b.leave()
				r.Body = http.MaxBytesReader(w, b, s.limits.body)
				c.Handler.ServeHTTP(w, r)
			}}
		}
	}
	ticket, ok := strings.CutPrefix(path, "/link/")
	if ok && s.config.Links != nil && ticket != "" && !strings.Contains(ticket, "/") {
		return route{name: "/link/…", methods: "GET, HEAD, POST", ticket: secret.New(ticket), serve: s.link}
	}
	return route{}
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began, rec := time.Now(), &recorder{ResponseWriter: w}
	s.secureHeaders(rec.Header())
	to := s.routeOf(r.URL.Path)
	defer func() {
		if p := recover(); p != nil {
			s.panicked(r.Context(), rec, to, p)
		}
		s.logRequest(r, to, rec.status, time.Since(began))
		s.tally.answered(to.name, rec.status)
	}()
	switch {
	case to.name == "":
		s.note(rec, http.StatusNotFound)
	case !allows(to.methods, r.Method):
		rec.Header().Set("Allow", to.methods)
		s.note(rec, http.StatusMethodNotAllowed)
	default:
		to.serve(rec, r, to.ticket)
	}
}

func allows(methods, method string) bool {
	for m := range strings.SplitSeq(methods, ", ") {
		if m == method {
			return true
		}
	}
	return false
}

// secureHeaders sets what every answer has.
func (s *Server) secureHeaders(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src '"+s.pages.styleHash+"'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Robots-Tag", "noindex, nofollow")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if s.secure {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// logRequest writes the access log. What nobody serves is asked for all day long,
// so it is worth a line only to whoever looks closely.
func (s *Server) logRequest(r *http.Request, to route, status int, took time.Duration) {
	level := slog.LevelInfo
	if to.name == "" {
		level = slog.LevelDebug
	}
	method := r.Method
	if !allows("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS", method) {
		method = "other"
	}
	s.log.Log(r.Context(), level, "http request", "route", cmp.Or(to.name, "none"), "method", method,
		"status", cmp.Or(status, http.StatusOK), "client", s.client(r).String(), "took", took)
}

// panicked ends a request whose handler panicked. The answer says no more than
// that something went wrong.
func (s *Server) panicked(ctx context.Context, w *recorder, to route, p any) {
	if p == http.ErrAbortHandler {
		panic(p)
	}
	s.log.ErrorContext(ctx, "panic in a request", "route", to.name, "panic", p, "stack", string(debug.Stack()))
	if w.status == 0 {
		s.note(w, http.StatusInternalServerError)
	}
}

// A recorder notes the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the status.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write notes the status of an answer that gave none.
func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets [http.ResponseController] through.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
