package store

import (
	"bytes"
	"errors"
	"testing"
)

func testRing(t testing.TB, ids ...uint32) *ring {
	t.Helper()
	r := &ring{}
	for _, id := range ids {
		if err := r.add(id, bytes.Repeat([]byte{byte(id)}, keySize)); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// coder is one of the two ways to protect a record.
type coder struct {
	name    string
	protect func(r *ring, k kind, place string, plain []byte) []byte
	expose  func(r *ring, k kind, place string, record []byte) ([]byte, error)
}

func coders() []coder {
	return []coder{{"seal", (*ring).seal, (*ring).open}, {"sign", (*ring).sign, (*ring).verify}}
}

func TestRecordIsBoundToItsPlace(t *testing.T) {
	r := testRing(t, 1, 2)
	for _, c := range coders() {
		record := c.protect(r, kindCredential, "a1", []byte("content"))
		if got, err := c.expose(r, kindCredential, "a1", record); err != nil || string(got) != "content" {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
		for _, p := range []struct {
			kind  kind
			place string
		}{{kindCredential, "a2"}, {kindAgent, "a1"}, {kindCredential + "a", "1"}, {kindCredential, ""}, {"credential/2", "a1"}} {
			if got, err := c.expose(r, p.kind, p.place, record); !errors.Is(err, ErrDamaged) || got != nil {
				t.Errorf("%s: opens as %s of %s: %v", c.name, p.kind, p.place, err)
			}
		}
		for i := range record {
			changed := bytes.Clone(record)
			changed[i] ^= 0x10
			if _, err := c.expose(r, kindCredential, "a1", changed); !errors.Is(err, ErrDamaged) {
				t.Errorf("%s: byte %d changed: %v", c.name, i, err)
			}
			if _, err := c.expose(r, kindCredential, "a1", record[:i]); !errors.Is(err, ErrDamaged) {
				t.Errorf("%s: cut to %d bytes: %v", c.name, i, err)
			}
		}
	}
}

func TestKeyIsChosenByID(t *testing.T) {
	first, both := testRing(t, 1), testRing(t, 1, 2)
	for _, c := range coders() {
		old := c.protect(first, kindAgent, "a1", []byte("old"))
		if got, err := c.expose(both, kindAgent, "a1", old); err != nil || string(got) != "old" {
			t.Errorf("%s: under an older key: %q, %v", c.name, got, err)
		}
		fresh := c.protect(both, kindAgent, "a1", []byte("new"))
		if fresh[4] != 2 {
			t.Errorf("%s: under key %d, want the newest", c.name, fresh[4])
		}
		if _, err := c.expose(first, kindAgent, "a1", fresh); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: under an unknown key: %v", c.name, err)
		}
	}
}

func TestWrapIsBoundToIDs(t *testing.T) {
	k, err := newMasterKey(bytes.Repeat([]byte{'k'}, keySize))
	if err != nil {
		t.Fatal(err)
	}
	other, err := newMasterKey(bytes.Repeat([]byte{'o'}, keySize))
	if err != nil {
		t.Fatal(err)
	}
	data := newDataKey()
	wrapped := k.wrap(1, data)
	if got, err := k.unwrap(1, wrapped); err != nil || !bytes.Equal(got, data) {
		t.Error("the key did not come back:", err)
	}
	if _, err := k.unwrap(2, wrapped); err == nil {
		t.Error("unwrapped under another id")
	}
	if _, err := other.unwrap(1, wrapped); err == nil {
		t.Error("unwrapped under another master key")
	}
	if k.id == other.id || len(k.id) != 16 {
		t.Errorf("ids %q and %q", k.id, other.id)
	}
}

func FuzzRecord(f *testing.F) {
	r := testRing(f, 1)
	f.Add([]byte{})
	f.Add([]byte{1, 0, 0, 0, 1})
	f.Add([]byte{1, 0, 0, 0, 9, 1, 2, 3})
	for _, c := range coders() {
		f.Add(c.protect(r, kindAgent, "elsewhere", []byte(`{"name":"x"}`)))
	}
	f.Fuzz(func(t *testing.T, record []byte) {
		for _, c := range coders() {
			// Nobody without the key can make a record that opens.
			if got, err := c.expose(r, kindAgent, "a1", record); !errors.Is(err, ErrDamaged) {
				t.Errorf("%s: %q, %v", c.name, got, err)
			}
		}
		unverified(record) // must not panic
	})
}
