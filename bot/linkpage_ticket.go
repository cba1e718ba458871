package bot

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"floorwalker/bot/chat"
	"floorwalker/bot/secret"
)

// A ticket is what a one-time link page is good for. Whoever has the random
// words in the page's address holds it, so they are kept as their hash only:
//
//	networks  web/ticket/<SHA-256 of the words, hex>  ticket
//	networks  web/holder/<address>                    the hash of that person's ticket
//
// A person has one ticket at most: a new one cancels the one before.
type ticket struct {
	Address chat.Address `json:"address"`
	Name    string       `json:"name,omitempty"` // as the network called them
	Expires time.Time    `json:"expires"`
	Tried   int          `json:"tried,omitempty"` // credentials, by live calls
}

const (
	ticketLife   = 10 * time.Minute
	ticketPrefix = "web/ticket/"
	holderPrefix = "web/holder/"
)

// ErrNoTicket: the address of a link page is unknown, used, used up or too old,
// which is not told apart.
var ErrNoTicket = errors.New("no such link page, or not any more")

// newTicket returns the words of a ticket: 32 random bytes, as a part of a URL.
func newTicket() secret.Secret {
	b := make([]byte, 32)
	rand.Read(b) // never fails, says its documentation
	return secret.New(base64.RawURLEncoding.EncodeToString(b))
}

// hashed is what is kept of a ticket's words.
func hashed(words secret.Secret) string {
	sum := sha256.Sum256([]byte(words.Reveal()))
	return hex.EncodeToString(sum[:])
}

// good reports whether a ticket can be used.
func (t ticket) good(now time.Time) bool { return now.Before(t.Expires) && t.Tried < linkTries }

// putTicket stores a ticket under its hash, in the place of the person's last
// one.
func putTicket(tx Records, hash string, t ticket) error {
	if err := dropTicketOf(tx, t.Address); err != nil {
		return err
	}
	if err := WriteRecord(tx, RecordNetworks, ticketPrefix+hash, t); err != nil {
		return err
	}
	return WriteRecord(tx, RecordNetworks, holderPrefix+t.Address.String(), hash)
}

// readTicket returns a ticket that can be used, or ErrNoTicket.
func readTicket(tx Records, hash string, now time.Time) (ticket, error) {
	t, found, err := ReadRecord[ticket](tx, RecordNetworks, ticketPrefix+hash)
	if err == nil && !(found && t.good(now)) {
		err = ErrNoTicket
	}
	return t, err
}

// spendTry counts a try of a ticket, before it is made: of any number at once no
// more are made than there are.
func spendTry(tx Records, hash string, now time.Time) (ticket, error) {
	t, err := readTicket(tx, hash, now)
	if err != nil {
		return t, err
	}
	t.Tried++
	return t, WriteRecord(tx, RecordNetworks, ticketPrefix+hash, t)
}

// dropTicketOf deletes a person's ticket, there or not.
func dropTicketOf(tx Records, addr chat.Address) error {
	hash, found, err := ReadRecord[string](tx, RecordNetworks, holderPrefix+addr.String())
	if err != nil || !found {
		return err
	}
	if err := tx.DropRecord(RecordNetworks, ticketPrefix+hash); err != nil {
		return err
	}
	return tx.DropRecord(RecordNetworks, holderPrefix+addr.String())
}

// dropOld deletes a ticket by its key. Its person may have another one by now, if
// what says which one is theirs could not be read.
func dropOld(tx Records, key string, addr chat.Address) error {
	hash, found, err := ReadRecord[string](tx, RecordNetworks, holderPrefix+addr.String())
	if err == nil && found && ticketPrefix+hash == key {
		err = tx.DropRecord(RecordNetworks, holderPrefix+addr.String())
	}
	if err != nil {
		return err
	}
	return tx.DropRecord(RecordNetworks, key)
}

// TrimTickets deletes the addresses of link pages that can no longer be used.
func (b *Bot) TrimTickets(now time.Time) error {
	err := b.store.Update(func(tx Tx) error {
		dropped := 0
		for k, err := range EachRecord[ticket](tx, RecordNetworks, ticketPrefix) {
			if err == nil && !k.Value.good(now) {
				dropped++
				err = dropOld(tx, k.Key, k.Value.Address)
			}
			if err != nil {
				return err
			}
		}
		if dropped == 0 {
			return errIdle
		}
		return nil
	})
	if err != nil && !errors.Is(err, errIdle) {
		return fmt.Errorf("delete old tickets of the link page: %w", err)
	}
	return nil
}
