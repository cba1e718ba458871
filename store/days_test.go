package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
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
	ids := linkMany(t, s, 6)
	const days = openDays + 2
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
				for _, id := range ids[3*w : 3*w+3] {
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
	until(func(i int) error { return SaveBackup(filepath.Join(dir, fmt.Sprint(i, ".tar")), s.WriteBackup) })
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
