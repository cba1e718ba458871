package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"time"
)

// pictureTime bounds one picture.
const pictureTime = 30 * time.Second

// scale is how many pixels a point has: pictures are for dense screens.
const scale = 2

// A browser is a headless Chromium that is spoken to over its pipe, in the
// DevTools protocol. It is for one goroutine.
type browser struct {
	cmd     *exec.Cmd
	profile string
	in      io.WriteCloser
	out     *bufio.Reader
	session string
	frame   string
	calls   int
}

// findChromium returns where Chromium is.
func findChromium() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("chromium is not installed: it takes the pictures (on Debian: apt install chromium)")
}

// startBrowser starts Chromium with a profile of its own. It ends with ctx or
// when it is closed.
func startBrowser(ctx context.Context) (b *browser, err error) {
	path, err := findChromium()
	if err != nil {
		return nil, err
	}
	b = &browser{}
	if b.profile, err = os.MkdirTemp("", "gallery-chromium-"); err != nil {
		return nil, err
	}
	if err := b.launch(ctx, path); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", path, err), os.RemoveAll(b.profile))
	}
	if err := b.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("open a page in %s: %w", path, err), b.close())
	}
	return b, nil
}

// launch starts the process with the two pipes that it expects as files 3 and 4.
func (b *browser) launch(ctx context.Context, path string) error {
	theirIn, ourOut, err := os.Pipe()
	if err != nil {
		return err
	}
	ourIn, theirOut, err := os.Pipe()
	if err != nil {
		return err
	}
	args := []string{
		"--headless=new", "--remote-debugging-pipe", "--user-data-dir=" + b.profile, "--disable-gpu", "--hide-scrollbars",
		"--disable-dev-shm-usage", "--no-first-run", "--host-resolver-rules=MAP * ~NOTFOUND",
	}
	if os.Geteuid() == 0 {
		args = append(args, "--no-sandbox") // it refuses to run as root otherwise, and shows our own pages only
	}
	b.cmd = exec.CommandContext(ctx, path, args...)
	b.cmd.ExtraFiles = []*os.File{theirIn, theirOut}
	b.in, b.out = ourOut, bufio.NewReader(ourIn)
	err = b.cmd.Start()
	return errors.Join(err, theirIn.Close(), theirOut.Close())
}

// open makes the page that pictures are taken of.
func (b *browser) open() error {
	var target struct {
		TargetID string `json:"targetId"`
	}
	if err := b.call("Target.createTarget", object{"url": "about:blank"}, &target); err != nil {
		return err
	}
	var attached struct {
		SessionID string `json:"sessionId"`
	}
	if err := b.call("Target.attachToTarget", object{"targetId": target.TargetID, "flatten": true}, &attached); err != nil {
		return err
	}
	b.session = attached.SessionID
	var tree struct {
		FrameTree struct {
			Frame struct {
				ID string `json:"id"`
			} `json:"frame"`
		} `json:"frameTree"`
	}
	err := b.call("Page.getFrameTree", nil, &tree)
	b.frame = tree.FrameTree.Frame.ID
	return err
}

// close ends the browser and removes its profile.
func (b *browser) close() error {
	if err := b.call("Browser.close", nil, nil); err != nil {
		b.cmd.Process.Kill() // it is gone already, or does not listen
	}
	b.in.Close()
	b.cmd.Wait() // how it ends is of no interest
	return os.RemoveAll(b.profile)
}

type object map[string]any

// call calls a method and waits for its result. Events in between are passed
// over.
func (b *browser) call(method string, params object, result any) error {
	b.calls++
	request, err := json.Marshal(struct {
		ID      int    `json:"id"`
		Session string `json:"sessionId,omitempty"`
		Method  string `json:"method"`
		Params  object `json:"params,omitempty"`
	}{b.calls, b.session, method, params})
	if err != nil {
		return err
	}
	if _, err := b.in.Write(append(request, 0)); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	for {
		raw, err := b.out.ReadBytes(0)
		if err != nil {
			return fmt.Errorf("%s: Chromium went away: %w", method, err)
		}
		var answer struct {
			ID     int             `json:"id"`
			Result json.RawMessage `json:"result"`
			Error  *struct {
				Message string `json:"message"`
			} `json:"error"`
		}
		if err := json.Unmarshal(raw[:len(raw)-1], &answer); err != nil {
			return fmt.Errorf("%s: %w", method, err)
		}
		switch {
		case answer.ID != b.calls:
			continue
		case answer.Error != nil:
			return fmt.Errorf("%s: %s", method, answer.Error.Message)
		case result == nil:
			return nil
		}
		return json.Unmarshal(answer.Result, result)
	}
}

// ready waits for fonts and pictures, and returns where the card is.
const ready = `(async () => {
	await Promise.all([...document.fonts].map(f => f.load()))
	await Promise.all([...document.images].map(i => i.decode()))
	if (window.ready) await window.ready
	const r = document.querySelector('#card').getBoundingClientRect()
	return [r.x, r.y, r.width, r.height]
})()`

// picture shows a page and returns its card as a PNG.
func (b *browser) picture(p page) ([]byte, error) {
	if err := b.size(cmp.Or(p.width, 900), 600); err != nil {
		return nil, err
	}
	scheme := object{"name": "prefers-color-scheme", "value": theme(p.look)}
	if err := b.call("Emulation.setEmulatedMedia", object{"features": []object{scheme}}, nil); err != nil {
		return nil, err
	}
	if err := b.call("Page.setDocumentContent", object{"frameId": b.frame, "html": p.html}, nil); err != nil {
		return nil, err
	}
	var found struct {
		Result struct {
			Value json.RawMessage `json:"value"`
		} `json:"result"`
		Exception *struct {
			Exception struct {
				Description string `json:"description"`
			} `json:"exception"`
		} `json:"exceptionDetails"`
	}
	wait := object{"expression": ready, "awaitPromise": true, "returnByValue": true, "timeout": pictureTime.Milliseconds()}
	if err := b.call("Runtime.evaluate", wait, &found); err != nil {
		return nil, err
	}
	if found.Exception != nil {
		return nil, fmt.Errorf("look for the card on the page: %s", found.Exception.Exception.Description)
	}
	var box [4]float64
	if err := json.Unmarshal(found.Result.Value, &box); err != nil {
		return nil, err
	}
	if err := b.size(int(box[0]+math.Ceil(box[2])), int(box[1]+math.Ceil(box[3]))); err != nil {
		return nil, err
	}
	var shot struct {
		Data []byte `json:"data"`
	}
	clip := object{"x": box[0], "y": box[1], "width": math.Ceil(box[2]), "height": math.Ceil(box[3]), "scale": 1}
	err := b.call("Page.captureScreenshot", object{"format": "png", "clip": clip}, &shot)
	return shot.Data, err
}

// size makes the window so many points wide and high.
func (b *browser) size(width, height int) error {
	return b.call("Emulation.setDeviceMetricsOverride",
		object{"width": width, "height": height, "deviceScaleFactor": scale, "mobile": false}, nil)
}
