package discordtest

import "slices"

// Kinds of components.
const (
	kindRow       = 1
	kindButton    = 2
	kindSelect    = 3 // of texts; 5 to 8 are of people, roles, both, channels
	kindInput     = 4
	kindSection   = 9
	kindText      = 10
	kindThumbnail = 11
	kindGallery   = 12
	kindFile      = 13
	kindSeparator = 14
	kindContainer = 17
	kindLabel     = 18
	kindUpload    = 19
	kindRadio     = 21
	kindCheckbox  = 23
)

const (
	maxRows       = 5
	maxComponents = 40   // with FlagV2, all in all
	maxTextInAll  = 4000 // of text displays
	styleLink     = 5
	stylePremium  = 6
)

func isSelect(kind int) bool { return kind == kindSelect || kind >= 5 && kind <= 8 }

func kindOf(c obj) int {
	n, _ := integer(c["type"])
	return n
}

// A componentChecker reads the components of one message or modal.
type componentChecker struct {
	v2    bool
	ids   map[string]bool // custom ids
	count int
	text  int
}

// components reads and checks the components of a message.
func (p place) components(body obj, v2 bool) []obj {
	most := maxRows
	if v2 {
		most = maxComponents
	}
	c := &componentChecker{v2: v2, ids: map[string]bool{}}
	all := p.list(body, "components", most)
	for i, o := range all {
		c.top(p.at("components", i), o)
	}
	if v2 && c.count > maxComponents {
		p.at("components").wrong("COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", "The maximum number of components is %d.", maxComponents)
	}
	if c.text > maxTextInAll {
		p.at("components").wrong("COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", "Displayable text size exceeds maximum size of %d", maxTextInAll)
	}
	complete(all)
	return all
}

// top checks a component that stands by itself in a message.
func (c *componentChecker) top(p place, o obj) {
	c.count++
	switch kind := kindOf(o); {
	case kind == kindRow:
		c.row(p, o)
	case !c.v2:
		p.at("type").wrong("UNION_TYPE_CHOICES", "Value of field \"type\" must be one of (1,).")
	case kind == kindContainer:
		p.known(o, []string{"type", "id", "components", "accent_color", "spoiler"})
		children := p.list(o, "components", maxComponents)
		if len(children) == 0 {
			p.at("components").required()
		}
		for i, child := range children {
			if kindOf(child) == kindContainer {
				p.at("components", i, "type").wrong("UNION_TYPE_CHOICES", "A container cannot stand in a container.")
				continue
			}
			c.top(p.at("components", i), child)
		}
	default:
		c.layout(p, o, kind)
	}
}

// layout checks what only messages with FlagV2 have.
func (c *componentChecker) layout(p place, o obj, kind int) {
	switch kind {
	case kindText:
		c.display(p, o)
	case kindSection:
		texts := p.list(o, "components", 3)
		if len(texts) == 0 {
			p.at("components").required()
		}
		for i, t := range texts {
			c.count++
			c.display(p.at("components", i), t)
		}
		c.accessory(p.at("accessory"), o["accessory"])
	case kindGallery:
		pictures := p.list(o, "items", 10)
		if len(pictures) == 0 {
			p.at("items").required()
		}
		for i, m := range pictures {
			p.at("items", i).media(m, "media")
		}
	case kindFile:
		p.media(o, "file")
	case kindSeparator:
		p.known(o, []string{"type", "id", "divider", "spacing"})
	default:
		p.at("type").wrong("UNION_TYPE_CHOICES", "Value of field \"type\" must be one of (1, 9, 10, 12, 13, 14, 17).")
	}
}

func (c *componentChecker) display(p place, o obj) {
	if kindOf(o) != kindText {
		p.at("type").wrong("UNION_TYPE_CHOICES", "Value of field \"type\" must be one of (10,).")
		return
	}
	p.known(o, []string{"type", "id", "content"})
	c.text += length(p.text(o, "content", 1, maxTextInAll))
}

func (c *componentChecker) accessory(p place, v any) {
	o, ok := v.(obj)
	if !ok {
		p.required()
		return
	}
	c.count++
	switch kindOf(o) {
	case kindButton:
		c.button(p, o)
	case kindThumbnail:
		p.media(o, "media")
	default:
		p.at("type").wrong("UNION_TYPE_CHOICES", "Value of field \"type\" must be one of (2, 11).")
	}
}

func (p place) media(o obj, key string) {
	m, ok := o[key].(obj)
	if !ok {
		p.at(key).required()
		return
	}
	p.at(key).text(m, "url", 1, 2048)
	p.at(key).link(m, obj{}, "url", "http", "https", "attachment")
	p.text(o, "description", 0, maxAlt)
}

// row checks an action row of a message.
func (c *componentChecker) row(p place, o obj) {
	p.known(o, []string{"type", "id", "components"})
	children := p.list(o, "components", 5)
	if len(children) == 0 {
		p.at("components").wrong("BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
	}
	for i, child := range children {
		at := p.at("components", i)
		c.count++
		switch kind := kindOf(child); {
		case kind == kindButton:
			c.button(at, child)
		case isSelect(kind):
			c.selectMenu(at, child, kind)
			if len(children) > 1 {
				p.at("components").wrong("COMPONENT_LAYOUT_WIDTH_EXCEEDED", "The specified component exceeds the maximum width")
			}
		default:
			at.at("type").wrong("UNION_TYPE_CHOICES", "Value of field \"type\" must be one of (2, 3, 5, 6, 7, 8).")
		}
	}
}

// customID checks an id that comes back in interactions.
func (c *componentChecker) customID(p place, o obj) {
	id := p.text(o, "custom_id", 1, 100)
	if id != "" && c.ids[id] {
		p.at("custom_id").wrong("COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated")
	}
	c.ids[id] = true
}

func (c *componentChecker) button(p place, o obj) {
	p.known(o, []string{"type", "id", "custom_id", "style", "label", "disabled", "url", "sku_id", "emoji"})
	label := p.text(o, "label", 0, 80)
	style, _ := integer(o["style"])
	switch {
	case style < 1 || style > stylePremium:
		p.at("style").wrong("BASE_TYPE_CHOICES", "Value must be one of {1, 2, 3, 4, 5, 6}.")
	case style == styleLink:
		p.text(o, "url", 1, 512)
		p.link(o, obj{}, "url", "http", "https", "discord")
		if o["custom_id"] != nil {
			p.at("custom_id").wrong("BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", "A custom id and url cannot both be specified")
		}
	case style == stylePremium:
		p.text(o, "sku_id", 1, 20)
	default:
		c.customID(p, o)
		if o["url"] != nil && o["url"] != "" {
			p.at("url").wrong("BUTTON_COMPONENT_INVALID_STYLE", "Only a link has an address.")
		}
	}
	if label == "" && o["emoji"] == nil && style != stylePremium {
		p.wrong("BUTTON_COMPONENT_INVALID", "A button must have a label or emoji")
	}
}

func (c *componentChecker) selectMenu(p place, o obj, kind int) {
	p.known(o, []string{"type", "id", "custom_id", "options", "placeholder", "min_values", "max_values", "disabled", "default_values", "channel_types", "required"})
	c.customID(p, o)
	p.text(o, "placeholder", 0, 150)
	if kind != kindSelect {
		return
	}
	options := p.list(o, "options", 25)
	if len(options) == 0 {
		p.at("options").required()
	}
	p.options(options)
	most, ok := integer(o["max_values"])
	if ok && (most < 1 || most > len(options)) {
		p.at("max_values").wrong("COMPONENT_SELECT_MAX_VALUES", "Must be between 1 and the number of options.")
	}
}

// options checks those of a select, a radio group or a group of checkboxes.
func (p place) options(options []obj) {
	var values []string
	for i, o := range options {
		at := p.at("options", i)
		at.known(o, []string{"label", "value", "description", "emoji", "default"})
		at.text(o, "label", 1, 100)
		at.text(o, "description", 0, 100)
		v := at.text(o, "value", 1, 100)
		if slices.Contains(values, v) {
			at.at("value").wrong("SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", "The specified option value is already used")
		}
		values = append(values, v)
	}
}

// defaults are what Discord adds to a component that does not say.
var defaults = map[int]obj{
	kindSelect:    {"min_values": 1, "max_values": 1, "disabled": false},
	5:             {"min_values": 1, "max_values": 1, "disabled": false},
	6:             {"min_values": 1, "max_values": 1, "disabled": false},
	7:             {"min_values": 1, "max_values": 1, "disabled": false},
	8:             {"min_values": 1, "max_values": 1, "disabled": false},
	kindThumbnail: {"description": nil, "spoiler": false},
	kindFile:      {"name": nil, "size": nil, "spoiler": false},
	kindSeparator: {"divider": true, "spacing": 1},
	kindContainer: {"accent_color": nil, "spoiler": false},
}

// complete gives every component an id, and what else Discord adds.
func complete(components []obj) {
	next := 1
	for _, c := range components {
		each(c, func(c obj) {
			add := defaults[kindOf(c)]
			if kindOf(c) == 0 {
				add = obj{"description": nil, "spoiler": false} // an item of a gallery
			} else if c["id"] == nil {
				c["id"] = next
			}
			next++
			for k, v := range add {
				if c[k] == nil {
					c[k] = v
				}
			}
		})
	}
}
