package slack

import (
	"fmt"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"floorwalker/bot/chat"
)

// repeat returns n of something.
func repeat[T any](n int, one T) []T {
	all := make([]T, n)
	for i := range all {
		all[i] = one
	}
	return all
}

// Each limit is found when it is broken, at its place.
func TestCheckerFindsFaults(t *testing.T) {
	plain := func(n int) *slack.TextBlockObject {
		return slack.NewTextBlockObject(slack.PlainTextType, strings.Repeat("x", n), false, false)
	}
	mark := func(s string) *slack.TextBlockObject { return mrkdwnText(s) }
	button := func(id string, n int) *slack.ButtonBlockElement { return slack.NewButtonBlockElement(id, "", plain(n)) }
	row := func(all ...slack.BlockElement) slack.Block { return slack.NewActionBlock("", all...) }
	primary := func(id string) *slack.ButtonBlockElement { b := button(id, 1); b.Style = slack.StylePrimary; return b }
	table := func(rows, cells int) slack.Block {
		b := slack.NewTableBlock("")
		for range rows {
			b.AddRow(repeat[slack.TableCell](cells, slack.NewTableRawTextCell("x"))...)
		}
		return b
	}
	ragged := slack.NewTableBlock("").AddRow(slack.NewTableRawTextCell("x")).AddRow(slack.NewTableRawTextCell("x"), slack.NewTableRawTextCell("y"))
	numbers := slack.NewTableBlock("").AddRow(slack.NewTableRawNumberCell(1))
	chart := func(title string, values ...float64) slack.Block {
		s := slack.DataVisualizationDataSeries{Name: "s"}
		var labels []string
		for i, v := range values {
			labels = append(labels, fmt.Sprint(i))
			s.Data = append(s.Data, slack.NewDataVisualizationDataPoint(fmt.Sprint(i), v))
		}
		return slack.NewDataVisualizationBlock(title, slack.NewDataVisualizationBarChart(slack.NewDataVisualizationAxisConfig(labels...), s))
	}
	confirm := button("a", 1)
	confirm.Confirm = slack.NewConfirmationBlockObject(plain(1), plain(1), plain(31), plain(1))
	loose := slack.NewTextBlockObject(slack.MarkdownType, "x", false, false)
	smiling := slack.NewTextBlockObject(slack.PlainTextType, "x", true, false)
	named := func() slack.Block {
		return slack.NewSectionBlock(mark("x"), nil, nil, slack.SectionBlockOptionBlockID("same"))
	}
	for at, c := range map[string]card{
		"/text: 0":                                 {},
		"/text: 4001":                              {text: strings.Repeat("x", 4001)},
		"/text: an unescaped":                      {text: "<!channel>"},
		"/blocks: 51 blocks":                       {text: "x", blocks: repeat(51, section("x"))},
		"/blocks: 12001 characters":                {text: "x", blocks: append(repeat(4, section(strings.Repeat("x", 3000))), section("x"))},
		"/blocks/0/text: 151":                      {text: "x", blocks: []slack.Block{slack.NewHeaderBlock(plain(151))}},
		"/blocks/0/text: not plain":                {text: "x", blocks: []slack.Block{slack.NewHeaderBlock(mark("x"))}},
		"/blocks/0/text: plain text with":          {text: "x", blocks: []slack.Block{slack.NewHeaderBlock(smiling)}},
		"/blocks/0/text: 3001":                     {text: "x", blocks: []slack.Block{section(strings.Repeat("x", 3001))}},
		"/blocks/0/text: 0 characters":             {text: "x", blocks: []slack.Block{section("")}},
		"/blocks/0/text: not verbatim":             {text: "x", blocks: []slack.Block{slack.NewSectionBlock(loose, nil, nil)}},
		"/blocks/0/text: an unescaped":             {text: "x", blocks: []slack.Block{section("a <@U1")}},
		"/blocks/0: neither":                       {text: "x", blocks: []slack.Block{slack.NewSectionBlock(nil, nil, nil)}},
		"/blocks/0/fields: 11":                     {text: "x", blocks: []slack.Block{slack.NewSectionBlock(nil, repeat(11, mark("x")), nil)}},
		"/blocks/0/fields/0: 2001":                 {text: "x", blocks: []slack.Block{slack.NewSectionBlock(nil, []*slack.TextBlockObject{mark(strings.Repeat("x", 2001))}, nil)}},
		"/blocks/0/elements: 11":                   {text: "x", blocks: []slack.Block{slack.NewContextBlock("", repeat[slack.MixedElement](11, mark("x"))...)}},
		"/blocks/0/elements: 26":                   {text: "x", blocks: []slack.Block{row(repeat[slack.BlockElement](26, button("a", 1))...)}},
		"/blocks/0/elements/1/action_id":           {text: "x", blocks: []slack.Block{row(button("a", 1), button("a", 1))}},
		"/blocks/0/elements/0/text: 76":            {text: "x", blocks: []slack.Block{row(button("a", 76))}},
		"/blocks/0/elements/0/action_id: 256":      {text: "x", blocks: []slack.Block{row(button(strings.Repeat("x", 256), 1))}},
		"/blocks/0: 2 primary":                     {text: "x", blocks: []slack.Block{row(primary("a"), primary("b"))}},
		"/blocks/0/elements/0/confirm/confirm: 31": {text: "x", blocks: []slack.Block{row(confirm)}},
		"/blocks/1/block_id: used twice":           {text: "x", blocks: []slack.Block{named(), named()}},
		"/blocks/0/rows: 101":                      {text: "x", blocks: []slack.Block{table(101, 1)}},
		"/blocks/0/rows/0: 21":                     {text: "x", blocks: []slack.Block{table(1, 21)}},
		"/blocks/0/rows/1: 2 cells":                {text: "x", blocks: []slack.Block{ragged}},
		"/blocks/0/rows/0/0: not a text":           {text: "x", blocks: []slack.Block{numbers}},
		"/blocks: 2 tables":                        {text: "x", blocks: []slack.Block{table(1, 1), table(1, 1)}},
		"/blocks: 3 charts":                        {text: "x", blocks: []slack.Block{chart("x", 1), chart("x", 1), chart("x", 1)}},
		"/blocks/0/title: 51":                      {text: "x", blocks: []slack.Block{chart(strings.Repeat("x", 51), 1)}},
		"/blocks/0: axis_config":                   {text: "x", blocks: []slack.Block{chart("x")}},
		"/attachments/0/blocks: a table":           {text: "x", bar: []slack.Block{table(1, 1)}},
		"/blocks/0: a image":                       {text: "x", blocks: []slack.Block{slack.NewImageBlock("https://example.com/", "x", "", nil)}},
		"/blocks/0: an input":                      {text: "x", blocks: []slack.Block{input(chat.Input{Name: "x", Label: "x"})}},
	} {
		if found := strings.Join(c.problems(), "\n"); !strings.Contains(found, at) {
			t.Errorf("%s… is not among what was found:\n%s", at, found)
		}
	}
	if found := (card{text: "x", blocks: []slack.Block{table(100, 20), chart("x", 1, -2), row(primary("a"), button("b", 75))}}).problems(); found != nil {
		t.Errorf("a good card has faults: %v", found)
	}
}

func TestCheckerOfViews(t *testing.T) {
	f := linkForm()
	good := formView(f, formMeta{Channel: support})
	if found := viewProblems(good); found != nil {
		t.Fatalf("a good form has faults: %v", found)
	}
	for at, spoil := range map[string]func(*slack.ModalViewRequest){
		"/title: 25": func(v *slack.ModalViewRequest) {
			v.Title = slack.NewTextBlockObject(slack.PlainTextType, strings.Repeat("x", 25), false, false)
		},
		"/title: missing":         func(v *slack.ModalViewRequest) { v.Title = nil },
		"/submit: missing":        func(v *slack.ModalViewRequest) { v.Submit = nil },
		"/private_metadata: 3001": func(v *slack.ModalViewRequest) { v.PrivateMetadata = strings.Repeat("x", 3001) },
		"/blocks: 101":            func(v *slack.ModalViewRequest) { v.Blocks.BlockSet = repeat(101, section("x")) },
		"/blocks/0: a table":      func(v *slack.ModalViewRequest) { v.Blocks.BlockSet = []slack.Block{slack.NewTableBlock("")} },
		"/blocks/1/block_id":      func(v *slack.ModalViewRequest) { v.Blocks.BlockSet[1] = v.Blocks.BlockSet[0] },
	} {
		v := formView(f, formMeta{Channel: support})
		spoil(&v)
		if found := strings.Join(viewProblems(v), "\n"); !strings.Contains(found, at) {
			t.Errorf("%s… is not among what was found:\n%s", at, found)
		}
	}
}

// A form of any length is a view that Slack takes, and its metadata holds no
// more than ids.
func TestFormsAreValid(t *testing.T) {
	for _, s := range append(hostile, endless...) {
		f := chat.Form{ID: "floor", Value: "link", Title: s, Submit: s, Intro: chat.T(s), Errors: map[string]string{"a": s}}
		for i := range 4 {
			f.Fields = append(f.Fields, chat.Input{Name: fmt.Sprint(i), Label: s, Hint: s, Value: s, Secret: i == 0})
		}
		v := formView(f, formMeta{Channel: support})
		if found := viewProblems(v); found != nil {
			t.Errorf("%.40q: %v", s, found)
		}
		secret, ok := v.Blocks.BlockSet[len(v.Blocks.BlockSet)-4].(*slack.InputBlock)
		if !ok || secret.Element.(*slack.PlainTextInputBlockElement).InitialValue != "" {
			t.Errorf("%.40q: a secret is shown", s)
		}
	}
}
