package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestDoctorPublic: the public address leads to serve, to nobody, or elsewhere.
func TestDoctorPublic(t *testing.T) {
	at := freeAddress(t)
	s := newSlackSite(t, fmt.Sprintf("http: {listen: %q, public_url: \"http://%s/\"}\n", at, at))
	s.says(0, nil, "http://"+at+" cannot be reached from this machine: ", "refused", "→ Start floorwalker serve, and let the proxy pass /link/", "!leads to", "!/link/ is answered")
	s.serve()
	s.awaitReady()
	s.says(0, nil, "ok     link page             http://"+at+" leads to floorwalker")
	s.stop()
	for status, want := range map[int]string{
		http.StatusBadGateway: "warn   link page",
		http.StatusFound:      "FAULT  link page",
		http.StatusOK:         "FAULT  link page",
		http.StatusNotFound:   "FAULT  link page",
	} {
		var asked string
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = r.URL.Path
			w.Header().Set("Location", "https://login.example/")
			w.WriteHeader(status)
		}))
		s := newSlackSite(t, fmt.Sprintf("http: {listen: %q, public_url: %q}\n", at, proxy.URL))
		exit := exitFailed
		if strings.HasPrefix(want, "warn") {
			exit = 0
		}
		s.says(exit, nil, want, fmt.Sprintf("status %d", status), "!leads to")
		if ticket, ok := strings.CutPrefix(asked, "/link/"); !ok || len(ticket) != 43 {
			t.Errorf("asked for %q, which does not look like a link page", asked)
		}
		proxy.Close()
	}
	newSlackSite(t, fmt.Sprintf("http: {listen: %q}\n", at)).says(0, nil, "!link page") // there are none
}
