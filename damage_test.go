package main

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"floorwalker/bot"
	"floorwalker/bot/secret"
	"floorwalker/store"
)

// spoil damages the records of a bucket from one to another, in the order of their
// keys and counted from 0, of a database that nobody has open.
func spoil(t *testing.T, path, bucket string, from, to int) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte(bucket))
		var keys [][]byte
		err := b.ForEach(func(key, _ []byte) error {
			keys = append(keys, bytes.Clone(key))
			return nil
		})
		for _, key := range keys[from:to] {
			if err := b.Put(key, []byte("{")); err != nil {
				return err
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestAuditDamaged: what is left of a damaged audit trail is printed, and what is
// not is named; the exit status says that it is not whole.
func TestAuditDamaged(t *testing.T) {
	dir := t.TempDir()
	file, path := filepath.Join(dir, "config.yaml"), filepath.Join(dir, "floorwalker.db")
	if err := os.WriteFile(file, []byte("dashboard: {base_url: \"http://127.0.0.1:1\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(store.Config{Path: path, KeyFile: filepath.Join(dir, "floorwalker.key")})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		if err := st.Record(bot.AuditEntry{Actor: "cli:0", Action: "backup", Object: fmt.Sprint("saved-", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	audit := func(args ...string) (status int, out, complaint string) {
		var o, e bytes.Buffer
		status = run(t.Context(), append([]string{"audit", "--config", file}, args...), streams{strings.NewReader(""), &o, &e})
		return status, o.String(), e.String()
	}
	if status, out, complaint := audit(); status != 0 || complaint != "" || strings.Count(out, "saved-") != 4 {
		t.Fatalf("undamaged: status %d\n%s%s", status, out, complaint)
	}
	spoil(t, path, "audit", 1, 3)
	for _, args := range [][]string{nil, {"--json"}} {
		status, out, complaint := audit(args...)
		if status != exitFailed || !strings.Contains(out, "saved-0") || !strings.Contains(out, "saved-3") || strings.Contains(out, "saved-1") {
			t.Errorf("%q: status %d\n%s", args, status, out)
		}
		if !strings.Contains(complaint, "audit entry 2 of 20") || !strings.Contains(complaint, "audit entry 3 of 20") || strings.Contains(complaint, "audit entry 1 ") {
			t.Errorf("%q: the damage is called %s", args, complaint)
		}
	}
}

// TestDamageIsTold: what cannot be read is in the doctor's findings, in the metrics
// and in the answer of /readyz, which stays ready.
func TestDamageIsTold(t *testing.T) {
	s := newSlackSite(t, "    poll: false\n")
	a := s.floor.Agents()[0]
	if out, status := s.command("user_id="+a.UserID+"\ntoken="+a.Token+"\n", "link", "slack:U0ASHA"); status != 0 {
		t.Fatal(out)
	}
	s.says(0, nil, "All is well.", "!damaged")
	spoil(t, filepath.Join(s.dir, "floorwalker.db"), "audit", 0, 1)
	s.says(0, nil, "damaged, and passed over: audit entry 1 of 20", "No faults, 1 warning.")
	s.start()
	s.awaitSockets(1)
	if out, _ := s.command("", "doctor"); !strings.Contains(out, "damaged, and passed over: audit entry 1 of 20") { // serve starts still
		t.Errorf("beside the running serve, doctor says\n%s", out)
	}
	if metrics := s.scrape(); !strings.Contains(metrics, "\nfloorwalker_store_damaged_records 1\n") || !strings.Contains(metrics, `floorwalker_agents{state="active"} 1`) {
		t.Errorf("the metrics do not say it:\n%s", metrics)
	}
	if status := s.stop(); status != 0 {
		t.Errorf("serve exits %d\n%s", status, s.log.String())
	}
}

// TestDamagedAgentIsTold: one agent who cannot be read keeps neither the doctor nor
// the list of links from speaking of the others.
func TestDamagedAgentIsTold(t *testing.T) {
	s := newSlackSite(t, "    poll: false\n")
	for i, who := range []string{"slack:U0ASHA", "slack:U0DEV"} {
		a := s.floor.Agents()[i]
		if out, status := s.command("user_id="+a.UserID+"\ntoken="+a.Token+"\n", "link", who); status != 0 {
			t.Fatal(out)
		}
	}
	spoil(t, filepath.Join(s.dir, "floorwalker.db"), "agents", 0, 1)
	s.says(0, nil, "1 agent is linked", "damaged, and passed over: agent ", "No faults, 1 warning.")
	if out, status := s.command("", "links"); status != 0 || strings.Contains(out, "U0ASHA") == strings.Contains(out, "U0DEV") {
		t.Errorf("links exits %d and says\n%s", status, out)
	}
}

// TestDamageIsMentioned: damage is in the detail of /readyz, without names, and no
// reason not to be ready: what works goes on, and no restart mends it.
func TestDamageIsMentioned(t *testing.T) {
	path := filepath.Join(t.TempDir(), "floor.db")
	c := store.Config{Path: path, Key: secret.New(killKey)}
	for _, damaged := range []bool{false, true} {
		if damaged {
			spoil(t, path, "audit", 0, 1)
		}
		st, err := store.Open(c)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(st.Record(bot.AuditEntry{Actor: "cli:0", Action: "backup"}), st.Examine()); err != nil {
			t.Fatal(err)
		}
		health := &Health{}
		b := bot.New(bot.Config{}, nil, st, discard{}, slog.New(slog.DiscardHandler))
		l := &lookout{health: health, bot: b, store: st, house: &beat{}, began: time.Now()}
		l.look(time.Now())
		if detail := health.Detail(); strings.Contains(detail, "damaged in 1 place") != damaged || strings.Contains(detail, "audit") {
			t.Errorf("damaged: %v; detail: %q", damaged, detail)
		}
		if reasons := health.Reasons(time.Now()); len(reasons) > 0 {
			t.Errorf("damaged: %v; not ready: %v", damaged, reasons)
		}
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
