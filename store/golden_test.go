package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/bot/schedule"
	"floorwalker/bot/secret"
	"floorwalker/bot/stats"
	"floorwalker/dashboard"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write stored forms under testdata that are not there yet")

// goldenForms returns a value of each stored form by the schema in which it came
// up and its name, every field filled.
func goldenForms() map[string]any {
	counters := dashboard.Counters{
		Row: map[string]dashboard.Value{
			"TH": dashboard.ValueOf("12"), "aTT": dashboard.ValueOf("185.5"), "ATT": dashboard.ValueOf("true"),
			"I": dashboard.ValueOf(`"9"`), "callType": dashboard.ValueOf(`{"in":7}`),
			"l": dashboard.ValueOf(`{"type":"Web","duration":["69","15","50"]}`),
		},
		Date: noon.Add(-time.Second), At: noon, Rows: 1,
	}
	message := &chat.Message{Title: "3 missed", Tone: chat.Warning}
	return map[string]any{
		"v1/schema": schemaForm{1, noon},
		"v1/key":    keyForm{"fed0175ffe734fcb", noon, []byte("wrapped")},
		"v1/agent": agentForm{"Asha Rao", []chat.Address{at("slack:U1"), at("discord:D1")}, "17", bot.CredentialToken,
			bot.LinkRelink, "token refused", noon, "cli:0", noon.Add(-time.Hour), []string{"support"}},
		"v1/address":    addressForm{"0123456789abcdef"},
		"v1/credential": credentialForm{"session", "17", "token"},
		"v1/seen":       bot.Seen{First: counters, Last: counters},
		"v1/audit":      bot.AuditEntry{At: noon, Actor: "cli:0", Action: "link", Object: "slack:U1", Detail: "joined"},
		"v1/workspace":  workspaceForm{"T0123456789", noon},
		"v2/row": rowForm{"alert/e1/fire/slack:U1", at("slack:U1"), bot.LaneAlert, message, "alert/e0/fire/slack:U1", noon,
			noon.Add(time.Hour), bot.RowLeased, 2, noon.Add(time.Minute), noon.Add(2 * time.Minute), true, "timed out",
			chat.Ref{Network: chat.Slack, ID: "D1/1.2"}, noon.Add(-time.Minute), noon.Add(time.Second)},
		"v2/occurrence": occurrenceForm{noon, noon.Add(-9 * time.Hour), noon, "too late", noon.Add(time.Second)},
		"v2/day":        dayForm{1, schedule.DateOf(noon, time.UTC)},
		"v2/manifest":   manifest{1, noon, []manifestFile{{"floorwalker.db", 4096, "e3b0c442"}}},
	}
}

// TestStoredForms compares with what earlier versions have written. If it fails,
// people's databases cannot be read any more: write a migration and a new
// directory, never change these files.
func TestStoredForms(t *testing.T) {
	for name, form := range goldenForms() {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("testdata", name+".json")
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

// TestGoldenDatabase opens databases that earlier versions have written, under
// the keys beside them, and a history. They must open for ever.
func TestGoldenDatabase(t *testing.T) {
	for _, v := range []string{"v1", "v2", "v3"} {
		t.Run(v, func(t *testing.T) {
			s := openGolden(t, v)
			checkSound(t, s)
			checkGolden1(t, s)
			if v != "v1" {
				checkGolden2(t, s)
			}
		})
	}
}

// openGolden opens a copy of a golden database.
func openGolden(t *testing.T, v string) *Store {
	t.Helper()
	dir := filepath.Join("testdata", v)
	if _, err := os.Stat(filepath.Join(dir, v+".db")); *update && os.IsNotExist(err) {
		writeGolden(t, dir, v)
	}
	c := testConfig(t)
	c.Key = secret.New(string(golden(t, filepath.Join(dir, v+".key"), []byte(testKey.Reveal()+"\n"))))
	copies := map[string]string{v + ".db": c.Path}
	if v != "v1" {
		if err := os.Mkdir(c.Path+historySuffix, 0o700); err != nil {
			t.Fatal(err)
		}
		copies["2026-08-01.db"] = filepath.Join(c.Path+historySuffix, "2026-08-01.db")
	}
	for from, to := range copies {
		if err := os.WriteFile(to, golden(t, filepath.Join(dir, from), nil), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return open(t, c)
}

func checkGolden1(t *testing.T, s *Store) {
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
	if seen, err := s.Seen(a.ID); err != nil || !reflect.DeepEqual(seen, goldenForms()["v1/seen"]) {
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

// goldenRows are the rows of the golden outbox, as they are put in.
func goldenRows() []bot.Row {
	message := chat.Message{Title: "3 missed", Tone: chat.Warning}
	return []bot.Row{
		{Key: "alert/e1/fire/slack:U1", To: at("slack:U1"), Lane: bot.LaneAlert, Message: message, Added: noon},
		{Key: "digest/support/day/2026-08-01T09:00/slack:C1", To: at("slack:C1"), Lane: bot.LaneDigest, Message: message,
			NotBefore: noon.Add(time.Hour), GiveUp: noon.Add(2 * time.Hour), Added: noon},
	}
}

// goldenSamples are those of the golden history.
func goldenSamples(id bot.AgentID) []bot.AgentSample {
	values := []stats.Value{{Key: "I", N: 7}, {Key: "TH", N: 12}, {Key: "aTT", N: 185.5}, {Key: "callType.in", N: 1.0 / 3}}
	return []bot.AgentSample{
		{Agent: id, Sample: stats.Sample{Tick: noon, Date: noon.Add(time.Second), Login: noon.Add(-3 * time.Hour), Values: values}},
		{Agent: id, Sample: stats.Sample{Tick: noon.Add(time.Minute), Date: noon.Add(time.Minute), Values: values[1:]}},
		{Agent: id, Sample: stats.Sample{Tick: noon.Add(2 * time.Hour), Out: true}},
	}
}

func checkGolden2(t *testing.T, s *Store) {
	rows := collect(t, s.Rows())
	for i, want := range goldenRows() {
		want.Seq, want.State, want.Next = uint64(i+1), bot.RowPending, want.NotBefore
		if diff := cmp.Diff(want, rows[i]); diff != "" {
			t.Error(diff)
		}
	}
	due, _, err := s.Lease(chat.Slack, noon, noon.Add(time.Minute), 9)
	if err != nil || len(due) != 1 || due[0].Key != goldenRows()[0].Key {
		t.Errorf("due: %v, %v", due, err)
	}
	err = s.View(func(tx bot.Tx) error {
		last, found, err := tx.LastOccurrence("support", "day", noon)
		if want := (bot.Occurrence{Team: "support", Name: "day", Nominal: schedule.CivilOf(noon, time.UTC), At: noon, Recorded: noon}); last != want || !found || err != nil {
			t.Errorf("occurrence: %+v, %v, %v", last, found, err)
		}
		value, found, err := tx.Record(bot.RecordQuiet, "slack:U1")
		if string(value) != `{"start":"22:00"}` || !found || err != nil {
			t.Errorf("record: %s, %v, %v", value, found, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	a, err := s.AgentAt(at("slack:U1"))
	if err != nil {
		t.Fatal(err)
	}
	var want []stats.Sample
	for _, sample := range goldenSamples(a.ID) {
		want = append(want, sample.Sample)
	}
	if d := differs(collect(t, s.History(a.ID, always())), want); d != "" {
		t.Error("history: ", d)
	}
}

// writeGolden makes a golden database of this version.
func writeGolden(t *testing.T, dir, v string) {
	t.Helper()
	s := open(t, testConfig(t))
	first := linkOf("slack:U1", pair("17", "token-17"))
	first.Name, first.Teams, first.RequestID, first.Audit.Actor = "Asha Rao", []string{"support"}, "r1", "cli:0"
	id := mustLink(t, s, first).Agent.ID
	mustLink(t, s, linkOf("discord:D1", pair("17", "token-17")))
	mustLink(t, s, linkOf("slack:U2", session("session-2")))
	err := errors.Join(
		s.SetLinkState(id, bot.LinkRelink, "token refused", noon.Add(time.Hour)),
		s.SaveSeen(id, goldenForms()["v1/seen"].(bot.Seen)),
		s.SetWorkspace(chat.Slack, "T0123456789"),
		s.AppendHistory(goldenSamples(id)),
		s.Update(func(tx bot.Tx) error {
			for _, r := range goldenRows() {
				if _, err := tx.Enqueue(r); err != nil {
					return err
				}
			}
			_, err := tx.RecordOccurrence(bot.Occurrence{Team: "support", Name: "day", Nominal: schedule.CivilOf(noon, time.UTC), At: noon, Recorded: noon})
			return errors.Join(err, tx.PutRecord(bot.RecordQuiet, "slack:U1", []byte(`{"start":"22:00"}`)))
		}),
		s.Close(),
	)
	if err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{s.path: v + ".db", filepath.Join(s.history.dir, "2026-08-01.db"): "2026-08-01.db"} {
		b, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, filepath.Join(dir, to), b)
	}
}
