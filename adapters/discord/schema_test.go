package discord

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"floorwalker/adapters/discord/discordtest"
)

// Discord publishes a description of its API, which is not kept here. Where it
// lies beside the repository, every body that the tests send is held to it.
const openAPI = "../../../shared/reference/data/discord-openapi.json"

// A judge holds bodies to Discord's own description, and to the rules that it
// does not state.
type judge struct {
	doc      map[string]any
	compiler *jsonschema.Compiler
	schemas  map[string]*jsonschema.Schema
}

// judgment returns a judge, and skips the test if there is no description.
func judgment(t testing.TB) *judge {
	t.Helper()
	f, err := os.Open(openAPI)
	if os.IsNotExist(err) {
		t.Skip("Discord's OpenAPI document is not there")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	doc, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource("file:///openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	return &judge{doc: doc.(map[string]any), compiler: c, schemas: map[string]*jsonschema.Schema{}}
}

// call judges a call that was made. One without a body has nothing to judge.
func (j *judge) call(c discordtest.Call) error {
	if len(c.Body) == 0 {
		return nil
	}
	return j.body(c.Method, c.Path, c.Body)
}

func (j *judge) body(method, path string, body []byte) error {
	schema, err := j.schema(method, path)
	if err != nil {
		return err
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	if err := schema.Validate(v); err != nil {
		return err
	}
	return unstated(v)
}

// schema returns the schema of a call's body. Of the paths that match, the one
// with the most words of its own counts.
func (j *judge) schema(method, path string) (*jsonschema.Schema, error) {
	best, most := "", -1
	for template := range j.doc["paths"].(map[string]any) {
		pattern := regexp.MustCompile(`\\\{[^}]*\\\}`).ReplaceAllString(regexp.QuoteMeta(template), `[^/]+`)
		words := strings.Count(template, "/") - strings.Count(template, "{")
		if regexp.MustCompile("^"+pattern+"$").MatchString(path) && words > most {
			best, most = template, words
		}
	}
	if best == "" {
		return nil, fmt.Errorf("Discord has no path %s", path)
	}
	escape := strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D")
	at := "file:///openapi.json#/paths/" + escape.Replace(best) + "/" + strings.ToLower(method) + "/requestBody/content/application~1json/schema"
	if s := j.schemas[at]; s != nil {
		return s, nil
	}
	s, err := j.compiler.Compile(at)
	j.schemas[at] = s
	return s, err
}

// unstated judges what the description allows, and Discord does not: see the
// cases of TestUnstatedRules.
func unstated(v any) error {
	u := &unstatedRules{}
	u.walk("", v)
	if len(u.broken) > 0 {
		return fmt.Errorf("%s", strings.Join(u.broken, "; "))
	}
	return nil
}

type unstatedRules struct{ broken []string }

func (u *unstatedRules) bad(at, why string) { u.broken = append(u.broken, at+": "+why) }

func (u *unstatedRules) walk(at string, v any) {
	switch v := v.(type) {
	case []any:
		if at == "" {
			u.commands(v)
		}
		for i, item := range v {
			u.walk(fmt.Sprintf("%s/%d", at, i), item)
		}
	case map[string]any:
		u.object(at, v)
		for k, item := range v {
			u.walk(at+"/"+k, item)
		}
	}
}

func (u *unstatedRules) object(at string, o map[string]any) {
	_, hasEmbeds := o["embeds"]
	_, hasContent := o["content"]
	if hasEmbeds && hasContent {
		u.message(at, o)
	}
	if _, isField := o["value"]; isField && strings.Contains(at, "/fields/") {
		for _, k := range []string{"name", "value"} {
			if s, _ := o[k].(string); strings.TrimSpace(s) == "" {
				u.bad(at+"/"+k, "empty")
			}
		}
	}
	if _, isModal := o["title"]; isModal && o["custom_id"] != nil && len(listOf(o["components"])) > 5 {
		u.bad(at+"/components", "more than 5 in a form")
	}
	if stamp, ok := o["timestamp"].(string); ok {
		if _, err := time.Parse(time.RFC3339, stamp); err != nil {
			u.bad(at+"/timestamp", "no time")
		}
	}
}

func listOf(v any) []any { l, _ := v.([]any); return l }

func (u *unstatedRules) message(at string, o map[string]any) {
	content, _ := o["content"].(string)
	if length(content) > 2000 {
		u.bad(at+"/content", "more than 2000 characters")
	}
	total := 0
	for _, e := range listOf(o["embeds"]) {
		total += words(e.(map[string]any))
	}
	if total > 6000 {
		u.bad(at+"/embeds", "more than 6000 characters in all")
	}
	components := listOf(o["components"])
	if len(components) > 5 {
		u.bad(at+"/components", "more than 5 rows")
	}
	ids := map[string]bool{}
	v2 := false
	for _, c := range components {
		kind, _ := c.(map[string]any)["type"].(json.Number)
		v2 = v2 || kind.String() != "1"
		for _, b := range listOf(c.(map[string]any)["components"]) {
			id, _ := b.(map[string]any)["custom_id"].(string)
			if id != "" && ids[id] {
				u.bad(at+"/components", "a custom_id twice")
			}
			ids[id] = true
		}
	}
	flags, _ := o["flags"].(json.Number)
	n, _ := flags.Int64() // no flags are none
	switch marked := n&(1<<15) != 0; {
	case v2 && !marked:
		u.bad(at+"/components", "new components without their flag")
	case marked && (content != "" || len(listOf(o["embeds"])) > 0):
		u.bad(at+"/flags", "new components beside content or embeds")
	}
	if content == "" && len(listOf(o["embeds"])) == 0 && len(listOf(o["attachments"])) == 0 && !v2 {
		u.bad(at, "an empty message")
	}
	known := []string{"content", "embeds", "components", "attachments", "allowed_mentions", "flags", "nonce", "enforce_nonce"}
	for k := range o {
		if !slices.Contains(known, k) {
			u.bad(at+"/"+k, "not a key of ours")
		}
	}
}

// words counts the characters of an embed that are limited together.
func words(e map[string]any) int {
	n := 0
	for _, k := range []string{"title", "description"} {
		s, _ := e[k].(string)
		n += length(s)
	}
	for _, f := range listOf(e["fields"]) {
		name, _ := f.(map[string]any)["name"].(string)
		value, _ := f.(map[string]any)["value"].(string)
		n += length(name) + length(value)
	}
	if f, ok := e["footer"].(map[string]any); ok {
		s, _ := f["text"].(string)
		n += length(s)
	}
	return n
}

func length(s string) int { return len(utf16.Encode([]rune(s))) }

func (u *unstatedRules) commands(list []any) {
	typed := 0
	for i, c := range list {
		o, ok := c.(map[string]any)
		if !ok {
			continue
		}
		typed++
		if name, _ := o["name"].(string); name != strings.ToLower(name) {
			u.bad(fmt.Sprintf("/%d/name", i), "upper case")
		}
	}
	if typed > 100 {
		u.bad("", "more than 100 commands")
	}
}

// TestUnstatedRules breaks each rule that the description does not state.
func TestUnstatedRules(t *testing.T) {
	j := judgment(t)
	const post, put = "/channels/1/messages", "/applications/1/commands"
	fields := func(n int) string {
		return strings.TrimSuffix(strings.Repeat(`{"name":"n","value":"`+strings.Repeat("v", 900)+`"},`, n), ",")
	}
	rows := func(n int, row string) string { return strings.TrimSuffix(strings.Repeat(row+",", n), ",") }
	button := func(id string) string { return `{"type":2,"style":2,"label":"x","custom_id":"` + id + `"}` }
	message := func(content, embeds, components, more string) string {
		return fmt.Sprintf(`{"content":%q,"embeds":[%s],"components":[%s]%s}`, content, embeds, components, more)
	}
	command := `{"name":"%s","description":"x"}`
	for _, test := range []struct{ rule, path, body string }{
		{"1 content", post, message(strings.Repeat("x", 2001), "", "", "")},
		{"2 empty field", post, message("x", `{"fields":[{"name":" ","value":"v"}]}`, "", "")},
		{"2 empty field", post, message("x", `{"fields":[{"name":"n","value":""}]}`, "", "")},
		{"3 6000", post, message("x", `{"fields":[`+fields(7)+`]}`, "", "")},
		{"4 timestamp", post, message("x", `{"title":"t","timestamp":"yesterday"}`, "", "")},
		{"5 custom_id twice", post, message("x", "", `{"type":1,"components":[`+button("a")+","+button("a")+`]}`, "")},
		{"6 six rows", post, message("x", "", rows(6, `{"type":1,"components":[{"type":2,"style":5,"label":"x","url":"https://example.com/"}]}`), "")},
		{"7 new components", post, message("x", "", `{"type":10,"content":"x"}`, "")},
		{"8 flag with content", post, message("x", "", `{"type":10,"content":"x"}`, `,"flags":32768`)},
		{"9 unknown key", post, message("x", "", "", `,"contents":"x"`)},
		{"10 empty", post, message("", "", "", "")},
		{"11 six inputs", "/interactions/1/t/callback", `{"type":9,"data":{"title":"t","custom_id":"c","components":[` +
			rows(6, `{"type":18,"label":"l","component":{"type":4,"custom_id":"x","style":1}}`) + `]}}`},
		{"12 upper case", put, "[" + fmt.Sprintf(command, "MyStats") + "]"},
		{"13 101 commands", put, "[" + rows(101, fmt.Sprintf(command, "x")) + "]"},
	} {
		method := "POST"
		if test.path == put {
			method = "PUT"
		}
		if err := j.body(method, test.path, []byte(test.body)); err == nil {
			t.Errorf("rule %s is not kept", test.rule)
		}
	}
	for path, body := range map[string]string{
		post:                         message("x", `{"title":"t","fields":[`+fields(6)+`],"timestamp":"2026-03-02T09:00:00Z"}`, `{"type":1,"components":[`+button("a")+","+button("b")+`]}`, ""),
		"/interactions/1/t/callback": `{"type":9,"data":{"title":"t","custom_id":"c","components":[` + rows(5, `{"type":18,"label":"l","component":{"type":4,"custom_id":"x","style":1}}`) + `]}}`,
	} {
		if err := j.body("POST", path, []byte(body)); err != nil {
			t.Errorf("a good body is refused: %v", err)
		}
	}
}

// TestEveryBody runs through all that the adapter says, and holds each body to
// Discord's description.
func TestEveryBody(t *testing.T) {
	j := judgment(t)
	srv := everything(t)
	routes := map[string]bool{}
	for _, c := range srv.Calls("") {
		routes[c.Route] = true
		if err := j.call(c); err != nil {
			t.Errorf("%s: %v\n%s", c.Route, err, c.Body)
		}
	}
	for _, want := range []string{
		postMessage, openDM, putCommands, "PATCH /channels/{channel}/messages/{message}",
		"POST /interactions/{interaction}/{token}/callback", "PATCH /webhooks/{app}/{token}/messages/{message}", "POST /webhooks/{app}/{token}",
	} {
		if !routes[want] {
			t.Errorf("%s was not called, so the test sees nothing; only %v", want, routes)
		}
	}
}
