package discordtest

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

var (
	embedKeys = strings.Fields("type url title color timestamp description author image thumbnail footer fields provider video")
	mediaKeys = strings.Fields("url proxy_url width height description placeholder placeholder_version content_type flags")
	parties   = strings.Fields("text name url icon_url proxy_icon_url")
)

// embeds reads and checks the embeds of a message that will have these files.
func (p place) embeds(body obj, files []Attachment) []obj {
	total := 0
	var all []obj
	for i, e := range p.list(body, "embeds", maxEmbeds) {
		c := embedChecker{place: p.at("embeds", i), files: files}
		all = append(all, c.embed(e))
		total += c.total
	}
	if total > maxEmbedText {
		p.at("embeds").wrong("MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of %d", maxEmbedText)
	}
	return all
}

// An embedChecker reads one embed and counts its text.
type embedChecker struct {
	place place
	files []Attachment
	total int
}

// text reads a text that counts.
func (c *embedChecker) text(p place, in, out obj, key string, least, most int) {
	if s := p.text(in, key, least, most); s != "" {
		out[key] = s
		c.total += length(s)
	}
}

// embed returns the embed as it is stored.
func (c *embedChecker) embed(e obj) obj {
	p, out := c.place, obj{}
	p.known(e, embedKeys)
	c.text(p, e, out, "title", 0, 256)
	c.text(p, e, out, "description", 0, 4096)
	c.fields(e, out)
	c.party(e, out, "footer", "text", 2048)
	c.party(e, out, "author", "name", 256)
	c.picture(e, out, "image")
	c.picture(e, out, "thumbnail")
	if len(out) == 0 {
		p.at("description").required()
	}
	p.link(e, out, "url", "http", "https")
	c.color(e, out)
	if s, ok := e["timestamp"].(string); ok {
		if _, err := time.Parse(time.RFC3339, s); err != nil {
			p.at("timestamp").wrong("DATE_TIME_TYPE_PARSE", "Could not parse %s. Should be ISO8601.", s)
		}
		out["timestamp"] = s
	} else if e["timestamp"] != nil {
		p.at("timestamp").wrong("DATE_TIME_TYPE_PARSE", "Should be ISO8601.")
	}
	return out
}

func (c *embedChecker) color(e, out obj) {
	if e["color"] == nil {
		return
	}
	n, ok := integer(e["color"])
	if !ok || n < 0 || n > 0xFFFFFF {
		c.place.at("color").wrong("NUMBER_TYPE_MAX", "int value should be between 0 and %d.", 0xFFFFFF)
	}
	out["color"] = n
}

func (c *embedChecker) fields(e, out obj) {
	var all []any
	for i, f := range c.place.list(e, "fields", 25) {
		p, o := c.place.at("fields", i), obj{"inline": false}
		p.known(f, []string{"name", "value", "inline"})
		c.text(p, f, o, "name", 1, 256)
		c.text(p, f, o, "value", 1, 1024)
		if inline, ok := f["inline"].(bool); ok {
			o["inline"] = inline
		} else if f["inline"] != nil {
			p.at("inline").wrong("BOOLEAN_TYPE_CONVERT", "Must be either true or false.")
		}
		all = append(all, o)
	}
	if all != nil {
		out["fields"] = all
	}
}

// party reads the footer or the author.
func (c *embedChecker) party(e, out obj, key, text string, most int) {
	in, ok := e[key].(obj)
	if !ok {
		if e[key] != nil {
			c.place.at(key).wrong("DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
		}
		return
	}
	p, o := c.place.at(key), obj{}
	p.known(in, parties)
	c.text(p, in, o, text, 1, most)
	p.link(in, o, "icon_url", "http", "https", "attachment")
	p.link(in, o, "url", "http", "https")
	out[key] = o
}

// picture reads an image. One from an attachment must be attached.
func (c *embedChecker) picture(e, out obj, key string) {
	in, ok := e[key].(obj)
	if !ok {
		if e[key] != nil {
			c.place.at(key).wrong("DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
		}
		return
	}
	p, o := c.place.at(key), obj{}
	p.known(in, mediaKeys)
	p.text(in, "url", 1, 2048)
	p.link(in, o, "url", "http", "https", "attachment")
	address, _ := o["url"].(string)
	if name, ok := strings.CutPrefix(address, "attachment://"); ok {
		if !slices.ContainsFunc(c.files, func(a Attachment) bool { return a.Name == name }) {
			p.at("url").wrong("ATTACHMENT_NOT_FOUND", "Attachment data not found")
		}
	}
	out[key] = o
}

// link reads an address with one of the schemes.
func (p place) link(in, out obj, key string, schemes ...string) {
	s := p.text(in, key, 0, 2048)
	if s == "" {
		return
	}
	out[key] = s
	u, err := url.Parse(s)
	switch {
	case err == nil && !slices.Contains(schemes, u.Scheme):
		p.at(key).wrong("URL_TYPE_INVALID_SCHEME", "Scheme %q is not supported. Scheme must be one of %q.", u.Scheme, schemes)
	case err != nil || u.Host == "":
		p.at(key).wrong("URL_TYPE_INVALID_URL", "Not a well formed URL.")
	}
}
