package chat

import (
	"encoding/json"
	"errors"
)

// storedMessage is the stored form of a [Message]: its fields, and the blocks
// each under the name of its kind.
type storedMessage struct {
	plainMessage
	Blocks []storedBlock `json:"blocks,omitempty"`
}

// plainMessage is a Message without its methods.
type plainMessage Message

// storedBlock holds exactly one block.
type storedBlock struct {
	Paragraph *Paragraph `json:"paragraph,omitempty"`
	Fields    Fields     `json:"fields,omitempty"`
	Table     *Table     `json:"table,omitempty"`
	Chart     *Chart     `json:"chart,omitempty"`
}

// MarshalJSON returns the stored form, in which messages wait for delivery.
func (m Message) MarshalJSON() ([]byte, error) {
	s := storedMessage{plainMessage: plainMessage(m)}
	for _, b := range m.Blocks {
		var stored storedBlock
		switch b := b.(type) {
		case Paragraph:
			stored.Paragraph = &b
		case Fields:
			if len(b) == 0 {
				continue
			}
			stored.Fields = b
		case Table:
			stored.Table = &b
		case Chart:
			stored.Chart = &b
		}
		s.Blocks = append(s.Blocks, stored)
	}
	return json.Marshal(s)
}

// UnmarshalJSON reads the stored form. A block of an unknown kind is an error.
func (m *Message) UnmarshalJSON(b []byte) error {
	var s storedMessage
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	*m = Message(s.plainMessage)
	m.Blocks = nil
	for _, stored := range s.Blocks {
		switch {
		case stored.Paragraph != nil:
			m.Blocks = append(m.Blocks, *stored.Paragraph)
		case stored.Fields != nil:
			m.Blocks = append(m.Blocks, stored.Fields)
		case stored.Table != nil:
			m.Blocks = append(m.Blocks, *stored.Table)
		case stored.Chart != nil:
			m.Blocks = append(m.Blocks, *stored.Chart)
		default:
			return errors.New("chat: a stored message has a block of an unknown kind")
		}
	}
	return nil
}
