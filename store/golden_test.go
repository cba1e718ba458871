package store

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
	"floorwalker/dashboard"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write stored forms under testdata that are not there yet")

// goldenForms returns a value of each stored form, every field filled.
func goldenForms() map[string]any {
	counters := dashboard.Counters{
		Row: map[string]dashboard.Value{
			"TH": dashboard.ValueOf("12"), "aTT": dashboard.ValueOf("185.5"), "ATT": dashboard.ValueOf("true"),
			"I": dashboard.ValueOf(`"9"`), "callType": dashboard.ValueOf(`{"in":7}`),
			"l": dashboard.ValueOf(`{"type":"Web","duration":["69","15","50"]}`),
		},
		Date: noon.Add(-time.Second), At: noon, Rows: 1,
	}
	return map[string]any{
		"schema": schemaForm{1, noon},
		"key":    keyForm{"fed0175ffe734fcb", noon, []byte("wrapped")},
		"agent": agentForm{"Asha Rao", []chat.Address{at("slack:U1"), at("discord:D1")}, "17", bot.CredentialToken,
			bot.LinkRelink, "token refused", noon, "cli:0", noon.Add(-time.Hour), []string{"support"}},
		"address":    addressForm{"0123456789abcdef"},
		"credential": credentialForm{"session", "17", "token"},
		"seen":       bot.Seen{First: counters, Last: counters},
		"audit":      bot.AuditEntry{At: noon, Actor: "cli:0", Action: "link", Object: "slack:U1", Detail: "joined"},
		"workspace":  workspaceForm{"T0123456789", noon},
	}
}

// TestStoredForms compares with what earlier versions have written. If it fails,
// people's databases cannot be read any more: write a migration and a new
// directory, never change these files.
func TestStoredForms(t *testing.T) {
	for name, form := range goldenForms() {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("testdata", "v1", name+".json")
			if got, zero := reflect.ValueOf(form), zeroField(form); zero != "" {
				t.Fatalf("%s of the example %v is not filled", zero, got.Type())
			}
			got, err := json.MarshalIndent(form, "", "\t")
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, '\n')
			want := golden(t, path, got)
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Error("written differently:\n", diff)
			}
			back := reflect.New(reflect.TypeOf(form))
			decoder := json.NewDecoder(bytes.NewReader(want))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(back.Interface()); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(back.Elem().Interface(), form) {
				t.Errorf("read as %+v", back.Elem())
			}
		})
	}
}

// zeroField returns the name of a field that is not filled.
func zeroField(form any) string {
	v := reflect.ValueOf(form)
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			return v.Type().Field(i).Name
		}
	}
	return ""
}

// golden returns a file of testdata, which -update makes but never changes.
func golden(t *testing.T, path string, content []byte) []byte {
	t.Helper()
	if _, err := os.Stat(path); *update && os.IsNotExist(err) {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestGoldenDatabase opens a database that the first version has written, under
// the key beside it. It must open for ever.
func TestGoldenDatabase(t *testing.T) {
	dir := filepath.Join("testdata", "v1")
	if _, err := os.Stat(filepath.Join(dir, "v1.db")); *update && os.IsNotExist(err) {
		golden(t, filepath.Join(dir, "v1.db"), writeGolden(t))
	}
	db := golden(t, filepath.Join(dir, "v1.db"), nil)
	key := golden(t, filepath.Join(dir, "v1.key"), []byte(testKey.Reveal()+"\n"))

	c := testConfig(t)
	c.Key = secret.New(string(key))
	if err := os.WriteFile(c.Path, db, 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, c)
	checkSound(t, s)
	a, err := s.AgentAt(at("discord:D1"))
	want := bot.Agent{
		ID: a.ID, Name: "Asha Rao", Addresses: []chat.Address{at("slack:U1"), at("discord:D1")}, UserID: "17",
		Credential: bot.CredentialToken, State: bot.LinkRelink, Reason: "token refused", Changed: noon.Add(time.Hour),
		LinkedBy: "cli:0", LinkedAt: noon, Teams: []string{"support"},
	}
	if diff := cmp.Diff(want, a); diff != "" || err != nil {
		t.Error(err, "\n", diff)
	}
	if got, err := s.Credential(a.ID); err != nil || !got.Equal(pair("17", "token-17")) {
		t.Errorf("credential: %v", err)
	}
	if seen, err := s.Seen(a.ID); err != nil || !reflect.DeepEqual(seen, goldenForms()["seen"]) {
		t.Errorf("seen: %+v, %v", seen, err)
	}
	if b, err := s.AgentAt(at("slack:U2")); err != nil || b.Credential != bot.CredentialSSID {
		t.Errorf("second agent: %+v, %v", b, err)
	}
	if id, err := s.Workspace(chat.Slack); id != "T0123456789" || err != nil {
		t.Errorf("workspace: %q, %v", id, err)
	}
	var actions []string
	for _, e := range collect(t, s.AuditTrail(time.Time{})) {
		actions = append(actions, e.Action)
	}
	if got := strings.Join(actions, " "); got != "link link link" {
		t.Errorf("audit trail: %s", got)
	}
}

// writeGolden makes the golden database and returns its bytes.
func writeGolden(t *testing.T) []byte {
	t.Helper()
	s := open(t, testConfig(t))
	first := linkOf("slack:U1", pair("17", "token-17"))
	first.Name, first.Teams, first.RequestID, first.Audit.Actor = "Asha Rao", []string{"support"}, "r1", "cli:0"
	id := mustLink(t, s, first).Agent.ID
	mustLink(t, s, linkOf("discord:D1", pair("17", "token-17")))
	mustLink(t, s, linkOf("slack:U2", session("session-2")))
	for _, err := range []error{
		s.SetLinkState(id, bot.LinkRelink, "token refused", noon.Add(time.Hour)),
		s.SaveSeen(id, goldenForms()["seen"].(bot.Seen)),
		s.SetWorkspace(chat.Slack, "T0123456789"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	err := s.view(func(t txn) error {
		_, err := t.WriteTo(&b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
