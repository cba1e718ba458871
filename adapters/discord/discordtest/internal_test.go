package discordtest

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// An endpoint that answers 202 leaves the interaction open for a callback; an
// answer after the person gave up does not count.
func TestLateAndLeft(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	status, body := http.StatusAccepted, ""
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		w.Write([]byte(body)) // the request fails if this does
	}))
	defer app.Close()
	i := &Interaction{s: s, Kind: KindCommand, Payload: obj{}}
	s.deliver(i, app.URL)
	if i.over {
		t.Error("after 202 the interaction is over")
	}
	i.over = true
	status, body = http.StatusOK, `{"type":5}`
	s.deliver(i, app.URL)
	if _, answered := i.Ack(); answered || len(i.Refused()) != 1 {
		t.Errorf("a late answer counts: %v, refused %q", answered, i.Refused())
	}
}
