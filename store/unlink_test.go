package store

import (
	"bytes"
	"errors"
	"os"
	"testing"
	"time"

	"floorwalker/bot"
)

// TestUnlinkAddress takes one address away: the others, the credential and what was
// seen stay, nothing of the address is left in the file, and the last one is not
// taken.
func TestUnlinkAddress(t *testing.T) {
	s := open(t, testConfig(t))
	linked := mustLink(t, s, linkOf("slack:U1", pair("17", "t1")))
	second := linkOf("slack:U9GONE", pair("17", "t1"))
	second.Name, second.Audit.Actor, second.Audit.Object = "", "cli:0", "" // else the audit trail has it, for its time
	mustLink(t, s, second)
	mustLink(t, s, linkOf("slack:U2", pair("18", "t2")))
	id := linked.Agent.ID
	by := bot.AuditEntry{At: noon, Actor: "cli:0", Action: "unlink"}
	a, err := s.UnlinkAddress(at("slack:U9GONE"), by)
	if err != nil || a.ID != id || len(a.Addresses) != 1 || a.Addresses[0] != at("slack:U1") {
		t.Fatalf("left: %+v, %v", a, err)
	}
	s = reopen(t, s)
	if a, err := s.AgentAt(at("slack:U1")); err != nil || a.ID != id || len(a.Addresses) != 1 {
		t.Errorf("the other address: %+v, %v", a, err)
	}
	if c, err := s.Credential(id); err != nil || !c.Equal(pair("17", "t1")) {
		t.Errorf("the credential: %v", err)
	}
	for _, gone := range []string{"slack:U9GONE", "slack:U404"} {
		if _, err := s.UnlinkAddress(at(gone), by); !errors.Is(err, bot.ErrNotLinked) {
			t.Errorf("%s: %v, want ErrNotLinked", gone, err)
		}
	}
	if _, err := s.UnlinkAddress(at("slack:U1"), by); err == nil {
		t.Error("the only address was taken")
	}
	if _, err := s.AgentAt(at("slack:U1")); err != nil {
		t.Errorf("the only address: %v", err)
	}
	file, err := os.ReadFile(s.path)
	if err != nil || bytes.Contains(file, []byte("U9GONE")) {
		t.Errorf("the address is left in the file: %v", err)
	}
	var acts []string
	for e, err := range s.AuditTrail(time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Action == "unlink" {
			acts = append(acts, e.Object)
		}
	}
	if len(acts) != 1 || acts[0] != string(id) {
		t.Errorf("audit: %q", acts)
	}
	checkSound(t, s)
}
