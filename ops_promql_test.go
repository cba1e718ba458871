package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"floorwalker/bot"
	"floorwalker/dashboard"
)

// promWord is a token of PromQL: a text, a range, a number, a name, a sign.
var promWord = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|\[[^\]]*\]|[0-9][0-9.eE]*|[a-zA-Z_:][a-zA-Z0-9_:]*|[=!]~|[=!<>]=|[-+*/<>(){},=]`)

// promFunctions are the words of PromQL that we use, which are no metrics.
var promFunctions = strings.Fields(`sum max by on unless or and absent rate increase changes time histogram_quantile min_over_time label_values bool`)

// checkPromQL says what is wrong with an expression: a metric that does not exist,
// a label that the metric does not have, brackets that do not close. It is no
// parser; Prometheus' own would bring a hundred modules.
func checkPromQL(expr string, metrics map[string][]string) (faults []string) {
	words := promWord.FindAllString(expr, -1)
	if rest := strings.TrimSpace(promWord.ReplaceAllString(expr, "")); strings.Trim(rest, " \n") != "" {
		faults = append(faults, "strange signs: "+rest)
	}
	var labels, used []string // of the metrics of the expression; those that it names
	depth, matcher, grouping := 0, false, false
	found := false
	for i, word := range words {
		switch {
		case word == "(" || word == "{":
			depth++
			matcher = matcher || word == "{"
			grouping = i > 0 && word == "(" && slices.Contains([]string{"by", "on"}, words[i-1])
		case word == ")" || word == "}":
			depth--
			matcher, grouping = matcher && word != "}", false
		case !regexp.MustCompile(`^[a-zA-Z_:]`).MatchString(word), slices.Contains(promFunctions, word):
		case matcher || grouping:
			used = append(used, word)
		default:
			own, known := metrics[word]
			if !known {
				faults = append(faults, "there is no metric "+word)
			}
			labels, found = append(labels, own...), true
		}
	}
	if depth != 0 || !found {
		faults = append(faults, "brackets do not close, or nothing is read")
	}
	for _, name := range used {
		if !slices.Contains(labels, name) && !slices.Contains([]string{"job", "instance"}, name) {
			faults = append(faults, "no metric of it has the label "+name)
		}
	}
	return faults
}

// promMatcher is a label in braces with what it is to be.
var promMatcher = regexp.MustCompile(`(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"`)

// labelValues are what our labels can be that alerts and panels choose by.
func labelValues() map[string][]string {
	values := map[string][]string{
		"job": {"floorwalker"}, "lane": laneNames[:], "part": {"live", "history"}, "loop": {"watch", "alerts", "digests", "leavers", "housekeeping"},
		"result": {"ok", "refused", "failed", "sent", "withheld"},
		"state": {
			string(bot.RowPending), string(bot.RowLeased), string(bot.RowSent), string(bot.RowDead),
			string(bot.LinkActive), string(bot.LinkUnverified), string(bot.LinkRelink), string(bot.LinkSuspended),
		},
	}
	for _, p := range openPhases {
		values["phase"] = append(values["phase"], p.String())
	}
	for c := dashboard.ClassTransient; c <= dashboard.ClassFault; c++ {
		values["result"] = append(values["result"], c.String())
	}
	return values
}

// checkValues says which labels of an expression are to be what they never are:
// an alert that asks for it is silent for ever.
func checkValues(expr string) (faults []string) {
	for _, m := range promMatcher.FindAllStringSubmatch(expr, -1) {
		for value := range strings.SplitSeq(m[2], "|") {
			if !slices.Contains(labelValues()[m[1]], value) {
				faults = append(faults, "the label "+m[1]+" is never "+value)
			}
		}
	}
	return faults
}

// metricLabels are the labels of every metric by name, ours and those that every
// Go program has.
func metricLabels(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "metrics.txt"))
	if err != nil {
		t.Fatal(err)
	}
	metrics := map[string][]string{"up": nil}
	for name := range strings.FieldsSeq(`process_start_time_seconds process_resident_memory_bytes process_cpu_seconds_total process_open_fds go_memstats_heap_inuse_bytes go_goroutines`) {
		metrics[name] = nil
	}
	for line := range strings.Lines(string(text)) {
		name, rest, _ := strings.Cut(line, "{")
		list, _, _ := strings.Cut(rest, "}")
		labels := strings.Split(list, ",")
		metrics[name] = labels
		if strings.HasSuffix(name, "_duration_seconds") && len(labels) > 1 { // the one histogram
			metrics[name+"_bucket"] = append([]string{"le"}, labels...)
			metrics[name+"_sum"], metrics[name+"_count"] = labels, labels
		}
	}
	return metrics
}

// TestPromQLCheck: the check sees what it is there for.
func TestPromQLCheck(t *testing.T) {
	metrics := map[string][]string{"floorwalker_ready": nil, "floorwalker_outbox_rows": {"network", "lane"}}
	for _, test := range []struct{ expr, fault string }{
		{`floorwalker_ready{job="floorwalker"} == 0`, ""},
		{`sum by (network) (rate(floorwalker_outbox_rows{lane=~"alert|digest"}[5m])) / 2 > 0.5`, ""},
		{`floorwalker_outbox_rows{lane=~"alert|x"}`, "the label lane is never x"},
		{`floorwalker_redy == 0`, "no metric floorwalker_redy"},
		{`sum by (networks) (floorwalker_outbox_rows)`, "the label networks"},
		{`floorwalker_ready{lane="alert"}`, "the label lane"},
		{`sum(floorwalker_ready`, "brackets"},
		{`sumo(floorwalker_ready)`, "no metric sumo"},
		{`1 > 0`, "nothing is read"},
		{`floorwalker_ready; drop`, "strange signs"},
	} {
		got := strings.Join(append(checkPromQL(test.expr, metrics), checkValues(test.expr)...), "; ")
		if test.fault == "" && got != "" || !strings.Contains(got, test.fault) {
			t.Errorf("%s: %q, want %q", test.expr, got, test.fault)
		}
	}
}

// TestAlertRules: Prometheus' alerts read metrics that exist.
func TestAlertRules(t *testing.T) {
	var file struct {
		Groups []struct {
			Name  string `yaml:"name"`
			Rules []struct {
				Alert       string            `yaml:"alert"`
				Expr        string            `yaml:"expr"`
				For         string            `yaml:"for"`
				Labels      map[string]string `yaml:"labels"`
				Annotations map[string]string `yaml:"annotations"`
			} `yaml:"rules"`
		} `yaml:"groups"`
	}
	f, err := os.Open("deploy/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := yaml.NewDecoder(f)
	d.KnownFields(true)
	if err := d.Decode(&file); err != nil {
		t.Fatal(err)
	}
	metrics, names := metricLabels(t), map[string]bool{}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			if names[r.Alert] || !regexp.MustCompile(`^Floorwalker[A-Za-z]+$`).MatchString(r.Alert) {
				t.Errorf("%s is no name, or there twice", r.Alert)
			}
			names[r.Alert] = true
			if s := r.Labels["severity"]; s != "warning" && s != "critical" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
				t.Errorf("%s: severity %q, annotations %v", r.Alert, s, r.Annotations)
			}
			if r.For != "" && !regexp.MustCompile(`^\d+[smhd]$`).MatchString(r.For) {
				t.Errorf("%s: for %s", r.Alert, r.For)
			}
			for _, fault := range append(checkPromQL(r.Expr, metrics), checkValues(r.Expr)...) {
				t.Errorf("%s: %s", r.Alert, fault)
			}
		}
	}
	if len(names) < 10 {
		t.Errorf("there are only %d alerts", len(names))
	}
}

// TestDashboard: Grafana's dashboard reads metrics that exist, and no two panels
// lie on each other.
func TestDashboard(t *testing.T) {
	type target struct{ Expr string }
	type box struct{ X, Y, W, H int }
	var d struct {
		Title  string
		Panels []struct {
			ID      int
			Type    string
			Title   string
			GridPos box
			Targets []target
		}
		Annotations struct{ List []target }
	}
	text, err := os.ReadFile("deploy/grafana.json")
	if err == nil {
		err = json.Unmarshal(text, &d)
	}
	if err != nil {
		t.Fatal(err)
	}
	metrics, ids := metricLabels(t), map[int]bool{}
	check := func(where string, targets []target) {
		for _, target := range targets {
			expr := strings.NewReplacer("$__rate_interval", "5m", "$job", "floorwalker").Replace(target.Expr)
			for _, fault := range append(checkPromQL(expr, metrics), checkValues(expr)...) {
				t.Errorf("%s: %s: %s", where, target.Expr, fault)
			}
		}
	}
	check("annotations", d.Annotations.List)
	for i, p := range d.Panels {
		if ids[p.ID] || p.Title == "" || (p.Type == "row") != (len(p.Targets) == 0) || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("panel %d %q, a %s, has %d targets at %v", p.ID, p.Title, p.Type, len(p.Targets), p.GridPos)
		}
		ids[p.ID] = true
		check(p.Title, p.Targets)
		for _, q := range d.Panels[:i] {
			a, b := p.GridPos, q.GridPos
			if a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H {
				t.Errorf("panels %q and %q lie on each other", p.Title, q.Title)
			}
		}
	}
}
