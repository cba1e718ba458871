package discordtest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// An app is an endpoint for interactions that keeps what it gets.
type app struct {
	url string

	mu  sync.Mutex // guards got
	got []received
}

type received struct {
	header http.Header
	body   []byte
}

func newApp(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, body []byte)) *app {
	a := &app{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the caller is gone
		}
		a.mu.Lock()
		a.got = append(a.got, received{r.Header.Clone(), body})
		a.mu.Unlock()
		answer(w, r, body)
	}))
	t.Cleanup(srv.Close)
	a.url = srv.URL
	return a
}

func (a *app) last() received {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.got[len(a.got)-1]
}
