package bot

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"floorwalker/bot/chat"
)

var lanes = [...]string{"notice", "alert", "digest"}

// bells wake deliverers and tell how they are. Make one with newBells.
type bells struct {
	mu    sync.Mutex
	rings map[chat.Network]chan struct{}
	beats map[chat.Network]time.Time
	holds map[chat.Network]string
	bars  map[chat.Address]bar
	off   map[chat.Network]bool
}

func newBells() *bells {
	return &bells{
		rings: map[chat.Network]chan struct{}{}, beats: map[chat.Network]time.Time{},
		holds: map[chat.Network]string{}, bars: map[chat.Address]bar{}, off: map[chat.Network]bool{},
	}
}

// of returns the channel that a network's deliverer waits on.
func (b *bells) of(n chat.Network) chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rings[n] == nil {
		b.rings[n] = make(chan struct{}, 1)
	}
	return b.rings[n]
}

// ring wakes all deliverers.
func (b *bells) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.rings {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

func (b *bells) beat(n chat.Network, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.beats[n] = at
}

func (b *bells) hold(n chat.Network, reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.holds[n] = reason
}

// A bar is why nothing is sent to one address of a network.
type bar struct {
	reason string    // "": there is none
	until  time.Time // when it is tried again
}

// barrier returns what an attempt says of its address.
func barrier(o Outcome, err error) bar {
	if !errors.Is(err, chat.ErrBarred) || o.State != RowPending {
		return bar{}
	}
	return bar{strings.TrimSuffix(o.Reason, ": "+chat.ErrBarred.Error()), o.Next}
}

// barStays is how long after the time of the next attempt a bar is believed in:
// that no attempt came means that nothing waits there any more.
const barStays = time.Minute

// bar notes what the last attempt says of an address.
func (b *bells) bar(to chat.Address, bar bar) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.bars, to)
	if bar.reason != "" {
		b.bars[to] = bar
	}
}

// barred returns the addresses of a network that nothing is sent to, sorted.
// Called with mu held.
func (b *bells) barred(n chat.Network, now time.Time) []Barred {
	var list []Barred
	for to, bar := range b.bars {
		switch {
		case now.After(bar.until.Add(barStays)):
			delete(b.bars, to)
		case to.Network == n:
			list = append(list, Barred{to, bar.reason})
		}
	}
	slices.SortFunc(list, func(a, c Barred) int { return strings.Compare(a.To.String(), c.To.String()) })
	return list
}

// switchOff notes that a network is not in the configuration.
func (b *bells) switchOff(n chat.Network) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.off[n] = true
}

// DeliveryStatus is how a network's deliverer is doing.
type DeliveryStatus struct {
	Network chat.Network
	Beat    time.Time // when its last round ended
	Held    string    // why nothing is sent; "" while all is well
	Barred  []Barred  // to whom nothing is sent, while others are written to
	Off     bool      // it is switched off: what waits for it is given up in time
}

// Barred is an address that the bot may not write to. What is for it waits, and
// is tried again every few minutes.
type Barred struct {
	To     chat.Address
	Reason string // with what to do
}

// DeliveryStatus returns how the deliverers are doing, by network.
func (b *Bot) DeliveryStatus() []DeliveryStatus {
	b.bells.mu.Lock()
	defer b.bells.mu.Unlock()
	var list []DeliveryStatus
	for n, at := range b.bells.beats {
		list = append(list, DeliveryStatus{n, at, b.bells.holds[n], b.bells.barred(n, time.Now()), b.bells.off[n]})
	}
	slices.SortFunc(list, func(a, c DeliveryStatus) int { return strings.Compare(string(a.Network), string(c.Network)) })
	return list
}
