package slack

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
)

const (
	formCallback = "form"
	inputPrefix  = "in:" // of an input's block_id; the rest is its name
	inputAction  = "value"
)

// formMeta is what a view brings back when it is sent: no secret, because every
// member of the workspace's apps can read it.
type formMeta struct {
	Form    string `json:"f"`
	Value   string `json:"v,omitempty"`
	Channel string `json:"c,omitempty"` // where the form was asked for
	Home    bool   `json:"h,omitempty"` // on the home page
}

// formView draws a form; meta says where it was asked for. What Slack cannot do is mask an input: the person is
// told by the form's own words.
func formView(f chat.Form, meta formMeta) slack.ModalViewRequest {
	meta.Form, meta.Value = f.ID, f.Value
	var blocks []slack.Block
	d := drawing{surface: inModal}
	intro := chat.Fit(chat.Message{Blocks: []chat.Block{chat.Paragraph{Text: f.Intro}}}, d.limits())
	blocks = append(blocks, d.body(intro)...)
	for _, name := range slices.Sorted(maps.Keys(f.Errors)) {
		blocks = append(blocks, section("⚠ "+inert(chat.Clip(f.Errors[name], 300, nil))))
	}
	for _, in := range f.Fields {
		blocks = append(blocks, input(in))
	}
	submit := f.Submit
	if submit == "" {
		submit = "Send"
	}
	return slack.ModalViewRequest{
		Type: slack.VTModal, CallbackID: formCallback, PrivateMetadata: meta.encode(),
		Title: plainText(f.Title, maxViewTitle), Submit: plainText(submit, maxViewTitle), Close: plainText("Cancel", maxViewTitle),
		Blocks: slack.Blocks{BlockSet: blocks},
	}
}

func input(in chat.Input) slack.Block {
	e := slack.NewPlainTextInputBlockElement(nil, inputAction)
	if !in.Secret {
		e.InitialValue = chat.Clip(chat.Clean(in.Value), maxInput, units)
	}
	var hint *slack.TextBlockObject
	if in.Hint != "" {
		hint = plainText(in.Hint, maxLabel)
	}
	return slack.NewInputBlock(inputPrefix+in.Name, plainText(in.Label, maxLabel), hint, e).WithOptional(in.Optional)
}

func (m formMeta) encode() string {
	b, err := json.Marshal(m)
	if err != nil {
		panic(err) // strings and a bool
	}
	return string(b)
}

// messageView draws a message as a modal, which has no submit button.
func messageView(m chat.Message) slack.ModalViewRequest {
	title := plainText(m.Title, maxViewTitle)
	if m.Title == "" {
		title = plainText("floorwalker", maxViewTitle)
	}
	if units(chat.OneLine(m.Title)) <= maxViewTitle {
		m.Title = "" // it is not said twice
	}
	c := drawing{surface: inModal}.draw(m)
	if len(c.blocks) == 0 {
		c.blocks = []slack.Block{section(c.text)}
	}
	return slack.ModalViewRequest{
		Type: slack.VTModal, Title: title, Close: plainText("Close", maxViewTitle),
		Blocks: slack.Blocks{BlockSet: c.blocks},
	}
}

// checkingView stands in a modal's place until there is a result.
func checkingView() slack.ModalViewRequest {
	return messageView(chat.Message{Title: "One moment", Blocks: []chat.Block{chat.Paragraph{Text: chat.T("Checking what you sent…")}}})
}

// formErrors returns what is wrong with a form's values by the id of the input,
// nil if one of them is about no input that the person sees: then Slack would
// show nothing but a failure.
func formErrors(f chat.Form, sent view) map[string]string {
	errs := map[string]string{}
	for name, wrong := range f.Errors {
		if _, ok := sent.State.Values[inputPrefix+name]; !ok {
			return nil
		}
		errs[inputPrefix+name] = chat.Clip(chat.OneLine(wrong), 300, nil)
	}
	return errs
}

// formValues returns what a view holds, by the names of its inputs.
func formValues(state map[string]map[string]inputState) map[string]secret.Secret {
	values := map[string]secret.Secret{}
	for block, actions := range state {
		if name, ok := strings.CutPrefix(block, inputPrefix); ok {
			values[name] = actions[inputAction].Value
		}
	}
	return values
}
