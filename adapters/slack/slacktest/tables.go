package slacktest

import (
	"slices"
	"unicode/utf8"
)

// cell is one cell of a data_table; tableCell of a table, where a workspace
// without the newer blocks does not know numbers either.
func cell(k *checker, ptr string, v any) {
	o, ok := v.(obj)
	if !ok {
		k.bad(ptr, "must be an object")
		return
	}
	switch o["type"] {
	case "raw_text":
		shape{"text!": shown(1, 20_000)}.check(k, ptr, o)
	case "raw_number":
		shape{"value!": number(-1e300, 1e300), "text": shown(1, 20_000)}.check(k, ptr, o)
	case "rich_text":
		shape{"elements!": list(1, 1000, richElement)}.check(k, ptr, o)
	default:
		k.bad(at(ptr, "type"), "unsupported type: %v", o["type"])
	}
}

func tableCell(k *checker, ptr string, v any) {
	if o, _ := v.(obj); k.noCharts && o["type"] == "raw_number" {
		k.bad(at(ptr, "type"), "unsupported type: raw_number")
		return
	}
	cell(k, ptr, v)
}

// dataTable checks what spans rows: a header of plain texts, equal widths, the
// characters of all cells.
func dataTable(k *checker, ptr string, v any) {
	k.tables++
	b, _ := v.(obj)
	rows, _ := b["rows"].([]any)
	width, chars := -1, 0
	for i, r := range rows {
		cells, _ := r.([]any)
		if width < 0 {
			width = len(cells)
		}
		if len(cells) != width {
			k.bad(at(ptr, "rows", i), "must have as many cells as the first row")
		}
		for j, c := range cells {
			o, _ := c.(obj)
			s, _ := o["text"].(string)
			chars += utf8.RuneCountInString(s)
			if i == 0 && o["type"] != "raw_text" {
				k.bad(at(ptr, "rows", i, j), "header cells must be raw_text")
			}
		}
	}
	if chars > 20_000 {
		k.bad(at(ptr, "rows"), "must be less than 20001 characters")
	}
}

func countChart(k *checker, _ string, _ any) { k.charts++ }

// chart checks the chart of a data_visualization block.
func chart(k *checker, ptr string, v any) {
	o, _ := v.(obj)
	switch o["type"] {
	case "pie":
		segment := shape{"label!": shown(1, 20), "value!": positive}.check
		shape{"segments!": list(1, 6, segment)}.check(k, ptr, o)
	case "bar", "area", "line":
		point := shape{"label!": str(1, 20), "value!": number(-1e300, 1e300)}.check
		series := shape{"name!": shown(1, 20), "data!": list(1, 20, point)}.check
		axis := shape{"categories!": list(1, 20, shown(1, 20)), "x_label": shown(1, 50), "y_label": shown(1, 50)}.check
		shape{"series!": list(1, 6, series), "axis_config!": axis}.check(k, ptr, o)
		lineUp(k, ptr, o)
	default:
		k.bad(at(ptr, "type"), "unsupported type: %v", o["type"])
	}
}

func positive(k *checker, ptr string, v any) {
	if n, ok := v.(float64); !ok || n <= 0 {
		k.bad(ptr, "must be greater than 0")
	}
}

// lineUp checks that every series has exactly one point for each category, and
// that names are told apart.
func lineUp(k *checker, ptr string, o obj) {
	axis, _ := o["axis_config"].(obj)
	categories := words(axis["categories"], "")
	if repeated(categories) {
		k.bad(at(ptr, "axis_config", "categories"), "must be unique")
	}
	series, _ := o["series"].([]any)
	if repeated(words(o["series"], "name")) {
		k.bad(at(ptr, "series"), "names must be unique")
	}
	slices.Sort(categories)
	for i, s := range series {
		one, _ := s.(obj)
		labels := words(one["data"], "label")
		slices.Sort(labels)
		if !slices.Equal(labels, categories) {
			k.bad(at(ptr, "series", i, "data"), "must have exactly one point for each category")
		}
	}
}

// words returns a list of strings, or the field of a list of objects.
func words(v any, field string) []string {
	l, _ := v.([]any)
	ws := make([]string, len(l))
	for i, e := range l {
		if field != "" {
			o, _ := e.(obj)
			e = o[field]
		}
		ws[i], _ = e.(string)
	}
	return ws
}

func repeated(words []string) bool {
	sorted := slices.Sorted(slices.Values(words))
	return len(slices.Compact(sorted)) != len(words)
}
