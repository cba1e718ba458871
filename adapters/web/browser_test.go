package web

import (
	"context"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

var pictures = flag.String("pictures", "", "a `folder` for pictures of the pages")

// browser starts a headless Chromium that sees this machine only. The test is
// skipped where there is none.
func browser(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed: no real browser opens the pages (on Debian: apt install chromium)")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.Flag("headless", "new"),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"), chromedp.Flag("hide-scrollbars", true))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // it refuses to run as root otherwise, and sees our own pages only
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	return ctx
}

// drive does things in the browser.
func drive(ctx context.Context, t *testing.T, steps ...step) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// read returns what an action finds.
func read[T any](ctx context.Context, t *testing.T, a chromedp.Action[T]) T {
	t.Helper()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// A step is something done in the browser.
type step = chromedp.Action[chromedp.Void]

// command is a step that the protocol knows and the library has no name for.
func command[P, R any](c cdp.Command[P, R], params P) step {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}

// screen makes the browser's window one of a width and a colour scheme.
func screen(width int64, scheme string) step {
	return chromedp.Steps(chromedp.EmulateViewport(width, 800, chromedp.EmulateScale(2)),
		command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		}))
}

// A scene is a page in one of its states, and how one gets there.
type scene struct {
	name  string
	set   func(*desk)
	enter []string // user id, token, and "yes" for the confirmation; nil: the form is not sent
}

// act opens a page and enters what is to be entered.
func act(ctx context.Context, t *testing.T, url string, enter []string) {
	t.Helper()
	drive(ctx, t, chromedp.Navigate(url))
	if enter == nil {
		return
	}
	var steps []step
	for i, field := range []chromedp.CSS{"#user_id", "#token"} {
		if enter[i] != "" {
			steps = append(steps, chromedp.SendKeys(field, enter[i]))
		}
	}
	if enter[2] == "yes" {
		steps = append(steps, chromedp.Click(chromedp.CSS("#confirm")))
	}
	if _, err := chromedp.RunResponse(ctx, append(steps, chromedp.Click(chromedp.CSS("button")))...); err != nil {
		t.Fatal(err)
	}
}

func scenes() []scene {
	return []scene{
		{name: "form"},
		{name: "again", set: func(d *desk) { d.offer.Relink = true; d.offer.Tries = 3; d.offer.Workspace = "" }},
		{name: "long", set: func(d *desk) {
			d.offer.Name = "Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh-Cholmondeley"
			d.offer.Workspace = "The International Customer Care Operations Workspace of Northwind Traders"
		}},
		{name: "faults", enter: []string{"100264", "", ""}},
		{name: "refused", enter: []string{"100264", "wrong", "yes"}},
		{name: "ended", set: func(d *desk) { d.offer.Tries = 1 }, enter: []string{"100264", "wrong", "yes"}},
		{name: "done", enter: []string{"100264", "good", "yes"}},
		{name: "gone", set: func(d *desk) { d.good = false }},
	}
}

// TestPictures opens every state of the page on a phone and on a desk, light and
// dark. None is wider than its screen. With -pictures they are kept, to be looked
// at.
func TestPictures(t *testing.T) {
	ctx := browser(t)
	schemes := []string{"light"}
	if *pictures != "" {
		schemes = append(schemes, "dark")
	}
	for _, sc := range scenes() {
		for _, width := range []int64{360, 1280} {
			for _, scheme := range schemes {
				picture(ctx, t, sc, width, scheme)
			}
		}
	}
}

func picture(ctx context.Context, t *testing.T, sc scene, width int64, scheme string) {
	t.Helper()
	st := newStand(t)
	if sc.set != nil {
		sc.set(st.desk)
	}
	server := httptest.NewServer(st)
	defer server.Close()
	drive(ctx, t, screen(width, scheme))
	act(ctx, t, server.URL+"/link/"+ticket, sc.enter)
	if wide := read(ctx, t, chromedp.Evaluate[int64]("document.documentElement.scrollWidth")); wide > width {
		t.Errorf("%s is %d wide on a screen of %d", sc.name, wide, width)
	}
	if *pictures == "" {
		return
	}
	png := read(ctx, t, chromedp.FullScreenshot(100))
	if err := os.WriteFile(filepath.Join(*pictures, fmt.Sprintf("%s-%d-%s.png", sc.name, width, scheme)), png, 0o644); err != nil {
		t.Fatal(err)
	}
}
