package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/schedule"
	bolt "go.etcd.io/bbolt"
)

// chunksOf returns the stored bytes of an agent's samples.
func chunksOf(t testing.TB, s *Store, id bot.AgentID) (all [][]byte) {
	t.Helper()
	for _, date := range s.history.dates(0, 1<<30) {
		r := dayReader{id: id, span: always()} // each with memory of its own
		d, _ := s.history.of(date)
		records, _, err := r.records(s.history, d)
		if err != nil {
			t.Fatal(err)
		}
		for _, record := range records {
			all = append(all, record.content)
		}
	}
	return all
}

// forgetful returns a store with samples of 10 agents on 3 days, of whom one is
// to be forgotten, and what must not be left of that one.
func forgetful(t testing.TB) (s *Store, ids []bot.AgentID, all [][]byte) {
	t.Helper()
	s = open(t, testConfig(t))
	ids = linkMany(t, s, 10)
	r := randomSeed(t)
	for day := range 3 {
		for hour := range 5 {
			for _, id := range ids {
				for _, sample := range randomSamples(r, noon.AddDate(0, 0, day).Add(time.Duration(hour)*time.Hour)) {
					mustAppend(t, s, bot.AgentSample{Agent: id, Sample: sample})
					break // one: the file is written often, and has free pages
				}
			}
		}
		mustAppend(t, s, minutes(ids[7], noon.AddDate(0, 0, day).Add(8*time.Hour), 60)...)
	}
	s.history.compactEnded(noon.AddDate(0, 0, 1))
	for _, chunk := range chunksOf(t, s, ids[7]) {
		if len(chunk) > 10 {
			all = append(all, chunk)
		}
	}
	all = append(all, []byte(ids[7]))
	if n := left(t, s, all); n != len(all) || n < 12 {
		t.Fatalf("%d of %d traces before, so the test sees nothing", n, len(all))
	}
	return s, ids, all
}

func TestForgetHistoryLeavesNoTrace(t *testing.T) {
	for name, forget := range map[string]func(t *testing.T, s *Store, id bot.AgentID) *Store{
		"called": func(t *testing.T, s *Store, id bot.AgentID) *Store {
			if err := s.ForgetHistory(id); err != nil {
				t.Fatal(err)
			}
			return s
		},
		"made up for": func(t *testing.T, s *Store, id bot.AgentID) *Store {
			s = reopen(t, s)
			if err := s.TrimHistory(time.Time{}); err != nil {
				t.Fatal(err)
			}
			return s
		},
		"killed before a compaction": func(t *testing.T, s *Store, id bot.AgentID) *Store {
			for _, date := range s.history.dates(0, 1<<30) {
				d, _ := s.history.of(date)
				if err := s.history.use(d, true, func(db *bolt.DB) error { return s.history.drop(db, []bot.AgentID{id}) }); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(d.path+compactSuffix, []byte("cut short"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			s = reopen(t, s)
			if names := files(t, s); len(names) != 3 {
				t.Errorf("half-made files are left: %q", names)
			}
			if err := s.TrimHistory(time.Time{}); err != nil {
				t.Fatal(err)
			}
			return s
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, ids, all := forgetful(t)
			if _, err := s.Unlink(ids[7], bot.AuditEntry{Action: "unlink"}, ""); err != nil {
				t.Fatal(err)
			}
			s = forget(t, s, ids[7])
			if n := left(t, s, all); n > 0 {
				t.Errorf("%d traces left", n)
			}
			for _, id := range ids {
				want := 15
				if id == ids[7] {
					want = 0
				}
				if n, err := readAll(s, id); err != nil || n < want || want == 0 && n > 0 {
					t.Errorf("%d samples of %s, %v", n, id, err)
				}
			}
			if ids, err := s.toForget(); len(ids) > 0 || err != nil {
				t.Errorf("still to be forgotten: %v, %v", ids, err)
			}
		})
	}
}

// TestForgetSparesOtherFiles rewrites only what held the agent.
func TestForgetSparesOtherFiles(t *testing.T) {
	s := open(t, testConfig(t))
	ids := linkMany(t, s, 2)
	mustAppend(t, s, minutes(ids[0], noon, 3)...)
	mustAppend(t, s, append(minutes(ids[0], noon.AddDate(0, 0, 1), 3), minutes(ids[1], noon.AddDate(0, 0, 1), 3)...)...)
	stat := func(name string) fs.FileInfo {
		info, err := os.Stat(filepath.Join(s.history.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	one, two := stat("2026-08-01.db"), stat("2026-08-02.db")
	if err := s.ForgetHistory(ids[1]); err != nil {
		t.Fatal(err)
	}
	if !os.SameFile(one, stat("2026-08-01.db")) || os.SameFile(two, stat("2026-08-02.db")) {
		t.Error("not the one file was rewritten that held samples")
	}
	wantSamples(t, s, ids[0], 6)
	wantSamples(t, s, ids[1], 0)
}

// TestForgetWithADamagedDay cannot be completed, and says so until the file is
// gone.
func TestForgetWithADamagedDay(t *testing.T) {
	s := open(t, testConfig(t))
	ids := linkMany(t, s, 2)
	for day := range 2 {
		mustAppend(t, s, append(minutes(ids[0], noon.AddDate(0, 0, day), 10), minutes(ids[1], noon.AddDate(0, 0, day), 10)...)...)
	}
	s = spoil(t, s, "2026-08-01.db", func(b []byte) []byte { return b[:4096] })
	if _, err := s.Unlink(ids[0], bot.AuditEntry{Action: "unlink"}, ""); err != nil {
		t.Fatal(err)
	}
	if err := s.ForgetHistory(ids[0]); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "2026-08-01") {
		t.Errorf("with a damaged day: %v", err)
	}
	mustAppend(t, s, minutes(ids[1], noon, 10)...)
	if err := s.TrimHistory(time.Time{}); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "delete it") {
		t.Errorf("with a day set aside: %v", err)
	}
	for _, sample := range collect(t, s.History(ids[0], schedule.Span{Start: noon.AddDate(0, 0, 1), End: noon.AddDate(0, 0, 2)})) {
		t.Fatalf("the sound day still has %v", sample)
	}
	if err := s.TrimHistory(noon.AddDate(0, 0, 1)); err != nil {
		t.Error(err)
	}
	if ids, err := s.toForget(); len(ids) > 0 || err != nil {
		t.Errorf("still to be forgotten: %v, %v", ids, err)
	}
}
