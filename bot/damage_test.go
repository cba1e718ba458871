package bot_test

import (
	"bytes"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"floorwalker/bot"
)

// spoil flips a bit in every record of a bucket, or only in those with some keys,
// and returns how many they are.
func spoil(t *testing.T, path, bucket string, only ...string) (n int) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte(bucket))
		whole := map[string][]byte{}
		err := b.ForEach(func(key, value []byte) error {
			if len(only) == 0 || slices.Contains(only, string(key)) {
				whole[string(key)] = bytes.Clone(value)
			}
			return nil
		})
		for key, value := range whole {
			value[len(value)-2] ^= 0x01
			err = errors.Join(err, b.Put([]byte(key), value))
		}
		n = len(whole)
		return err
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestDamagedRecordsOfOurs damages everything that the bot keeps of one kind while
// an alert is open. Nothing ends of it: what fires then is told, summaries are
// posted, commands are answered, and the damage has a name.
func TestDamagedRecordsOfOurs(t *testing.T) {
	for _, kind := range []bot.RecordKind{bot.RecordAlerts, bot.RecordHandling, bot.RecordSilences, bot.RecordQuiet, bot.RecordDigests, bot.RecordNetworks} {
		t.Run(string(kind), func(t *testing.T) {
			onPages(t, func(t *testing.T, s *stage) {
				s.mustDo(t, "at 2026-03-02 17:40", "link asha 0", "link ravi 1", "counters asha TH=9 MH=1", "counters ravi TH=9 MH=1",
					"rule burst when: missed >= 5 | for: 0s | message: {{.Agent}} has missed calls", "run", "advance 2m", "counters asha TH=9 MH=6", "advance 3m",
					"as meera: /floor silence @ravi 1m", "as meera: /floor quiet 01:00-02:00", "as asha: /floor link")
				s.spoilt(kind)
				s.mustDo(t, "counters ravi TH=9 MH=6", "advance 5m", "as asha: /floor link", "as meera: /floor silences")
				if !s.opens(t, s.pages["asha"]) {
					t.Error("there is no link page any more")
				}
				s.mustDo(t, "advance 15m")
				if err := s.bot.TrimTickets(time.Now()); err != nil {
					t.Error(err)
				}
				if named := s.store.Damaged(); len(named) == 0 || !strings.HasSuffix(named[0], " of "+string(kind)) {
					t.Errorf("named: %q", named)
				}
				s.flush()
				told, posted := false, 0
				for _, a := range s.all {
					told = told || a.to == person("meera") && strings.Contains(a.m.Plain(), "Grace Lim")
					if a.to == person("#support") {
						posted++
					}
				}
				if !told || posted != 1 {
					t.Errorf("ravi's alert is told: %v; summaries: %d", told, posted)
				}
			})
		})
	}
}

// TestDamagedNumbers: when the record of the numbers given out is damaged, none that
// is on anybody's screen is given out again, of an alert that is open, of one that
// is over, or of a silence.
func TestDamagedNumbers(t *testing.T) {
	tests := []struct {
		name  string
		spoil map[bot.RecordKind][]string // the keys; none: all of that kind
	}{
		{"numbers", map[bot.RecordKind][]string{bot.RecordHandling: {"numbers"}}},
		{"all of handling", map[bot.RecordKind][]string{bot.RecordHandling: nil}},
		{"numbers and standings", map[bot.RecordKind][]string{bot.RecordHandling: {"numbers"}, bot.RecordAlerts: nil}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			onPages(t, func(t *testing.T, s *stage) {
				s.mustDo(t, "at 2026-03-02 10:00", "link asha 0", "link ravi 1", "counters asha TH=9 MH=1", "counters ravi TH=9 MH=1",
					"rule burst when: missed >= 5 | for: 0s | keep: 0s | message: {{.Agent}} has missed calls", "run", "advance 2m",
					"counters asha TH=9 MH=6", "advance 3m", "as meera: /floor silence @asha 4h")
				for kind, only := range test.spoil {
					s.spoilt(kind, only...)
				}
				s.mustDo(t, "counters ravi TH=9 MH=6", "advance 5m", "as meera: /floor silence @ravi 4h")
				s.flush()
				whose := map[string]string{}
				for _, a := range s.all {
					n := regexp.MustCompile(`#\d+`).FindString(a.m.Plain())
					who := regexp.MustCompile(`(\w+ \w+) has missed calls`).FindStringSubmatch(a.m.Plain())
					if n == "" || who == nil {
						continue
					}
					if before := whose[n]; before != "" && before != who[1] {
						t.Errorf("%s is %s and %s", n, before, who[1])
					}
					whose[n] = who[1]
				}
				if len(whose) < 2 {
					t.Errorf("told: %v", whose)
				}
				if n := s.silences(t); n != 2 {
					t.Errorf("%d silences are kept of 2", n)
				}
			})
		})
	}
}

// silences counts those that are kept.
func (s *stage) silences(t *testing.T) (n int) {
	t.Helper()
	err := s.store.View(func(tx bot.Tx) error {
		for _, err := range tx.Records(bot.RecordSilences, "") {
			if err != nil {
				return err
			}
			n++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// spoilt ends the bot, damages what it keeps of a kind, all or some keys, and
// starts it.
func (s *stage) spoilt(kind bot.RecordKind, only ...string) {
	s.t.Helper()
	s.stop()
	if err := s.store.Close(); err != nil {
		s.t.Fatal(err)
	}
	if spoil(s.t, s.path, string(kind), only...) == 0 {
		s.t.Fatal("there is nothing to damage")
	}
	s.open()
	s.run()
}
