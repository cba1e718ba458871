package store

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
	"floorwalker/dashboard"
	"github.com/google/go-cmp/cmp"
)

// TestMain lets the test binary stand in for other processes, see children.
func TestMain(m *testing.M) {
	if role := os.Getenv("STORE_TEST_ROLE"); role != "" {
		os.Exit(child(role, os.Args[1:]))
	}
	os.Exit(m.Run())
}

var (
	testKey = keyOf('k')
	noon    = time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)
)

// keyOf returns a master key made of one byte.
func keyOf(b byte) secret.Secret {
	return secret.New(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, keySize)))
}

func testConfig(t testing.TB) Config {
	return Config{
		Path:   filepath.Join(t.TempDir(), "floorwalker.db"),
		Key:    testKey,
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
}

// open opens a store that the test's end checks and closes.
func open(t testing.TB, c Config) *Store {
	t.Helper()
	s, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func reopen(t testing.TB, s *Store) *Store {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return open(t, s.config)
}

func at(s string) chat.Address {
	a, err := chat.ParseAddress(s)
	if err != nil {
		panic(err)
	}
	return a
}

func pair(userID, token string) dashboard.Credential {
	return dashboard.Credential{UserID: userID, Token: secret.New(token)}
}

func session(ssid string) dashboard.Credential {
	return dashboard.Credential{SSID: secret.New(ssid)}
}

// linkOf is a verified link by the address itself.
func linkOf(addr string, c dashboard.Credential) bot.Link {
	return bot.Link{
		Address: at(addr), Name: "Asha " + addr, Credential: c, State: bot.LinkActive,
		Audit: bot.AuditEntry{At: noon, Actor: addr, Action: "link", Object: addr},
	}
}

func mustLink(t testing.TB, s *Store, l bot.Link) bot.Linked {
	t.Helper()
	linked, err := s.Link(l)
	if err != nil {
		t.Fatalf("link %s: %v", l.Address, err)
	}
	return linked
}

// collect returns what an iterator yields, and fails the test on an error.
func collect[T any](t testing.TB, seq func(func(T, error) bool)) (all []T) {
	t.Helper()
	for v, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	return all
}

// checkSound fails the test unless the records of a store fit together.
func checkSound(t testing.TB, s *Store) {
	t.Helper()
	agents, addresses, users := 0, 0, 0
	for _, a := range collect(t, s.Agents()) {
		agents++
		c, err := s.Credential(a.ID)
		if err != nil || c.UserID != a.UserID || bot.CredentialKind(c.Kind()) != a.Credential {
			t.Errorf("credential of %s: %v", a.ID, err)
		}
		if len(a.Addresses) == 0 {
			t.Errorf("agent %s has no address", a.ID)
		}
		for _, addr := range a.Addresses {
			addresses++
			if b, err := s.AgentAt(addr); err != nil || b.ID != a.ID {
				t.Errorf("agent at %s: %s, %v, want %s", addr, b.ID, err, a.ID)
			}
		}
		if a.UserID != "" {
			users++
		}
	}
	err := s.view(func(t txn) error {
		var errs []error
		for bucket, want := range map[string]int{
			bucketAgents: agents, bucketCredentials: agents, bucketAddresses: addresses, bucketUsers: users,
		} {
			if n := t.in(bucket).Stats().KeyN; n != want {
				errs = append(errs, fmt.Errorf("bucket %s holds %d records, want %d", bucket, n, want))
			}
		}
		for _, bucket := range []string{bucketFirst, bucketLast} {
			if n := t.in(bucket).Stats().KeyN; n > agents {
				errs = append(errs, fmt.Errorf("bucket %s: %d answers of %d agents", bucket, n, agents))
			}
		}
		return errors.Join(errs...)
	})
	if err != nil {
		t.Error(err)
	}
}

func TestLinkSurvivesRestart(t *testing.T) {
	s := open(t, testConfig(t))
	l := linkOf("slack:U1", dashboard.Credential{UserID: "17", Token: secret.New("tok-1"), SSID: secret.New("ss-1")})
	l.Teams = []string{"support", "night"}
	linked := mustLink(t, s, l)
	want := bot.Agent{
		ID: linked.Agent.ID, Name: "Asha slack:U1", Addresses: []chat.Address{at("slack:U1")}, UserID: "17",
		Credential: bot.CredentialToken, State: bot.LinkActive, Changed: noon,
		LinkedBy: "slack:U1", LinkedAt: noon, Teams: []string{"support", "night"},
	}
	if diff := cmp.Diff(want, linked.Agent); diff != "" {
		t.Error("linked:\n", diff)
	}
	if len(linked.Agent.ID) != 16 || linked.Joined || linked.Relink {
		t.Errorf("linked = %+v", linked)
	}

	s = reopen(t, s)
	got, err := s.AgentAt(at("slack:U1"))
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, "\n", diff)
	}
	c, err := s.Credential(got.ID)
	if err != nil || !c.Equal(l.Credential) {
		t.Errorf("credential did not come back: %v", err)
	}
	trail := collect(t, s.AuditTrail(time.Time{}))
	if diff := cmp.Diff([]bot.AuditEntry{l.Audit}, trail); diff != "" {
		t.Error("audit:\n", diff)
	}
	checkSound(t, s)
}

func TestNotLinked(t *testing.T) {
	s := open(t, testConfig(t))
	_, errAt := s.AgentAt(at("slack:U1"))
	_, errZero := s.AgentAt(chat.Address{})
	_, errCred := s.Credential("0123456789abcdef")
	errState := s.SetLinkState("0123456789abcdef", bot.LinkRelink, "", noon)
	_, errUnlink := s.Unlink("0123456789abcdef", bot.AuditEntry{}, "r1")
	for i, err := range []error{errAt, errZero, errCred, errState, errUnlink} {
		if !errors.Is(err, bot.ErrNotLinked) {
			t.Errorf("%d: %v, want ErrNotLinked", i, err)
		}
	}
	if seen, err := s.Seen("0123456789abcdef"); err != nil || !seen.First.At.IsZero() {
		t.Errorf("seen: %v, %v", seen, err)
	}
}

func TestSetLinkState(t *testing.T) {
	s := open(t, testConfig(t))
	id := mustLink(t, s, linkOf("slack:U1", pair("17", "tok-1"))).Agent.ID
	hour := noon.Add(time.Hour)
	for _, step := range []struct {
		state       bot.LinkState
		reason      string
		wantReason  string
		at, changed time.Time
	}{
		{bot.LinkRelink, "token refused", "token refused", hour, hour},
		{bot.LinkRelink, "token unknown", "token unknown", hour.Add(1), hour}, // same state: changed before
		{bot.LinkActive, "works", "", hour.Add(2), hour.Add(2)},
	} {
		if err := s.SetLinkState(id, step.state, step.reason, step.at); err != nil {
			t.Fatal(err)
		}
		a, err := s.AgentAt(at("slack:U1"))
		if err != nil || a.State != step.state || a.Reason != step.wantReason || !a.Changed.Equal(step.changed) {
			t.Errorf("after %v: %+v, %v", step, a, err)
		}
	}
	if err := s.SetLinkState(id, "broken", "", noon); err == nil {
		t.Error("a state that does not exist was stored")
	}
	size := fileID(t, s)
	if err := s.SetLinkState(id, bot.LinkActive, "", noon); err != nil {
		t.Fatal(err)
	}
	if fileID(t, s) != size {
		t.Error("a state that was known was written again")
	}
}

// fileID returns the number of the last commit.
func fileID(t testing.TB, s *Store) (id int) {
	t.Helper()
	if err := s.view(func(tx txn) error { id = tx.ID(); return nil }); err != nil {
		t.Fatal(err)
	}
	return id
}

func TestAgentsYieldsOutsideTheTransaction(t *testing.T) {
	s := open(t, testConfig(t))
	const n = 2*pageSize + 10
	fill(t, s, n)
	var ids []bot.AgentID
	for a, err := range s.Agents() {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, a.ID)
		// A consumer that deletes what it is given must not hang, nor miss any.
		if err := s.update(func(t txn) error { return t.dropAgent(a) }); err != nil {
			t.Fatal(err)
		}
	}
	if len(ids) != n || !slices.IsSorted(ids) {
		t.Errorf("%d agents, sorted %v; want %d in order", len(ids), slices.IsSorted(ids), n)
	}
	for range s.Agents() {
		t.Error("an agent is left")
	}
}

// fill links n agents, many in one transaction.
func fill(t testing.TB, s *Store, n int) {
	t.Helper()
	err := s.update(func(tx txn) error {
		for i := range n {
			l := linkOf(fmt.Sprintf("slack:U%07d", i), pair(fmt.Sprint(i), fmt.Sprintf("token-%032d", i)))
			l.Teams = []string{"support"}
			if _, err := tx.link(l); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRequestIsDoneOnce(t *testing.T) {
	s := open(t, testConfig(t))
	l := linkOf("slack:U1", pair("17", "tok-1"))
	l.RequestID = "evt-1"
	id := mustLink(t, s, l).Agent.ID
	s = reopen(t, s)
	if _, err := s.Link(l); !errors.Is(err, bot.ErrDone) {
		t.Errorf("link again: %v, want ErrDone", err)
	}
	if _, err := s.Unlink(id, bot.AuditEntry{Action: "unlink"}, "evt-2"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Unlink(id, bot.AuditEntry{Action: "unlink"}, "evt-2"); !errors.Is(err, bot.ErrDone) {
		t.Errorf("unlink again: %v, want ErrDone", err)
	}
	// A request that failed may be tried again.
	other := linkOf("slack:U2", pair("18", "tok-2"))
	mustLink(t, s, other)
	held := linkOf("slack:U3", pair("18", "other"))
	held.RequestID = "evt-3"
	if _, err := s.Link(held); !errors.Is(err, bot.ErrHeld) {
		t.Fatalf("link of a held user id: %v", err)
	}
	held.Credential = pair("19", "tok-3")
	mustLink(t, s, held)

	if err := s.Trim(time.Now().Add(30*time.Minute), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Link(l); !errors.Is(err, bot.ErrDone) {
		t.Errorf("half an hour later: %v, want ErrDone", err)
	}
	if err := s.Trim(time.Now().Add(2*time.Hour), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Link(l); err != nil {
		t.Errorf("two hours later: %v", err)
	}
}

func TestAuditTrail(t *testing.T) {
	s := open(t, testConfig(t))
	const n = pageSize + 20
	for i := n - 1; i >= 0; i-- { // recorded out of order
		err := s.Record(bot.AuditEntry{At: noon.Add(time.Duration(i/2) * time.Minute), Actor: "cli:0", Action: "test", Detail: fmt.Sprint(i)})
		if err != nil {
			t.Fatal(err)
		}
	}
	trail := collect(t, s.AuditTrail(time.Time{}))
	if len(trail) != n || !slices.IsSortedFunc(trail, func(a, b bot.AuditEntry) int { return a.At.Compare(b.At) }) {
		t.Fatalf("%d entries, want %d in order", len(trail), n)
	}
	from := noon.Add(5 * time.Minute)
	if late := collect(t, s.AuditTrail(from)); len(late) != n-10 || !late[0].At.Equal(from) {
		t.Errorf("since %v: %d entries from %v, want %d", from, len(late), late[0].At, n-10)
	}
	if err := s.Trim(from.Add(time.Hour), time.Hour); err != nil {
		t.Fatal(err)
	}
	if left := collect(t, s.AuditTrail(time.Time{})); len(left) != n-10 || !left[0].At.Equal(from) {
		t.Errorf("after trimming: %d entries from %v, want %d from %v", len(left), left[0].At, n-10, from)
	}
	before := fileID(t, s)
	if err := s.Trim(from.Add(time.Hour), time.Hour); err != nil || fileID(t, s) != before {
		t.Errorf("trimming nothing wrote something, or %v", err)
	}
	if err := s.Trim(noon.Add(1000*time.Hour), time.Hour); err != nil {
		t.Fatal(err)
	}
	for e := range s.AuditTrail(time.Time{}) {
		t.Errorf("left: %+v", e)
	}
}

func TestWorkspace(t *testing.T) {
	s := open(t, testConfig(t))
	if id, err := s.Workspace(chat.Slack); id != "" || err != nil {
		t.Errorf("of a new database: %q, %v", id, err)
	}
	for range 2 {
		if err := s.SetWorkspace(chat.Slack, "T1"); err != nil {
			t.Fatal(err)
		}
	}
	s = reopen(t, s)
	err := s.SetWorkspace(chat.Slack, "T2")
	if e, ok := errors.AsType[*WorkspaceError](err); !ok || e.Stored != "T1" || e.Given != "T2" {
		t.Errorf("another workspace: %v", err)
	}
	if id, err := s.Workspace(chat.Slack); id != "T1" || err != nil {
		t.Errorf("stored: %q, %v", id, err)
	}
	if err := s.SetWorkspace(chat.Discord, "G1"); err != nil {
		t.Errorf("another network: %v", err)
	}
	if err := s.SetWorkspace(chat.Console, ""); err == nil {
		t.Error("a workspace without an id was stored")
	}
}

func TestStats(t *testing.T) {
	s := open(t, testConfig(t))
	id := mustLink(t, s, linkOf("slack:U1", pair("17", "tok-1"))).Agent.ID
	mustLink(t, s, linkOf("slack:U2", session("ss-2")))
	if err := s.SetLinkState(id, bot.LinkRelink, "refused", noon); err != nil {
		t.Fatal(err)
	}
	got, err := s.Stats()
	want := map[bot.LinkState]int{bot.LinkActive: 1, bot.LinkRelink: 1, bot.LinkUnverified: 0, bot.LinkSuspended: 0}
	if diff := cmp.Diff(want, got.Agents); diff != "" || err != nil || got.Bytes < 4096 {
		t.Error(err, got.Bytes, "\n", diff)
	}
}
