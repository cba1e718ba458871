package discordtest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"testing"

	"floorwalker/adapters/discord/discordtest"
)

func send(t *testing.T, s *discordtest.Server, channel string, body any) answer {
	t.Helper()
	return call(t, s, "POST /channels/"+channel+"/messages", body)
}

func TestMessage(t *testing.T) {
	s := start(t, discordtest.Options{})
	path := "/channels/" + support + "/messages"
	a := send(t, s, support, obj{"content": " hello <@" + asha + "> ", "embeds": list{obj{"title": "T"}}}).wants(200, 0)
	id := a.str("id")
	if a.str("content") != "hello <@"+asha+">" || a.str("author", "id") != s.Options().AppID || a.str("mentions", 0, "id") != asha || a.str("embeds", 0, "type") != "rich" {
		t.Errorf("message %s", a.raw)
	}
	if got := call(t, s, "GET "+path+"/"+id, nil).wants(200, 0); !bytes.Equal(got.raw, a.raw) {
		t.Errorf("read back %s", got.raw)
	}
	edited := call(t, s, "PATCH "+path+"/"+id, obj{"content": "new"}).wants(200, 0)
	if edited.str("content") != "new" || edited.str("embeds", 0, "title") != "T" || edited.get("edited_timestamp") == nil {
		t.Errorf("an edit replaces what it gives and nothing else: %s", edited.raw)
	}
	second := send(t, s, support, obj{"content": "second"}).str("id")
	all := call(t, s, "GET "+path+"?limit=1", nil).wants(200, 0)
	if l := all.body.(list); len(l) != 1 || all.str(0, "id") != second {
		t.Errorf("the newest is %s", all.raw)
	}
	call(t, s, "GET "+path+"?limit=101", nil).wrong("limit", "NUMBER_TYPE_MAX")
	call(t, s, "DELETE "+path+"/"+id, nil).wants(204, 0)
	for _, route := range []string{"GET ", "PATCH ", "DELETE "} {
		call(t, s, route+path+"/"+id, nil).wants(404, 10008)
	}
	call(t, s, "GET "+path+"/nonsense", nil).wrong("message_id", "NUMBER_TYPE_COERCE")
	call(t, s, "GET /channels/"+floor+"/messages/"+second, nil).wants(404, 10008)
	if m, there := s.Message(id); !there || !m.Deleted || m.Edits != 1 {
		t.Errorf("the deleted message is %+v", m)
	}
	if got := s.Messages(support); len(got) != 1 || got[0].ID != second {
		t.Errorf("the channel shows %v", got)
	}
}

func TestPermissions(t *testing.T) {
	s := start(t, discordtest.Options{})
	body := obj{"content": "x"}
	send(t, s, "99", body).wants(404, 10003)
	send(t, s, "nonsense", body).wrong("channel_id", "NUMBER_TYPE_COERCE")
	send(t, s, floor, body).wants(403, 50013)
	send(t, s, ops, body).wants(403, 50001)
	send(t, s, group, body).wants(400, 50008)
	bare := s.AddChannel(discordtest.Channel{Deny: discordtest.EmbedLinks | discordtest.AttachFiles})
	send(t, s, bare, body).wants(200, 0)
	send(t, s, bare, obj{"embeds": list{obj{"title": "T"}}}).wants(403, 50013)
	upload(t, s, "POST /channels/"+bare+"/messages", body, file{"files[0]", "a.txt", "a"}).wants(403, 50013)
	call(t, s, "POST /channels/"+floor+"/typing", nil).wants(403, 50013)
	call(t, s, "POST /channels/"+support+"/typing", nil).wants(204, 0)
	if deny := call(t, s, "GET /channels/"+floor, nil).str("permission_overwrites", 0, "deny"); deny != fmt.Sprint(discordtest.SendMessages) {
		t.Errorf("the overwrite denies %q", deny)
	}
}

func TestPlacesThatGo(t *testing.T) {
	s := start(t, discordtest.Options{})
	p, _ := connect(t, s)
	m := send(t, s, support, obj{"content": "x"}).str("id")
	s.RemoveChannel(support)
	if e := p.event("CHANNEL_DELETE")["d"].(obj); e["id"] != support || e["guild_id"] != guild {
		t.Errorf("CHANNEL_DELETE %v", e)
	}
	send(t, s, support, obj{"content": "x"}).wants(404, 10003)
	call(t, s, "PATCH /channels/"+support+"/messages/"+m, obj{"content": "x"}).wants(404, 10003)
	s.Outage(guild, true)
	if e := p.event("GUILD_DELETE")["d"].(obj); e["id"] != guild || e["unavailable"] != true {
		t.Errorf("an outage is %v", e)
	}
	s.Outage(guild, false)
	p.event("GUILD_CREATE")
	s.RemoveGuild(guild)
	if e := p.event("GUILD_DELETE")["d"].(obj); e["id"] != guild || e["unavailable"] != nil {
		t.Errorf("GUILD_DELETE %v", e)
	}
	send(t, s, floor, obj{"content": "x"}).wants(403, 50001)
	call(t, s, "GET /guilds/"+guild, nil).wants(404, 10004)
	if all := call(t, s, "GET /users/@me/guilds", nil).body.(list); len(all) != 0 {
		t.Errorf("guilds %v", all)
	}
}

func TestDirectMessages(t *testing.T) {
	s := start(t, discordtest.Options{OpenLimit: 3})
	open := func(id any) answer {
		t.Helper()
		return call(t, s, "POST /users/@me/channels", obj{"recipient_id": id})
	}
	dm := open(asha).wants(200, 0).str("id")
	if again := open(asha).wants(200, 0).str("id"); again != dm {
		t.Errorf("opened twice: %s and %s", dm, again)
	}
	send(t, s, dm, obj{"content": "hello"}).wants(200, 0)
	if m := s.Messages(asha); len(m) != 1 || m[0].Channel != dm || s.DM(asha) != dm {
		t.Errorf("asha sees %v", m)
	}
	closed := open(dev).wants(200, 0).str("id")
	send(t, s, closed, obj{"content": "hello"}).wants(403, 50007)
	strange := open(nobody).wants(200, 0).str("id")
	send(t, s, strange, obj{"content": "hello"}).wants(403, 50278)
	open(meera).wants(403, 40003) // the fourth
	open(asha).wants(200, 0)      // is open
	open("99").wants(404, 10013)
	open("nonsense").wrong("recipient_id", "NUMBER_TYPE_COERCE")
	open(nil).wrong("recipient_id", "BASE_TYPE_REQUIRED")
	open(s.Options().AppID).wants(400, 50007)
	s.Leave(guild, asha)
	send(t, s, dm, obj{"content": "hello"}).wants(403, 50278)
}

func TestNonce(t *testing.T) {
	s := start(t, discordtest.Options{})
	body := obj{"content": "x", "nonce": "n", "enforce_nonce": true}
	a := send(t, s, support, body).wants(200, 0)
	if b := send(t, s, support, body).wants(200, 0); a.str("id") != b.str("id") || b.str("nonce") != "n" {
		t.Errorf("the same nonce gave %s and %s", a.raw, b.raw)
	}
	if b := send(t, s, s.DM(asha), body).wants(200, 0); a.str("id") != b.str("id") {
		t.Error("the same nonce in another channel gave another message")
	}
	send(t, s, support, with(body, "content", n(2001))).wrong("content", "BASE_TYPE_MAX_LENGTH")
	for _, other := range []obj{with(body, "nonce", "m"), with(body, "enforce_nonce", false), {"content": "x", "enforce_nonce": true}} {
		before := len(s.Messages(support))
		send(t, s, support, other).wants(200, 0)
		if len(s.Messages(support)) != before+1 {
			t.Errorf("%v posted nothing", other)
		}
	}
	call(t, s, "DELETE /channels/"+support+"/messages/"+a.str("id"), nil).wants(204, 0)
	if b := send(t, s, support, body).wants(200, 0); a.str("id") == b.str("id") {
		t.Error("a deleted message came back")
	}
}

// A file of a multipart body.
type file struct{ part, name, data string }

// upload calls a route with files.
func upload(t *testing.T, s *discordtest.Server, route string, payload any, files ...file) answer {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	raw, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.WriteField("payload_json", string(raw)); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		part, err := w.CreateFormFile(f.part, f.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(part, f.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return do(t, request(t, s, route, w.FormDataContentType(), &b))
}

// names returns the attachments of a message as name and alt text.
func names(m discordtest.Message) []string {
	var all []string
	for _, a := range m.Attachments {
		all = append(all, a.Name+"="+a.Alt)
	}
	return all
}

func TestAttachments(t *testing.T) {
	s := start(t, discordtest.Options{})
	path := "/channels/" + support + "/messages"
	a := upload(t, s, "POST "+path, obj{"attachments": list{obj{"id": "1", "description": "second"}, obj{"id": 0, "filename": "first.png"}},
		"embeds": list{obj{"title": "T", "image": obj{"url": "attachment://first.png"}}}},
		file{"files[0]", "a.png", "AAA"}, file{"files[1]", "my chart ü.png", "BB"}, file{"files[7]", "c.png", "C"}).wants(200, 0)
	id := a.str("id")
	now := func() discordtest.Message { m, _ := s.Message(id); return m }
	if got := names(now()); !slices.Equal(got, []string{"my_chart__.png=second", "first.png=", "c.png="}) {
		t.Errorf("attachments %q", got)
	}
	if c := s.Calls("POST " + path); len(c) != 1 || !slices.Equal(c[0].Files, []string{"a.png", "my_chart__.png", "c.png"}) {
		t.Errorf("the call is %+v", c)
	}
	resp, err := http.Get(a.str("embeds", 0, "image", "url"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); err != nil || string(b) != "AAA" {
		t.Errorf("the picture is %q, %v", b, err)
	}

	for _, c := range []struct {
		name  string
		body  obj
		files []file
		want  []string
	}{
		{"not mentioned", obj{"content": "x"}, nil, []string{"my_chart__.png=second", "first.png=", "c.png="}},
		{"listed", obj{"attachments": list{obj{"id": a.str("attachments", 1, "id"), "description": "new"}, obj{"id": a.str("attachments", 2, "id")}}}, nil, []string{"first.png=new", "c.png="}},
		{"one listed, one new", obj{"attachments": list{obj{"id": a.str("attachments", 2, "id")}, obj{"id": "0", "description": "d"}}}, []file{{"files[0]", "d.png", "D"}}, []string{"c.png=", "d.png=d"}},
		{"new only", obj{}, []file{{"files[0]", "e.png", "E"}}, []string{"e.png="}},
		{"none", obj{"attachments": list{}}, nil, nil},
	} {
		upload(t, s, "PATCH "+path+"/"+id, c.body, c.files...).wants(200, 0)
		if got := names(now()); !slices.Equal(got, c.want) {
			t.Errorf("%s: attachments %q, want %q", c.name, got, c.want)
		}
	}
	if !strings.Contains(now().Plain(), "(image missing)") {
		t.Errorf("the picture went, and people see %q", now().Plain())
	}
	call(t, s, "PATCH "+path+"/"+id, obj{"attachments": list{obj{"id": a.str("attachments", 0, "id")}}}).wrong("attachments.0.id", "ATTACHMENT_NOT_FOUND")
}

func TestUploadLimits(t *testing.T) {
	s := start(t, discordtest.Options{})
	route := "POST /channels/" + support + "/messages"
	upload(t, s, route, obj{}, file{"files[0]", "a", n(10 << 20)}).wants(200, 0)
	upload(t, s, route, obj{}, file{"files[0]", "a", n(10<<20 + 1)}).wants(413, 40005)
	upload(t, s, route, obj{}, file{"files[0]", "a", n(9 << 20)}, file{"files[1]", "a", n(9 << 20)}, file{"files[2]", "a", n(9 << 20)}).wants(413, 40005)
	var many []file
	for i := range 11 {
		many = append(many, file{fmt.Sprintf("files[%d]", i), "a", "a"})
	}
	upload(t, s, route, obj{}, many[:10]...).wants(200, 0)
	upload(t, s, route, obj{}, many...).wrong("files", "BASE_TYPE_MAX_LENGTH")
	upload(t, s, route, obj{}, file{"attachment", "a", "a"}).wrong("attachment", "UNKNOWN_KEY")
	upload(t, s, route, obj{}, file{"files[0]", "", "a"}).wants(400, 50035)
}

func TestPings(t *testing.T) {
	s := start(t, discordtest.Options{})
	loud := s.AddGuild(discordtest.Guild{Members: []string{asha}, Everyone: discordtest.ViewChannel | discordtest.SendMessages | discordtest.EmbedLinks | discordtest.MentionEveryone})
	c := s.AddChannel(discordtest.Channel{Guild: loud})
	role := "80351110224678999"
	all := "@everyone @here <@" + asha + "> <@!" + asha + "> <@" + meera + "> <@&" + role + ">"
	parse := func(kinds ...any) obj { return obj{"parse": append(list{}, kinds...)} }
	for _, x := range []struct {
		name    string
		channel string
		allowed any
		want    []string
	}{
		{"no word about it", c, nil, []string{"everyone", "here", asha, role}},
		{"nobody", c, parse(), nil},
		{"null", c, obj{"parse": nil}, []string{"everyone", "here", asha, role}},
		{"people", c, parse("users"), []string{asha}},
		{"everyone", c, parse("everyone"), []string{"everyone", "here"}},
		{"roles", c, parse("roles"), []string{role}},
		{"one person", c, obj{"parse": list{}, "users": list{asha}}, []string{asha}},
		{"one role", c, obj{"roles": list{role}}, []string{role}},
		{"somebody else", c, obj{"parse": list{}, "users": list{dev}}, nil},
		{"without the permission", support, nil, []string{asha, meera}},
	} {
		send(t, s, x.channel, obj{"content": all, "allowed_mentions": x.allowed}).wants(200, 0)
		m := s.Messages(x.channel)
		if got := m[len(m)-1].Pings; !slices.Equal(got, x.want) {
			t.Errorf("%s: %q are notified, want %q", x.name, got, x.want)
		}
	}
	m := s.Messages(c)[1] // nobody
	call(t, s, "PATCH /channels/"+c+"/messages/"+m.ID, obj{"content": all + "!"}).wants(200, 0)
	if m, _ := s.Message(m.ID); len(m.Pings) != 0 {
		t.Errorf("an edit notifies %q", m.Pings)
	}
	send(t, s, c, obj{"embeds": list{obj{"title": "T", "description": all}}}).wants(200, 0)
	if m := s.Messages(c); len(m[len(m)-1].Pings) != 0 {
		t.Error("an embed notifies")
	}
}

func TestV2ForGood(t *testing.T) {
	s := start(t, discordtest.Options{})
	id := send(t, s, support, obj{"content": "x", "embeds": list{obj{"title": "T"}}}).str("id")
	route := "PATCH /channels/" + support + "/messages/" + id
	call(t, s, route, v2Body(words("y"))).wrong("flags", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2")
	call(t, s, route, with(with(v2Body(words("y")), "content", nil), "embeds", nil)).wants(200, 0)
	call(t, s, route, obj{"components": list{words("z")}}).wants(200, 0)
	call(t, s, route, obj{"flags": 0, "components": list{words("z")}}).wants(200, 0)
	call(t, s, route, obj{"content": "back"}).wrong("content", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2")
	if m, _ := s.Message(id); m.Plain() != "z" || m.Flags&discordtest.FlagV2 == 0 {
		t.Errorf("the message is %q, flags %d", m.Plain(), m.Flags)
	}
}

func TestReads(t *testing.T) {
	s := start(t, discordtest.Options{})
	for route, want := range map[string]string{
		"GET /users/@me": s.Options().AppID, "GET /users/" + asha: asha, "GET /guilds/" + guild: guild, "GET /channels/" + support: support,
		"GET /applications/@me": s.Options().AppID, "GET /oauth2/applications/@me": s.Options().AppID,
	} {
		if got := call(t, s, route, nil).wants(200, 0).str("id"); got != want {
			t.Errorf("%s gave %s", route, got)
		}
	}
	if key := call(t, s, "GET /applications/@me", nil).str("verify_key"); key != s.PublicKey() {
		t.Errorf("the key is %s", key)
	}
	if m := call(t, s, "GET /guilds/"+guild+"/members/"+asha, nil).wants(200, 0); m.str("user", "global_name") != "Asha Rao" {
		t.Errorf("member %s", m.raw)
	}
	call(t, s, "GET /users/99", nil).wants(404, 10013)
	call(t, s, "GET /guilds/99", nil).wants(404, 10004)
	call(t, s, "GET /guilds/"+guild+"/members/99", nil).wants(404, 10013)
	call(t, s, "GET /guilds/"+guild+"/members/"+nobody, nil).wants(404, 10007)
	if c := call(t, s, "GET /guilds/"+guild+"/channels", nil).wants(200, 0).body.(list); len(c) != 4 {
		t.Errorf("channels %v", c)
	}
}
