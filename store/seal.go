package store

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"sync"
)

// A kind names a kind of record and the schema of its form. It is part of what a
// seal and a signature cover, so a record of one kind never passes for another.
type kind string

// The kinds of sealed and signed records.
const (
	kindSchema     kind = "schema/1"
	kindAgent      kind = "agent/1"
	kindAddress    kind = "address/1"
	kindCredential kind = "credential/1"
	kindWorkspace  kind = "workspace/1"
)

const (
	keySize = 32 // of master and data keys, in bytes

	recordV1   = 0x01
	headerSize = 1 + 4 // version, data key id
	macSize    = sha256.Size
)

// A masterKey wraps data keys.
type masterKey struct {
	id   string // 16 hex digits, not secret
	aead cipher.AEAD
}

func newMasterKey(key []byte) (masterKey, error) {
	aead, err := newAEAD(key)
	if err != nil {
		return masterKey{}, err
	}
	id := hmac.New(sha256.New, key)
	id.Write([]byte("floorwalker master key id"))
	return masterKey{hex.EncodeToString(id.Sum(nil)[:8]), aead}, nil
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// wrap encrypts a data key.
func (m masterKey) wrap(id uint32, key []byte) []byte {
	return m.aead.Seal(nil, nil, key, m.wrapping(id))
}

// unwrap returns a data key that [masterKey.wrap] has encrypted under this
// master key and for this id.
func (m masterKey) unwrap(id uint32, wrapped []byte) ([]byte, error) {
	return m.aead.Open(nil, nil, wrapped, m.wrapping(id))
}

func (m masterKey) wrapping(id uint32) []byte { return fmt.Appendf(nil, "dek|v1|%d|%s", id, m.id) }

// A ring holds the data keys of a database by their ids. It does not change
// once it is made, and may be shared.
type ring struct {
	keys   map[uint32]dataKey
	newest uint32 // seals and signs
}

type dataKey struct {
	aead cipher.AEAD
	macs *sync.Pool // of hash.Hash, keyed: to key one costs more than a short record
}

// newDataKey returns the bytes of a fresh data key.
func newDataKey() []byte {
	key := make([]byte, keySize)
	rand.Read(key) // never fails, says its documentation
	return key
}

// add puts a data key into a ring that is being made.
func (r *ring) add(id uint32, key []byte) error {
	aead, err := newAEAD(key)
	if err != nil {
		return err
	}
	mac, err := hkdf.Key(sha256.New, key, nil, "floorwalker/mac/1", sha256.Size)
	if err != nil {
		return err
	}
	if r.keys == nil {
		r.keys = make(map[uint32]dataKey)
	}
	r.keys[id] = dataKey{aead, &sync.Pool{New: func() any { return hmac.New(sha256.New, mac) }}}
	r.newest = max(r.newest, id)
	return nil
}

// seal encrypts a record for its place: its kind and its key in the bucket.
func (r *ring) seal(k kind, place string, plain []byte) []byte {
	return r.keys[r.newest].aead.Seal(r.header(), nil, plain, bind(k, place))
}

// open returns what [ring.seal] has sealed for this place.
func (r *ring) open(k kind, place string, sealed []byte) ([]byte, error) {
	key, rest, err := r.keyOf(sealed)
	if err != nil {
		return nil, fmt.Errorf("%s of %s: %w", k, place, err)
	}
	plain, err := key.aead.Open(nil, nil, rest, bind(k, place))
	if err != nil {
		return nil, fmt.Errorf("%s of %s: %w: the seal does not open here", k, place, ErrDamaged)
	}
	return plain, nil
}

// sign puts a MAC before a readable record, for its place.
func (r *ring) sign(k kind, place string, body []byte) []byte {
	return append(append(r.header(), r.keys[r.newest].sum(k, place, body)...), body...)
}

// verify returns the body of a record that [ring.sign] has signed for this
// place. The body is a part of record.
func (r *ring) verify(k kind, place string, record []byte) ([]byte, error) {
	key, rest, err := r.keyOf(record)
	if err != nil {
		return nil, fmt.Errorf("%s of %s: %w", k, place, err)
	}
	if len(rest) < macSize || !hmac.Equal(rest[:macSize], key.sum(k, place, rest[macSize:])) {
		return nil, fmt.Errorf("%s of %s: %w: the signature does not fit", k, place, ErrDamaged)
	}
	return rest[macSize:], nil
}

func (k dataKey) sum(of kind, place string, body []byte) []byte {
	h := k.macs.Get().(hash.Hash)
	defer k.macs.Put(h)
	h.Reset()
	h.Write(bind(of, place))
	h.Write(body)
	return h.Sum(nil)
}

// header returns the start of a record under the newest key.
func (r *ring) header() []byte { return binary.BigEndian.AppendUint32([]byte{recordV1}, r.newest) }

// keyOf reads a record's header and returns its key and the rest.
func (r *ring) keyOf(record []byte) (dataKey, []byte, error) {
	if len(record) < headerSize || record[0] != recordV1 {
		return dataKey{}, nil, fmt.Errorf("%w: not a sealed or signed record", ErrDamaged)
	}
	id := binary.BigEndian.Uint32(record[1:])
	key, ok := r.keys[id]
	if !ok {
		return dataKey{}, nil, fmt.Errorf("%w: data key %d is not in this database", ErrDamaged, id)
	}
	return key, record[headerSize:], nil
}

// unverified returns the body of a signed record without looking at the
// signature.
func unverified(record []byte) ([]byte, error) {
	if len(record) < headerSize+macSize || record[0] != recordV1 {
		return nil, fmt.Errorf("%w: not a signed record", ErrDamaged)
	}
	return bytes.Clone(record[headerSize+macSize:]), nil
}

// bind encodes what a seal or a signature covers beside the content. The lengths
// keep two places apart whose parts join to the same text.
func bind(k kind, place string) []byte {
	b := make([]byte, 0, len(k)+len(place)+2*binary.MaxVarintLen32)
	b = binary.AppendUvarint(b, uint64(len(k)))
	b = append(b, k...)
	b = binary.AppendUvarint(b, uint64(len(place)))
	return append(b, place...)
}
