package slack

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/dlclark/regexp2"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"floorwalker/adapters/slack/slacktest"
	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
)

func TestCheck(t *testing.T) {
	const bot, scopes, app = "slack bot token", "slack scopes", "slack app token"
	for name, test := range map[string]struct {
		prepare func(*slacktest.Server, *Config)
		want    map[string]chat.Level
		says    string
	}{
		"good": {func(*slacktest.Server, *Config) {},
			map[string]chat.Level{bot: chat.LevelOK, scopes: chat.LevelOK, app: chat.LevelOK}, "T0TEAM"},
		"revoked": {func(s *slacktest.Server, _ *Config) { s.Revoke("token_revoked") },
			map[string]chat.Level{bot: chat.LevelFault, app: chat.LevelFault}, "token_revoked"},
		"scope": {func(s *slacktest.Server, _ *Config) {
			s.SetScopes("commands", "chat:write", "users:read", "files:write")
		},
			map[string]chat.Level{bot: chat.LevelOK, scopes: chat.LevelFault, app: chat.LevelOK}, "im:write"},
		"app token": {func(_ *slacktest.Server, c *Config) { c.AppToken = secret.New("xapp-wrong") },
			map[string]chat.Level{bot: chat.LevelOK, scopes: chat.LevelOK, app: chat.LevelFault}, "connections:write"},
		"swapped": {func(_ *slacktest.Server, c *Config) { c.AppToken = c.BotToken },
			map[string]chat.Level{bot: chat.LevelOK, scopes: chat.LevelOK, app: chat.LevelFault}, "does not begin with xapp-"},
		"limited": {func(s *slacktest.Server, _ *Config) { s.Fail(methodOpen, slacktest.Fault{Status: 429}, -1) },
			map[string]chat.Level{bot: chat.LevelOK, scopes: chat.LevelOK, app: chat.LevelWarn}, "Try again in a minute"},
		"unreachable": {func(s *slacktest.Server, _ *Config) { s.Close() },
			map[string]chat.Level{bot: chat.LevelFault, app: chat.LevelFault}, "Slack does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := workspace(t, slacktest.Options{})
			c := Config{BotToken: secret.New("xoxb-1"), AppToken: secret.New("xapp-1"), APIURL: srv.APIURL()}
			test.prepare(srv, &c)
			found := adapterWith(t, c).Check(t.Context())
			var said []string
			for _, f := range found {
				if want, ok := test.want[f.Check]; !ok || f.Level != want {
					t.Errorf("%s is %s: %s", f.Check, f.Level, f.Message)
				}
				said = append(said, f.Message, f.Next)
			}
			if len(found) != len(test.want) {
				t.Errorf("%d findings, want %d", len(found), len(test.want))
			}
			if all := strings.Join(said, "\n"); !strings.Contains(all, test.says) || strings.Contains(all, "xoxb-1") {
				t.Errorf("the findings do not say %q, or show a token:\n%s", test.says, all)
			}
		})
	}
}

// In HTTP mode a check goes the way that Slack will go.
func TestCheckHTTP(t *testing.T) {
	const secretCheck, address = "slack signing secret", "slack public address"
	const good = "8f742231b10e8888abcd99baac81a3f0"
	elsewhere := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(elsewhere.Close)
	for name, test := range map[string]struct {
		prepare func(c *Config, own string)
		want    map[string]chat.Level
		says    string
	}{
		"good":      {func(c *Config, own string) { c.PublicURL = own + "/" }, map[string]chat.Level{secretCheck: chat.LevelOK, address: chat.LevelOK}, "/slack/event leads to floorwalker"},
		"no url":    {func(*Config, string) {}, map[string]chat.Level{secretCheck: chat.LevelOK, address: chat.LevelWarn}, "http.public_url is not set"},
		"nobody":    {func(c *Config, _ string) { c.PublicURL = "http://127.0.0.1:1" }, map[string]chat.Level{secretCheck: chat.LevelOK, address: chat.LevelWarn}, "cannot be reached"},
		"elsewhere": {func(c *Config, _ string) { c.PublicURL = elsewhere.URL }, map[string]chat.Level{secretCheck: chat.LevelOK, address: chat.LevelFault}, "something else, with status 404"},
		"changed": {func(c *Config, own string) { c.PublicURL, c.SigningSecret = own, secret.New("another") },
			map[string]chat.Level{secretCheck: chat.LevelWarn, address: chat.LevelFault}, "refuses what is signed with this signing secret"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := workspace(t, slacktest.Options{SigningSecret: good})
			c := httpConfig(srv, t.Output())
			own := listen(t, srv, adapterWith(t, c))
			test.prepare(&c, own)
			found := adapterWith(t, c).Check(t.Context())
			test.want["slack bot token"], test.want["slack scopes"] = chat.LevelOK, chat.LevelOK
			var all strings.Builder
			for _, f := range found {
				if want, ok := test.want[f.Check]; !ok || f.Level != want {
					t.Errorf("%s is %s: %s", f.Check, f.Level, f.Message)
				}
				all.WriteString(f.Message + "\n" + f.Next + "\n")
			}
			if len(found) != len(test.want) || !strings.Contains(all.String(), test.says) || strings.Contains(all.String(), good) {
				t.Errorf("the findings do not say %q, or show a secret:\n%s", test.says, all.String())
			}
		})
	}
}

// regexpEngine brings the engine that the schema's patterns need: two look
// ahead.
func regexpEngine(s string) (jsonschema.Regexp, error) {
	re, err := regexp2.Compile(s, regexp2.ECMAScript)
	return (*pattern)(re), err
}

type pattern regexp2.Regexp

func (p *pattern) MatchString(s string) bool {
	ok, err := (*regexp2.Regexp)(p).MatchString(s)
	return ok && err == nil
}

func (p *pattern) String() string { return (*regexp2.Regexp)(p).String() }

// The manifest is what Slack's own schema takes, for either mode; the schema
// refuses a broken one.
func TestManifest(t *testing.T) {
	commands := map[string]string{"mystats": "/my-numbers", "floor": "/floor"}
	for mode, want := range map[string][]string{
		ModeSocket: {"/my-numbers", `"/floor"`, `"should_escape": true`, "im:write", "app_home_opened", `"socket_mode_enabled": true`},
		ModeHTTP: {"/my-numbers", `"socket_mode_enabled": false`, `"url": "https://floor.example/slack/command"`,
			`"request_url": "https://floor.example/slack/interact"`, `"request_url": "https://floor.example/slack/event"`},
	} {
		t.Run(mode, func(t *testing.T) {
			b, err := Manifest(Config{Mode: mode, Commands: commands, PublicURL: "https://floor.example/"})
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range want {
				if !strings.Contains(string(b), want) {
					t.Errorf("the manifest lacks %s", want)
				}
			}
			if mode == ModeSocket && strings.Contains(string(b), "floor.example") {
				t.Error("the manifest names an address that nobody calls")
			}
			validManifest(t, b)
		})
	}
	if _, err := Manifest(Config{Mode: ModeHTTP}); err == nil || !strings.Contains(err.Error(), "http.public_url") {
		t.Errorf("without an address the manifest says %v", err)
	}
}

// validManifest asks Slack's schema about a manifest.
func validManifest(t *testing.T, b []byte) {
	t.Helper()
	const schema = "../../../shared/reference/data/slack-manifest.schema.json"
	if _, err := os.Stat(schema); err != nil {
		t.Skip("Slack's schema of manifests is not here")
	}
	c := jsonschema.NewCompiler()
	c.UseRegexpEngine(regexpEngine)
	compiled, err := c.Compile(schema)
	if err != nil {
		t.Fatal(err)
	}
	valid := func(b []byte) error {
		var v any
		if err := json.Unmarshal(b, &v); err != nil {
			return err
		}
		return compiled.Validate(v)
	}
	if err := valid(b); err != nil {
		t.Errorf("Slack's schema refuses the manifest: %v", err)
	}
	for _, broken := range [][2]string{{`"/floor"`, `"floor"`}, {`"major_version": 2`, `"major_version": "2"`}, {`"name": "floorwalker"`, `"name": "a name that is far longer than thirty-five characters"`}} {
		if valid([]byte(strings.Replace(string(b), broken[0], broken[1], 1))) == nil {
			t.Errorf("the schema takes %s for %s: the test shows nothing", broken[1], broken[0])
		}
	}
}
