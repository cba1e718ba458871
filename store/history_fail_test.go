package store

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"floorwalker/bot"
	bolt "go.etcd.io/bbolt"
)

// spoil changes the file of a day while nobody has it open.
func spoil(t testing.TB, s *Store, name string, change func(b []byte) []byte) *Store {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(s.history.dir, name)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(b), 0o600); err != nil {
		t.Fatal(err)
	}
	return open(t, s.config)
}

// inDay changes records of a day's file.
func inDay(t testing.TB, name string, change func(t txn) error) func(b []byte) []byte {
	return func(b []byte) []byte {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := bolt.Open(path, 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = db.Update(func(tx *bolt.Tx) error { return change(txn{Tx: tx}) })
		if err := errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
		b, err = os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
}

func TestDamagedDay(t *testing.T) {
	const name = "2026-08-02.db"
	for how, test := range map[string]struct {
		change  func(b []byte) []byte
		partial bool // one agent's samples are damaged, the other's are not
	}{
		"empty":        {change: func([]byte) []byte { return nil }},
		"cut short":    {change: func(b []byte) []byte { return b[:len(b)/2] }},
		"zeroes":       {change: func(b []byte) []byte { return make([]byte, len(b)) }},
		"another file": {change: func(b []byte) []byte { return []byte("hello") }},
		"no bucket":    {change: inDay(t, name, func(t txn) error { return t.DeleteBucket([]byte(bucketChunks)) })},
		"of another day": {change: inDay(t, name, func(t txn) error {
			return t.put(bucketMeta, keyDay, []byte(`{"format":1,"date":"2026-08-03"}`))
		})},
		"a key is missing": {change: inDay(t, name, func(t txn) error { return t.drop(bucketNames, "\x00\x00\x00\x00") })},
		"a chunk": {partial: true, change: inDay(t, name, func(t txn) error {
			key, value := t.in(bucketChunks).Cursor().First()
			return t.put(bucketChunks, string(key), value[:len(value)-1])
		})},
	} {
		t.Run(how, func(t *testing.T) {
			s := open(t, testConfig(t))
			ids := linkMany(t, s, 2)
			for day := range 3 {
				mustAppend(t, s, append(minutes(ids[0], noon.AddDate(0, 0, day), 10), minutes(ids[1], noon.AddDate(0, 0, day), 10)...)...)
			}
			s = spoil(t, s, name, test.change)
			n, err := readAll(s, ids[0])
			if n != 20 || !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "2026-08-02") {
				t.Errorf("read %d samples, %v; want those of two days, and an error", n, err)
			}
			if n, err := readAll(s, ids[1]); test.partial && (n != 30 || err != nil) {
				t.Errorf("the other agent: %d samples, %v", n, err)
			}
			if file, err := os.Stat(filepath.Join(s.history.dir, name)); err != nil || file.Mode() != 0o600 {
				t.Errorf("reading has moved the file: %v", err)
			}

			mustAppend(t, s, minutes(ids[0], noon.AddDate(0, 0, 1), 10)...)
			mustAppend(t, s, minutes(ids[0], noon.AddDate(0, 0, 1).Add(time.Hour), 10)...)
			if stats, err := s.Stats(); stats.Days != 3 || stats.Damaged != 1 || stats.History < 3*16384 || err != nil {
				t.Errorf("figures: %+v, %v", stats, err)
			}
			for range 2 {
				if n, err := readAll(s, ids[0]); n != 40 || !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "set aside") {
					t.Errorf("after writing: %d samples, %v", n, err)
				}
				if named := s.Damaged(); !slices.Contains(named, "history file "+name+".damaged-1") {
					t.Errorf("named as damaged: %q", named)
				}
				if names := files(t, s); len(names) != 4 || names[2] != name+".damaged-1" {
					t.Errorf("files: %q", names)
				}
				s = reopen(t, s)
			}
			if err := s.TrimHistory(noon.AddDate(0, 0, 2)); err != nil {
				t.Error(err)
			}
			wantSamples(t, s, ids[0], 10)
			if names := files(t, s); len(names) != 1 {
				t.Errorf("files: %q", names)
			}
		})
	}
}

func TestNewerDayIsRefused(t *testing.T) {
	s := open(t, testConfig(t))
	id := linkMany(t, s, 1)[0]
	mustAppend(t, s, minutes(id, noon, 3)...)
	s = spoil(t, s, "2026-08-01.db", inDay(t, "2026-08-01.db", func(t txn) error {
		return t.put(bucketMeta, keyDay, []byte(`{"format":2,"date":"2026-08-01"}`))
	}))
	_, read := readAll(s, id)
	for _, err := range []error{read, s.AppendHistory(minutes(id, noon, 1))} {
		if err == nil || !strings.Contains(err.Error(), "newer version: format 2") || errors.Is(err, ErrDamaged) {
			t.Errorf("a file of a newer version: %v", err)
		}
	}
	if names := files(t, s); len(names) != 1 {
		t.Errorf("files: %q", names)
	}
}

func TestHistoryOnAFullDisk(t *testing.T) {
	c := testConfig(t)
	c.MaxSize = 3 << 20
	s := open(t, c)
	ids := linkMany(t, s, 150)
	r := randomSeed(t)
	var err error
	hours := 0
	for ; err == nil && hours < 24; hours++ {
		var all []bot.AgentSample
		for _, id := range ids {
			for k := range 60 {
				sample := polled(noon.Add(time.Duration(60*(hours-12)+k)*time.Minute), r.NormFloat64())
				sample.Values[0].N = r.NormFloat64()
				all = append(all, bot.AgentSample{Agent: id, Sample: sample})
			}
		}
		err = s.AppendHistory(all)
	}
	if !errors.Is(err, bot.ErrNotSaved) || hours < 3 || s.Err() != nil {
		t.Fatalf("after %d hours: %v; the store: %v", hours, err, s.Err())
	}
	n, err := readAll(s, ids[0])
	if n != 60*(hours-1) || err != nil {
		t.Errorf("%d samples, %v, want those of %d hours", n, err, hours-1)
	}
	if err := s.Record(bot.AuditEntry{At: noon}); err != nil {
		t.Errorf("the live file: %v", err)
	}
	mustAppend(t, s, minutes(ids[0], noon.AddDate(0, 0, 1), 1)...)
	wantSamples(t, reopen(t, s), ids[0], n+1)
}

// TestNoNewDayOnAFullDisk cannot even make the file.
func TestNoNewDayOnAFullDisk(t *testing.T) {
	s := open(t, testConfig(t))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	out, err := command(t, "newday", s.path).Output()
	if string(out) != "not saved: true failed: false then: <nil>\n" || err != nil {
		t.Errorf("%s, %v", out, err)
	}
}

func TestFailedCommitOfHistoryStopsTheStore(t *testing.T) {
	s := open(t, testConfig(t))
	id := linkMany(t, s, 1)[0]
	mustAppend(t, s, minutes(id, noon, 1)...)
	breakFile(t, filepath.Join(s.history.dir, "2026-08-01.db"))
	if err := s.AppendHistory(minutes(id, noon.Add(time.Hour), 1)); err == nil || errors.Is(err, bot.ErrNotSaved) {
		t.Fatalf("a write to a broken file: %v", err)
	}
	select {
	case <-s.Failed():
	default:
		t.Error("the store goes on")
	}
	for _, err := range []error{s.AppendHistory(minutes(id, noon.AddDate(0, 0, 1), 1)), s.Record(bot.AuditEntry{})} {
		if err == nil || err.Error() != s.Err().Error() {
			t.Errorf("a later write: %v, want %v", err, s.Err())
		}
	}
	s.Close()
	s = open(t, s.config)
	mustAppend(t, s, minutes(id, noon.Add(time.Hour), 1)...)
	wantSamples(t, s, id, 2)
}
