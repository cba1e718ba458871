package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"floorwalker/bot/chat"
)

// A recorder is the network of a floor: it keeps what the bot sends.
type recorder struct {
	network chat.Network

	mu   sync.Mutex
	sent []letter
	down bool          // it takes nothing
	news chan struct{} // something was sent or edited
}

// A letter is a message that was sent, as it reads now.
type letter struct {
	to      chat.Address
	message chat.Message
}

func newRecorder(n chat.Network) *recorder {
	return &recorder{network: n, news: make(chan struct{}, 1)}
}

// Network implements [chat.Adapter].
func (r *recorder) Network() chat.Network { return r.network }

// Run implements [chat.Adapter]: nobody types anything.
func (r *recorder) Run(ctx context.Context, _ chat.App) error {
	<-ctx.Done()
	return nil
}

// Send implements [chat.Adapter].
func (r *recorder) Send(_ context.Context, out chat.Outgoing) (chat.Ref, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down {
		return chat.Ref{}, errDown
	}
	r.sent = append(r.sent, letter{out.To, out.Message})
	r.ring()
	return chat.Ref{Network: r.network, ID: fmt.Sprint(len(r.sent) - 1)}, nil
}

// Edit implements [chat.Adapter].
func (r *recorder) Edit(_ context.Context, ref chat.Ref, m chat.Message) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var i int
	if r.down {
		return errDown
	}
	if _, err := fmt.Sscan(ref.ID, &i); err != nil || i >= len(r.sent) {
		return chat.ErrGone
	}
	r.sent[i].message = m
	r.ring()
	return nil
}

var errDown = errors.New("the network takes nothing")

// fail makes the network take nothing from now on, or everything again.
func (r *recorder) fail(down bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down = down
}

func (r *recorder) ring() {
	select {
	case r.news <- struct{}{}:
	default:
	}
}

// Lookup implements [chat.Adapter].
func (r *recorder) Lookup(context.Context, string) (chat.Person, error) { return chat.Person{}, nil }

// Check implements [chat.Adapter].
func (r *recorder) Check(context.Context) []chat.Finding { return nil }

// wait waits until a message that was sent reads as wanted, and returns it.
func (r *recorder) wait(ctx context.Context, wanted func(letter) bool) (chat.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, 100*time.Minute)
	defer cancel()
	for {
		if m, ok := r.find(wanted); ok {
			return m, nil
		}
		select {
		case <-ctx.Done():
			return chat.Message{}, fmt.Errorf("the bot did not send what is to be drawn; it sent %v", r.titles())
		case <-r.news:
		}
	}
}

func (r *recorder) find(wanted func(letter) bool) (chat.Message, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.sent {
		if wanted(l) {
			return l.message, true
		}
	}
	return chat.Message{}, false
}

func (r *recorder) titles() (list []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.sent {
		list = append(list, l.to.String()+": "+l.message.Title)
	}
	return list
}
