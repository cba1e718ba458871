package chat_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"floorwalker/bot/chat"
)

// everything is a message that uses every field there is.
func everything() chat.Message {
	asha := chat.Address{Network: chat.Slack, ID: "U1"}
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	return chat.Message{
		Title: "Missed calls", Tone: chat.Critical, Private: true,
		Blocks: []chat.Block{
			chat.Paragraph{Quiet: true, Text: chat.Join(chat.T("a "), chat.Strong("b"), chat.Code("c"),
				chat.Mention(asha, "Asha"), chat.At(at, chat.Ago), chat.Link("d", "https://example.com"))},
			chat.Fields{{Label: "Missed", Value: "3", Note: "▲ 1"}},
			chat.Table{Columns: []chat.Column{{Title: "Agent", Evident: true}, {Title: "Missed", Numeric: true}}, Rows: [][]string{{"Asha", "3"}}, More: 2},
			chat.Chart{Title: "Calls", Kind: chat.Curves, Labels: []string{"09", "10"}, Unit: "calls", Alt: "up",
				Series: []chat.Series{{Name: "offered", Points: []chat.Point{{Value: 1.5}, {Missing: true}}}}},
		},
		Actions: []chat.Action{{ID: "floor", Value: "ack 1", Label: "Acknowledge", Style: chat.Primary, Replace: true, Form: true, URL: "https://example.com",
			Confirm: &chat.Confirm{Title: "Sure?", Text: "Really", Yes: "Yes", No: "No"}}},
		Footer: chat.T("as of now"),
		Files:  []chat.File{{Name: "a.png", Type: "image/png", Data: []byte{1, 2, 3}, Alt: "one"}},
	}
}

// TestMessageStored freezes the form in which messages wait in the outbox: one
// that was written by an older version is still delivered by this one.
func TestMessageStored(t *testing.T) {
	golden := filepath.Join("testdata", "message.json")
	got, err := json.MarshalIndent(everything(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)+"\n"); diff != "" {
		t.Errorf("the stored form changed; messages in outboxes will be lost:\n%s", diff)
	}
	var back chat.Message
	if err := json.Unmarshal(want, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(everything(), back); diff != "" {
		t.Errorf("a stored message comes back changed:\n%s", diff)
	}
}

func TestMessageStoredUnknown(t *testing.T) {
	var m chat.Message
	if err := json.Unmarshal([]byte(`{"title":"x","blocks":[{"video":{}}]}`), &m); err == nil {
		t.Error("a block of an unknown kind is dropped in silence")
	}
}
