package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"floorwalker/bot/secret"
)

const (
	// pingEvery is how often the heartbeat is sent, and pingFor how long one may
	// take.
	pingEvery = time.Minute
	pingFor   = 10 * time.Second
)

// A heartbeat tells somebody outside that all is well, once a minute, so that
// their silence detector raises the alarm when this program cannot: a dead man's
// switch. It is not sent while anything is wrong, nor when the program stops.
//
// The URL is a bearer secret: whoever has it can pretend that all is well. It
// never reaches a log or an error.
type heartbeat struct {
	url    secret.Secret
	health *Health
	via    http.RoundTripper // not a client: a redirect would hand the secret to whoever it names
	log    *slog.Logger

	sent, failed, withheld atomic.Int64
	broken                 bool // the last one failed, which is in the log; owned by run
}

// newHeartbeat returns one that sends to a URL; "" sends nothing.
func newHeartbeat(url secret.Secret, health *Health, log *slog.Logger) *heartbeat {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true // once a minute is no reason to hold a connection
	return &heartbeat{url: url, health: health, log: log, via: transport}
}

// run sends until ctx ends. The first is sent as soon as all is well.
func (h *heartbeat) run(ctx context.Context) error {
	if h.url.IsZero() {
		return nil
	}
	for ctx.Err() == nil {
		wait := pingEvery
		if reasons := h.health.Reasons(time.Now()); len(reasons) > 0 {
			h.withheld.Add(1)
			wait = lookEvery // it is sent again as soon as all is well
		} else {
			h.beat(ctx)
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
	return nil
}

// beat sends one, and says in the log when that begins or ceases to fail.
func (h *heartbeat) beat(ctx context.Context) {
	err := h.send(ctx)
	switch {
	case ctx.Err() != nil:
		return
	case err != nil:
		h.failed.Add(1)
		if !h.broken {
			h.log.WarnContext(ctx, "the heartbeat is not delivered; it is tried every minute", "err", err)
		}
	default:
		h.sent.Add(1)
		if h.broken {
			h.log.InfoContext(ctx, "the heartbeat is delivered again")
		}
	}
	h.broken = err != nil
}

// send makes one request. Its errors hold nothing of the URL but its host.
func (h *heartbeat) send(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pingFor)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url.Reveal(), strings.NewReader("floorwalker: all is well\n"))
	if err != nil {
		return errors.New("ops.heartbeat_url is not a URL")
	}
	req.Header.Set("Content-Type", "text/plain; charset=utf-8")
	req.Header.Set("User-Agent", "floorwalker")
	resp, err := h.via.RoundTrip(req)
	if err != nil {
		return err // RoundTrip's, unlike a client's, do not hold the URL
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 4<<10)) // of no interest
	switch {
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		return fmt.Errorf("%s sends it elsewhere (HTTP %d), and it is not sent there: correct ops.heartbeat_url", req.URL.Host, resp.StatusCode)
	case resp.StatusCode >= 400:
		return fmt.Errorf("%s answers HTTP %d", req.URL.Host, resp.StatusCode)
	}
	return nil
}
