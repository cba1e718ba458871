package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"floorwalker/store"
)

// TestBackupThatBreaksOff lets a backup end halfway, beside a running serve and in
// the command's own process: the reason arrives, and no file is left.
func TestBackupThatBreaksOff(t *testing.T) {
	breaksOff := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", failureTrailer)
		w.Write(bytes.Repeat([]byte("half of a backup"), 1<<12))
		w.Header().Set(failureTrailer, "history of 2026-08-02: damaged")
	})
	path := filepath.Join(t.TempDir(), "socket")
	l, err := listenOffice(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var g errgroup.Group
	g.Go(func() error { return serveHTTP(ctx, l, breaksOff, slog.New(slog.DiscardHandler)) })
	defer g.Wait()
	defer cancel()
	for way, c := range map[string]*clerk{"over the socket": dialOffice(t.Context(), path), "in this process": {http: &http.Client{Transport: direct{breaksOff}}}} {
		file := filepath.Join(t.TempDir(), "saved.tar")
		err := store.SaveBackup(file, func(w io.Writer) error { return c.fetchBackup(t.Context(), w) })
		if err == nil || !strings.Contains(err.Error(), "history of 2026-08-02: damaged") {
			t.Errorf("%s: %v", way, err)
		}
		if left, err := filepath.Glob(filepath.Join(filepath.Dir(file), "*")); err != nil || len(left) > 0 {
			t.Errorf("%s: left over are %q, %v", way, left, err)
		}
	}
}
