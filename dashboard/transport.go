package dashboard

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// idleFor is how long an idle connection is kept. Node, which the API's headers
// point to, hangs up after 5 s; staying below spares most stale connections.
const idleFor = 4 * time.Second

// newTransport returns a connection pool for one host. The default transport
// would keep two idle connections and dial anew for nearly every request. It is
// HTTP/1.1 on purpose: HTTP/2 is slower per request of this size, and cold it
// dials for every call in flight.
func newTransport(cfg Config, dials *atomic.Uint64) *http.Transport {
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			dials.Add(1)
			return dialer.DialContext(ctx, network, addr)
		},
		Protocols:              protocols,
		MaxIdleConnsPerHost:    cfg.MaxInFlight,
		MaxConnsPerHost:        cfg.MaxInFlight,
		IdleConnTimeout:        idleFor,
		TLSHandshakeTimeout:    5 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true,
	}
}
