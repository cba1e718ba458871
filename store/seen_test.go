package store

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"floorwalker/bot"
	"floorwalker/dashboard"
	"github.com/google/go-cmp/cmp"
)

func TestSeen(t *testing.T) {
	s := open(t, testConfig(t))
	id := mustLink(t, s, linkOf("slack:U1", pair("17", "tok-1"))).Agent.ID
	seen := bot.Seen{Last: dashboard.Counters{
		Row: map[string]dashboard.Value{"TH": dashboard.ValueOf("12"), "ATT": dashboard.ValueOf("true")},
		At:  noon, Date: noon.Add(time.Second), Rows: 1,
	}}
	if err := s.SaveSeen(id, seen); err != nil {
		t.Fatal(err)
	}
	s = reopen(t, s)
	got, err := s.Seen(id)
	if diff := cmp.Diff(seen, got, cmp.Comparer(func(a, b dashboard.Value) bool { return a == b })); diff != "" || err != nil {
		t.Error(err, "\n", diff)
	}
	if err := s.SaveSeen("0123456789abcdef", seen); err != nil {
		t.Errorf("saving for an agent that has gone: %v", err)
	}
	if _, err := s.Unlink(id, bot.AuditEntry{}, ""); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Seen(id); err != nil || !got.Last.At.IsZero() {
		t.Errorf("seen of a deleted agent: %v, %v", got, err)
	}
	checkSound(t, s)
}

// oddAnswers are answers whose stored form is easily got wrong.
func oddAnswers() []dashboard.Counters {
	return []dashboard.Counters{
		{},
		{At: noon.Add(123456789), Date: time.Unix(-5, 7).UTC(), Rows: 1 << 30},
		{Row: map[string]dashboard.Value{}, At: noon},
		{Row: map[string]dashboard.Value{
			"": dashboard.ValueOf("1"), `a"b\c`: dashboard.ValueOf(`"<&>"`), "नाम": dashboard.ValueOf(`"आशा"`), "a\nb": dashboard.ValueOf(`{"x":[1,null]}`),
		}, At: noon, Date: noon.Add(-time.Second), Rows: 2},
		goldenForms()["v1/seen"].(bot.Seen).Last,
	}
}

func TestAnswersComeBack(t *testing.T) {
	for _, c := range oddAnswers() {
		record := encodeAnswer(c)
		back, err := decodeAnswer("a", record)
		if err != nil || !reflect.DeepEqual(back, c) {
			t.Errorf("%q, of %+v, is read as %+v, %v", record, c, back, err)
		}
		if times, err := answerTimes("a", record); err != nil || times.At != c.At || times.Date != c.Date || times.Row != nil {
			t.Errorf("times of %+v: %+v, %v", c, times, err)
		}
	}
	missing := dashboard.Counters{Row: map[string]dashboard.Value{"TH": {}}}
	if back, err := decodeAnswer("a", encodeAnswer(missing)); err != nil || back.Row["TH"].Present() {
		t.Errorf("a value that is not there is read as %+v, %v", back, err)
	}
}

// TestDamagedAnswers flips each byte of a stored answer: nothing may pass for one,
// nor for its times.
func TestDamagedAnswers(t *testing.T) {
	record := encodeAnswer(goldenForms()["v1/seen"].(bot.Seen).Last)
	for i := range record {
		record[i] ^= 0x04
		_, err := decodeAnswer("a", record)
		_, err2 := answerTimes("a", record)
		if !errors.Is(err, ErrDamaged) || !errors.Is(err2, ErrDamaged) {
			t.Errorf("byte %d: %v, %v", i, err, err2)
		}
		record[i] ^= 0x04
	}
}

// TestAnswerForm compares with what schema 3 has written.
func TestAnswerForm(t *testing.T) {
	record := encodeAnswer(goldenForms()["v1/seen"].(bot.Seen).Last)
	want := golden(t, filepath.Join("testdata", "v3", "answer.hex"), []byte(hex.Dump(record)))
	if diff := cmp.Diff(string(want), hex.Dump(record)); diff != "" {
		t.Error("written differently:\n", diff)
	}
}

func FuzzAnswer(f *testing.F) {
	for _, c := range oddAnswers() {
		f.Add(encodeAnswer(c))
	}
	f.Add([]byte{0})
	f.Fuzz(func(t *testing.T, record []byte) {
		if len(record) > 4 { // the checksum is no obstacle
			binary.BigEndian.PutUint32(record, castagnoli(record[4:]))
		}
		c, err := decodeAnswer("a", record)
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Errorf("%v is not said to be damaged", err)
			}
			return
		}
		if again, err := decodeAnswer("a", encodeAnswer(c)); err != nil || !reflect.DeepEqual(again, c) {
			t.Errorf("%+v becomes %+v, %v", c, again, err)
		}
	})
}

// TestSchema3 takes in answers of schema 2. One that cannot be read must say so
// and be replaced by the next.
func TestSchema3(t *testing.T) {
	s := open(t, testConfig(t))
	ids := linkMany(t, s, 3)
	seen := goldenForms()["v1/seen"].(bot.Seen)
	tamper(t, s, func(t txn) error {
		record, err := encode(seen)
		return errors.Join(err, t.DeleteBucket([]byte(bucketFirst)), t.DeleteBucket([]byte(bucketLast)), t.create([]string{bucketSeen}),
			t.put(bucketSeen, string(ids[0]), record), t.put(bucketSeen, string(ids[1]), record[:len(record)-2]),
			t.putSchema(schemaForm{2, noon}))
	})
	s = reopen(t, s)
	checkSound(t, s)
	if got, err := s.Seen(ids[0]); err != nil || !reflect.DeepEqual(got, seen) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := s.Seen(ids[1]); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), string(ids[1])) {
		t.Errorf("what could not be read: %v", err)
	}
	mustUpdate(t, s, func(tx bot.Tx) error {
		if _, err := tx.SeenTimes(ids[1]); !errors.Is(err, ErrDamaged) {
			t.Errorf("times of what could not be read: %v", err)
		}
		return tx.SaveSeen(ids[1], seen)
	})
	if got, err := s.Seen(ids[1]); err != nil || !reflect.DeepEqual(got, seen) {
		t.Errorf("anew: %+v, %v", got, err)
	}
	if got, err := s.Seen(ids[2]); err != nil || !got.Last.At.IsZero() {
		t.Errorf("never seen: %+v, %v", got, err)
	}
}
