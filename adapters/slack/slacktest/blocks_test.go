package slacktest_test

import (
	"fmt"
	"strings"
	"testing"

	"floorwalker/adapters/slack/slacktest"
)

func lineChart() obj {
	return obj{"type": "data_visualization", "title": "Calls", "chart": obj{"type": "line",
		"axis_config": obj{"categories": list{"09", "10"}, "x_label": "hour"},
		"series":      list{obj{"name": "You", "data": list{obj{"label": "09", "value": 1}, obj{"label": "10", "value": -2}}}}}}
}

func cells(words ...string) list {
	l := list{}
	for _, w := range words {
		l = append(l, obj{"type": "raw_text", "text": w})
	}
	return l
}

func table() obj {
	return obj{"type": "data_table", "caption": "Team", "rows": list{cells("Agent", "Calls"),
		list{obj{"type": "raw_text", "text": "Asha"}, obj{"type": "raw_number", "value": 42}}}}
}

func mrkdwn(s string) obj { return obj{"type": "mrkdwn", "text": s} }

func repeat(n int, v any) list {
	l := make(list, n)
	for i := range l {
		l[i] = v
	}
	return l
}

func x(n int) string { return strings.Repeat("é", n) } // characters, not bytes

// patch sets a value deep in a block: patch(b, v, "chart", "series", 0, "name").
func patch(b obj, v any, path ...any) obj {
	var in any = b
	for _, p := range path[:len(path)-1] {
		switch p := p.(type) {
		case string:
			in = in.(obj)[p]
		case int:
			in = in.(list)[p]
		}
	}
	in.(obj)[path[len(path)-1].(string)] = v
	return b
}

// Each limit of Block Kit: what is just allowed, what is not, and where Slack
// says it is wrong.
func TestBlockLimits(t *testing.T) {
	s := start(t, slacktest.Options{})
	chart := func(v any, path ...any) obj { return patch(lineChart(), v, append([]any{"chart"}, path...)...) }
	option := func(label, value string) obj { return obj{"text": words(label), "value": value} }
	overflow := func(n int) obj {
		return actions(obj{"type": "overflow", "action_id": "o", "options": repeat(n, option("a", "b"))})
	}
	pick := func(o obj) obj {
		return actions(obj{"type": "static_select", "action_id": "o", "options": list{o}})
	}
	confirm := func(title, text, yes string) obj {
		return actions(with(button("b", "B"), "confirm", obj{"title": words(title), "text": mrkdwn(text), "confirm": words(yes), "deny": words("No")}))
	}
	for name, c := range map[string]struct {
		good, bad any
		says      string
	}{
		"header":           {obj{"type": "header", "text": words(x(150))}, obj{"type": "header", "text": words(x(151))}, "must be less than 151 characters [json-pointer:/blocks/0/text/text]"},
		"header kind":      {obj{"type": "header", "text": words("a"), "level": 4}, obj{"type": "header", "text": mrkdwn("a")}, "must be a plain_text object [json-pointer:/blocks/0/text]"},
		"section":          {section(x(3000)), section(x(3001)), "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"},
		"empty text":       {section("x"), section(""), "must be more than 0 characters [json-pointer:/blocks/0/text/text]"},
		"empty section":    {section("x"), obj{"type": "section"}, "must define either `text` or `fields` [json-pointer:/blocks/0]"},
		"fields":           {obj{"type": "section", "fields": repeat(10, words("x"))}, obj{"type": "section", "fields": repeat(11, words("x"))}, "no more than 10 items allowed [json-pointer:/blocks/0/fields]"},
		"field":            {obj{"type": "section", "fields": list{mrkdwn(x(2000))}}, obj{"type": "section", "fields": list{mrkdwn(x(2001))}}, "must be less than 2001 characters [json-pointer:/blocks/0/fields/0/text]"},
		"context":          {obj{"type": "context", "elements": repeat(10, mrkdwn("x"))}, obj{"type": "context", "elements": repeat(11, mrkdwn("x"))}, "no more than 10 items allowed [json-pointer:/blocks/0/elements]"},
		"actions":          {actions(repeat(25, button("b", "B"))...), actions(repeat(26, button("b", "B"))...), "no more than 25 items allowed [json-pointer:/blocks/0/elements]"},
		"button text":      {actions(button("b", x(75))), actions(button("b", x(76))), "must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]"},
		"button value":     {actions(with(button("b", "B"), "value", x(2000))), actions(with(button("b", "B"), "value", x(2001))), "must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]"},
		"button url":       {actions(with(button("b", "B"), "url", "https://example.com/")), actions(with(button("b", "B"), "url", "example")), "invalid url [json-pointer:/blocks/0/elements/0/url]"},
		"button style":     {actions(with(button("b", "B"), "style", "primary")), actions(with(button("b", "B"), "style", "red")), "must be a valid enum value [json-pointer:/blocks/0/elements/0/style]"},
		"action_id":        {actions(button(x(255), "B")), actions(button(x(256), "B")), "must be less than 256 characters [json-pointer:/blocks/0/elements/0/action_id]"},
		"block_id":         {with(section("x"), "block_id", x(255)), with(section("x"), "block_id", x(256)), "must be less than 256 characters [json-pointer:/blocks/0/block_id]"},
		"twice":            {section("x"), list{with(section("x"), "block_id", "b"), with(section("x"), "block_id", "b")}, "`block_id` already exists [json-pointer:/blocks/1/block_id]"},
		"overflow":         {overflow(5), overflow(6), "no more than 5 items allowed [json-pointer:/blocks/0/elements/0/options]"},
		"option":           {pick(option(x(75), "v")), pick(option(x(76), "v")), "must be less than 76 characters [json-pointer:/blocks/0/elements/0/options/0/text/text]"},
		"option value":     {pick(option("x", x(150))), pick(option("x", x(151))), "must be less than 151 characters [json-pointer:/blocks/0/elements/0/options/0/value]"},
		"confirm title":    {confirm(x(100), "t", "y"), confirm(x(101), "t", "y"), "must be less than 101 characters [json-pointer:/blocks/0/elements/0/confirm/title/text]"},
		"confirm text":     {confirm("t", x(300), "y"), confirm("t", x(301), "y"), "must be less than 301 characters [json-pointer:/blocks/0/elements/0/confirm/text/text]"},
		"confirm button":   {confirm("t", "t", x(30)), confirm("t", "t", x(31)), "must be less than 31 characters [json-pointer:/blocks/0/elements/0/confirm/confirm/text]"},
		"image":            {obj{"type": "image", "image_url": "https://example.com/x.png", "alt_text": "x"}, obj{"type": "image", "image_url": "https://example.com/x.png"}, "missing required field: alt_text [json-pointer:/blocks/0]"},
		"no image":         {section("x"), obj{"type": "image", "alt_text": "x"}, "must define either `image_url` or `slack_file` [json-pointer:/blocks/0]"},
		"rich text":        {rich(obj{"type": "text", "text": "x"}), rich(obj{"type": "text", "text": ""}), "must be more than 0 characters [json-pointer:/blocks/0/elements/0/elements/0/text]"},
		"markdown":         {obj{"type": "markdown", "text": x(12_000)}, list{obj{"type": "markdown", "text": x(6000)}, obj{"type": "markdown", "text": x(6001)}}, "markdown text must be less than 12001 characters in total [json-pointer:/blocks]"},
		"blocks":           {repeat(50, obj{"type": "divider"}), repeat(51, obj{"type": "divider"}), "no more than 50 items allowed [json-pointer:/blocks]"},
		"unknown":          {obj{"type": "divider"}, obj{"type": "blink"}, "unsupported type: blink [json-pointer:/blocks/0/type]"},
		"alert":            {section("x"), obj{"type": "alert", "text": words("x")}, "unsupported type: alert [json-pointer:/blocks/0/type]"},
		"property":         {section("x"), with(section("x"), "colour", "red"), "invalid additional property: colour [json-pointer:/blocks/0]"},
		"emoji in mrkdwn":  {section("x"), obj{"type": "section", "text": with(mrkdwn("x"), "emoji", true)}, "invalid additional property: emoji [json-pointer:/blocks/0/text]"},
		"two tables":       {table(), list{table(), obj{"type": "table", "rows": list{cells("a")}}}, "only_one_table_allowed [json-pointer:/blocks]"},
		"empty cell":       {table(), patch(table(), list{cells("a"), cells("")}, "rows"), "must be more than 0 characters [json-pointer:/blocks/0/rows/1/0/text]"},
		"data_table rows":  {patch(table(), repeat(101, cells("a")), "rows"), patch(table(), repeat(102, cells("a")), "rows"), "no more than 101 items allowed [json-pointer:/blocks/0/rows]"},
		"one row":          {table(), patch(table(), list{cells("a")}, "rows"), "no fewer than 2 items allowed [json-pointer:/blocks/0/rows]"},
		"uneven rows":      {table(), patch(table(), list{cells("a", "b"), cells("a")}, "rows"), "must have as many cells as the first row [json-pointer:/blocks/0/rows/1]"},
		"columns":          {patch(table(), repeat(2, repeat(20, cells("a")[0])), "rows"), patch(table(), repeat(2, repeat(21, cells("a")[0])), "rows"), "no more than 20 items allowed [json-pointer:/blocks/0/rows/0]"},
		"number in header": {table(), patch(table(), repeat(2, list{obj{"type": "raw_number", "value": 1}}), "rows"), "header cells must be raw_text [json-pointer:/blocks/0/rows/0/0]"},
		"table rows":       {obj{"type": "table", "rows": repeat(100, cells("a"))}, obj{"type": "table", "rows": repeat(101, cells("a"))}, "no more than 100 items allowed [json-pointer:/blocks/0/rows]"},
		"charts":           {list{lineChart(), lineChart()}, list{lineChart(), lineChart(), lineChart()}, "no more than 2 data_visualization blocks allowed [json-pointer:/blocks]"},
		"chart title":      {patch(lineChart(), x(50), "title"), patch(lineChart(), x(51), "title"), "must be less than 51 characters [json-pointer:/blocks/0/title]"},
		"axis label":       {chart(x(50), "axis_config", "x_label"), chart(x(51), "axis_config", "x_label"), "must be less than 51 characters [json-pointer:/blocks/0/chart/axis_config/x_label]"},
		"series name":      {chart(x(20), "series", 0, "name"), chart(x(21), "series", 0, "name"), "must be less than 21 characters [json-pointer:/blocks/0/chart/series/0/name]"},
		"a missing point":  {lineChart(), chart(list{obj{"label": "09", "value": 1}}, "series", 0, "data"), "must have exactly one point for each category [json-pointer:/blocks/0/chart/series/0/data]"},
		"same categories":  {lineChart(), chart(list{"09", "09"}, "axis_config", "categories"), "must be unique [json-pointer:/blocks/0/chart/axis_config/categories]"},
		"null point":       {lineChart(), chart(list{obj{"label": "09", "value": nil}, obj{"label": "10", "value": 1}}, "series", 0, "data"), "must be a number from -1e+300 to 1e+300 [json-pointer:/blocks/0/chart/series/0/data/0/value]"},
		"seven series":     {chart(series(6), "series"), chart(series(7), "series"), "no more than 6 items allowed [json-pointer:/blocks/0/chart/series]"},
		"same series":      {chart(series(2), "series"), chart(append(series(1), series(1)...), "series"), "names must be unique [json-pointer:/blocks/0/chart/series]"},
		"pie":              {pie(0.1), pie(0), "must be greater than 0 [json-pointer:/blocks/0/chart/segments/0/value]"},
	} {
		t.Run(name, func(t *testing.T) {
			call(t, s, "chat.postMessage", obj{"channel": "C1", "text": "x", "blocks": several(c.good)}).wants("")
			a := call(t, s, "chat.postMessage", obj{"channel": "C1", "text": "x", "blocks": several(c.bad)}).wants("invalid_blocks")
			if got := fmt.Sprint(a.body["errors"]); !strings.Contains(got, c.says) {
				t.Errorf("says %s, want %s", got, c.says)
			}
			if got := fmt.Sprint(a.body["response_metadata"]); !strings.Contains(got, "[ERROR] "+c.says) {
				t.Errorf("response_metadata says %s, want %s", got, c.says)
			}
		})
	}
}

func several(v any) list {
	if l, ok := v.(list); ok {
		return l
	}
	return list{v}
}

func rich(element obj) obj {
	return obj{"type": "rich_text", "elements": list{obj{"type": "rich_text_section", "elements": list{element}}}}
}

func series(n int) list {
	l := list{}
	for i := range n {
		l = append(l, obj{"name": fmt.Sprint("S", i), "data": list{obj{"label": "09", "value": 1}, obj{"label": "10", "value": 2}}})
	}
	return l
}

func pie(value float64) obj {
	return obj{"type": "data_visualization", "title": "Split", "chart": obj{"type": "pie", "segments": list{obj{"label": "a", "value": value}}}}
}

func TestNoCharts(t *testing.T) {
	s := start(t, slacktest.Options{NoCharts: true})
	for _, b := range []obj{lineChart(), table(), {"type": "table", "rows": list{list{obj{"type": "raw_number", "value": 1}}}}} {
		call(t, s, "chat.postMessage", obj{"channel": "C1", "text": "x", "blocks": list{b}}).wants("invalid_blocks")
	}
	call(t, s, "chat.postMessage", obj{"channel": "C1", "text": "x", "blocks": list{obj{"type": "table", "rows": list{cells("a")}}}}).wants("")
	s.SetCharts(true)
	call(t, s, "chat.postMessage", obj{"channel": "C1", "text": "x", "blocks": list{lineChart(), table()}}).wants("")
}
