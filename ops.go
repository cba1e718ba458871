package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// opsHandler serves what machines ask: /healthz, which is well while every loop
// goes round, so that a restart mends what it is not; /readyz with the reasons if
// anything is wrong; /metrics.
func opsHandler(health *Health, m *metrics) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if health.Stuck(time.Now()) {
			http.Error(w, "a loop stands still; /readyz says which", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		reasons := health.Reasons(time.Now())
		w.Header().Set("Content-Type", "application/json")
		if len(reasons) > 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		json.NewEncoder(w).Encode(readyAnswer{len(reasons) == 0, sortedReasons(reasons), health.Detail()})
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	return mux
}

// sortedReasons writes "part: reason" lines, sorted.
func sortedReasons(reasons map[string]string) []string {
	lines := []string{}
	for _, part := range slices.Sorted(maps.Keys(reasons)) {
		lines = append(lines, part+": "+reasons[part])
	}
	return lines
}

// serveHTTP serves a handler on a listener until ctx ends, then lets requests
// under way finish for at most five seconds.
func serveHTTP(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 32 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(closed)
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		server.Shutdown(grace)
	})
	err := server.Serve(l)
	if !stop() {
		<-closed
	}
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	}
	return nil
}

// version returns the program's version: the module's, or the revision it was
// built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	if v == "" {
		v = "(devel)"
	}
	return v + " " + info.GoVersion
}
