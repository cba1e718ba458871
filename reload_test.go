package main

import (
	"testing"
	"time"
)

// TestRunning: of a new configuration the bot is told what is in force.
func TestRunning(t *testing.T) {
	began, next := &Config{}, &Config{}
	began.Dashboard.RequestsPerSecond, began.Dashboard.MaxInFlight = 50, 32
	began.Slack.Commands.Floor = "/floor"
	next.Dashboard.RequestsPerSecond, next.Dashboard.MaxInFlight = 500, 64
	next.Dashboard.PollInterval = time.Minute
	next.Slack.Commands.Floor = "/walker"
	next.Teams = []TeamConfig{{Name: "support"}}
	b := botConfig(running(began, next))
	if b.RequestsPerSecond != 50 || b.MaxInFlight != 32 || b.Commands["slack"]["floor"] != "/floor" {
		t.Errorf("the client and the adapters do not have this yet: %+v", b)
	}
	if b.PollInterval != time.Minute || len(b.Teams) != 1 {
		t.Errorf("this is in force at once: %+v", b)
	}
	if next.Dashboard.RequestsPerSecond != 500 {
		t.Error("the configuration itself was changed")
	}
}
