package discord

import (
	"encoding/json"
	"fmt"

	"floorwalker/bot/chat"
)

// Draw returns a message as the adapter would send it, as JSON: the body of the
// call under "message", and the files beside it, with their data in base64. It is
// for tools and tests that look at what Discord gets. What the bot sends unasked
// has a line of text for the notification.
func Draw(m chat.Message, unasked bool) ([]byte, error) {
	c := draw(m, unasked)
	b, err := json.Marshal(struct {
		Message payload     `json:"message"`
		Files   []chat.File `json:"files"`
	}{c.payload, c.files})
	if err != nil {
		return nil, fmt.Errorf("encode the drawing of %q: %w", m.Title, err)
	}
	return b, nil
}

// DrawForm returns a form as the modal that the adapter would open for it, as
// JSON. It is for the same tools as [Draw]. There is no modal that asks for a
// secret.
func DrawForm(f chat.Form) ([]byte, error) {
	m, err := drawForm(f)
	if err != nil {
		return nil, fmt.Errorf("draw the form %q: %w", f.Title, err)
	}
	return json.Marshal(m)
}
