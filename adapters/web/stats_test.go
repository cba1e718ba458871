package web

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestStats counts by route and class, and says nothing of a ticket.
func TestStats(t *testing.T) {
	st := newStand(t, echo("/slack/command"))
	st.limits.perMinute = 3
	st.get("/link/" + ticket)
	st.get("/link/" + strings.Repeat("x", 43))
	st.get("/link/" + ticket)
	for range 2 {
		st.get("/link/" + ticket) // too many
	}
	st.do(post("/slack/command", "x"))
	st.do(httptest.NewRequest("GET", "https://floor.example/slack/command", nil))
	st.get("/" + ticket)
	got := st.Stats()
	want := map[Answered]int64{
		{"/link/…", "2xx"}: 2, {"/link/…", "4xx"}: 3, {"/slack/command", "2xx"}: 1, {"/slack/command", "4xx"}: 1, {"none", "4xx"}: 1,
	}
	if !maps.Equal(got.Requests, want) || got.Throttled != 2 || got.Open != 0 {
		t.Errorf("counted %v, want %v of which 2 were throttled", got, want)
	}
	clear(got.Requests)
	if len(st.Stats().Requests) == 0 {
		t.Error("who reads the numbers can change them")
	}
}

// TestOpenConnections counts those that are open, and those that were refused
// before they were requests only as long as they last.
func TestOpenConnections(t *testing.T) {
	r := serve(t, newStand(t))
	open := func(want int) {
		t.Helper()
		for deadline := time.Now().Add(soon); r.Stats().Open != want; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%d connections are open, want %d", r.Stats().Open, want)
			}
		}
	}
	first, second := r.dial(), r.dial()
	r.ask(first, look)
	r.ask(second, look)
	open(2)
	first.Close()
	open(1)
	io.WriteString(second, "nonsense\r\n\r\n")
	r.closed(second)
	open(0)
}

// TestLibraryAnswers: what the standard library answers by itself repeats nothing
// of what was sent, names no version, and ends the connection. A library that
// changes that must show here.
func TestLibraryAnswers(t *testing.T) {
	const evil = "<script>alert(1)</script>"
	r := serve(t, newStand(t, echo("/slack/command")))
	for status, requests := range map[int][]string{
		http.StatusBadRequest: {evil + "\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: " + evil + "\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: x\r\n" + evil + "\r\n\r\n", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"},
		http.StatusExpectationFailed:       {"GET /slack/command HTTP/1.1\r\nHost: x\r\nExpect: " + evil + "\r\n\r\n"},
		http.StatusNotImplemented:          {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: " + evil + "\r\n\r\n"},
		http.StatusHTTPVersionNotSupported: {"GET / HTTP/3.0\r\nHost: x\r\n\r\n"},
	} {
		for _, request := range requests {
			c := r.dial()
			io.WriteString(c, request)
			resp, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Errorf("%q: %v", request, err)
				continue
			}
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			all := strings.ToLower(fmt.Sprint(resp.Status, resp.Header) + string(body))
			if resp.StatusCode != status || !resp.Close || strings.Contains(all, "script") || strings.Contains(all, "html") || strings.Contains(all, "go") {
				t.Errorf("%q is answered %s, the connection ends: %v", request, all, resp.Close)
			}
		}
	}
}
