package chat

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"
	"time"
)

// ErrShutdown is the cause with which a [Pool] cancels requests that are still
// running when their grace has passed.
var ErrShutdown = errors.New("chat: shutting down")

// A Pool runs an adapter's requests, a bounded number at once. An adapter makes
// one in Run, hands it the requests that it has acknowledged, and drains it
// before Run returns.
//
// Requests get contexts of the pool's own, because Run's context ends before
// they do. Make a Pool with [NewPool].
type Pool struct {
	config PoolConfig
	slots  chan struct{} // one for each running request
	ctx    context.Context
	cancel context.CancelCauseFunc
	work   sync.WaitGroup

	mu       sync.Mutex // guards what follows
	taken    int        // requests running and waiting
	draining bool
}

// PoolConfig says how a [Pool] works. Zero values are the defaults given here.
type PoolConfig struct {
	Running int           // requests at once: 32
	Waiting int           // requests that wait for their turn: 1000
	Timeout time.Duration // of a request, its wait and its Then included: none
	Grace   time.Duration // for running requests when draining: 5s

	// Panicked is told of a panic in a request, which ends without ending the
	// program. It is called after the request's own deferred calls. Nil means
	// that nobody is told.
	Panicked func(value any, stack []byte)
}

// NewPool returns a pool that is ready for requests.
func NewPool(c PoolConfig) *Pool {
	if c.Running <= 0 {
		c.Running = 32
	}
	if c.Waiting <= 0 {
		c.Waiting = 1000
	}
	if c.Grace <= 0 {
		c.Grace = 5 * time.Second
	}
	p := &Pool{config: c, slots: make(chan struct{}, c.Running)}
	p.ctx, p.cancel = context.WithCancelCause(context.Background())
	return p
}

// Go runs a request as soon as one of the slots is free, and returns at once. It
// returns false if the pool is full or draining: then the request does not run,
// and the adapter tells the person to try again.
func (p *Pool) Go(request func(ctx context.Context)) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.draining || p.taken >= p.config.Running+p.config.Waiting {
		return false
	}
	p.taken++
	ctx, cancel := p.requestContext()
	p.work.Go(func() {
		defer p.done()
		defer cancel()
		p.slots <- struct{}{}
		defer func() { <-p.slots }()
		defer p.recover()
		request(ctx)
	})
	return true
}

func (p *Pool) requestContext() (context.Context, context.CancelFunc) {
	if p.config.Timeout <= 0 {
		return context.WithCancel(p.ctx)
	}
	return context.WithTimeout(p.ctx, p.config.Timeout)
}

func (p *Pool) done() {
	p.mu.Lock()
	p.taken--
	p.mu.Unlock()
}

func (p *Pool) recover() {
	if value := recover(); value != nil && p.config.Panicked != nil {
		p.config.Panicked(value, debug.Stack())
	}
}

// Drain refuses new requests and returns when all that were accepted have
// ended. Those that have not after the grace are cancelled with [ErrShutdown];
// Drain waits for them still.
func (p *Pool) Drain() {
	p.mu.Lock()
	p.draining = true
	p.mu.Unlock()
	timer := time.AfterFunc(p.config.Grace, func() { p.cancel(ErrShutdown) })
	p.work.Wait()
	timer.Stop()
	p.cancel(ErrShutdown)
}

// Answer has app handle a request and hands each answer to show: the first one,
// and then what takes its place, for as long as a reply has a Then. It returns
// when the last one is shown.
//
// That nothing is to be shown, because the request was answered before, is no
// error. If show fails, the work of Then is done all the same, and the errors
// are returned joined.
func Answer(ctx context.Context, app App, r Request, show func(context.Context, Reply) error) error {
	reply, err := app.Handle(ctx, r)
	var failed error
	for err == nil {
		if unseen := show(ctx, reply); unseen != nil {
			failed = errors.Join(failed, unseen)
		} else if reply.Shown != nil {
			reply.Shown(func(ctx context.Context, m Message) error { return show(ctx, Show(m)) })
		}
		if reply.Then == nil {
			return failed
		}
		reply, err = reply.Then(ctx)
	}
	if errors.Is(err, ErrDuplicate) {
		return failed
	}
	return errors.Join(failed, err)
}
