package store

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"floorwalker/bot"
	bolt "go.etcd.io/bbolt"
)

// many is the number of links that the design is measured with.
const many = 10_000

// filled returns a store with many links.
func filled(b *testing.B) *Store {
	b.Helper()
	c := testConfig(b)
	c.Logger = nil
	s := open(b, c)
	fill(b, s, many)
	return s
}

// resident returns the process's resident memory in MB, 0 where it is not told.
func resident() float64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, rss int
	fmt.Sscan(string(text), &size, &rss)
	return float64(rss) * float64(os.Getpagesize()) / 1e6
}

// BenchmarkStart opens a database with 10,000 links and lists them.
func BenchmarkStart(b *testing.B) {
	s := filled(b)
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s, err := Open(s.config)
		if err != nil {
			b.Fatal(err)
		}
		if n := len(collect(b, s.Agents())); n != many {
			b.Fatal(n)
		}
		b.StopTimer()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(resident(), "MB-resident")
}

func BenchmarkAgentAt(b *testing.B) {
	s := filled(b)
	addr := at("slack:U0004711")
	for b.Loop() {
		if _, err := s.AgentAt(addr); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBareGet is the floor of BenchmarkAgentAt: two reads of the library.
func BenchmarkBareGet(b *testing.B) {
	s := filled(b)
	id := []byte(collect(b, s.Agents())[4711].ID)
	for b.Loop() {
		err := s.db.View(func(tx *bolt.Tx) error {
			if tx.Bucket([]byte(bucketAddresses)).Get([]byte("slack:U0004711")) == nil ||
				tx.Bucket([]byte(bucketAgents)).Get(id) == nil {
				return bot.ErrNotLinked
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCredential(b *testing.B) {
	s := filled(b)
	id := collect(b, s.Agents())[4711].ID
	for b.Loop() {
		if _, err := s.Credential(id); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLink(b *testing.B) {
	s := filled(b)
	for i := 0; b.Loop(); i++ {
		if _, err := s.Link(linkOf(fmt.Sprintf("discord:D%d", i), pair(fmt.Sprint("d", i), "token"))); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBareUpdate is the floor of BenchmarkLink: one put and its commit.
func BenchmarkBareUpdate(b *testing.B) {
	s := filled(b)
	for i := 0; b.Loop(); i++ {
		err := s.db.Update(func(tx *bolt.Tx) error {
			return tx.Bucket([]byte(bucketAddresses)).Put(fmt.Appendf(nil, "discord:D%d", i), make([]byte, 64))
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkUnlink deletes an agent of 10,000, compaction included.
func BenchmarkUnlink(b *testing.B) {
	s := filled(b)
	agents := collect(b, s.Agents())
	for i := 0; b.Loop(); i++ {
		if _, err := s.Unlink(agents[i].ID, bot.AuditEntry{Action: "unlink"}, ""); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSaveSeen(b *testing.B) {
	s := filled(b)
	id := collect(b, s.Agents())[4711].ID
	seen := goldenForms()["v1/seen"].(bot.Seen)
	for b.Loop() {
		if err := s.SaveSeen(id, seen); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStats(b *testing.B) {
	s := filled(b)
	for b.Loop() {
		if _, err := s.Stats(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAuditTrail reads the newest entries of a long trail.
func BenchmarkAuditTrail(b *testing.B) {
	s := filled(b)
	err := s.update(func(t txn) error {
		for range many {
			if err := t.record(bot.AuditEntry{At: noon, Detail: strings.Repeat("x", 100)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Record(bot.AuditEntry{At: noon.Add(1)}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if n := len(collect(b, s.AuditTrail(noon.Add(1)))); n != 1 {
			b.Fatal(n)
		}
	}
}
