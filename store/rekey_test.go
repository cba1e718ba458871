package store

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
)

// rekeyable returns a store with so many agents and a record of each other kind.
func rekeyable(t testing.TB, agents int) *Store {
	t.Helper()
	s := open(t, testConfig(t))
	fill(t, s, agents)
	err := errors.Join(
		s.SetWorkspace(chat.Slack, "T1"),
		s.Update(func(tx bot.Tx) error {
			for _, of := range recordKinds() {
				if err := tx.PutRecord(of, "some key", []byte(`{"of":"`+string(of)+`"}`)); err != nil {
					return err
				}
			}
			return nil
		}))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// secretsOf returns what must not be left of the records of a store when its keys
// have changed: what was sealed, each signature, and the wrapped data keys.
func secretsOf(t testing.TB, s *Store) (all [][]byte) {
	t.Helper()
	err := s.view(func(t txn) error {
		for bucket, k := range guarded() {
			err := t.in(bucket).ForEach(func(key, record []byte) error {
				switch {
				case bucket == bucketMeta && string(key) != keySchema:
				case k == kindCredential:
					all = append(all, bytes.Clone(record))
				default:
					all = append(all, bytes.Clone(record[headerSize:headerSize+macSize]))
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return t.eachKey(func(_ uint32, form keyForm) error {
			wrapped, err := encode(form.Wrapped)
			all = append(all, wrapped)
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// copyOf opens a copy of the file as it is now, as a process does that starts
// after the one before was killed.
func copyOf(t testing.TB, s *Store) *Store {
	t.Helper()
	c := s.config
	c.Path = filepath.Join(t.TempDir(), "floorwalker.db")
	b, err := os.ReadFile(s.path)
	if err == nil {
		err = os.WriteFile(c.Path, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return open(t, c)
}

// checkRekeyed fails the test unless everything can be read under one data key,
// and nothing of before is left in the file.
func checkRekeyed(t testing.TB, s *Store, before [][]byte) {
	t.Helper()
	if n := left(t, s, before); n > 0 {
		t.Errorf("%d of %d old seals, signatures and keys are left in the file", n, len(before))
	}
	s = reopen(t, s)
	checkSound(t, s)
	if len(s.ring.keys) != 1 {
		t.Errorf("%d data keys", len(s.ring.keys))
	}
	if id, err := s.Workspace(chat.Slack); id != "T1" || err != nil {
		t.Errorf("workspace: %q, %v", id, err)
	}
	err := s.View(func(tx bot.Tx) error {
		for _, of := range recordKinds() {
			value, found, err := tx.Record(of, "some key")
			if want := `{"of":"` + string(of) + `"}`; string(value) != want || !found || err != nil {
				return fmt.Errorf("%s: %s, %v, %w", of, value, found, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	trail := collect(t, s.AuditTrail(time.Time{}))
	if last := trail[len(trail)-1]; last.Action != "rekey" || last.Actor != "cli:7" || last.Object == "" {
		t.Errorf("the audit trail ends with %+v", last)
	}
}

// TestRekeyEveryStep kills a rekey after each of its commits: whoever starts then
// reads everything, and completes it.
func TestRekeyEveryStep(t *testing.T) {
	const agents = 400
	by := bot.AuditEntry{Actor: "cli:7"}
	s := rekeyable(t, agents)
	before := secretsOf(t, s)
	if n := left(t, s, before); n != len(before) || n < 3*agents {
		t.Fatalf("%d of %d traces before, so the test sees nothing", n, len(before))
	}
	steps := 0
	killed := func(keys int) {
		t.Helper()
		steps++
		next := copyOf(t, s)
		checkSound(t, next)
		if len(next.ring.keys) != keys {
			t.Errorf("step %d: %d data keys, want %d", steps, len(next.ring.keys), keys)
		}
		done, err := next.Rekey(by)
		want := uint32(2) // it goes on with the key that it had begun with
		if keys == 1 {
			want = 3 // it was done, and this is another
		}
		if err != nil || len(done.Damaged) > 0 || done.DataKey != want {
			t.Errorf("step %d, with %d data keys: %+v, %v", steps, keys, done, err)
		}
		checkRekeyed(t, next, before)
	}
	if err := s.beginRekey(); err != nil {
		t.Fatal(err)
	}
	killed(2)
	for n := 1; n > 0; {
		var err error
		if n, err = s.stepRekey(); err != nil || n > rekeyBatch {
			t.Fatal(n, err)
		}
		killed(2)
	}
	var done Rekeyed
	if err := s.endRekey(by, &done); err != nil || done.DataKey != 2 {
		t.Fatal(done, err)
	}
	if left(t, s, before) == 0 {
		t.Error("nothing old is left before the compaction, so the test sees nothing")
	}
	killed(1) // only the compaction lacks: the start makes up for it
	if err := s.compactNow(); err != nil {
		t.Fatal(err)
	}
	checkRekeyed(t, s, before)
	if steps < 6 {
		t.Errorf("only %d steps", steps)
	}
}

// TestRekeyWhileInUse rekeys again and again under readers and writers.
func TestRekeyWhileInUse(t *testing.T) {
	s := rekeyable(t, 60)
	before := secretsOf(t, s)
	stop := make(chan struct{})
	var g sync.WaitGroup
	for worker := range 3 {
		g.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				name := fmt.Sprintf("slack:W%dx%d", worker, i%10)
				if _, err := s.Link(linkOf(name, pair(name, fmt.Sprint("tok", i)))); err != nil {
					t.Error(err)
					return
				}
				if a, err := s.AgentAt(at(name)); err != nil {
					t.Error(err)
				} else if _, err := s.Credential(a.ID); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 4 {
		if _, err := s.Rekey(bot.AuditEntry{Actor: "cli:0"}); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	g.Wait()
	if _, err := s.Rekey(bot.AuditEntry{Actor: "cli:7"}); err != nil {
		t.Error(err)
	}
	checkRekeyed(t, s, before)
}

// rekeyForEver rekeys again and again.
func rekeyForEver(s *Store) int {
	for {
		if _, err := s.Rekey(bot.AuditEntry{Actor: "cli:7"}); err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Println("rekeyed")
	}
}

// TestKillRekey kills a rekey at random moments, compactions among them.
func TestKillRekey(t *testing.T) {
	s := rekeyable(t, 60)
	before := secretsOf(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for range 8 {
		cmd := command(t, "rekey", s.config.Path)
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n, kill := 0, rand.IntN(3); lines.Scan(); n++ {
			if lines.Text() != "rekeyed" {
				t.Fatal(lines.Text())
			}
			if n == kill {
				time.AfterFunc(time.Duration(rand.IntN(15000))*time.Microsecond, func() { cmd.Process.Kill() })
			}
		}
		cmd.Wait() // killed, says its error
		s = open(t, s.config)
		checkSound(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s = open(t, s.config)
	if _, err := s.Rekey(bot.AuditEntry{Actor: "cli:7"}); err != nil {
		t.Fatal(err)
	}
	checkRekeyed(t, s, before)
}

func TestRekeyMaster(t *testing.T) {
	s := rekeyable(t, 5)
	wrapped := secretsOf(t, s)
	wrapped = wrapped[len(wrapped)-1:]
	for name, key := range map[string]secret.Secret{
		"not base64": secret.New("%%%"), "holds 3 bytes": secret.New("AAAA"),
	} {
		if _, err := s.RekeyMaster(key, bot.AuditEntry{}); err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), key.Reveal()) {
			t.Errorf("want an error with %q: %v", name, err)
		}
	}
	if done, err := s.RekeyMaster(testKey, bot.AuditEntry{}); err != nil || !done.Already || done.MasterKey != s.MasterKey() {
		t.Errorf("the key of before: %+v, %v", done, err)
	}
	if err := s.beginRekey(); err != nil { // one that was interrupted
		t.Fatal(err)
	}
	done, err := s.RekeyMaster(keyOf('n'), bot.AuditEntry{Actor: "cli:7"})
	if err != nil || done.MasterKey == "" {
		t.Fatal(done, err)
	}
	if n := left(t, s, wrapped); n > 0 {
		t.Error("the data key under the old master key is left in the file")
	}
	for range 2 { // the one that was interrupted, and another
		if again, err := s.Rekey(bot.AuditEntry{Actor: "cli:7"}); err != nil || again.MasterKey != done.MasterKey {
			t.Errorf("a data key under the new master key: %+v, %v", again, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	refuses(t, s.config, "wrong key", done.MasterKey, "after a rekey")
	s.config.Key = keyOf('n')
	checkRekeyed(t, open(t, s.config), wrapped)
}

// TestKeyFileForRekey makes a key file, and takes it when it is there: after a
// crash the same command finds the key that the database may be under.
func TestKeyFileForRekey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new.key")
	first, err := KeyFile(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := KeyFile(path)
	if err != nil || !again.Equal(first) {
		t.Errorf("another key the second time: %v", err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := KeyFile(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a key file for everybody: %v", err)
	}
	if _, err := KeyFile(filepath.Join(path, "x")); err == nil {
		t.Error("a key file in a directory that is none")
	}
}

// TestRekeyWithDamage: a damaged record stops no rekey, and is named.
func TestRekeyWithDamage(t *testing.T) {
	s := rekeyable(t, 5)
	ids := collect(t, s.Agents())
	spoilt := string(ids[2].ID)
	tamper(t, s, func(t txn) error {
		record := bytes.Clone(t.get(bucketCredentials, spoilt))
		record[len(record)-1] ^= 1
		return t.put(bucketCredentials, spoilt, record)
	})
	done, err := s.Rekey(bot.AuditEntry{Actor: "cli:7"})
	if err != nil || len(done.Damaged) != 1 || !strings.Contains(done.Damaged[0], spoilt) {
		t.Errorf("%+v, %v", done, err)
	}
	if _, err := s.Credential(ids[2].ID); !errors.Is(err, ErrDamaged) {
		t.Errorf("the damaged credential: %v", err)
	}
	if _, err := s.Credential(ids[1].ID); err != nil {
		t.Error(err)
	}
}
