package store

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/secret"
)

// packed returns a store with agents, history and an outbox, and a backup of it.
func packed(t testing.TB) (s *Store, file string) {
	t.Helper()
	s = open(t, testConfig(t))
	ids := linkMany(t, s, 5)
	for day := range 3 {
		for _, id := range ids {
			mustAppend(t, s, minutes(id, noon.AddDate(0, 0, day), 100)...)
		}
	}
	overdue, later := rowTo("overdue", "slack:U1", bot.LaneAlert), rowTo("later", "slack:U2", bot.LaneAlert)
	overdue.GiveUp, later.GiveUp = time.Now().Add(-time.Minute), time.Now().Add(time.Hour)
	leased := rowTo("leased", "discord:U3", bot.LaneAlert)
	leased.GiveUp = time.Now().Add(-time.Minute)
	enqueue(t, s, overdue, later, leased, rowTo("for ever", "slack:U3", bot.LaneDigest))
	if _, _, err := s.Lease("discord", noon.AddDate(-10, 0, 0), time.Now().Add(time.Hour), 1); err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "backup.tar")
	if err := SaveBackup(file, s.WriteBackup); err != nil {
		t.Fatal(err)
	}
	return s, file
}

// elsewhere is the configuration of a restore to an empty directory.
func elsewhere(t testing.TB) Config { return testConfig(t) }

func TestBackupAndRestore(t *testing.T) {
	s, file := packed(t)
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
		t.Errorf("the backup: %v, %v", info.Mode(), err)
	}
	if left, err := filepath.Glob(filepath.Dir(file) + "/*"); err != nil || len(left) != 1 {
		t.Errorf("beside the backup: %q, %v", left, err)
	}
	mustLink(t, s, linkOf("slack:ULATER", pair("later", "t1"))) // the store is in use, and goes on
	c := elsewhere(t)
	if err := Restore(c, file); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(c.Path + "*"); err != nil || !slices.Equal(left, []string{c.Path, c.Path + historySuffix}) {
		t.Errorf("after a restore: %q, %v", left, err)
	}
	r := open(t, c)
	if names := files(t, r); !slices.Equal(names, []string{"2026-08-01.db", "2026-08-02.db", "2026-08-03.db"}) {
		t.Errorf("history: %q", names)
	}
	for path, mode := range map[string]os.FileMode{c.Path: 0o600, r.history.dir: os.ModeDir | 0o700, filepath.Join(r.history.dir, "2026-08-01.db"): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode() != mode {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	checkSound(t, r)
	agents := collect(t, r.Agents())
	if len(agents) != 5 {
		t.Errorf("%d agents", len(agents))
	}
	for _, a := range agents {
		if d := differs(collect(t, r.History(a.ID, always())), collect(t, s.History(a.ID, always()))); d != "" {
			t.Errorf("history of %s: %s", a.ID, d)
		}
	}
	states := map[string]string{}
	for _, row := range collect(t, r.Rows()) {
		states[row.Key] = string(row.State) + " " + row.Reason
	}
	for key, want := range map[string]string{"overdue": "dead overdue at restore", "later": "pending ", "for ever": "pending ", "leased": "leased "} {
		if states[key] != want {
			t.Errorf("row %s: %q, want %q", key, states[key], want)
		}
	}
	trail := collect(t, r.AuditTrail(time.Time{}))
	if last := trail[len(trail)-1]; last.Action != "restore" || !strings.Contains(last.Detail, "1 messages were overdue") {
		t.Errorf("audit: %+v", last)
	}
}

func TestBackupHoldsNoKey(t *testing.T) {
	c := testConfig(t)
	c.Key, c.KeyFile = secret.Secret{}, filepath.Join(filepath.Dir(c.Path), "floorwalker.key")
	s := open(t, c)
	mustLink(t, s, linkOf("slack:U1", pair("17", "tok-first-0123")))
	file := filepath.Join(t.TempDir(), "backup.tar")
	if err := SaveBackup(file, s.WriteBackup); err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(c.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(key)))
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{strings.TrimSpace(string(key)), string(raw), "tok-first-0123"} {
		if bytes.Contains(b, []byte(secret)) {
			t.Errorf("the backup holds %q", secret)
		}
	}

	missing := elsewhere(t)
	missing.Key, missing.KeyFile = secret.Secret{}, filepath.Join(t.TempDir(), "floorwalker.key")
	refusesRestore(t, missing, file, "restore: "+missing.KeyFile+": not found; ", "put the key file of the installation that was backed up there first")
	if _, err := os.Stat(missing.KeyFile); err == nil {
		t.Error("a restore has made a new key")
	}
	wrong := elsewhere(t)
	wrong.Key = keyOf('x')
	refusesRestore(t, wrong, file, "restore "+file+": floorwalker.db in it: wrong key")
	missing.KeyFile = c.KeyFile
	if err := Restore(missing, file); err != nil {
		t.Error(err)
	}
}

// refusesRestore checks that a restore fails with a sentence, and leaves the
// directory as it was.
func refusesRestore(t testing.TB, c Config, file string, want ...string) {
	t.Helper()
	before, err := filepath.Glob(filepath.Dir(c.Path) + "/*")
	if err != nil {
		t.Fatal(err)
	}
	err = Restore(c, file)
	if err != nil && strings.Contains(err.Error(), restoreSuffix+"/") {
		t.Errorf("restore names a path of its own: %v", err)
	}
	for _, w := range want {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("restore: %v, want %q", err, w)
		}
	}
	after, err := filepath.Glob(filepath.Dir(c.Path) + "/*")
	if err != nil || !slices.Equal(before, after) {
		t.Errorf("a refused restore left %q, %v; there was %q", after, err, before)
	}
}

func TestBackupRefusesAnExistingFile(t *testing.T) {
	s := open(t, testConfig(t))
	file := filepath.Join(t.TempDir(), "backup.tar")
	for _, make := range []func() error{
		func() error { return os.WriteFile(file, []byte("mine"), 0o644) },
		func() error { return errors.Join(os.Remove(file), os.Symlink("nowhere", file)) },
	} {
		if err := make(); err != nil {
			t.Fatal(err)
		}
		if err := SaveBackup(file, s.WriteBackup); err == nil || !strings.Contains(err.Error(), "is there already") {
			t.Errorf("over an existing file: %v", err)
		}
	}
	if err := SaveBackup(filepath.Join(t.TempDir(), "no", "such", "directory"), s.WriteBackup); err == nil {
		t.Error("into no directory: no error")
	}
	if left, err := filepath.Glob(s.path + ".new-*"); err != nil || len(left) > 0 {
		t.Errorf("left over: %q, %v", left, err)
	}
}

// TestBackupIsReadBack breaks a backup on its way to the disk.
func TestBackupIsReadBack(t *testing.T) {
	_, whole := packed(t)
	b, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	flipped := slices.Clone(b)
	flipped[len(b)/2] ^= 1
	for name, c := range map[string]struct {
		bytes []byte
		want  error
	}{"a flipped bit": {flipped, ErrDamaged}, "an end that is missing": {b[:len(b)/2], cutShort}} {
		file := filepath.Join(t.TempDir(), "saved.tar")
		err := SaveBackup(file, func(w io.Writer) error { _, err := w.Write(c.bytes); return err })
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if left, err := filepath.Glob(filepath.Join(filepath.Dir(file), "*")); err != nil || len(left) > 0 {
			t.Errorf("%s: left over are %q, %v", name, left, err)
		}
	}
}

// TestNameAnew looks at the last moment: somebody else may have taken the name.
func TestNameAnew(t *testing.T) {
	dir := t.TempDir()
	temporary, name := filepath.Join(dir, "temporary"), filepath.Join(dir, "name")
	for path, text := range map[string]string{temporary: "new", name: "old"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := nameAnew(temporary, name); !errors.Is(err, os.ErrExist) {
		t.Errorf("over an existing file: %v", err)
	}
	if b, err := os.ReadFile(name); string(b) != "old" || err != nil {
		t.Errorf("the file is %q, %v", b, err)
	}
}

func TestBackupOfADamagedDay(t *testing.T) {
	s, _ := packed(t)
	s = spoil(t, s, "2026-08-02.db", func(b []byte) []byte { return b[:8192] })
	file := filepath.Join(t.TempDir(), "backup.tar")
	if err := SaveBackup(file, s.WriteBackup); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "2026-08-02") {
		t.Errorf("with a damaged day: %v", err)
	}
	if left, err := filepath.Glob(filepath.Dir(file) + "/*"); err != nil || len(left) > 0 {
		t.Errorf("left over: %q, %v", left, err)
	}
	mustAppend(t, s, minutes(collect(t, s.Agents())[0].ID, noon.AddDate(0, 0, 1), 1)...) // sets it aside
	if err := SaveBackup(file, s.WriteBackup); err != nil {
		t.Errorf("with a day set aside: %v", err)
	}
}

// An item is a tar entry.
type item struct {
	tar.Header
	content string
}

// items reads a tar file.
func items(t testing.TB, file string) (all []item) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, item{*h, string(content)})
	}
}

// pack writes a tar file.
func pack(t testing.TB, all []item) (file string) {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, i := range all {
		i.Size = int64(len(i.content))
		if err := w.WriteHeader(&i.Header); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, i.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "changed.tar")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestRestoreRefusesOtherBackups(t *testing.T) {
	_, file := packed(t)
	good := items(t, file)
	last := len(good) - 1
	named := func(name, content string) item {
		return item{tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o600}, content}
	}
	for name, test := range map[string]struct {
		change func(all []item) []item
		want   string
	}{
		"a bit flipped": {func(all []item) []item {
			b := []byte(all[1].content)
			b[len(b)/2] ^= 1
			all[1].content = string(b)
			return all
		}, "2026-08-02.db is not as the manifest says"},
		"no manifest":    {func(all []item) []item { return all[:last] }, "changed.tar is cut short"},
		"nothing":        {func([]item) []item { return nil }, "changed.tar is not a floorwalker backup"},
		"manifest first": {func(all []item) []item { return append(all[last:], all[:last]...) }, "holds no database"},
		"a day missing":  {func(all []item) []item { return all[1:] }, "2026-08-01.db is not as the manifest says"},
		"a day more": {func(all []item) []item {
			return append([]item{named("history/2026-08-09.db", "x")}, all...)
		}, "files that the manifest does not name"},
		"a day twice":     {func(all []item) []item { return append(all[:1:1], all...) }, "holds history/2026-08-01.db twice"},
		"no database":     {func(all []item) []item { return slices.Delete(all, last-1, last) }, "no database"},
		"out of the way":  {func(all []item) []item { return append([]item{named("../../evil", "x")}, all...) }, "../../evil"},
		"absolute":        {func(all []item) []item { return append([]item{named("/tmp/evil", "x")}, all...) }, "/tmp/evil"},
		"out of history":  {func(all []item) []item { return append([]item{named("history/../evil", "x")}, all...) }, "evil"},
		"not a day":       {func(all []item) []item { return append([]item{named("history/today.db", "x")}, all...) }, "today"},
		"below history":   {func(all []item) []item { return append([]item{named("history/x/2026-08-01.db", "x")}, all...) }, "history/x"},
		"a restore's own": {func(all []item) []item { return append([]item{named("history/restoring", "x")}, all...) }, "restoring"},
		"a link": {func(all []item) []item {
			link := named("history/2026-08-09.db", "")
			link.Typeflag, link.Linkname = tar.TypeSymlink, "/etc/passwd"
			return append([]item{link}, all...)
		}, "which no backup does"},
		"a newer form": {func(all []item) []item {
			all[last].content = strings.Replace(all[last].content, `"format": 1`, `"format": 2`, 1)
			return all
		}, "newer version"},
		"a manifest of nothing":  {func(all []item) []item { all[last].content = "{}"; return all }, "does not name"},
		"an unreadable manifest": {func(all []item) []item { all[last].content = "{"; return all }, "not readable"},
	} {
		t.Run(name, func(t *testing.T) {
			changed := pack(t, test.change(slices.Clone(good)))
			refusesRestore(t, elsewhere(t), changed, test.want)
		})
	}
	t.Run("cut short", func(t *testing.T) {
		whole, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for n := 0; n < len(whole)-8192; n += len(whole) / 40 {
			if err := os.WriteFile(file, whole[:n], 0o600); err != nil {
				t.Fatal(err)
			}
			want := file + " is cut short"
			if n == 0 {
				want = file + " is not a floorwalker backup"
			}
			refusesRestore(t, elsewhere(t), file, want)
		}
	})
	t.Run("not a tar file", func(t *testing.T) {
		if err := os.WriteFile(file, bytes.Repeat([]byte("log line\n"), 1000), 0o600); err != nil {
			t.Fatal(err)
		}
		refusesRestore(t, elsewhere(t), file, file+" is not a floorwalker backup")
	})
	t.Run("damaged between its files", func(t *testing.T) {
		whole, err := os.ReadFile(pack(t, slices.Clone(good)))
		if err != nil {
			t.Fatal(err)
		}
		next := 512 + (len(good[0].content)+511)/512*512
		copy(whole[next:], bytes.Repeat([]byte("log line\n"), 50))
		if err := os.WriteFile(file, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		refusesRestore(t, elsewhere(t), file, "damaged", "something else between its files")
	})
	t.Run("no file", func(t *testing.T) {
		refusesRestore(t, elsewhere(t), filepath.Join(t.TempDir(), "no.tar"), "no such file")
	})
}

// TestRestoreOfDamagedFiles has a manifest that fits, and files that do not.
func TestRestoreOfDamagedFiles(t *testing.T) {
	_, file := packed(t)
	for i, name := range []string{"2026-08-01", "", "", "floorwalker.db"} {
		if name == "" {
			continue
		}
		all := items(t, file)
		all[i].content = all[i].content[:len(all[i].content)/2]
		var m manifest
		if err := json.Unmarshal([]byte(all[len(all)-1].content), &m); err != nil {
			t.Fatal(err)
		}
		sums, err := readBackup(mustOpen(t, pack(t, all)), func(string, io.Reader) error { return nil })
		if err == nil {
			t.Fatal("the sums fit, so the test sees nothing", sums)
		}
		m.Files[i].Bytes, m.Files[i].SHA256 = int64(len(all[i].content)), sumOf(all[i].content)
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		all[len(all)-1].content = string(text)
		refusesRestore(t, elsewhere(t), pack(t, all), "damaged", name)
	}
}

func TestRestoreNeverReplaces(t *testing.T) {
	_, file := packed(t)
	for name, occupy := range map[string]func(c Config) error{
		"a database":         func(c Config) error { return os.WriteFile(c.Path, []byte("x"), 0o600) },
		"an empty file":      func(c Config) error { return os.WriteFile(c.Path, nil, 0o600) },
		"a dangling link":    func(c Config) error { return os.Symlink("nowhere", c.Path) },
		"a history":          func(c Config) error { return os.MkdirAll(filepath.Join(c.Path+historySuffix, "2026-01-01.db"), 0o700) },
		"a file for history": func(c Config) error { return os.Symlink("nowhere", c.Path+historySuffix) },
	} {
		t.Run(name, func(t *testing.T) {
			c := elsewhere(t)
			if err := occupy(c); err != nil {
				t.Fatal(err)
			}
			refusesRestore(t, c, file, "")
		})
	}
	c := elsewhere(t)
	if err := os.Mkdir(c.Path+historySuffix, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Restore(c, file); err != nil {
		t.Errorf("beside an empty history: %v", err)
	}
	s := open(t, c)
	if err := Restore(c, file); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("over a database in use: %v", err)
	}
	checkSound(t, s)
}

// TestInterruptedRestore is killed between the history and the live file.
func TestInterruptedRestore(t *testing.T) {
	_, file := packed(t)
	c := elsewhere(t)
	if err := Restore(c, file); err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{filepath.Join(c.Path+historySuffix, restoring): "", filepath.Join(c.Path+historySuffix, "2026-08-09.db"): "half"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Remove(c.Path), os.MkdirAll(filepath.Join(c.Path+restoreSuffix, "x"), 0o700)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(c); err == nil || !strings.Contains(err.Error(), "a restore was interrupted; run it again") {
		t.Errorf("a start after an interrupted restore: %v", err)
	}
	if err := Restore(c, file); err != nil {
		t.Fatal(err)
	}
	s := open(t, c)
	if names := files(t, s); len(names) != 3 {
		t.Errorf("history: %q", names)
	}
	wantSamples(t, s, collect(t, s.Agents())[0].ID, 300)

	// Killed just before it took the mark away, it was done.
	if err := errors.Join(s.Close(), os.WriteFile(filepath.Join(s.history.dir, restoring), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	s = open(t, c)
	if names := files(t, s); len(names) != 3 {
		t.Errorf("history: %q", names)
	}
}

func mustOpen(t testing.TB, file string) *os.File {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func sumOf(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:])
}
