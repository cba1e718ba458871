package web

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// client returns the address of whoever asks. X-Forwarded-For is read from its
// end, where the proxy that connects has written, towards its beginning, where
// anybody may have: up to the first hop that is no trusted proxy. What cannot be
// read ends it, too.
func (s *Server) client(r *http.Request) netip.Addr {
	at := addrOf(r.RemoteAddr)
	if !s.trusts(at) {
		return at
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		next := addrOf(strings.TrimSpace(hop))
		if !next.IsValid() {
			break
		}
		if at = next; !s.trusts(at) {
			break
		}
	}
	return at
}

func (s *Server) trusts(a netip.Addr) bool {
	return slices.ContainsFunc(s.config.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// addrOf reads an address that may have a port; the zero Addr is none.
func addrOf(text string) netip.Addr {
	if host, _, err := net.SplitHostPort(text); err == nil {
		text = host
	}
	a, _ := netip.ParseAddr(strings.Trim(text, "[]"))
	return a.Unmap().WithZone("")
}

// network is what counts as one client: an address, and with IPv6 the network
// that one customer gets.
func network(a netip.Addr) netip.Prefix {
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits)
	return p
}

// maxClients bounds what a throttle remembers.
const maxClients = 10_000

// A throttle lets each client spend so much a minute. The zero value is ready.
type throttle struct {
	mu    sync.Mutex
	began time.Time // of the minute that is counted
	spent map[netip.Prefix]int
}

// allow reports whether a client may spend a cost, of a budget for each minute,
// and spends it; if not, how long to wait. Clients that there is no room for share
// one budget.
func (t *throttle) allow(client netip.Prefix, cost, budget int, now time.Time) (wait time.Duration, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if age := now.Sub(t.began); t.spent == nil || age >= time.Minute || age < 0 {
		t.began, t.spent = now, map[netip.Prefix]int{}
	}
	if _, known := t.spent[client]; !known && len(t.spent) >= maxClients {
		client = netip.Prefix{}
	}
	if t.spent[client]+cost > budget {
		return t.began.Add(time.Minute).Sub(now), false
	}
	t.spent[client] += cost
	return 0, true
}
