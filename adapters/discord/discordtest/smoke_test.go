package discordtest_test

import (
	"testing"

	"floorwalker/adapters/discord/discordtest"
)

func TestSmoke(t *testing.T) {
	s := start(t, discordtest.Options{})
	p, ready := connect(t, s)
	t.Log(ready)
	app := s.Options().AppID
	call(t, s, "PUT /applications/"+app+"/commands", list{obj{"name": "mystats", "description": "My numbers", "options": list{obj{"type": 1, "name": "today", "description": "x"}}}}).wants(200, 0)
	i := ok(s.Slash(asha, support, "mystats today"))(t)
	e := p.event("INTERACTION_CREATE")["d"].(obj)
	call(t, s, "POST /interactions/"+e["id"].(string)+"/"+e["token"].(string)+"/callback", obj{"type": 5, "data": obj{"flags": 64}}).wants(204, 0)
	call(t, s, "PATCH /webhooks/"+app+"/"+i.Token+"/messages/@original", obj{"content": "**hi** \\*there\\*", "components": list{obj{"type": 1, "components": list{obj{"type": 2, "style": 1, "label": "Go", "custom_id": "x"}}}}}).wants(200, 0)
	m := ok(i.WaitReply(soon(t), nil))(t)
	if m.Plain() != "hi *there*\n[Go]" || m.For != asha {
		t.Fatal(m.Plain(), m.For)
	}
	dm := call(t, s, "POST /users/@me/channels", obj{"recipient_id": asha}).wants(200, 0).str("id")
	call(t, s, "POST /channels/"+dm+"/messages", obj{"content": "x", "nonce": "1", "enforce_nonce": true}).wants(200, 0)
	call(t, s, "POST /channels/"+dm+"/messages", obj{"content": "x", "nonce": "1", "enforce_nonce": true}).wants(200, 0)
	if n := len(s.Messages(asha)); n != 1 {
		t.Fatal(n)
	}
	call(t, s, "POST /channels/"+dm+"/messages", obj{"embeds": list{obj{"title": "x", "fields": list{obj{"name": "a", "value": ""}}}}}).wrong("embeds.0.fields.0.value", "BASE_TYPE_REQUIRED")
	p2 := ok(s.Press(asha, m, "Go"))(t)
	p.event("INTERACTION_CREATE")
	call(t, s, "POST /interactions/"+p2.ID+"/"+p2.Token+"/callback", obj{"type": 7, "data": obj{"content": "new"}}).wants(204, 0)
	call(t, s, "POST /interactions/"+p2.ID+"/"+p2.Token+"/callback", obj{"type": 7, "data": obj{"content": "new"}}).wants(400, 40060)
}
