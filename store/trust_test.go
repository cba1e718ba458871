package store

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"floorwalker/bot"
	"floorwalker/bot/chat"
)

// tamper changes the file as somebody could who can write it but has no key.
func tamper(t testing.TB, s *Store, change func(t txn) error) {
	t.Helper()
	if err := s.update(change); err != nil {
		t.Fatal(err)
	}
}

// move copies a record's bytes to another key.
func move(bucket, from, to string) func(t txn) error {
	return func(t txn) error { return t.put(bucket, to, bytes.Clone(t.get(bucket, from))) }
}

func TestTampering(t *testing.T) {
	const victim, thief = "slack:UVICTIM", "slack:UTHIEF"
	credentialOf := func(s *Store, addr string) error {
		a, err := s.AgentAt(at(addr))
		if err == nil {
			_, err = s.Credential(a.ID)
		}
		return err
	}
	for name, test := range map[string]struct {
		change func(victim, thief bot.Agent) func(txn) error
		read   func(s *Store) error
	}{
		"a sealed credential moved to another agent": {
			func(v, th bot.Agent) func(txn) error { return move(bucketCredentials, string(v.ID), string(th.ID)) },
			func(s *Store) error { return credentialOf(s, thief) },
		},
		"an address pointed at another agent": {
			func(_, _ bot.Agent) func(txn) error { return move(bucketAddresses, victim, thief) },
			func(s *Store) error { return credentialOf(s, thief) },
		},
		"an address record made up": {
			func(v, _ bot.Agent) func(txn) error {
				return func(t txn) error {
					record := bytes.Clone(t.get(bucketAddresses, thief))
					body := []byte(`{"agent":"` + string(v.ID) + `"}`)
					return t.put(bucketAddresses, thief, append(record[:headerSize+macSize], body...))
				}
			},
			func(s *Store) error { return credentialOf(s, thief) },
		},
		"an address written into another agent": {
			func(v, _ bot.Agent) func(txn) error {
				return func(t txn) error {
					record := bytes.Replace(t.get(bucketAgents, string(v.ID)), []byte(victim), []byte(thief), 1)
					return t.put(bucketAgents, string(v.ID), record)
				}
			},
			func(s *Store) error { return credentialOf(s, victim) },
		},
		"an agent's record moved to another": {
			func(v, th bot.Agent) func(txn) error { return move(bucketAgents, string(v.ID), string(th.ID)) },
			func(s *Store) error { return credentialOf(s, thief) },
		},
		"an address that its agent does not know": {
			func(v, th bot.Agent) func(txn) error {
				return func(t txn) error { // even if it is signed
					return t.putSigned(bucketAddresses, kindAddress, thief, addressForm{v.ID})
				}
			},
			func(s *Store) error { return credentialOf(s, thief) },
		},
		"a user id pointed at another agent": {
			func(v, th bot.Agent) func(txn) error {
				return func(t txn) error { return t.put(bucketUsers, "vic", []byte(th.ID)) }
			},
			func(s *Store) error {
				_, err := s.Link(linkOf("slack:UNEW", pair("vic", "thief-token")))
				return err
			},
		},
		"another workspace": {
			func(_, _ bot.Agent) func(txn) error {
				return func(t txn) error {
					record := bytes.Replace(t.get(bucketWorkspaces, "slack"), []byte("T1"), []byte("T2"), 1)
					return t.put(bucketWorkspaces, "slack", record)
				}
			},
			func(s *Store) error { return s.SetWorkspace(chat.Slack, "T2") },
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, testConfig(t))
			v := mustLink(t, s, linkOf(victim, pair("vic", "victim-token"))).Agent
			th := mustLink(t, s, linkOf(thief, pair("thi", "thief-token"))).Agent
			if err := s.SetWorkspace(chat.Slack, "T1"); err != nil {
				t.Fatal(err)
			}
			tamper(t, s, test.change(v, th))
			s = reopen(t, s)
			err := test.read(s)
			if !errors.Is(err, ErrDamaged) {
				t.Fatalf("not noticed: %v", err)
			}
			if strings.Contains(err.Error(), "token") {
				t.Errorf("the error tells too much: %v", err)
			}
		})
	}
}

func TestAgentsGoesOnAfterADamagedRecord(t *testing.T) {
	s := open(t, testConfig(t))
	fill(t, s, 3)
	ids := collect(t, s.Agents())
	tamper(t, s, move(bucketAgents, string(ids[0].ID), string(ids[1].ID)))
	good, bad := 0, 0
	for a, err := range s.Agents() {
		switch {
		case err == nil:
			good++
		case errors.Is(err, ErrDamaged) && a.ID == ids[1].ID:
			bad++
		}
	}
	if good != 2 || bad != 1 {
		t.Errorf("%d readable and %d damaged, want 2 and 1", good, bad)
	}
}

// stored returns the bytes of every file in the store's directory.
func stored(t testing.TB, s *Store) []byte {
	t.Helper()
	var all []byte
	err := filepath.WalkDir(filepath.Dir(s.path), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all = append(all, b...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestNoSecretInFileOrLog(t *testing.T) {
	var log bytes.Buffer
	c := testConfig(t)
	c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s := open(t, c)
	secrets := []string{"tok-first-0123", "tok-second-4567", "ssid-89ab", testKey.Reveal(), string(bytes.Repeat([]byte{'k'}, keySize))}
	check := func(when string) {
		t.Helper()
		file := stored(t, s)
		if len(file) < 4096 {
			t.Fatal("no file")
		}
		for _, secret := range secrets {
			for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret))} {
				if bytes.Contains(file, []byte(form)) || strings.Contains(log.String(), form) {
					t.Errorf("%s: %s is readable", when, secret)
				}
			}
		}
	}
	l := linkOf("slack:U1", pair("user-17", "tok-first-0123"))
	id := mustLink(t, s, l).Agent.ID
	check("after a link")
	l.Credential = pair("user-17", "tok-second-4567")
	l.Credential.SSID = session("ssid-89ab").SSID
	mustLink(t, s, l)
	check("after a relink")
	if _, err := s.Unlink(id, bot.AuditEntry{Action: "unlink"}, ""); err != nil {
		t.Fatal(err)
	}
	check("after an unlink")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	check("after closing")
}

// traces returns what of an agent must not be left after an unlink.
func traces(t testing.TB, s *Store, a bot.Agent) (all [][]byte) {
	t.Helper()
	err := s.view(func(tx txn) error {
		all = [][]byte{[]byte(a.Name), []byte(a.UserID), []byte(a.ID), bytes.Clone(tx.get(bucketCredentials, string(a.ID)))}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// left counts the traces that are found in the file.
func left(t testing.TB, s *Store, traces [][]byte) (n int) {
	t.Helper()
	file := stored(t, s)
	for _, trace := range traces {
		if bytes.Contains(file, trace) {
			n++
		}
	}
	return n
}

func TestUnlinkLeavesNoTrace(t *testing.T) {
	s := open(t, testConfig(t))
	fill(t, s, 20)
	l := linkOf("slack:UZEBEDEE", pair("user-zebedee", "t1"))
	l.Name = "Zebedee Zimmermann"
	first := mustLink(t, s, l).Agent
	all := traces(t, s, first)
	l.Credential = pair("user-zebedee", "t2")
	all = append(all, traces(t, s, mustLink(t, s, l).Agent)...)
	if n := left(t, s, all); n < len(all)-1 {
		t.Fatalf("only %d of %d traces there before, so the test sees nothing", n, len(all))
	}
	gone, err := s.Unlink(first.ID, bot.AuditEntry{At: noon, Actor: "cli:0", Action: "unlink", Object: "slack:UZEBEDEE"}, "r1")
	if err != nil || gone.Name != "Zebedee Zimmermann" || gone.UserID != "user-zebedee" {
		t.Fatalf("unlink returned %+v, %v", gone, err)
	}
	if n := left(t, s, all); n > 2 { // the id, of both links, until the history has forgotten it
		t.Errorf("%d traces left", n)
	}
	if err := s.ForgetHistory(first.ID); err != nil {
		t.Fatal(err)
	}
	if n := left(t, s, all); n > 0 {
		t.Errorf("%d traces left in the end", n)
	}
	if _, err := s.AgentAt(at("slack:UZEBEDEE")); !errors.Is(err, bot.ErrNotLinked) {
		t.Errorf("the address: %v", err)
	}
	if trail := collect(t, s.AuditTrail(noon)); trail[len(trail)-1].Action != "unlink" {
		t.Errorf("the trail ends with %+v", trail[len(trail)-1])
	}
	checkSound(t, s)
	if _, err := s.AgentAt(at("slack:U0000003")); err != nil {
		t.Errorf("somebody else: %v", err)
	}

	compacted, err := os.Stat(s.path)
	if err != nil {
		t.Fatal(err)
	}
	s = reopen(t, s)
	if now, err := os.Stat(s.path); err != nil || !os.SameFile(compacted, now) {
		t.Errorf("compacted again with nothing to do, or %v", err)
	}
}

func TestMovingAwayLeavesNoTrace(t *testing.T) {
	s := open(t, testConfig(t))
	first := mustLink(t, s, linkOf("slack:U1", pair("user-first", "t1"))).Agent
	first.Name = "user-first" // the name goes over to the next agent
	all := traces(t, s, first)[:2]
	all = append(all, traces(t, s, first)[3])
	mustAppend(t, s, minutes(first.ID, noon, 3)...)
	linked := mustLink(t, s, linkOf("slack:U1", pair("user-second", "t2")))
	if n := left(t, s, all); n > 0 {
		t.Errorf("%d traces left", n)
	}
	if linked.Deleted != first.ID {
		t.Errorf("the agent that was left is %q, want %s", linked.Deleted, first.ID)
	}
	if err := s.TrimHistory(noon.AddDate(0, 0, -1)); err != nil {
		t.Fatal(err)
	}
	if n, err := readAll(s, first.ID); n > 0 || err != nil {
		t.Errorf("%d samples of the agent that was left, %v", n, err)
	}

	mustLink(t, s, linkOf("slack:U3", pair("user-second", "t2"))) // joins
	if linked := mustLink(t, s, linkOf("slack:U1", pair("user-third", "t3"))); linked.Deleted != "" {
		t.Errorf("an agent with an address left is said to be deleted: %+v", linked)
	}
}

func TestInterruptedCompactionIsMadeUpFor(t *testing.T) {
	for name, again := range map[string]func(t *testing.T, s *Store) *Store{
		"at the next start": func(t *testing.T, s *Store) *Store { return reopen(t, s) },
		"at the next trim": func(t *testing.T, s *Store) *Store {
			if err := s.Trim(time.Now(), 0); err != nil {
				t.Fatal(err)
			}
			return s
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, testConfig(t))
			a := mustLink(t, s, linkOf("slack:U1", pair("user-17", "t1"))).Agent
			all := traces(t, s, a)[3:]
			if err := s.update(func(t txn) error { return t.dropAgent(a) }); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(s.path+compactSuffix, []byte("cut short"), 0o600); err != nil {
				t.Fatal(err)
			}
			if left(t, s, all) == 0 {
				t.Fatal("the sealed credential is gone before the compaction, so the test sees nothing")
			}
			s = again(t, s)
			if n := left(t, s, all); n > 0 {
				t.Error("the sealed credential is still in the file")
			}
			if _, err := os.Stat(s.path + compactSuffix); err == nil {
				t.Error("the half-made file is still there")
			}
			checkSound(t, s)
		})
	}
}

func TestCompactionUnderReaders(t *testing.T) {
	s := open(t, testConfig(t))
	fill(t, s, 300)
	stop := make(chan struct{})
	readers := make(chan error)
	for range 3 {
		go func() {
			for {
				select {
				case <-stop:
					readers <- nil
					return
				default:
				}
				if _, err := s.AgentAt(at("slack:U0000299")); err != nil {
					readers <- err
					return
				}
				for _, err := range s.Agents() {
					if err != nil {
						readers <- err
						return
					}
				}
			}
		}()
	}
	for i := range 10 {
		a, err := s.AgentAt(at("slack:U000000" + string(rune('0'+i))))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Unlink(a.ID, bot.AuditEntry{Action: "unlink"}, ""); err != nil {
			t.Fatal(err)
		}
		mustLink(t, s, linkOf("slack:U1", pair("next", "t1")))
	}
	close(stop)
	for range 3 {
		if err := <-readers; err != nil {
			t.Error(err)
		}
	}
	s = reopen(t, s)
	if _, err := s.AgentAt(at("slack:U1")); err != nil {
		t.Errorf("written after a compaction: %v", err)
	}
	checkSound(t, s)
}
