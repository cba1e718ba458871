package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// onlyReady asks the running serve and looks at nothing else: a health check comes
// twice a minute.
func (p *program) onlyReady(cmd *cobra.Command, d *doctor) (err error) {
	if d.config, _, err = Load(LoadOptions{Path: p.config, Flags: cmd.Flags()}); err != nil {
		return err
	}
	d.readiness(cmd.Context(), true)
	return p.endDoctor(d)
}

// readiness asks the running serve whether it is ready. must says that it is a
// fault if there is none.
func (d *doctor) readiness(ctx context.Context, must bool) {
	if d.config.Ops.Listen == "" {
		if must {
			d.fault("ready", "ops.listen is off, so nobody can ask serve", "Set ops.listen, such as 127.0.0.1:9477.")
		}
		return
	}
	answer, err := askReady(ctx, d.config.Ops.Listen)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED) && !must:
		// serve does not run, which is no fault: the rest is looked at all the same
	case errors.Is(err, syscall.ECONNREFUSED):
		d.fault("ready", "nobody listens at "+d.config.Ops.Listen, "Start floorwalker serve, or see its log for why it ended.")
	case err != nil:
		d.fault("ready", fmt.Sprintf("%s/readyz: %v", d.config.Ops.Listen, err), "See the log of serve, or choose another ops.listen if something else has this one.")
	case answer.Ready:
		d.ok("ready", "the running serve is ready")
	}
	if answer.Detail != "" {
		d.warn("ready", answer.Detail, "")
	}
	for _, reason := range answer.Reasons {
		part, _, _ := strings.Cut(reason, ": ")
		d.fault("ready", reason, adviceFor(part))
	}
}

// readyAnswer is the document of /readyz.
type readyAnswer struct {
	Ready   bool     `json:"ready"`
	Reasons []string `json:"reasons"`
	Detail  string   `json:"detail,omitempty"` // what is not well elsewhere
}

// askReady asks at the address that serve listens at.
func askReady(ctx context.Context, listen string) (answer readyAnswer, err error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return answer, err
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1" // it listens everywhere, so also here; an image may not know localhost
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", nil)
	if err != nil {
		return answer, err
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return answer, err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&answer); err != nil || !answer.Ready && len(answer.Reasons) == 0 {
		return readyAnswer{}, fmt.Errorf("this is not floorwalker: HTTP %d", resp.StatusCode)
	}
	return answer, nil
}

// adviceFor says what to do about a part that is not ready.
func adviceFor(part string) string {
	kind, _, _ := strings.Cut(part, " ")
	switch kind {
	case "start":
		return "Wait: it takes half a minute at most."
	case "disk":
		return "Make room on the disk of store.path. It goes on by itself, and nothing unrecorded was sent."
	case "store":
		return "Restart serve, which reads what was written; then look after the disk."
	case "watch":
		return "If the counters API is slow, see its lines in the log. If it is not, restart serve."
	case "alerts", "digests", "lookout":
		return "Restart serve: a loop of it stands still. Its log says what it did last."
	case "housekeeping", "leavers":
		return "See the log for why it fails."
	case "public":
		return "See the log for why it closed, and restart serve."
	case "delivery", "outbox":
		return "floorwalker outbox shows what waits, and why."
	case "connection":
		return "Check that this machine reaches the network; it connects again by itself."
	case "networks":
		return "floorwalker manifest slack prints the app to create."
	case "slack", "discord":
		return "Mend what it says, then restart serve."
	}
	return ""
}
