package discord

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Memory keeps what must outlive a restart: to whom the bot may write, and how
// much of Discord's daily budgets is used. Keys and values are short printable
// text:
//
//	"user/<id>"  a person who has spoken to the bot → the id of the channel of
//	             their direct messages, or "-" if none is open yet
//	"identify"   how often the bot signed in to the gateway → "2026-03-02 7", by day (UTC)
//	"open"       how many direct messages it opened → the same
//
// Its methods are called from several goroutines. The ids in it are Discord's
// data: they are deleted with the person's other data.
type Memory interface {
	// Load returns the value of a key, "" if there is none.
	Load(key string) (string, error)

	// Save stores the value of a key.
	Save(key, value string) error
}

// forgetful is a Memory for those who give none.
type forgetful struct{}

func (forgetful) Load(string) (string, error) { return "", nil }
func (forgetful) Save(string, string) error   { return nil }

const (
	keyUser     = "user/"
	keyIdentify = "identify"
	keyOpen     = "open"
	noChannel   = "-" // of a person who has spoken, but not in direct messages
)

// notes are what the adapter remembers, a Memory behind a cache.
type notes struct {
	memory Memory
	log    *slog.Logger

	mu     sync.Mutex        // guards the rest
	people map[string]string // as in Memory, by id
	counts map[string]string // as in Memory, by key
}

func newNotes(m Memory, log *slog.Logger) *notes {
	if m == nil {
		m = forgetful{}
	}
	return &notes{memory: m, log: log, people: map[string]string{}, counts: map[string]string{}}
}

// person returns whether somebody has spoken to the bot, and the channel of their
// direct messages, "" if none is open.
func (n *notes) person(id string) (channel string, spoken bool, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	value := n.people[id]
	if value == "" {
		if value, err = n.memory.Load(keyUser + id); err != nil {
			return "", false, fmt.Errorf("discord: read who has spoken to the bot: %w", err)
		}
		if value == "" {
			return "", false, nil // not kept: an id may be anything
		}
		n.people[id] = value
	}
	if value == noChannel {
		return "", true, nil
	}
	return value, true, nil
}

// meet remembers that somebody has spoken to the bot, and in which direct
// messages; channel is "" if it was elsewhere.
func (n *notes) meet(id, channel string) {
	if known, spoken, err := n.person(id); err == nil && spoken && (channel == "" || known == channel) {
		return
	}
	if channel == "" {
		channel = noChannel
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.people[id] = channel
	n.save(keyUser+id, channel)
}

// close remembers that somebody's direct messages are no more.
func (n *notes) close(id string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.people[id] != "" {
		n.people[id] = noChannel
		n.save(keyUser+id, noChannel)
	}
}

// save stores a value; the caller holds mu. If it fails the adapter goes on with
// what it has in memory.
func (n *notes) save(key, value string) {
	if err := n.memory.Save(key, value); err != nil {
		n.log.Error("discord: something to remember was not stored", "err", err)
	}
}

// today returns what was counted on the day of now.
func (n *notes) today(key string, now time.Time) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.count(key, now)
}

// add counts one more on the day of now and returns how many that makes.
func (n *notes) add(key string, now time.Time) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	count := n.count(key, now) + 1
	n.counts[key] = now.UTC().Format(time.DateOnly) + " " + strconv.Itoa(count)
	n.save(key, n.counts[key])
	return count
}

// count is today for those who hold mu.
func (n *notes) count(key string, now time.Time) int {
	if n.counts[key] == "" {
		stored, err := n.memory.Load(key)
		if err != nil {
			n.log.Error("discord: a count was not read, I start it anew", "key", key, "err", err)
		}
		n.counts[key] = stored
	}
	day, number, _ := strings.Cut(n.counts[key], " ")
	count, err := strconv.Atoi(number)
	if err != nil || day != now.UTC().Format(time.DateOnly) {
		return 0
	}
	return count
}
