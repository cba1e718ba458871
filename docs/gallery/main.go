// Command gallery draws every card of the product to pictures, as Slack, Discord
// and a terminal show it, for the people who work on its looks:
//
//	go run ./docs/gallery [-out DIR] [-only NAME]
//
// The cards are what package bot answers on simulated floors, drawn by the
// adapters themselves; the link page is the server's own, on a phone. The bot runs
// with all its loops, on the same Wednesday every time, in bubbles of
// testing/synctest: hours of it take seconds, and numbers and times are the same.
//
// What Slack and Discord get becomes a page by libraries of others, and headless
// Chromium takes the picture. That needs node, the packages of docs/gallery/node
// (npm ci there) and Chromium. It listens nowhere.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"html/template"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"floorwalker/bot/chat"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	out := flag.String("out", "", "the `folder` to write to; a new one among the temporary ones if empty")
	only := flag.String("only", "", "draw only pictures whose `name` holds this, such as mystats or slack-dark")
	flag.Parse()
	// Bubbles are to be had in tests only, so it is one; it says PASS in the end.
	testing.Main(func(_, _ string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: "gallery", F: func(t *testing.T) {
		cards, err := playAll(t, everything())
		links, linkErr := linkPages(t)
		if err = errors.Join(err, linkErr); err == nil {
			err = run(ctx, *out, *only, cards, links)
		}
		if err != nil {
			t.Fatal(err)
		}
	}}}, nil, nil)
}

// run draws the pictures of cards, and of more pages, whose names hold a word, and
// a page that shows them.
func run(ctx context.Context, out, only string, cards map[chat.Network][]card, more []page) (err error) {
	pages, err := drawAll(ctx, only, cards)
	if err != nil {
		return err
	}
	pages = append(pages, slices.DeleteFunc(more, func(p page) bool { return !strings.Contains(p.name(), only) })...)
	if len(pages) == 0 {
		return fmt.Errorf("no picture has %q in its name", only)
	}
	b, err := startBrowser(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	if out == "" {
		if out, err = os.MkdirTemp("", "floorwalker-gallery-"); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	for _, p := range pages {
		picture, err := b.picture(p)
		if err != nil {
			return fmt.Errorf("take the picture %s: %w", p.name(), err)
		}
		if err := os.WriteFile(filepath.Join(out, p.name()+".png"), picture, 0o644); err != nil {
			return err
		}
	}
	index := filepath.Join(out, "index.html")
	fmt.Printf("%d pictures: %s\n", len(pages), index)
	return writeIndex(index, pages)
}

// A page is one card in one look, ready for the browser. The element with the id
// "card" is the picture.
type page struct {
	card, look string
	html       string
	width      int // of the window, in points; 0 for wide enough
}

func (p page) name() string { return p.card + "." + p.look }

// drawAll returns the pages whose names hold a word, cards in their order and
// the looks of one card together.
func drawAll(ctx context.Context, only string, cards map[chat.Network][]card) ([]page, error) {
	all := networks()
	drawn := make([][]page, len(all))
	g, ctx := errgroup.WithContext(ctx)
	for i, n := range all {
		g.Go(func() (err error) {
			drawn[i], err = n.pages(ctx, only, cards[n.name])
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	pages := slices.Concat(drawn...)
	order := map[string]int{}
	for i, p := range pages {
		if _, ok := order[p.card]; !ok {
			order[p.card] = i
		}
	}
	slices.SortStableFunc(pages, func(a, b page) int { return cmp.Compare(order[a.card], order[b.card]) })
	return pages, nil
}

// writeIndex writes a page that shows the pictures, a row for each card.
func writeIndex(file string, pages []page) error {
	t := template.Must(template.New("").Parse(`<!doctype html><meta charset="utf-8"><title>Gallery</title>
<body style="font:14px sans-serif;background:#ddd">{{range .}}
<figure style="display:inline-block;vertical-align:top;margin:8px"><figcaption>{{.}}</figcaption><img src="{{.}}.png" style="width:640px"></figure>{{end}}
`))
	var names []string
	for _, p := range pages {
		names = append(names, p.name())
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	return errors.Join(t.Execute(f, names), f.Close())
}
