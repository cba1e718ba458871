package slack

import (
	"encoding/json"
	"fmt"

	"github.com/slack-go/slack"

	"floorwalker/bot/chat"
)

// Draw returns a message as the adapter would post it: a JSON object with text,
// blocks and, for a message with a colour, attachments. It is for tools and
// tests that look at what Slack gets. A private message is drawn for one
// person's eyes, any other as for a channel.
func Draw(m chat.Message) ([]byte, error) {
	c := drawing{place: place{public: !m.Private}}.draw(m)
	b, err := json.Marshal(struct {
		Text        string             `json:"text"`
		Blocks      []slack.Block      `json:"blocks"`
		Attachments []slack.Attachment `json:"attachments"`
	}{c.text, c.blocks, c.attachments()})
	if err != nil {
		return nil, fmt.Errorf("encode the drawing of %q: %w", m.Title, err)
	}
	return b, nil
}

// DrawForm returns a form as the view that the adapter would open for it, as
// JSON. It is for the same tools as [Draw].
func DrawForm(f chat.Form) ([]byte, error) {
	b, err := json.Marshal(formView(f, formMeta{}))
	if err != nil {
		return nil, fmt.Errorf("encode the drawing of the form %q: %w", f.Title, err)
	}
	return b, nil
}

// DrawPage returns the cards of a home page as the view that the adapter would
// publish, as JSON. It is for the same tools as [Draw].
func DrawPage(cards []chat.Message) ([]byte, error) {
	b, err := json.Marshal(slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: drawPage(cards)}})
	if err != nil {
		return nil, fmt.Errorf("encode the drawing of a home page: %w", err)
	}
	return b, nil
}
