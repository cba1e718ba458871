package chat

import "sort"

// This file makes a whole message fit, once each of its parts does.

// fits reports whether m is within the total and the number of blocks.
func (f *fitter) fits(m Message) bool {
	blocks, total := len(m.Blocks), f.fixedSize(m)
	for _, b := range m.Blocks {
		total += f.blockSize(b)
	}
	if note := f.note(); note != nil {
		blocks++
		total += f.blockSize(note)
	}
	return blocks <= limit(f.l.Blocks) && total <= limit(f.l.Total)
}

// fixedSize returns the size of all but the blocks.
func (f *fitter) fixedSize(m Message) int {
	n := f.size(m.Title) + f.textSize(m.Footer)
	for _, a := range m.Actions {
		n += f.size(a.Label)
	}
	return n
}

// squeeze returns m with so much left out that it fits, with space for a note.
// Title, footer and buttons get a sixth of the whole each before they are cut:
// the body is what people asked for.
func (f *fitter) squeeze(m Message) Message {
	share := limit(f.l.Total) / 6
	m.Title = Clip(m.Title, share, f.size)
	m.Footer = f.cut(m.Footer, share)
	kept, labels := 0, 0
	for ; kept < len(m.Actions); kept++ {
		if labels += f.size(m.Actions[kept].Label); labels > share {
			break
		}
	}
	m.Actions = head(m.Actions, kept, &f.left.buttons)

	room := limit(f.l.Total) - f.fixedSize(m) - f.blockSize(longestNote)
	for i, b := range m.Blocks {
		size := f.blockSize(b)
		if i < limit(f.l.Blocks)-1 && size <= room {
			room -= size
			continue
		}
		f.left.parts += len(m.Blocks) - i
		m.Blocks = m.Blocks[:i]
		if i == limit(f.l.Blocks)-1 {
			break
		}
		if short := f.shorten(b, room); short != nil {
			m.Blocks = append(m.Blocks, short)
			f.left.parts--
		}
		break
	}
	return m
}

// blockSize returns the size of a block as it is drawn.
func (f *fitter) blockSize(b Block) int {
	if f.l.BlockSize != nil {
		return f.l.BlockSize(b)
	}
	n := 0
	add := func(texts ...string) {
		for _, s := range texts {
			n += f.size(s)
		}
	}
	switch b := b.(type) {
	case Paragraph:
		n = f.textSize(b.Text)
	case Fields:
		for _, x := range b {
			add(x.Label, x.Value, x.Note)
		}
	case Table:
		for _, c := range b.Columns {
			add(c.Title)
		}
		for _, row := range b.Rows {
			add(row...)
		}
		if b.More > 0 {
			add(more(b.More))
		}
	case Chart:
		add(b.Title, b.Unit, b.Alt)
		add(b.Labels...)
		for _, s := range b.Series {
			add(s.Name)
		}
	}
	return n
}

// shorten returns as much of the beginning of a block as has the size, nil if
// that is nothing worth showing.
func (f *fitter) shorten(b Block, room int) Block {
	if f.blockSize(b) <= room {
		return b
	}
	switch b := b.(type) {
	case Paragraph:
		return f.shortenParagraph(b, room)
	case Fields:
		n := f.most(len(b), room, func(n int) Block { return b[:n] })
		if n == 0 {
			return nil
		}
		f.left.facts += len(b) - n
		return b[:n:n]
	case Table:
		first := func(n int) Block {
			return Table{Columns: b.Columns, Rows: b.Rows[:n:n], More: b.More + len(b.Rows) - n}
		}
		if n := f.most(len(b.Rows), room, first); n > 0 {
			return first(n)
		}
	}
	return nil
}

// shortenParagraph cuts the text, but not to a stump.
func (f *fitter) shortenParagraph(p Paragraph, room int) Block {
	const stump = 20
	room -= f.blockSize(p) - f.textSize(p.Text) // what the adapter puts around it
	if room < stump {
		return nil
	}
	p.Text = f.cut(p.Text, room)
	return p
}

// most returns the largest n below all for which the block has the size.
func (f *fitter) most(all, room int, block func(n int) Block) int {
	return max(0, sort.Search(all, func(n int) bool { return f.blockSize(block(n)) > room })-1)
}
