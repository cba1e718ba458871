package slacktest_test

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/gorilla/websocket"

	"floorwalker/adapters/slack/slacktest"
)

// A command there and back: envelope, ack, and an answer through the
// response_url, one after another. It says what the fake itself costs in
// measurements of an adapter.
func BenchmarkCommand(b *testing.B) {
	s := slacktest.New(slacktest.Options{})
	defer s.Close()
	s.AddUser(slacktest.User{ID: "U1"})
	req, err := http.NewRequest("POST", s.APIURL()+"apps.connections.open", nil)
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer xapp-1")
	conn, _, err := websocket.DefaultDialer.Dial(do(b, req).wants("").str("url"), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	var frame obj
	if err := conn.ReadJSON(&frame); err != nil { // the hello
		b.Fatal(err)
	}
	for b.Loop() {
		i := s.Slash("U1", "", "/mystats", "")
		if err := conn.ReadJSON(&frame); err != nil {
			b.Fatal(err)
		}
		if err := conn.WriteJSON(obj{"envelope_id": frame["envelope_id"]}); err != nil {
			b.Fatal(err)
		}
		resp, err := http.Post(i.ResponseURL, "application/json", bytes.NewReader([]byte(`{"text":"42 calls"}`)))
		if err != nil {
			b.Fatal(err)
		}
		resp.Body.Close()
		if _, err := i.WaitAck(b.Context()); err != nil || len(i.Replies()) != 1 {
			b.Fatal("no answer", err)
		}
	}
}
