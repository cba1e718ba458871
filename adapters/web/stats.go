package web

import (
	"cmp"
	"maps"
	"net"
	"net/http"
	"strconv"
	"sync"
)

// Stats is what a server did since it was made, for metrics.
type Stats struct {
	Requests  map[Answered]int64 // requests that were answered
	Throttled int64              // of them, requests for link pages that came too often
	Open      int                // connections now
}

// Answered is a kind of answered requests: none of what is particular to one.
type Answered struct {
	Route string // as in the log: a callback's path, /link/… for a link page, or none
	Class string // of the status: 2xx, 4xx
}

// Stats returns the numbers as they are now.
func (s *Server) Stats() Stats {
	s.tally.mu.Lock()
	defer s.tally.mu.Unlock()
	stats := s.tally.stats
	stats.Requests = maps.Clone(stats.Requests)
	return stats
}

// A tally counts. The zero value is ready.
type tally struct {
	mu    sync.Mutex // guards stats
	stats Stats
}

// answered counts a request. A handler that wrote no status has sent a 200.
func (t *tally) answered(route string, status int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stats.Requests == nil {
		t.stats.Requests = map[Answered]int64{}
	}
	class := strconv.Itoa(cmp.Or(status, http.StatusOK)/100) + "xx"
	t.stats.Requests[Answered{cmp.Or(route, "none"), class}]++
	if status == http.StatusTooManyRequests {
		t.stats.Throttled++
	}
}

// connection counts the open ones. It is an [http.Server]'s ConnState.
func (t *tally) connection(_ net.Conn, state http.ConnState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch state {
	case http.StateNew:
		t.stats.Open++
	case http.StateClosed, http.StateHijacked:
		t.stats.Open--
	}
}
