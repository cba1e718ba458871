package store

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/secret"
	bolt "go.etcd.io/bbolt"
)

// refuses fails the test unless Open fails with all these words.
func refuses(t *testing.T, c Config, words ...string) {
	t.Helper()
	s, err := Open(c)
	if err == nil {
		s.Close()
		t.Fatalf("opened, want an error with %q", words)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not say %q", err, w)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("error %q is not one line", err)
	}
}

func TestKeyFileIsMadeWithTheDatabase(t *testing.T) {
	c := testConfig(t)
	c.Key, c.KeyFile = secret.Secret{}, filepath.Join(t.TempDir(), "floorwalker.key")
	s := open(t, c)
	mustLink(t, s, linkOf("slack:U1", pair("17", "t1")))
	for _, path := range []string{c.Path, c.KeyFile} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v; want mode 0600", path, info.Mode(), err)
		}
	}
	key, err := os.ReadFile(c.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	s = reopen(t, s)
	s.Close()
	if again, err := os.ReadFile(c.KeyFile); err != nil || !bytes.Equal(key, again) {
		t.Error("the key file has changed", err)
	}

	t.Run("missing", func(t *testing.T) {
		if err := os.Remove(c.KeyFile); err != nil {
			t.Fatal(err)
		}
		k, err := parseKey("test", secret.New(string(key)))
		if err != nil {
			t.Fatal(err)
		}
		refuses(t, c, c.Path, c.KeyFile, "put back", k.id)
		if _, err := os.Stat(c.KeyFile); !errors.Is(err, fs.ErrNotExist) {
			t.Error("a new key was made for an existing database")
		}
	})
	t.Run("given", func(t *testing.T) {
		c := c
		c.Key = secret.New(string(key)) // with its line break
		s := open(t, c)
		if _, err := s.AgentAt(at("slack:U1")); err != nil {
			t.Error(err)
		}
		s.Close()
	})
	t.Run("another", func(t *testing.T) {
		c := c
		c.Key = keyOf('o')
		k, err := parseKey("test", c.Key)
		if err != nil {
			t.Fatal(err)
		}
		refuses(t, c, c.Path, "wrong key", k.id, "sealed under master key")
	})
}

func TestKeyOfAnEarlierAttemptIsUsed(t *testing.T) {
	c := testConfig(t)
	c.Key, c.KeyFile = secret.Secret{}, filepath.Join(t.TempDir(), "floorwalker.key")
	if err := os.WriteFile(c.KeyFile, []byte(testKey.Reveal()+"\n"), 0o400); err != nil {
		t.Fatal(err)
	}
	open(t, c).Close()
	c.Key = testKey
	open(t, c)
}

// TestFirstStartTwice is the race of two first starts: both find no file, and
// the slower one comes to name its database when the other is in use.
func TestFirstStartTwice(t *testing.T) {
	c := testConfig(t)
	c.Key, c.KeyFile = secret.Secret{}, filepath.Join(t.TempDir(), "floorwalker.key")
	s := open(t, c)
	mustLink(t, s, linkOf("slack:U1", pair("17", "t1")))
	key, err := os.ReadFile(c.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.config.create(s.path); err != nil {
		t.Fatal(err)
	}
	if err := createKeyFile(c.KeyFile); err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(c.KeyFile); err != nil || !bytes.Equal(key, again) {
		t.Errorf("the key was replaced, or %v", err)
	}
	s = reopen(t, s)
	if _, err := s.AgentAt(at("slack:U1")); err != nil {
		t.Errorf("the database was replaced: %v", err)
	}
}

func TestMalformedKeys(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := testKey.Reveal()
	for name, test := range map[string]struct {
		key, file string
		words     []string
	}{
		"nothing":      {"", "", []string{"store.key_file", "FLOORWALKER_STORE_KEY"}},
		"not base64":   {"hunter2 hunter2", "", []string{"store.key", "base64", "openssl rand"}},
		"31 bytes":     {base64.StdEncoding.EncodeToString(make([]byte, 31)), "", []string{"store.key", "31 bytes"}},
		"too short":    {"a2tra2s=", "", []string{"store.key", "5 bytes"}},
		"empty file":   {"", file("empty", "", 0o600), []string{"empty", "0 bytes"}},
		"group":        {"", file("group", good, 0o640), []string{"group", "0640", "chmod 600"}},
		"world":        {"", file("world", good, 0o644), []string{"world", "0644"}},
		"executable":   {"", file("exec", good, 0o700), []string{"exec", "0700"}},
		"a directory":  {"", dir, []string{dir, "not a file"}},
		"no directory": {"", filepath.Join(dir, "none", "key"), []string{"create key file", "none"}},
		"long":         {"", file("long", strings.Repeat(good, 100), 0o600), []string{"long"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := testConfig(t)
			c.Key, c.KeyFile = secret.New(test.key), test.file
			refuses(t, c, test.words...)
			if _, err := os.Stat(c.Path); !errors.Is(err, fs.ErrNotExist) {
				t.Error("a database was made without a key")
			}
			if left, err := os.ReadDir(filepath.Dir(c.Path)); err != nil || len(left) > 0 {
				t.Errorf("left over: %v, %v", left, err)
			}
		})
	}
}

func TestPathFaults(t *testing.T) {
	c := testConfig(t)
	dir := filepath.Dir(c.Path)
	c.Path = filepath.Join(dir, "none", "x.db")
	refuses(t, c, "store.path", filepath.Join(dir, "none"), "create it first")
	c.Path = dir
	refuses(t, c, "store.path", "not a file")
}

func TestLinkedPath(t *testing.T) {
	c := testConfig(t)
	s := open(t, c)
	a := mustLink(t, s, linkOf("slack:U1", pair("17", "t1"))).Agent
	s.Close()
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(c.Path, link); err != nil {
		t.Fatal(err)
	}
	c.Path = link
	s = open(t, c)
	if err := s.update(func(t txn) error { return t.dropAgent(a) }); err != nil {
		t.Fatal(err)
	}
	reopen(t, s) // compacts
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("a compaction has replaced the link: %v, %v", info.Mode(), err)
	}
}

// damageable returns the path and the used bytes of a closed database with some
// agents, and a function that puts other bytes in its place. That makes a new
// file, because a refused one may stay mapped.
func damageable(t *testing.T, agents int) (c Config, whole []byte, write func([]byte)) {
	t.Helper()
	c = testConfig(t)
	s := open(t, c)
	fill(t, s, agents)
	if err := s.Record(bot.AuditEntry{At: noon}); err != nil { // so that the last two commits have them all
		t.Fatal(err)
	}
	var used int64
	if err := s.view(func(t txn) error { used = t.Size(); return nil }); err != nil {
		t.Fatal(err)
	}
	s.Close()
	whole, err := os.ReadFile(c.Path)
	if err != nil {
		t.Fatal(err)
	}
	return c, whole[:used], func(b []byte) {
		t.Helper()
		if err := os.WriteFile(c.Path+".other", b, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(c.Path+".other", c.Path); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDamagedFiles(t *testing.T) {
	c, whole, write := damageable(t, 20)
	for name, b := range map[string][]byte{
		"empty":        nil,
		"text":         []byte(strings.Repeat("this is not a database\n", 1000)),
		"zeros":        make([]byte, len(whole)),
		"one page":     whole[:4096],
		"metas zeroed": append(make([]byte, 2*4096), whole[2*4096:]...),
	} {
		t.Run(name, func(t *testing.T) {
			write(b)
			refuses(t, c, c.Path, "damaged", "restore a backup")
			if after, err := os.ReadFile(c.Path); err != nil || !bytes.Equal(after, b) {
				t.Error("the damaged file has changed", err)
			}
		})
	}
	t.Run("cut short", func(t *testing.T) {
		for size := 4096; size < len(whole); size += 4096 {
			write(whole[:size])
			refuses(t, c, c.Path, "damaged")
		}
	})
	t.Run("other database", func(t *testing.T) {
		if err := os.Remove(c.Path); err != nil {
			t.Fatal(err)
		}
		db, err := bolt.Open(c.Path, 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		db.Close()
		refuses(t, c, c.Path, "not a database of floorwalker")
	})
}

// TestDamageAnywhere changes some bytes of every page. The file may open, if
// they were of no use or harm one record, or be refused; it never panics, and
// never starts with fewer agents.
func TestDamageAnywhere(t *testing.T) {
	const agents = 20
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	c, whole, write := damageable(t, agents)
	c.Logger = nil
	refused, opened := 0, 0
	for page := range len(whole) / 4096 {
		// Header and first elements of the page, then anything.
		for _, off := range []int{0, 8, 10, 12, 15, 16, 20, 24, 28, 33, 200, r.IntN(400), r.IntN(4000), r.IntN(4000)} {
			b := bytes.Clone(whole)
			for i := range 1 + r.IntN(8) {
				b[page*4096+off+i] = byte(r.Uint32())
			}
			write(b)
			s, err := Open(c)
			if err != nil {
				refused++
				continue
			}
			opened++
			n := 0
			for range s.Agents() {
				n++
			}
			if n != agents {
				t.Errorf("page %d, byte %d: opened with %d agents of %d", page, off, n, agents)
			}
			s.Close()
		}
	}
	if refused < 20 || opened < 20 {
		t.Errorf("%d refused and %d opened: too few to tell", refused, opened)
	}
}

func TestMigrationGate(t *testing.T) {
	c := testConfig(t)
	s := open(t, c)
	mustLink(t, s, linkOf("slack:U1", pair("17", "t1")))
	order := ""
	steps := append(migrations(),
		func(t txn) error { order += "a"; return t.put(bucketMeta, "a", []byte("a")) },
		func(t txn) error { order += "b"; return nil })
	failing := append(steps[:4:4], func(t txn) error { return errors.New("no luck") })
	migrate := func(steps []migration) error {
		return s.update(func(t txn) error { return t.migrate(steps) })
	}
	if err := migrate(failing); err == nil || !strings.Contains(err.Error(), "migrate to schema 6: no luck") {
		t.Errorf("failing step: %v", err)
	}
	if v := version(t, s); v != 3 {
		t.Errorf("after a failed step: schema %d", v)
	}
	order = ""
	for range 2 {
		if err := migrate(steps); err != nil {
			t.Fatal(err)
		}
	}
	if v := version(t, s); v != 5 || order != "ab" {
		t.Errorf("schema %d after steps %s", v, order)
	}
	s.Close()
	refuses(t, c, c.Path, "written by a newer version", "schema 5", "up to 3")
}

func version(t testing.TB, s *Store) (v int) {
	t.Helper()
	err := s.view(func(t txn) error {
		form, err := verified[schemaForm](t.ring, kindSchema, keySchema, t.get(bucketMeta, keySchema))
		v = form.Version
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestIncompleteDatabases(t *testing.T) {
	for name, change := range map[string]func(t txn) error{
		"schema rewritten": func(t txn) error {
			body, err := json.Marshal(schemaForm{Version: 1, Created: noon})
			record := bytes.Clone(t.get(bucketMeta, keySchema))
			return errors.Join(err, t.put(bucketMeta, keySchema, append(record[:headerSize+macSize], body...)))
		},
		"no schema":   func(t txn) error { return t.drop(bucketMeta, keySchema) },
		"schema 0":    func(t txn) error { return t.putSchema(schemaForm{Version: 0}) },
		"no data key": func(t txn) error { return t.drop(bucketKeys, "\x00\x00\x00\x01") },
		"no bucket":   func(t txn) error { return t.DeleteBucket([]byte(bucketLast)) },
		"an agent gone": func(t txn) error {
			id, _ := t.in(bucketAgents).Cursor().First()
			return t.in(bucketAgents).Delete(id)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, testConfig(t))
			fill(t, s, 3)
			tamper(t, s, change)
			s.Close()
			refuses(t, s.config, s.config.Path, "damaged")
		})
	}
}

// TestCircle lets a page point to itself, which bbolt would follow for ever.
func TestCircle(t *testing.T) {
	c, whole, write := damageable(t, 50)
	circles := 0
	for page := 0; page < len(whole); page += 4096 {
		if binary.NativeEndian.Uint16(whole[page+8:]) != branchPage {
			continue
		}
		circles++
		b := bytes.Clone(whole)
		copy(b[page+pageHeader+8:], b[page:page+8])
		write(b)
		refuses(t, c, "damaged", "used twice")
	}
	if circles == 0 {
		t.Error("no branch page in the file, so the test sees nothing")
	}
}

func TestLeftOversAreSwept(t *testing.T) {
	c := testConfig(t)
	open(t, c).Close()
	for _, suffix := range []string{".compact", ".new-123", ".sock", ".bak", "-old"} {
		if err := os.WriteFile(c.Path+suffix, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	open(t, c).Close()
	left, err := filepath.Glob(c.Path + "*")
	if want := []string{c.Path, c.Path + "-old", c.Path + ".bak", c.Path + ".sock"}; err != nil || !slices.Equal(left, want) {
		t.Errorf("left: %v, %v; want %v", left, err, want)
	}
}

// TestOnlyExisting makes nothing where an existing database is wanted.
func TestOnlyExisting(t *testing.T) {
	c := testConfig(t)
	c.Key, c.KeyFile, c.Existing = secret.Secret{}, filepath.Join(filepath.Dir(c.Path), "floorwalker.key"), true
	refuses(t, c, c.Path+": not found; serve, link or import --apply makes it")
	if _, err := Open(c); !errors.Is(err, ErrNoDatabase) {
		t.Errorf("got %v, want ErrNoDatabase", err)
	}
	if left, err := os.ReadDir(filepath.Dir(c.Path)); err != nil || len(left) > 0 {
		t.Errorf("it made %v, %v", left, err)
	}
	c.Existing = false
	open(t, c).Close()
	c.Existing = true
	open(t, c)
}

// TestFileReplacedWhileWaiting replaces the file, as a compaction does, while
// another process waits for the lock of the old one.
func TestFileReplacedWhileWaiting(t *testing.T) {
	s := open(t, testConfig(t))
	fill(t, s, 3)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for range 20 { // the waiter may give up before we come to it
		if replaceUnder(t, s) {
			return
		}
	}
	t.Skip("the machine is too slow")
}

// replaceUnder replaces the file under a waiting Open, and reports whether that
// has waited long enough.
func replaceUnder(t *testing.T, s *Store) bool {
	old, err := os.Open(s.path)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	// A shared lock lets the inspection pass and the owner-to-be wait.
	if err := syscall.Flock(int(old.Fd()), syscall.LOCK_SH); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(s.path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.path+".other", whole, 0o600); err != nil {
		t.Fatal(err)
	}
	type result struct {
		s   *Store
		err error
	}
	opened := make(chan result)
	go func() {
		s, err := Open(s.config)
		opened <- result{s, err}
	}()
	waiting := awaitWriter(t, s.path)
	if err := os.Rename(s.path+".other", s.path); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(old.Fd()), syscall.LOCK_UN); err != nil {
		t.Fatal(err)
	}
	r := <-opened
	if _, busy := errors.AsType[*InUseError](r.err); busy {
		return false
	}
	if r.err != nil {
		t.Fatal(r.err)
	}
	defer r.s.Close()
	mustLink(t, r.s, linkOf("slack:UNEW", pair("new", "t1")))
	if now, err := os.ReadFile(s.path); err != nil || !bytes.Contains(now, []byte("slack:UNEW")) {
		t.Errorf("the file that has been replaced was opened, or %v", err)
	}
	return waiting
}

// awaitWriter waits until this process has a file open for writing, and reports
// whether it has.
func awaitWriter(t *testing.T, path string) bool {
	readWrite := regexp.MustCompile(`flags:\s+\d*2\n`)
	for range 10_000 {
		fds, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("needs /proc")
		}
		for _, fd := range fds {
			info, err := os.ReadFile("/proc/self/fdinfo/" + fd.Name())
			if to, _ := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && to == path && readWrite.Match(info) {
				return true
			}
		}
	}
	return false
}
