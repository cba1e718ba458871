package web

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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
		command(emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}),
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

// TestPictures opens every state of the page on a phone. None is wider than its
// screen, screen readers and keyboards get what they need, and the summary of what
// is wrong comes first. With -pictures they are kept, of a phone and of a desk,
// light and dark, to be looked at.
func TestPictures(t *testing.T) {
	ctx := browser(t)
	widths, schemes := []int64{360}, []string{"light"}
	if *pictures != "" {
		widths, schemes = append(widths, 1280), append(schemes, "dark")
	}
	for _, sc := range scenes() {
		for _, width := range widths {
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
	if wrong := read(ctx, t, chromedp.Evaluate[[]string](accessible)); len(wrong) > 0 {
		t.Errorf("%s: %s", sc.name, strings.Join(wrong, "; "))
	}
	focus := read(ctx, t, chromedp.Evaluate[string]("document.activeElement.className"))
	if alert := sc.name == "faults" || sc.name == "refused" || sc.name == "ended"; alert != (focus == "alert") {
		t.Errorf("%s: the focus is on %q", sc.name, focus)
	}
	if unseen := read(ctx, t, chromedp.Evaluate[[]string](focusable)); len(unseen) > 0 {
		t.Errorf("%s: whoever uses a keyboard does not see where they are: %s", sc.name, strings.Join(unseen, ", "))
	}
	if *pictures == "" {
		return
	}
	png := read(ctx, t, chromedp.FullScreenshot(100))
	if err := os.WriteFile(filepath.Join(*pictures, fmt.Sprintf("%s-%d-%s.png", sc.name, width, scheme)), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestBrowserLinks goes the whole way in a real browser: what is missing, a wrong
// credential, the right one, and back.
func TestBrowserLinks(t *testing.T) {
	ctx := browser(t)
	for _, scripts := range []bool{true, false} {
		st := newStand(t)
		server := httptest.NewServer(st)
		defer server.Close()
		url := server.URL + "/link/" + ticket
		drive(ctx, t, command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !scripts}), screen(360, "light"))

		act(ctx, t, url, []string{"100264", "", ""})
		wants(ctx, t, "Error: Not linked yet", "Give the token too", "Confirm that these")
		drive(ctx, t, chromedp.SendKeys(chromedp.CSS("#token"), "wrong"), chromedp.Click(chromedp.CSS("#confirm")))
		sends(ctx, t)
		wants(ctx, t, "Error: Not linked yet", "does not accept", "Tries left: 4")
		drive(ctx, t, chromedp.SendKeys(chromedp.CSS("#token"), "good"), chromedp.Click(chromedp.CSS("#confirm")))
		sends(ctx, t)
		wants(ctx, t, "You are linked", "Go back to Slack")
		if n := len(st.desk.submitted); n != 3 || st.desk.submitted[2].UserID != "100264" {
			t.Errorf("scripts %v: %d submissions, the last %+v", scripts, n, st.desk.submitted)
		}
		drive(ctx, t, chromedp.Navigate(url))
		wants(ctx, t, "This link does not work any more", "newest one only")
	}
}

// sends presses the button and waits for the answer.
func sends(ctx context.Context, t *testing.T) {
	t.Helper()
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS("button"))); err != nil {
		t.Fatal(err)
	}
}

// wants looks for a title and for texts in the page.
func wants(ctx context.Context, t *testing.T, title string, texts ...string) {
	t.Helper()
	if got := read(ctx, t, chromedp.Title()); !strings.HasPrefix(got, title) {
		t.Errorf("the page is called %q, want %q", got, title)
	}
	body := read(ctx, t, chromedp.Text(chromedp.CSS("body")))
	for _, text := range texts {
		if !strings.Contains(body, text) {
			t.Errorf("the page does not say %q: %s", text, body)
		}
	}
}

// injecting is a listener behind which somebody has put markup into the page.
func injecting(st *stand, policy bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		answer := st.do(r)
		for k, v := range answer.Result().Header {
			if policy || k != "Content-Security-Policy" {
				w.Header()[k] = v
			}
		}
		w.WriteHeader(answer.Code)
		io.WriteString(w, strings.Replace(answer.Body.String(), "</main>",
			`<script>document.title = "owned"</script><img src="x" onerror="document.title='owned'"><style>h1 { color: rgb(1, 2, 3) !important }</style></main>`, 1))
	}
}

// TestBrowserPolicy: a script or a style that gets into the page does nothing,
// because of the policy, and our own style does.
func TestBrowserPolicy(t *testing.T) {
	ctx := browser(t)
	for policy, want := range map[bool]string{true: "Link your account · floorwalker", false: "owned"} {
		server := httptest.NewServer(injecting(newStand(t), policy))
		defer server.Close()
		drive(ctx, t, screen(360, "light"), chromedp.Navigate(server.URL+"/link/"+ticket))
		if got := read(ctx, t, chromedp.Title()); got != want {
			t.Errorf("with the policy %v the page is called %q, want %q", policy, got, want)
		}
		colour := read(ctx, t, chromedp.Evaluate[string]("getComputedStyle(document.querySelector('h1')).color"))
		if styled := colour == "rgb(1, 2, 3)"; styled == policy {
			t.Errorf("with the policy %v the heading is %s", policy, colour)
		}
		if round := read(ctx, t, chromedp.Evaluate[string]("getComputedStyle(document.querySelector('main')).borderRadius")); round != "16px" {
			t.Errorf("with the policy %v our own style is not used: %s", policy, round)
		}
	}
}

// accessible says what a screen reader would miss: inputs without a label, and
// descriptions and links that lead nowhere, ids given twice.
const accessible = `(() => {
	const wrong = [];
	for (const i of document.querySelectorAll("input")) {
		if (i.labels.length !== 1) wrong.push(i.id + " has no label");
		for (const id of (i.getAttribute("aria-describedby") || "").split(" ").filter(x => x))
			if (!document.getElementById(id)) wrong.push(i.id + " is described by " + id);
	}
	for (const s of document.querySelectorAll("[aria-labelledby]"))
		if (!document.getElementById(s.getAttribute("aria-labelledby"))) wrong.push("a section without its title");
	for (const a of document.querySelectorAll("a"))
		if (!document.querySelector(a.getAttribute("href"))) wrong.push("a link to " + a.href);
	const ids = [...document.querySelectorAll("[id]")].map(e => e.id);
	for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) wrong.push("two of " + id);
	if (document.querySelectorAll("h1").length !== 1) wrong.push("not one heading");
	return wrong;
})()`

// focusable says which inputs, buttons and links do not show that they have the
// focus. What is folded away cannot have it.
const focusable = `(() => {
	const unseen = [];
	for (const e of document.querySelectorAll("input, button, summary, a")) {
		e.focus({focusVisible: true});
		const s = getComputedStyle(e);
		if (document.activeElement === e && (s.outlineStyle === "none" || parseFloat(s.outlineWidth) < 2)) unseen.push(e.id || e.tagName);
	}
	document.activeElement.blur();
	return unseen;
})()`
