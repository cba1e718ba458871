package discordtest_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"floorwalker/adapters/discord/discordtest"
)

// typed collects what the fake says, as literals of the types that
// discord-api-types has for it.
type typed struct {
	t       *testing.T
	literal strings.Builder
	names   []string
}

func (y *typed) add(name string, v any) {
	y.t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		y.t.Fatal(err)
	}
	fmt.Fprintf(&y.literal, "const v%d: Plain<d.%s> = %s;\n", len(y.names), name, b)
	y.names = append(y.names, name)
}

// compile lets the TypeScript compiler judge the literals.
func (y *typed) compile(node string) {
	y.t.Helper()
	scripts, err := filepath.Abs("testdata/node")
	if err != nil {
		y.t.Fatal(err)
	}
	dir := y.t.TempDir()
	if err := os.Symlink(filepath.Join(scripts, "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		y.t.Fatal(err)
	}
	plain, err := os.ReadFile(filepath.Join(scripts, "types.ts"))
	if err != nil {
		y.t.Fatal(err)
	}
	source := "import type * as d from 'discord-api-types/v10';\n" + string(plain) + y.literal.String()
	if err := os.WriteFile(filepath.Join(dir, "said.ts"), []byte(source), 0o600); err != nil {
		y.t.Fatal(err)
	}
	cmd, out := judge(y.t, node, filepath.Join(scripts, "node_modules/typescript/bin/tsc"), "--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--moduleResolution", "nodenext", "said.ts")
	cmd.Dir = dir
	if err := cmd.Run(); err != nil {
		y.t.Fatalf("%v\n%.8000s", err, out)
	}
}

// What the fake says has the types that discord-api-types gives it.
func TestDiscordAPITypes(t *testing.T) {
	node := needNode(t)
	s := start(t, discordtest.Options{})
	y := &typed{t: t}
	app := s.Options().AppID
	p := dial(t, s)
	p.op(10)
	p.send(2, identify(s))
	y.add("GatewayReadyDispatchData", p.event("READY")["d"])
	y.add("GatewayGuildCreateDispatchData", p.event("GUILD_CREATE")["d"])
	y.add("RESTGetAPIGatewayResult", call(t, s, "GET /gateway", nil).body)
	y.add("RESTGetAPIGatewayBotResult", call(t, s, "GET /gateway/bot", nil).body)
	y.add("RESTGetAPICurrentUserResult", call(t, s, "GET /users/@me", nil).body)
	y.add("RESTGetAPIUserResult", call(t, s, "GET /users/"+asha, nil).body)
	y.add("RESTGetAPIGuildResult", call(t, s, "GET /guilds/"+guild, nil).body)
	y.add("RESTGetAPIGuildMemberResult", call(t, s, "GET /guilds/"+guild+"/members/"+asha, nil).body)
	y.add("APITextChannel", call(t, s, "GET /channels/"+support, nil).body)
	y.add("APIDMChannel", call(t, s, "POST /users/@me/channels", obj{"recipient_id": asha}).body)
	y.add("RESTPutAPIApplicationCommandsResult", call(t, s, "PUT /applications/"+app+"/commands", list{obj{"name": "mystats", "description": "My numbers", "contexts": list{0, 1}, "options": list{
		obj{"type": 6, "name": "who", "description": "Whose"}, obj{"type": 3, "name": "period", "description": "Which", "autocomplete": true}}}}).body)
	card := obj{"content": "<@" + asha + ">", "embeds": list{obj{"title": "T", "color": 3, "fields": list{obj{"name": "n", "value": "v"}}, "image": obj{"url": "https://example.com/x.png"}, "timestamp": "2026-01-02T03:04:05Z"}},
		"components": list{row(button("go", "Go"), obj{"type": 2, "style": 5, "label": "L", "url": "https://example.com"})}}
	y.add("APIMessage", call(t, s, "POST /channels/"+support+"/messages", card).wants(200, 0).body)

	i := ok(s.Slash(asha, support, "mystats", discordtest.Option{Name: "who", Value: meera}))(t)
	y.add("APIChatInputApplicationCommandGuildInteraction", p.event("INTERACTION_CREATE")["d"])
	y.add("RESTPostAPIInteractionCallbackWithResponseResult", respond(t, s, i, 4, card, "?with_response=true").wants(200, 0).body)
	ok(s.Slash(asha, "", "mystats"))(t)
	y.add("APIChatInputApplicationCommandDMInteraction", p.event("INTERACTION_CREATE")["d"])
	ok(s.Suggest(asha, "", "mystats", "period", discordtest.Option{Name: "period", Value: "t"}))(t)
	y.add("APIApplicationCommandAutocompleteInteraction", p.event("INTERACTION_CREATE")["d"])
	press := ok(s.Press(asha, s.Messages(support)[0], "Go"))(t)
	y.add("APIMessageComponentButtonInteraction", p.event("INTERACTION_CREATE")["d"])
	respond(t, s, press, 9, form(row(input("name", "Name"))), "").wants(204, 0)
	modal, _ := s.Modal(asha)
	ok(s.Submit(asha, modal, map[string]string{"Name": "Asha"}))(t)
	y.add("APIModalSubmitInteraction", p.event("INTERACTION_CREATE")["d"])
	y.compile(node)
}
