package alert

import (
	"encoding/json"
	"os"
	"testing"
	"time"
)

// TestStoredForm freezes the JSON forms: a renamed key fails here and not in an
// installation.
func TestStoredForm(t *testing.T) {
	s := firing(t).state
	s.Absent, s.Data = 1, Absent
	h := Handling{Severity: Critical, Open: at(2), Escalations: 1, Escalated: at(12), Repeats: 2, Repeated: at(62)}
	h, _ = h.Acknowledge("slack:U0SUPER", at(63))
	all := struct {
		State    State
		Idle     State
		Handling Handling
		Budget   Budget
		Group    Group
		Policy   Policy
		Silence  Silence
	}{
		s, State{}, h, Budget{t0, 2}, Group{"busy", "support", t0}, Policy{10 * time.Minute, 30 * time.Minute},
		Silence{Matcher{"busy", "a1", "support"}, t0, at(60), "slack:U0SUPER", "training"},
	}
	got, err := json.MarshalIndent(all, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	frozen, err := os.ReadFile("testdata/stored.json")
	if err != nil {
		t.Fatal(err)
	}
	if string(got)+"\n" != string(frozen) {
		t.Errorf("the stored form is now\n%s", got)
	}
	back := all
	back.State = State{}
	if err := json.Unmarshal(frozen, &back); err != nil || back != all {
		t.Errorf("read back %+v, %v", back, err)
	}
	for _, bad := range []string{`{"p":"asleep"}`, `{"d":"fine"}`} {
		if json.Unmarshal([]byte(bad), new(State)) == nil {
			t.Errorf("%s was read", bad)
		}
	}
}
