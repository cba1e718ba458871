package main

import (
	"context"
	"net"
	"sync"
	"time"
)

// trouble is what a proxy does to what passes through it. The zero trouble is
// none.
type trouble struct {
	delay   time.Duration // an answer waits for so long
	trickle time.Duration // an answer comes byte by byte, each so long after the last
	cut     int           // an answer ends after so many bytes; 0: it does not
	reset   bool          // a request is answered by a reset
	hang    bool          // a request is swallowed
	garbage string        // a request is answered by this
}

// A proxy stands between clients and a server, on any kind of connection, and
// does to them what bad networks do. Trouble that is set meets connections that
// are open already too.
type proxy struct {
	dial func() (net.Conn, error) // to the server

	mu    sync.Mutex // guards what follows
	now   trouble
	conns map[net.Conn]bool // all, to both sides
	pumps sync.WaitGroup
}

// newProxy returns a proxy to a server, without trouble.
func newProxy(dial func() (net.Conn, error)) *proxy {
	return &proxy{dial: dial, conns: map[net.Conn]bool{}}
}

// set makes trouble from now on.
func (p *proxy) set(t trouble) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = t
}

func (p *proxy) trouble() trouble {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

// serve takes connections from l until it is closed, and ends when all are over.
func (p *proxy) serve(l net.Listener) {
	for {
		client, err := l.Accept()
		if err != nil {
			break
		}
		server, err := p.dial()
		if err != nil {
			client.Close()
			continue
		}
		p.keep(client, server)
		p.pumps.Go(func() { p.pump(client, server, p.request) })
		p.pumps.Go(func() { p.pump(server, client, p.answer) })
	}
	p.drop()
	p.pumps.Wait()
}

func (p *proxy) keep(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		p.conns[c] = true
	}
}

// drop ends every connection.
func (p *proxy) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
	clear(p.conns)
}

// pump carries bytes from one side to the other until either ends, or carry says
// that it is over.
func (p *proxy) pump(from, to net.Conn, carry func(from, to net.Conn, b []byte) bool) {
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		if n > 0 && !carry(from, to, b[:n]) || err != nil {
			break
		}
	}
	from.Close()
	to.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, from)
}

// request carries a part of a request.
func (p *proxy) request(client, server net.Conn, b []byte) bool {
	switch t := p.trouble(); {
	case t.reset:
		if tcp, ok := client.(*net.TCPConn); ok {
			tcp.SetLinger(0) // else it would be an orderly end
		}
		return false
	case t.garbage != "":
		client.Write([]byte(t.garbage)) // who does not read it has gone
		return false
	case t.hang:
		return true
	}
	_, err := server.Write(b)
	return err == nil
}

// answer carries a part of an answer.
func (p *proxy) answer(_, client net.Conn, b []byte) bool {
	t := p.trouble()
	time.Sleep(t.delay)
	if t.trickle > 0 {
		for i := range b {
			time.Sleep(t.trickle)
			if _, err := client.Write(b[i : i+1]); err != nil {
				return false
			}
		}
		return true
	}
	if t.cut > 0 {
		client.Write(b[:min(t.cut, len(b))])
		return false
	}
	_, err := client.Write(b)
	return err == nil
}

// pipes is a listener whose connections are pipes, for use in a bubble.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

// dial connects to whoever accepts.
func (p *pipes) dial(ctx context.Context) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Accept returns the next pipe.
func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept and dial.
func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

// Addr returns an address that nobody uses.
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }
