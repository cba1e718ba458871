package slacktest

import (
	"maps"
	"slices"
	"unicode/utf8"
)

// newShapes is the table of Block Kit: Slack's documented limits, by block and
// element. It is made for each check because rules may look it up.
func newShapes() shapes {
	return shapes{blocks: blockShapes(), elements: elementShapes()}
}

const everywhere = inMessage | inModal | inHome

func blockShapes() map[string]blockShape {
	id := str(1, 255)
	selects := []string{"static_select", "users_select", "conversations_select", "channels_select", "external_select"}
	multis := []string{"multi_static_select", "multi_users_select", "multi_conversations_select", "multi_channels_select", "multi_external_select"}
	pickers := []string{"datepicker", "timepicker", "datetimepicker", "checkboxes", "radio_buttons"}
	inputs := []string{"plain_text_input", "email_text_input", "url_text_input", "number_input", "file_input", "rich_text_input"}
	choices := slices.Clip(slices.Concat(selects, multis, pickers)) // several appends below
	return map[string]blockShape{
		"divider": {shape: shape{"block_id": id}, on: everywhere},
		"header":  {shape: shape{"block_id": id, "text!": plain(150), "level": number(1, 4)}, on: everywhere},
		"section": {shape: shape{"block_id": id, "text": text(3000), "fields": list(1, 10, text(2000)), "expand": flag,
			"accessory": element(append(choices, "button", "overflow", "image")...)}, on: everywhere, extra: textOrFields},
		"context": {shape: shape{"block_id": id, "elements!": list(1, 10, textOrImage)}, on: everywhere},
		"actions": {shape: shape{"block_id": id,
			"elements!": list(1, 25, element(append(choices, "button", "overflow")...))}, on: everywhere},
		"image": {shape: shape{"block_id": id, "image_url": link, "slack_file": anything,
			"alt_text!": str(1, 2000), "title": plain(2000)}, on: everywhere, extra: picture},
		"input": {shape: shape{"block_id": id, "label!": plain(2000), "hint": plain(2000), "optional": flag,
			"dispatch_action": flag, "element!": element(append(choices, inputs...)...)}, on: everywhere, extra: countInput},
		"rich_text": {shape: shape{"block_id": id, "elements!": list(0, 1000, richElement)}, on: everywhere},
		"markdown":  {shape: shape{"block_id": id, "text!": shown(1, 12_000)}, on: inMessage, extra: countMarkdown},
		"alert":     {shape: shape{"block_id": id, "text!": text(3000), "level": oneOf("default", "info", "warning", "error", "success")}, on: inModal},
		"table": {shape: shape{"block_id": id, "rows!": list(1, 100, list(1, 20, tableCell)),
			"column_settings": list(0, 20, shape{"align": oneOf("left", "center", "right"), "is_wrapped": flag}.check)},
			on: inMessage, extra: countTable},
		"data_table": {shape: shape{"block_id": id, "caption!": shown(1, 3000), "rows!": list(2, 101, list(1, 20, cell)),
			"page_size": number(1, 100), "row_header_column_index": number(0, 19)}, on: inMessage, extra: dataTable},
		"data_visualization": {shape: shape{"block_id": id, "title!": shown(1, 50), "chart!": chart}, on: inMessage, extra: countChart},
	}
}

func elementShapes() map[string]shape {
	id := str(1, 255)
	confirm := shape{"title!": plain(100), "text!": text(300), "confirm!": plain(30), "deny!": plain(30),
		"style": oneOf("primary", "danger")}.check
	option := shape{"text!": plain(75), "value!": str(1, 150), "description": plain(75), "url": link}.check
	rich := shape{"text!": text(75), "value!": str(1, 150), "description": text(75)}.check
	group := shape{"label!": plain(75), "options!": list(1, 100, option)}.check
	base := func(more shape) shape {
		sh := shape{"action_id": id, "confirm": confirm, "focus_on_load": flag}
		maps.Copy(sh, more)
		return sh
	}
	choice := func(more shape) shape {
		more["placeholder"] = plain(150)
		return base(more)
	}
	input := func(more shape) shape {
		more["placeholder"], more["dispatch_action_config"], more["initial_value"] = plain(150), anything, str(0, 3000)
		return base(more)
	}
	options := shape{"options": list(1, 100, option), "option_groups": list(1, 100, group), "initial_option": option}
	multi := shape{"options": list(1, 100, option), "option_groups": list(1, 100, group),
		"initial_options": list(1, 100, option), "max_selected_items": number(1, 100)}
	return map[string]shape{
		"button": {"action_id": id, "text!": plain(75), "url": link, "value": str(0, 2000),
			"style": oneOf("primary", "danger"), "confirm": confirm, "accessibility_label": str(1, 75)},
		"image":                      {"image_url": link, "slack_file": anything, "alt_text!": str(1, 2000)},
		"overflow":                   base(shape{"options!": list(1, 5, option)}),
		"checkboxes":                 base(shape{"options!": list(1, 10, rich), "initial_options": list(1, 10, rich)}),
		"radio_buttons":              base(shape{"options!": list(1, 10, rich), "initial_option": rich}),
		"static_select":              choice(options),
		"users_select":               choice(shape{"initial_user": id}),
		"channels_select":            choice(shape{"initial_channel": id, "response_url_enabled": flag}),
		"external_select":            choice(shape{"initial_option": option, "min_query_length": number(0, 100)}),
		"conversations_select":       choice(shape{"initial_conversation": id, "response_url_enabled": flag, "default_to_current_conversation": flag, "filter": anything}),
		"multi_static_select":        choice(multi),
		"multi_users_select":         choice(shape{"initial_users": anything, "max_selected_items": number(1, 100)}),
		"multi_channels_select":      choice(shape{"initial_channels": anything, "max_selected_items": number(1, 100)}),
		"multi_external_select":      choice(shape{"initial_options": list(1, 100, option), "max_selected_items": number(1, 100)}),
		"multi_conversations_select": choice(shape{"initial_conversations": anything, "filter": anything, "max_selected_items": number(1, 100)}),
		"datepicker":                 choice(shape{"initial_date": str(10, 10)}),
		"timepicker":                 choice(shape{"initial_time": str(5, 5), "timezone": str(1, 255)}),
		"datetimepicker":             base(shape{"initial_date_time": number(0, 1e11)}),
		"plain_text_input":           input(shape{"multiline": flag, "min_length": number(0, 3000), "max_length": number(1, 3000)}),
		"email_text_input":           input(shape{}),
		"url_text_input":             input(shape{}),
		"number_input":               input(shape{"is_decimal_allowed!": flag, "min_value": anything, "max_value": anything}),
		"file_input":                 base(shape{"filetypes": anything, "max_files": number(1, 10)}),
		"rich_text_input":            input(shape{}),
	}
}

func textOrFields(k *checker, ptr string, v any) {
	if b, _ := v.(obj); b["text"] == nil && b["fields"] == nil {
		k.bad(ptr, "must define either `text` or `fields`")
	}
}

func textOrImage(k *checker, ptr string, v any) {
	if o, _ := v.(obj); o["type"] == "image" {
		element("image")(k, ptr, v)
		return
	}
	text(3000)(k, ptr, v)
}

// picture checks where an image comes from: a public address or an upload. An
// upload is refused until Slack has processed it.
func picture(k *checker, ptr string, v any) {
	o, _ := v.(obj)
	upload, _ := o["slack_file"].(obj)
	id, _ := upload["id"].(string)
	switch {
	case (o["image_url"] == nil) == (upload == nil):
		k.bad(ptr, "must define either `image_url` or `slack_file`")
	case upload != nil && !k.file(id):
		k.bad(at(ptr, "slack_file"), "invalid slack file")
	}
}

func countInput(k *checker, _ string, _ any) { k.inputs++ }

func countTable(k *checker, _ string, _ any) { k.tables++ }

func countMarkdown(k *checker, _ string, v any) {
	b, _ := v.(obj)
	s, _ := b["text"].(string)
	k.markdown += utf8.RuneCountInString(s)
}

// richElement checks a part of a rich_text block: texts are not empty, and they
// count.
func richElement(k *checker, ptr string, v any) {
	o, ok := v.(obj)
	if !ok {
		k.bad(ptr, "must be an object")
		return
	}
	switch o["type"] {
	case "rich_text_section", "rich_text_list", "rich_text_quote", "rich_text_preformatted":
		list(0, 1000, richElement)(k, at(ptr, "elements"), o["elements"])
	case "text":
		shown(1, 12_000)(k, at(ptr, "text"), o["text"])
	case "link":
		link(k, at(ptr, "url"), o["url"])
	case "user", "usergroup", "broadcast", "channel", "emoji", "date":
	default:
		k.bad(at(ptr, "type"), "unsupported type: %v", o["type"])
	}
}
