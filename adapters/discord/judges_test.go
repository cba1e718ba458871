package discord

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"floorwalker/adapters/discord/discordtest"
)

// judges is where the packages of others are that judge us, and the fake.
const judges = "discordtest/testdata/node"

// needJudge returns the node to run a package with. Without it or the package the
// test is skipped.
func needJudge(t *testing.T, name string) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("skipped: node is not installed (Node.js 20 or newer; then run npm ci in adapters/discord/" + judges + ")")
	}
	if _, err := fs.Stat(os.DirFS(judges), "node_modules/"+name); err != nil {
		t.Skip("skipped: " + name + " is not installed (run npm ci in adapters/discord/" + judges + ")")
	}
	return node
}

// bodyTypes returns the types that discord-api-types has for what we send, by route.
func bodyTypes() map[string]string {
	return map[string]string{
		postMessage: "RESTPostAPIChannelMessageJSONBody",
		"PATCH /channels/{channel}/messages/{message}":      "RESTPatchAPIChannelMessageJSONBody",
		"POST /interactions/{interaction}/{token}/callback": "RESTPostAPIInteractionCallbackJSONBody",
		"PATCH /webhooks/{app}/{token}/messages/{message}":  "RESTPatchAPIWebhookWithTokenMessageJSONBody",
		"POST /webhooks/{app}/{token}":                      "RESTPostAPIWebhookWithTokenJSONBody",
		putCommands:                                         "RESTPutAPIApplicationCommandsJSONBody",
		openDM:                                              "RESTPostAPICurrentUserCreateDMChannelJSONBody",
	}
}

// TestBodyTypes lets the TypeScript compiler judge everything that the adapter
// says by the types of discord-api-types, and some things that it must not say.
func TestBodyTypes(t *testing.T) {
	node := needJudge(t, "typescript")
	plain, err := os.ReadFile(filepath.Join(judges, "types.ts"))
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	source.WriteString("import type * as d from 'discord-api-types/v9';\n" + string(plain))
	types, n := bodyTypes(), map[string]int{}
	for _, c := range everything(t).Calls("") {
		if name := types[c.Route]; name != "" {
			n[name]++
			fmt.Fprintf(&source, "// %s\nexport const v%d_%s: Plain<d.%s> = %s;\n", c.Route, n[name], name, name, c.Body)
		} else if len(c.Body) > 0 {
			t.Errorf("no type is named for %s", c.Route)
		}
	}
	for route, name := range types {
		if n[name] == 0 {
			t.Errorf("%s was not called, so the test sees nothing", route)
		}
	}
	for i, wrong := range []string{
		`RESTPostAPIChannelMessageJSONBody> = {"contents":"x"}`,
		`RESTPostAPIChannelMessageJSONBody> = {"embeds":[{"tittle":"x"}]}`,
		`RESTPostAPIChannelMessageJSONBody> = {"nonce":"x","enforce_nonce":"yes"}`,
		`RESTPostAPIInteractionCallbackJSONBody> = {"type":99}`,
		`RESTPostAPIInteractionCallbackJSONBody> = {"type":4,"data":{"components":[{"type":1,"components":[{"type":2,"style":2,"label":"x"}]}]}}`,
		`RESTPutAPIApplicationCommandsJSONBody> = [{"name":"x"}]`,
	} {
		fmt.Fprintf(&source, "// @ts-expect-error\nexport const wrong%d: Plain<d.%s;\n", i, wrong)
	}
	compile(t, node, source.String())
}

// compile lets the TypeScript compiler judge a file.
func compile(t *testing.T, node, source string) {
	t.Helper()
	modules, err := filepath.Abs(filepath.Join(judges, "node_modules"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "said.ts"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), node, filepath.Join(modules, "typescript/bin/tsc"),
		"--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--moduleResolution", "nodenext", "said.ts")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%.8000s", err, out)
	}
}

// TestDiscordVerifies holds our check of signatures to Discord's own: what one
// accepts or refuses, the other does. Only the age of a request is ours to judge.
func TestDiscordVerifies(t *testing.T) {
	node := needJudge(t, "discord-interactions")
	srv := network(t, discordtest.Options{NoProbe: true})
	key, err := Config{Mode: ModeHTTP, PublicKey: srv.PublicKey()}.key()
	if err != nil {
		t.Fatal(err)
	}
	type request struct {
		Name    string      `json:"name"`
		Body    string      `json:"body"`
		Headers http.Header `json:"headers"`
		Good    bool        `json:"good"` // by our judgment
	}
	now := time.Now()
	body := []byte(`{"type":2,"data":"grüße & 100 %"}`)
	signed := srv.Sign(now, body)
	good := 0
	var requests []request
	add := func(name string, body []byte, edit func(http.Header)) {
		h := signed.Clone()
		edit(h)
		r := request{name, string(body), h, verify(h, body, key, now) == nil}
		if r.Good {
			good++
		}
		requests = append(requests, r)
	}
	signature := signed.Get(headerSignature)
	set := func(name, value string) func(http.Header) { return func(h http.Header) { h.Set(name, value) } }
	add("genuine", body, func(http.Header) {})
	add("upper case", body, set(headerSignature, strings.ToUpper(signature)))
	add("tampered", append([]byte(" "), body...), func(http.Header) {})
	add("shortened", body[:len(body)-1], func(http.Header) {})
	add("unsigned", body, func(h http.Header) { h.Del(headerSignature) })
	add("no time", body, func(h http.Header) { h.Del(headerTimestamp) })
	add("another time", body, set(headerTimestamp, fmt.Sprint(now.Unix()+1)))
	add("half a signature", body, set(headerSignature, signature[:64]))
	add("too long a signature", body, set(headerSignature, signature+"00"))
	add("no hexadecimal", body, set(headerSignature, strings.Repeat("x", 128)))
	add("zeros", body, set(headerSignature, strings.Repeat("0", 128)))
	other := network(t, discordtest.Options{Seed: "another"})
	add("another key", body, set(headerSignature, other.Sign(now, body).Get(headerSignature)))
	if good != 2 {
		t.Errorf("we accept %d of the requests, want 2", good)
	}
	in, err := json.Marshal(map[string]any{"key": srv.PublicKey(), "requests": requests})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), node, "verify.mjs")
	cmd.Dir, cmd.Stdin = judges, bytes.NewReader(in)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("Discord judges otherwise: %v: %s", err, out)
	}
}
