package console

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"
)

// longestLine is how much of a line is read, in bytes.
const longestLine = 64 << 10

var errLongLine = fmt.Errorf("that line is longer than %d KB, so it was not read", longestLine>>10)

// input is where lines come from. Both methods block and end with [io.EOF].
type input interface {
	line(prompt string) (string, error)
	secret(prompt string) (string, error) // not echoed
}

// A pipe reads lines that nobody types, so it shows no prompts.
type pipe struct{ r *bufio.Reader }

func newPipe(r io.Reader) *pipe { return &pipe{bufio.NewReaderSize(r, longestLine)} }

func (p *pipe) secret(prompt string) (string, error) { return p.line(prompt) }

func (p *pipe) line(string) (string, error) {
	b, err := p.r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = p.r.ReadSlice('\n')
		}
		return "", errLongLine
	}
	if len(b) > 0 && errors.Is(err, io.EOF) {
		err = nil // a last line without an end
	}
	return strings.TrimRight(string(b), "\r\n"), err
}

// A terminal reads lines with editing and a history, and is written to while
// somebody types.
type terminal struct {
	in, out *os.File

	mu     sync.Mutex // guards edit, which is made anew after Ctrl-C
	edit   *term.Terminal
	before *term.State // how the terminal was, while a line is read; else nil
}

func newTerminal(in, out *os.File) *terminal {
	t := &terminal{in: in, out: out}
	t.edit = t.editor(nil)
	return t
}

// editor returns a line editor with the history of an earlier one.
func (t *terminal) editor(old *term.Terminal) *term.Terminal {
	e := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{t.in, t.out}, "")
	if old != nil {
		e.History = old.History
	}
	return e
}

func (t *terminal) current() *term.Terminal {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.edit
}

// Write writes above the line that is being typed.
func (t *terminal) Write(b []byte) (int, error) { return t.current().Write(b) }

func (t *terminal) width() int {
	w, _, err := term.GetSize(int(t.out.Fd()))
	if err != nil || w <= 0 {
		return 80
	}
	return w
}

func (t *terminal) line(prompt string) (string, error) {
	return t.read(func(e *term.Terminal) (string, error) {
		e.SetPrompt(prompt)
		return e.ReadLine()
	})
}

func (t *terminal) secret(prompt string) (string, error) {
	return t.read(func(e *term.Terminal) (string, error) { return e.ReadPassword(prompt) })
}

// read switches the terminal to reading keys for one line only, so that logs
// and signals are as usual in between.
func (t *terminal) read(line func(*term.Terminal) (string, error)) (string, error) {
	fd := int(t.in.Fd())
	before, err := term.MakeRaw(fd)
	if err != nil {
		return "", fmt.Errorf("terminal: %w", err)
	}
	t.mu.Lock()
	t.before = before
	t.mu.Unlock()
	defer t.restore()
	e := t.current()
	if w, h, err := term.GetSize(int(t.out.Fd())); err == nil && w > 0 && h > 0 {
		e.SetSize(w, h) // fails only as writing does
	}
	s, err := line(e)
	if err != nil {
		t.mu.Lock()
		t.edit = t.editor(e) // the old one would keep the half line
		t.mu.Unlock()
		io.WriteString(t.out, "\r\n")
	}
	return s, err
}

// restore puts the terminal back as it was, if a line is being read.
func (t *terminal) restore() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.before != nil {
		term.Restore(int(t.in.Fd()), t.before) // nothing can be done if it fails
		t.before = nil
	}
}
