package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"floorwalker/adapters/slack"
	"floorwalker/bot/chat"
)

// A network is how the cards of one network become pages.
type network struct {
	name  chat.Network
	looks []string
	draw  func(ctx context.Context, look string, cards []card) ([]page, error)
}

// networks returns all of them, the most important first.
func networks() []network {
	return []network{
		{chat.Slack, []string{"slack-light", "slack-dark"}, drawSlack},
		{chat.Discord, []string{"discord-dark", "discord-light"}, drawDiscord},
		{chat.Console, []string{"terminal"}, drawTerminal},
	}
}

// pages returns the pages of cards whose names hold a word.
func (n network) pages(ctx context.Context, only string, cards []card) ([]page, error) {
	var pages []page
	for _, look := range n.looks {
		wanted := slices.DeleteFunc(slices.Clone(cards), func(c card) bool {
			return !strings.Contains(page{card: c.name, look: look}.name(), only)
		})
		if len(wanted) == 0 {
			continue
		}
		drawn, err := n.draw(ctx, look, wanted)
		if err != nil {
			return nil, err
		}
		pages = append(pages, drawn...)
	}
	return pages, nil
}

// A job is a card for the node part: what the network was sent.
type job struct {
	Network chat.Network    `json:"network"`
	Theme   string          `json:"theme"`  // "light" or "dark"
	Kind    string          `json:"kind"`   // "message", "form" or "home"
	Only    bool            `json:"only"`   // the person alone sees it
	At      time.Time       `json:"at"`     // when it was sent
	People  []named         `json:"people"` // who may be mentioned
	Offset  int             `json:"offset"` // of the reader's clock from UTC, in seconds
	Drawing json.RawMessage `json:"drawing"`
}

// A named is somebody whom the network knows by a name.
type named struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// drawSlack has Slack's adapter draw the cards and node make pages of that.
func drawSlack(ctx context.Context, look string, cards []card) ([]page, error) {
	var jobs []job
	for _, c := range cards {
		_, offset := c.at.Zone()
		j := job{Network: chat.Slack, Theme: theme(look), Kind: "message", At: c.at, Offset: offset, People: c.people}
		var err error
		switch {
		case c.form != nil:
			j.Kind = "form"
			j.Drawing, err = slack.DrawForm(*c.form)
		case c.page != nil:
			j.Kind = "home"
			j.Drawing, err = slack.DrawPage(c.page)
		default:
			j.Only = !c.sent && c.message.Private
			j.Drawing, err = slack.Draw(c.message)
		}
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, j)
	}
	return pagesOf(ctx, look, cards, jobs)
}

func theme(look string) string {
	if strings.HasSuffix(look, "-light") {
		return "light"
	}
	return "dark"
}

// pagesOf has node draw the jobs, one for each card.
func pagesOf(ctx context.Context, look string, cards []card, jobs []job) ([]page, error) {
	dir, err := nodeDir()
	if err != nil {
		return nil, err
	}
	node, err := findNode(dir)
	if err != nil {
		return nil, err
	}
	in, err := json.Marshal(jobs)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, node, "render.mjs")
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(in)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("node render.mjs: %w\n%s", err, complaint.String())
	}
	var html []string
	if err := json.Unmarshal(out, &html); err != nil || len(html) != len(jobs) {
		return nil, fmt.Errorf("node render.mjs answered %d pages for %d cards (%v)", len(html), len(jobs), err)
	}
	var pages []page
	for i, c := range cards {
		pages = append(pages, page{card: c.name, look: look, html: html[i]})
	}
	return pages, nil
}

// nodeDir returns the folder of the node part, wherever the command is run from.
func nodeDir() (string, error) {
	_, file, _, ok := runtime.Caller(0)
	if dir := filepath.Join(filepath.Dir(file), "node"); ok {
		if _, err := os.Stat(dir); err == nil {
			return dir, nil
		}
	}
	return "", errors.New("docs/gallery/node is not where this program was compiled: use go run ./docs/gallery")
}

// findNode returns where node is, once its packages are there too.
func findNode(dir string) (string, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return "", errors.New("node is not installed (Node.js 20 or newer; then run npm ci in docs/gallery/node)")
	}
	for _, name := range []string{"slack-blocks-to-jsx", "@skyra/discord-components-core"} {
		if _, err := fs.Stat(os.DirFS(dir), "node_modules/"+name); err != nil {
			return "", errors.New("the node part's packages are not installed (run npm ci in docs/gallery/node)")
		}
	}
	return node, nil
}
