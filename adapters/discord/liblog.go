package discord

import (
	"strings"
	"sync"

	"github.com/bwmarrin/discordgo"
)

// The library tells how a running connection ended in its log and nowhere else,
// and its log is one variable of its package. So is what listens there: the one
// thing of this package that all adapters share.
var libraryLog listeners

// listeners are the lines that want to hear of the library's errors.
type listeners struct {
	once  sync.Once
	mu    sync.Mutex // guards lines
	lines map[*line]bool
}

// add has a line told of the errors on its gateway.
func (ls *listeners) add(l *line) {
	ls.once.Do(func() { discordgo.Logger = ls.hear })
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if ls.lines == nil {
		ls.lines = map[*line]bool{}
	}
	ls.lines[l] = true
}

func (ls *listeners) remove(l *line) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	delete(ls.lines, l)
}

// hear is the library's logger. A line of its log that is about an error names
// the gateway first. Nothing is printed: its other lines hold whole events.
func (ls *listeners) hear(_, _ int, _ string, args ...any) {
	if len(args) < 2 {
		return
	}
	gateway, named := args[0].(string)
	err, failed := args[1].(error)
	if !named || !failed {
		return
	}
	for _, l := range ls.on(gateway) {
		l.heardOf(err)
	}
}

// on returns the lines to a gateway.
func (ls *listeners) on(gateway string) []*line {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	var found []*line
	for l := range ls.lines {
		if strings.HasPrefix(gateway, l.url) {
			found = append(found, l)
		}
	}
	return found
}
