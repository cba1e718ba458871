package slack

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"floorwalker/adapters/slack/slacktest"
)

// BenchmarkAck types a command and waits for its acknowledgement, and beside it
// sends a message of the same size to a bare WebSocket server that returns it.
// The ratio is that of the medians.
func BenchmarkAck(b *testing.B) {
	srv := slacktest.New(slacktest.Options{})
	defer srv.Close()
	srv.AddUser(slacktest.User{ID: asha})
	srv.AddChannel(slacktest.Channel{ID: support, Members: []string{asha}})
	a := adapter(b, srv)
	a.log = slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx, &app{handle: said}) }()
	if _, err := srv.WaitSockets(b.Context(), clients); err != nil {
		b.Fatal(err)
	}
	echo := newEcho(b)
	var acks, echoes []float64
	for b.Loop() {
		ack, err := srv.Slash(asha, support, "/mystats", "today").WaitAck(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		acks = append(acks, ack.Took.Seconds()*1000)
		echoes = append(echoes, echo().Seconds()*1000)
		b.StartTimer()
	}
	cancel()
	if err := <-ended; err != nil {
		b.Error(err)
	}
	slices.Sort(acks)
	slices.Sort(echoes)
	b.ReportMetric(acks[len(acks)/2], "ack-ms")
	b.ReportMetric(echoes[len(echoes)/2], "echo-ms")
	b.ReportMetric(acks[len(acks)/2]/echoes[len(echoes)/2], "ratio")
}

// newEcho returns a function that sends a message to and fro, and takes the time.
func newEcho(b *testing.B) func() time.Duration {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var up websocket.Upgrader
		conn, err := up.Upgrade(w, r, nil)
		if err != nil {
			b.Error(err)
			return
		}
		defer conn.Close()
		for {
			kind, message, err := conn.ReadMessage()
			if err != nil || conn.WriteMessage(kind, message) != nil {
				return // the client has gone
			}
		}
	}))
	b.Cleanup(web.Close)
	conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(web.URL, "http"), nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	message := []byte(strings.Repeat("x", 1000))
	return func() time.Duration {
		began := time.Now()
		if err := conn.WriteMessage(websocket.TextMessage, message); err != nil {
			b.Fatal(err)
		}
		if _, _, err := conn.ReadMessage(); err != nil {
			b.Fatal(err)
		}
		return time.Since(began)
	}
}
