package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/schedule"
	"floorwalker/bot/stats"
	bolt "go.etcd.io/bbolt"
)

// minutes is one sample a minute from a time on.
func minutes(id bot.AgentID, from time.Time, n int) (all []bot.AgentSample) {
	for i := range n {
		all = append(all, bot.AgentSample{Agent: id, Sample: polled(from.Add(time.Duration(i)*time.Minute), float64(100+i/7))})
	}
	return all
}

// files lists the history's directory.
func files(t testing.TB, s *Store) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(s.history.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// readAll counts an agent's samples and joins the errors between them.
func readAll(s *Store, id bot.AgentID) (n int, err error) {
	for _, e := range s.History(id, always()) {
		if e != nil {
			err = errors.Join(err, e)
			continue
		}
		n++
	}
	return n, err
}

// wantSamples checks how many samples an agent has.
func wantSamples(t testing.TB, s *Store, id bot.AgentID, want int) {
	t.Helper()
	if n, err := readAll(s, id); n != want || err != nil {
		t.Errorf("%d samples, %v, want %d", n, err, want)
	}
}

func TestDays(t *testing.T) {
	s := open(t, testConfig(t))
	id := linkMany(t, s, 1)[0]
	if names := files(t, s); len(names) > 0 {
		t.Errorf("files before the first sample: %q", names)
	}
	midnight := time.Date(2026, 8, 2, 0, 0, 0, 0, time.UTC)
	zone := time.FixedZone("", 5*3600+1800)
	for _, sample := range minutes(id, midnight.Add(-2*time.Minute).In(zone), 4) {
		mustAppend(t, s, sample)
	}
	if names := files(t, s); !slices.Equal(names, []string{"2026-08-01.db", "2026-08-02.db"}) {
		t.Errorf("files: %q", names)
	}
	for path, mode := range map[string]fs.FileMode{s.history.dir: fs.ModeDir | 0o700, filepath.Join(s.history.dir, "2026-08-01.db"): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode() != mode {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	for _, test := range []struct {
		from, to time.Duration
		want     int
	}{{-time.Minute, time.Minute, 2}, {-time.Hour, 0, 2}, {-time.Minute + 1, 1, 1}, {0, time.Minute + 1, 2}, {0, 0, 0}, {1, 0, 0}} {
		span := schedule.Span{Start: midnight.Add(test.from), End: midnight.Add(test.to)}
		if n := len(collect(t, s.History(id, span))); n != test.want {
			t.Errorf("%v: %d samples, want %d", span, n, test.want)
		}
	}
	for _, err := range s.History(id, always()) {
		if err != nil {
			t.Error(err)
		}
		break // must not go on
	}
	s.Close()
	if n, err := readAll(s, id); n > 0 || err == nil {
		t.Errorf("after closing: %d samples, %v", n, err)
	}
}

func TestHistoryWithout(t *testing.T) {
	s := open(t, testConfig(t))
	id := linkMany(t, s, 1)[0]
	for i := range 5 {
		mustAppend(t, s, bot.AgentSample{Agent: id, Sample: stats.Sample{Tick: noon.Add(time.Duration(i) * time.Minute),
			Values: []stats.Value{{Key: "A", N: 1}, {Key: "I", N: float64(i)}, {Key: "Z", N: float64(i / 3)}}}})
	}
	got := collect(t, s.History(id, always(), "I", "nothing"))
	checkShared(t, got)
	for i, sample := range got {
		if want := []stats.Value{{Key: "A", N: 1}, {Key: "Z", N: float64(i / 3)}}; !slices.Equal(sample.Values, want) {
			t.Errorf("sample %d: %v", i, sample.Values)
		}
	}
	for _, sample := range collect(t, s.History(id, always(), "Z", "A", "I")) {
		if sample.Values != nil || sample.Out {
			t.Errorf("nothing is left of %+v", sample)
		}
	}
}

// TestAppendTidies gives samples as the contract does not allow, which must not
// harm a file.
func TestAppendTidies(t *testing.T) {
	s := open(t, testConfig(t))
	id := linkMany(t, s, 1)[0]
	given := []stats.Value{{Key: "Z", N: 1}, {Key: "A", N: 2}, {Key: "Z", N: 3}, {Key: "", N: 4}}
	mustAppend(t, s, bot.AgentSample{Agent: id, Sample: stats.Sample{Tick: noon.Add(1), Date: noon.Add(2), Values: given}})
	want := stats.Sample{Tick: noon, Date: noon, Values: []stats.Value{{Key: "", N: 4}, {Key: "A", N: 2}, {Key: "Z", N: 1}}}
	if d := differs(collect(t, s.History(id, always())), []stats.Sample{want}); d != "" || given[0].Key != "Z" {
		t.Errorf("%s; given: %v", d, given)
	}
	for _, tick := range []time.Time{{}, time.Unix(-1, 0), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)} {
		if err := s.AppendHistory([]bot.AgentSample{{Agent: id, Sample: polled(tick, 1)}}); err == nil {
			t.Errorf("a sample at %v is accepted", tick)
		}
	}
}

func TestHistoryOfStrangers(t *testing.T) {
	s := open(t, testConfig(t))
	ids := linkMany(t, s, 2)
	mustAppend(t, s, minutes("0123456789abcdef", noon, 3)...)
	if names := files(t, s); len(names) > 0 {
		t.Errorf("samples of nobody made %q", names)
	}
	mustAppend(t, s, append(minutes(ids[0], noon, 3), minutes(ids[1], noon, 3)...)...)
	if _, err := s.Unlink(ids[0], bot.AuditEntry{Action: "unlink"}, ""); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, s, append(minutes(ids[0], noon.Add(time.Hour), 3), minutes(ids[1], noon.Add(time.Hour), 3)...)...)
	wantSamples(t, s, ids[1], 6)
	if n, err := readAll(s, ids[0]); n > 3 || err != nil {
		t.Errorf("%d samples of an unlinked agent, %v", n, err)
	}
}

func TestTrimHistory(t *testing.T) {
	s := open(t, testConfig(t))
	id := linkMany(t, s, 1)[0]
	day := time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC)
	for i := range 4 {
		mustAppend(t, s, minutes(id, day.AddDate(0, 0, i).Add(12*time.Hour), 2)...)
	}
	for _, test := range []struct {
		before time.Time
		want   int
	}{{day, 4}, {day.AddDate(0, 0, 1).Add(-1), 4}, {day.AddDate(0, 0, 1), 3}, {day.AddDate(0, 0, 3).Add(time.Hour), 1}, {day.AddDate(0, 0, 3).Add(time.Hour), 1}} {
		if err := s.TrimHistory(test.before); err != nil {
			t.Fatal(err)
		}
		if names := files(t, s); len(names) != test.want {
			t.Errorf("before %v: %q left, want %d", test.before, names, test.want)
		}
		wantSamples(t, s, id, 2*test.want)
	}
	mustAppend(t, s, minutes(id, day, 2)...) // late by days
	wantSamples(t, s, id, 4)
	wantSamples(t, reopen(t, s), id, 4)
}

// TestCompactedOnce lets a day end.
func TestCompactedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, testConfig(t))
		ids := linkMany(t, s, 400)
		start := time.Now().UTC()
		for minute := range 20 {
			var all []bot.AgentSample
			for _, id := range ids {
				all = append(all, minutes(id, start.Add(time.Duration(minute)*time.Minute), 1)...)
			}
			mustAppend(t, s, all...)
		}
		stat := func() fs.FileInfo {
			info, err := os.Stat(filepath.Join(s.history.dir, "2000-01-01.db"))
			if err != nil {
				t.Fatal(err)
			}
			return info
		}
		trim := func() {
			if err := s.TrimHistory(start); err != nil {
				t.Fatal(err)
			}
		}
		first := stat()
		time.Sleep(24*time.Hour + lateFor - time.Second)
		trim()
		if !os.SameFile(first, stat()) {
			t.Error("compacted while samples may come")
		}
		time.Sleep(time.Second)
		trim()
		compacted := stat()
		if os.SameFile(first, compacted) || compacted.Size() > 100_000 || first.Size() < 200_000 || compacted.Mode() != 0o600 {
			t.Errorf("not compacted: %d bytes, mode %v; were %d", compacted.Size(), compacted.Mode(), first.Size())
		}
		trim()
		s = reopen(t, s)
		trim()
		if !os.SameFile(compacted, stat()) {
			t.Error("compacted again")
		}
		mustAppend(t, s, minutes(ids[0], start.Add(2*time.Hour), 1)...)
		trim()
		if os.SameFile(compacted, stat()) {
			t.Error("not compacted after late samples")
		}
		for i, id := range ids {
			wantSamples(t, s, id, 20+max(0, 1-i))
		}
	})
}

// chunksOf returns the stored bytes of an agent's samples.
func chunksOf(t testing.TB, s *Store, id bot.AgentID) (all [][]byte) {
	t.Helper()
	r := dayReader{id: id, span: always()}
	for _, date := range s.history.dates(0, 1<<30) {
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

// forgetful returns a store with samples of 20 agents on 3 days, of whom one is
// to be forgotten, and what must not be left of that one.
func forgetful(t testing.TB) (s *Store, ids []bot.AgentID, all [][]byte) {
	t.Helper()
	s = open(t, testConfig(t))
	ids = linkMany(t, s, 20)
	r := randomSeed(t)
	for day := range 3 {
		for hour := range 9 {
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
	if n := left(t, s, all); n != len(all) || n < 20 {
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
				want := 27
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
			for range 2 {
				if n, err := readAll(s, ids[0]); n != 40 || !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "set aside") {
					t.Errorf("after writing: %d samples, %v", n, err)
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

func TestHistoryOnAFullDisk(t *testing.T) {
	c := testConfig(t)
	c.MaxSize = 3 << 20
	s := open(t, c)
	ids := linkMany(t, s, 1000)
	var err error
	hours := 0
	for ; err == nil && hours < 24; hours++ {
		var all []bot.AgentSample
		for i, id := range ids {
			for k := range 8 {
				tick := noon.Add(-12*time.Hour + time.Duration(hours)*time.Hour + time.Duration(7*k)*time.Minute)
				all = append(all, bot.AgentSample{Agent: id, Sample: polled(tick, float64(i*k)*1.1e9)})
			}
		}
		err = s.AppendHistory(all)
	}
	if !errors.Is(err, bot.ErrNotSaved) || hours < 3 || s.Err() != nil {
		t.Fatalf("after %d hours: %v; the store: %v", hours, err, s.Err())
	}
	n, err := readAll(s, ids[0])
	if n != 8*(hours-1) || err != nil {
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

// openFiles counts the days whose files are open.
func openFiles(s *Store) (n int) {
	for _, date := range s.history.dates(0, 1<<30) {
		d, _ := s.history.of(date)
		d.file.RLock()
		if d.db != nil {
			n++
		}
		d.file.RUnlock()
	}
	return n
}

func TestFewDaysAreOpen(t *testing.T) {
	s := open(t, testConfig(t))
	id := linkMany(t, s, 1)[0]
	for day := range 3 * openDays {
		mustAppend(t, s, minutes(id, noon.AddDate(0, 0, day), 1)...)
	}
	if n := openFiles(s); n > openDays {
		t.Errorf("%d files open after writing", n)
	}
	for range 2 {
		wantSamples(t, s, id, 3*openDays)
		if n := openFiles(s); n > openDays || n < 2 {
			t.Errorf("%d files open after reading", n)
		}
	}
	s = reopen(t, s)
	if n := openFiles(s); n > 0 {
		t.Errorf("%d files open at the start", n)
	}
}

// TestHistoryAllAtOnce appends, reads, compacts, trims, forgets and backs up at
// the same time.
func TestHistoryAllAtOnce(t *testing.T) {
	s := open(t, testConfig(t))
	ids := linkMany(t, s, 10)
	const days = openDays + 4
	var writers, others sync.WaitGroup
	stop := make(chan struct{})
	until := func(work func(i int) error) {
		others.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				if err := work(i); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for w := range 2 {
		writers.Go(func() {
			for day := range days {
				for _, id := range ids[5*w : 5*w+5] {
					if err := s.AppendHistory(minutes(id, noon.AddDate(0, 0, day), 5)); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	for range 2 {
		until(func(i int) error { _, err := readAll(s, ids[i%len(ids)]); return err })
	}
	until(func(i int) error { s.history.compactEnded(noon.AddDate(0, 0, i%days)); return nil })
	until(func(int) error { return s.TrimHistory(noon.AddDate(0, 0, -1)) })
	until(func(i int) error { return s.ForgetHistory(bot.AgentID(fmt.Sprint("nobody", i))) })
	dir := t.TempDir()
	until(func(i int) error { return s.Backup(filepath.Join(dir, fmt.Sprint(i, ".tar"))) })
	writers.Wait()
	close(stop)
	others.Wait()
	for range 2 {
		for _, id := range ids {
			wantSamples(t, s, id, 5*days)
		}
		s = reopen(t, s)
	}
}

// TestKeysOfAFailedWrite gives numbers to keys, which are given to others when
// the write has failed.
func TestKeysOfAFailedWrite(t *testing.T) {
	s := open(t, testConfig(t))
	id := linkMany(t, s, 1)[0]
	mustAppend(t, s, minutes(id, noon, 1)...)
	sample := func(minute int, key string) bot.AgentSample {
		return bot.AgentSample{Agent: id, Sample: stats.Sample{Tick: noon.Add(time.Duration(minute) * time.Minute), Values: []stats.Value{{Key: key, N: 1}}}}
	}
	commit := s.history.commit
	s.history.commit = func(*bolt.Tx) error { return bot.ErrNotSaved }
	if err := s.AppendHistory([]bot.AgentSample{sample(1, "never")}); !errors.Is(err, bot.ErrNotSaved) {
		t.Fatal(err)
	}
	s.history.commit = commit
	mustAppend(t, s, sample(2, "always"))
	mustAppend(t, s, sample(3, "ever"))
	got := collect(t, s.History(id, always()))
	if d := differs(got[1:], []stats.Sample{sample(2, "always").Sample, sample(3, "ever").Sample}); d != "" {
		t.Error(d)
	}
}

// TestSharedValues goes on over the hour and over midnight.
func TestSharedValues(t *testing.T) {
	s := open(t, testConfig(t))
	id := linkMany(t, s, 1)[0]
	for hour := range 14 {
		mustAppend(t, s, bot.AgentSample{Agent: id, Sample: polled(noon.Add(time.Duration(hour)*time.Hour), float64(hour/5))})
	}
	checkShared(t, collect(t, s.History(id, always())))
}
