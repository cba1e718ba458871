package discordtest_test

import (
	"fmt"
	"strings"
	"testing"

	"floorwalker/adapters/discord/discordtest"
)

// n returns a text of n characters.
func n(count int) string { return strings.Repeat("x", count) }

// many returns count copies of what make returns for 0, 1, ….
func many(count int, make func(i int) any) list {
	l := list{}
	for i := range count {
		l = append(l, make(i))
	}
	return l
}

func embed(key string, v any) obj { return obj{"embeds": list{obj{"title": "T", key: v}}} }

func field(name, value string) obj { return obj{"name": name, "value": value} }

func rows(components ...any) obj { return obj{"content": "x", "components": components} }

func numbered(i int) any { return button(fmt.Sprint(i), "B") }

func option(i int) any { return obj{"label": "L", "value": fmt.Sprint(i)} }

func menu(options list) obj { return obj{"type": 3, "custom_id": "m", "options": options} }

func with(o obj, key string, v any) obj {
	c := obj{key: v}
	for k, old := range o {
		if k != key {
			c[k] = old
		}
	}
	return c
}

const v2 = discordtest.FlagV2

func v2Body(components ...any) obj { return obj{"flags": v2, "components": components} }

func words(s string) obj { return obj{"type": 10, "content": s} }

func gallery(items list) obj { return obj{"type": 12, "items": items} }

func picture(int) any { return obj{"media": obj{"url": "https://example.com/x.png"}} }

// goodMessages are bodies at the edge of what is allowed.
var goodMessages = map[string]obj{
	"content of 2000":      {"content": n(2000)},
	"2000 after trimming":  {"content": "  " + n(2000) + "\n"},
	"embed of 6000":        {"embeds": list{obj{"title": n(256), "description": n(4096), "footer": obj{"text": n(1648)}}}},
	"25 fields":            embed("fields", many(25, func(int) any { return field(n(100), n(100)) })),
	"longest field":        embed("fields", list{field(n(256), n(1024))}),
	"filler field":         embed("fields", list{field("\u200b", "\u200b")}),
	"author of 256":        embed("author", obj{"name": n(256)}),
	"footer of 2048":       embed("footer", obj{"text": n(2048)}),
	"10 embeds":            {"embeds": many(10, func(int) any { return obj{"title": "T"} })},
	"white":                embed("color", 0xFFFFFF),
	"time with zone":       embed("timestamp", "2026-01-02T03:04:05.123+05:30"),
	"25 buttons":           rows(row(many(5, numbered)...), row(many(5, func(i int) any { return numbered(i + 5) })...), row(numbered(11)), row(numbered(12)), row(numbered(13))),
	"label of 80":          rows(row(button(n(100), n(80)))),
	"icon alone":           rows(row(obj{"type": 2, "style": 2, "custom_id": "x", "emoji": obj{"name": "🔄"}})),
	"link of 512":          rows(row(obj{"type": 2, "style": 5, "label": "L", "url": "https://example.com/" + n(492)})),
	"25 options":           rows(row(menu(many(25, option)))),
	"nulls":                {"content": "x", "embeds": nil, "components": nil, "sticker_ids": nil, "allowed_mentions": nil, "flags": nil, "nonce": nil},
	"nonce of 25":          {"content": "x", "nonce": n(25)},
	"number as nonce":      {"content": "x", "nonce": 7},
	"silent":               {"content": "x", "flags": discordtest.FlagSilent},
	"explicit people":      {"content": "x", "allowed_mentions": obj{"parse": list{}, "users": list{asha}}},
	"V2":                   v2Body(obj{"type": 17, "components": list{words("x"), gallery(many(10, picture)), obj{"type": 14}, row(numbered(1))}}),
	"V2 with 4000":         v2Body(words(n(2000)), words(n(2000))),
	"V2 with empty fields": {"flags": v2, "components": list{words("x")}, "content": "", "embeds": list{}},
	"section":              v2Body(obj{"type": 9, "components": list{words("1"), words("2"), words("3")}, "accessory": button("x", "X")}),
	"thumbnail":            v2Body(obj{"type": 9, "components": list{words("1")}, "accessory": obj{"type": 11, "media": obj{"url": "https://example.com/x.png"}}}),
	"40 components":        v2Body(many(40, func(int) any { return words("x") })...),
}

// badMessages are bodies with one fault: where it is and what it is called.
var badMessages = []struct {
	name string
	body obj
	path string
	code string
}{
	{"content of 2001", obj{"content": n(2001)}, "content", "BASE_TYPE_MAX_LENGTH"},
	{"1001 icons", obj{"content": strings.Repeat("👍", 1001)}, "content", "BASE_TYPE_MAX_LENGTH"},
	{"number as content", obj{"content": 7}, "content", "STRING_TYPE_CONVERT"},
	{"unknown key", obj{"contents": "x", "content": "x"}, "contents", "UNKNOWN_KEY"},
	{"unknown key in an embed", embed("tittle", "x"), "embeds.0.tittle", "UNKNOWN_KEY"},
	{"unknown key in a field", embed("fields", list{obj{"name": "x", "value": "x", "short": true}}), "embeds.0.fields.0.short", "UNKNOWN_KEY"},
	{"title of 257", obj{"embeds": list{obj{"title": n(257)}}}, "embeds.0.title", "BASE_TYPE_MAX_LENGTH"},
	{"description of 4097", embed("description", n(4097)), "embeds.0.description", "BASE_TYPE_MAX_LENGTH"},
	{"26 fields", embed("fields", many(26, func(int) any { return field("x", "x") })), "embeds.0.fields", "BASE_TYPE_MAX_LENGTH"},
	{"field without name", embed("fields", list{field("", "x")}), "embeds.0.fields.0.name", "BASE_TYPE_REQUIRED"},
	{"field of spaces", embed("fields", list{field("x", " \n ")}), "embeds.0.fields.0.value", "BASE_TYPE_REQUIRED"},
	{"field name of 257", embed("fields", list{field(n(257), "x")}), "embeds.0.fields.0.name", "BASE_TYPE_BAD_LENGTH"},
	{"field value of 1025", embed("fields", list{field("x", "x"), field("x", n(1025))}), "embeds.0.fields.1.value", "BASE_TYPE_BAD_LENGTH"},
	{"text as inline", embed("fields", list{obj{"name": "x", "value": "x", "inline": "yes"}}), "embeds.0.fields.0.inline", "BOOLEAN_TYPE_CONVERT"},
	{"footer of 2049", embed("footer", obj{"text": n(2049)}), "embeds.0.footer.text", "BASE_TYPE_BAD_LENGTH"},
	{"footer without text", embed("footer", obj{}), "embeds.0.footer.text", "BASE_TYPE_REQUIRED"},
	{"author of 257", embed("author", obj{"name": n(257)}), "embeds.0.author.name", "BASE_TYPE_BAD_LENGTH"},
	{"6001 in one", obj{"embeds": list{obj{"title": n(256), "description": n(4096), "footer": obj{"text": n(1649)}}}}, "embeds", "MAX_EMBED_SIZE_EXCEEDED"},
	{"6001 in two", obj{"embeds": list{obj{"description": n(4000)}, obj{"description": n(2001)}}}, "embeds", "MAX_EMBED_SIZE_EXCEEDED"},
	{"11 embeds", obj{"embeds": many(11, func(int) any { return obj{"title": "T"} })}, "embeds", "BASE_TYPE_MAX_LENGTH"},
	{"empty embed", obj{"embeds": list{obj{}}}, "embeds.0.description", "BASE_TYPE_REQUIRED"},
	{"no time", embed("timestamp", "yesterday"), "embeds.0.timestamp", "DATE_TIME_TYPE_PARSE"},
	{"time without zone", embed("timestamp", "2026-01-02T03:04:05"), "embeds.0.timestamp", "DATE_TIME_TYPE_PARSE"},
	{"brighter than white", embed("color", 0x1000000), "embeds.0.color", "NUMBER_TYPE_MAX"},
	{"other scheme", embed("url", "ftp://example.com"), "embeds.0.url", "URL_TYPE_INVALID_SCHEME"},
	{"file not attached", embed("image", obj{"url": "attachment://chart.png"}), "embeds.0.image.url", "ATTACHMENT_NOT_FOUND"},
	{"image without address", embed("image", obj{}), "embeds.0.image.url", "BASE_TYPE_REQUIRED"},
	{"6 rows", rows(many(6, func(i int) any { return row(numbered(i)) })...), "components", "BASE_TYPE_MAX_LENGTH"},
	{"6 buttons", rows(row(many(6, numbered)...)), "components.0.components", "BASE_TYPE_MAX_LENGTH"},
	{"empty row", rows(row()), "components.0.components", "BASE_TYPE_BAD_LENGTH"},
	{"button without row", rows(numbered(1)), "components.0.type", "UNION_TYPE_CHOICES"},
	{"label of 81", rows(row(button("x", n(81)))), "components.0.components.0.label", "BASE_TYPE_MAX_LENGTH"},
	{"no label", rows(row(button("x", ""))), "components.0.components.0", "BUTTON_COMPONENT_INVALID"},
	{"custom id of 101", rows(row(button(n(101), "L"))), "components.0.components.0.custom_id", "BASE_TYPE_BAD_LENGTH"},
	{"no custom id", rows(row(button("", "L"))), "components.0.components.0.custom_id", "BASE_TYPE_REQUIRED"},
	{"same custom id", rows(row(button("x", "L")), row(button("x", "M"))), "components.1.components.0.custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED"},
	{"style 7", rows(row(with(button("x", "L"), "style", 7))), "components.0.components.0.style", "BASE_TYPE_CHOICES"},
	{"link without address", rows(row(obj{"type": 2, "style": 5, "label": "L"})), "components.0.components.0.url", "BASE_TYPE_REQUIRED"},
	{"link of 513", rows(row(obj{"type": 2, "style": 5, "label": "L", "url": "https://example.com/" + n(493)})), "components.0.components.0.url", "BASE_TYPE_BAD_LENGTH"},
	{"link with custom id", rows(row(obj{"type": 2, "style": 5, "label": "L", "url": "https://example.com", "custom_id": "x"})), "components.0.components.0.custom_id", "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE"},
	{"link to localhost file", rows(row(obj{"type": 2, "style": 5, "label": "L", "url": "file:///etc/passwd"})), "components.0.components.0.url", "URL_TYPE_INVALID_SCHEME"},
	{"26 options", rows(row(menu(many(26, option)))), "components.0.components.0.options", "BASE_TYPE_MAX_LENGTH"},
	{"no options", rows(row(menu(nil))), "components.0.components.0.options", "BASE_TYPE_REQUIRED"},
	{"same option", rows(row(menu(list{option(1), option(1)}))), "components.0.components.0.options.1.value", "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED"},
	{"option of 101", rows(row(menu(list{obj{"label": n(101), "value": "x"}}))), "components.0.components.0.options.0.label", "BASE_TYPE_BAD_LENGTH"},
	{"placeholder of 151", rows(row(with(menu(list{option(1)}), "placeholder", n(151)))), "components.0.components.0.placeholder", "BASE_TYPE_MAX_LENGTH"},
	{"more than there are", rows(row(with(menu(list{option(1)}), "max_values", 2))), "components.0.components.0.max_values", "COMPONENT_SELECT_MAX_VALUES"},
	{"select beside a button", rows(row(menu(list{option(1)}), numbered(1))), "components.0.components", "COMPONENT_LAYOUT_WIDTH_EXCEEDED"},
	{"input in a message", rows(row(input("x", "L"))), "components.0.components.0.type", "UNION_TYPE_CHOICES"},
	{"V2 without the flag", rows(words("x")), "components.0.type", "UNION_TYPE_CHOICES"},
	{"V2 with content", with(v2Body(words("x")), "content", "y"), "content", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"},
	{"V2 with embeds", with(v2Body(words("x")), "embeds", list{obj{"title": "T"}}), "embeds", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"},
	{"V2 with 41", v2Body(obj{"type": 17, "components": many(40, func(int) any { return words("x") })}), "components", "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED"},
	{"V2 with 4001", v2Body(words(n(2000)), words(n(2001))), "components", "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED"},
	{"11 pictures", v2Body(gallery(many(11, picture))), "components.0.items", "BASE_TYPE_MAX_LENGTH"},
	{"section of 4", v2Body(obj{"type": 9, "components": many(4, func(int) any { return words("x") }), "accessory": button("x", "X")}), "components.0.components", "BASE_TYPE_MAX_LENGTH"},
	{"section without accessory", v2Body(obj{"type": 9, "components": list{words("x")}}), "components.0.accessory", "BASE_TYPE_REQUIRED"},
	{"empty text display", v2Body(words(" ")), "components.0.content", "BASE_TYPE_REQUIRED"},
	{"container in container", v2Body(obj{"type": 17, "components": list{obj{"type": 17, "components": list{words("x")}}}}), "components.0.components.0.type", "UNION_TYPE_CHOICES"},
	{"nonce of 26", obj{"content": "x", "nonce": n(26)}, "nonce", "NONCE_TYPE_TOO_LONG"},
	{"ephemeral in a channel", obj{"content": "x", "flags": 64}, "flags", "BITFIELD_INVALID"},
	{"text as flags", obj{"content": "x", "flags": "4"}, "flags", "NUMBER_TYPE_COERCE"},
	{"people twice", obj{"content": "x", "allowed_mentions": obj{"parse": list{"users"}, "users": list{asha}}}, "allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE"},
	{"unknown mention", obj{"content": "x", "allowed_mentions": obj{"parse": list{"cats"}}}, "allowed_mentions.parse.0", "BASE_TYPE_CHOICES"},
	{"101 people", obj{"content": "x", "allowed_mentions": obj{"users": many(101, func(int) any { return asha })}}, "allowed_mentions.users", "BASE_TYPE_MAX_LENGTH"},
	{"reply to nothing", obj{"content": "x", "message_reference": obj{"message_id": "1"}}, "message_reference", "REPLIES_UNKNOWN_MESSAGE"},
	{"embeds of texts", obj{"content": "x", "embeds": list{"x"}}, "embeds.0", "DICT_TYPE_CONVERT"},
	{"embeds as object", obj{"content": "x", "embeds": obj{}}, "embeds", "LIST_TYPE_CONVERT"},
	{"alt text of 1025", obj{"content": "x", "attachments": list{obj{"id": 0, "description": n(1025)}}}, "attachments.0.description", "BASE_TYPE_MAX_LENGTH"},
	{"no such file", obj{"content": "x", "attachments": list{obj{"id": 0}}}, "attachments.0.id", "ATTACHMENT_NOT_FOUND"},
}

func TestGoodMessages(t *testing.T) {
	s := start(t, discordtest.Options{})
	for name, body := range goodMessages {
		t.Run(name, func(t *testing.T) {
			call(t, s, "POST /channels/"+support+"/messages", body).wants(200, 0)
		})
	}
}

func TestBadMessages(t *testing.T) {
	s := start(t, discordtest.Options{})
	for _, c := range badMessages {
		t.Run(c.name, func(t *testing.T) {
			call(t, s, "POST /channels/"+support+"/messages", c.body).wrong(c.path, c.code)
		})
	}
	if m := s.Messages(support); len(m) != 0 {
		t.Errorf("%d bad messages were stored", len(m))
	}
}

// The same rules hold wherever a message is written.
func TestBadMessagesElsewhere(t *testing.T) {
	s := start(t, discordtest.Options{AnyCommand: true})
	m := call(t, s, "POST /channels/"+support+"/messages", obj{"content": "x"}).str("id")
	bad := obj{"content": n(2001)}
	call(t, s, "PATCH /channels/"+support+"/messages/"+m, bad).wrong("content", "BASE_TYPE_MAX_LENGTH")
	connect(t, s)
	i := ok(s.Slash(asha, support, "mystats"))(t)
	respond(t, s, i, 4, bad, "").wrong("data.content", "BASE_TYPE_MAX_LENGTH")
	respond(t, s, i, 5, nil, "").wants(204, 0)
	call(t, s, hook(s, i, "PATCH", "@original"), bad).wrong("content", "BASE_TYPE_MAX_LENGTH")
	call(t, s, hook(s, i, "PATCH", "@original"), obj{"content": "x"}).wants(200, 0)
	call(t, s, hook(s, i, "POST", ""), bad).wrong("content", "BASE_TYPE_MAX_LENGTH")
}

// hook returns a route of an interaction's webhook.
func hook(s *discordtest.Server, i *discordtest.Interaction, method, message string) string {
	route := method + " /webhooks/" + s.Options().AppID + "/" + i.Token
	if message == "" {
		return route
	}
	return route + "/messages/" + message
}

func TestEmptyMessages(t *testing.T) {
	s := start(t, discordtest.Options{})
	for name, body := range map[string]any{
		"nothing": obj{}, "no body": nil, "spaces": obj{"content": " \n"}, "no embeds": obj{"embeds": list{}},
		"buttons alone": obj{"components": list{row(numbered(1))}}, "V2 without components": obj{"flags": v2},
	} {
		t.Run(name, func(t *testing.T) {
			call(t, s, "POST /channels/"+support+"/messages", body).wants(400, 50006)
		})
	}
	m := call(t, s, "POST /channels/"+support+"/messages", obj{"content": "x", "embeds": list{obj{"title": "T"}}}).str("id")
	call(t, s, "PATCH /channels/"+support+"/messages/"+m, obj{"content": nil}).wants(200, 0)
	call(t, s, "PATCH /channels/"+support+"/messages/"+m, obj{"embeds": list{}}).wants(400, 50006)
}
