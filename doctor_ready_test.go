package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestDoctorReady: what /readyz says reaches the doctor, with what to do, and
// whoever asks for nothing else gets nothing else.
func TestDoctorReady(t *testing.T) {
	s := newSlackSite(t, "")
	s.says(exitFailed, []string{"--ready"}, "nobody listens at "+s.ops, "Start floorwalker serve")

	health := &Health{}
	server := httptest.NewServer(opsHandler(health, newMetrics(health)))
	t.Cleanup(server.Close)
	there := strings.TrimPrefix(server.URL, "http://")
	_, port, _ := strings.Cut(there, ":")
	for _, listen := range []string{there, ":" + port, "0.0.0.0:" + port, "[::]:" + port} {
		s.rewrite(`listen: "`+s.ops+`"`, `listen: "`+listen+`"`)
		s.ops = listen
		s.says(0, []string{"--ready"}, "the running serve is ready", "!configuration", "!api")
	}
	health.Set("disk", "full: numbers are not saved")
	health.Set("outbox of slack", late("the oldest message has been due for %s", time.Unix(0, 0), 0, time.Unix(180, 0)))
	s.says(exitFailed, []string{"--ready"}, "disk: full", "Make room on the disk", "outbox of slack: the oldest message has been due for 3m0s", "floorwalker outbox shows", "2 faults")
	health.Set("disk", "")
	s.says(exitFailed, nil, "outbox of slack: the oldest message", "!disk")

	other := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	s.rewrite(s.ops, strings.TrimPrefix(other.URL, "http://"))
	s.says(exitFailed, []string{"--ready"}, "this is not floorwalker: HTTP 404")
	s.rewrite(`listen: "`+strings.TrimPrefix(other.URL, "http://")+`"`, `listen: ""`)
	s.says(exitFailed, []string{"--ready"}, "ops.listen is off")
}

// TestAdvice: every part that can be red has its advice.
func TestAdvice(t *testing.T) {
	for _, part := range []string{
		"start", "disk", "store", "watch", "alerts", "digests", "lookout", "housekeeping", "leavers", publicPart, "delivery on slack", "outbox of discord",
		"connection to slack", "networks", "slack", "discord",
	} {
		if adviceFor(part) == "" {
			t.Errorf("there is no advice for %s", part)
		}
	}
}
