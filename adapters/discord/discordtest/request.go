package discordtest

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// What an upload may weigh.
const (
	maxFile    = 10 << 20
	maxRequest = 25 << 20
	maxFiles   = 10
)

// A request is a call, taken apart.
type request struct {
	w      http.ResponseWriter // for headers only
	params map[string]string   // what stands for the {names} of the route
	query  url.Values
	at     time.Time // when it is dealt with
	unread *failure  // why the body cannot be read
	token  string    // as it stands in the header
	raw    json.RawMessage
	body   any // decoded; nil if there is none
	files  map[string]upload
	order  []string // the keys of files
}

// An upload is a file in a multipart body.
type upload struct {
	name, kind string
	data       []byte
}

func (q *request) names() []string {
	var names []string
	for _, key := range q.order {
		names = append(names, q.files[key].name)
	}
	return names
}

// object returns the body as a JSON object, or what is wrong with it.
func (q *request) object() (obj, *failure) {
	if q.body == nil {
		return obj{}, nil
	}
	o, ok := q.body.(obj)
	if !ok {
		var f form
		f.at().wrong("DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
		return nil, f.failure()
	}
	return o, nil
}

// read reads the body.
func (q *request) read(contentType string, r io.Reader) *failure {
	data, err := io.ReadAll(io.LimitReader(r, maxRequest+1))
	if err != nil {
		return plainFail(http.StatusBadRequest)
	}
	if len(data) > maxRequest {
		return fail(40005)
	}
	if len(data) == 0 {
		return nil
	}
	kind, params, err := mime.ParseMediaType(contentType)
	switch {
	case err == nil && kind == "application/json":
		q.raw = data
	case err == nil && kind == "multipart/form-data":
		if f := q.readParts(multipart.NewReader(bytes.NewReader(data), params["boundary"])); f != nil {
			return f
		}
	default:
		return &failure{status: 400, code: 50035, message: `Expected "Content-Type" header to be one of {'application/json', 'multipart/form-data'}.`}
	}
	if len(q.raw) == 0 {
		return nil
	}
	if !utf8.Valid(q.raw) || json.Unmarshal(q.raw, &q.body) != nil {
		return fail(50109)
	}
	return nil
}

// readParts reads a multipart body: payload_json and files[n].
func (q *request) readParts(parts *multipart.Reader) *failure {
	q.files = map[string]upload{}
	for {
		p, err := parts.NextPart()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return plainFail(http.StatusBadRequest)
		}
		data, err := io.ReadAll(p)
		if err != nil {
			return plainFail(http.StatusBadRequest)
		}
		if f := q.part(p, data); f != nil {
			return f
		}
	}
}

func (q *request) part(p *multipart.Part, data []byte) *failure {
	if p.FormName() == "payload_json" {
		q.raw = data
		return nil
	}
	key, ok := strings.CutPrefix(p.FormName(), "files[")
	key, ok2 := strings.CutSuffix(key, "]")
	var f form
	if _, err := strconv.ParseUint(key, 10, 64); !ok || !ok2 || err != nil {
		f.at(p.FormName()).wrong("UNKNOWN_KEY", "A part is payload_json or files[n]")
		return f.failure()
	}
	if p.FileName() == "" {
		f.at(p.FormName()).required()
		return f.failure()
	}
	if len(data) > maxFile {
		return fail(40005)
	}
	if _, twice := q.files[key]; twice || len(q.files) == maxFiles {
		f.at("files").wrong("BASE_TYPE_MAX_LENGTH", "Must be %d or fewer in length.", maxFiles)
		return f.failure()
	}
	q.files[key] = upload{name: safeName(p.FileName()), kind: p.Header.Get("Content-Type"), data: data}
	q.order = append(q.order, key)
	return nil
}

// safeName returns a file's name as Discord stores it: what is not a letter of
// ASCII, a digit, a dot, a dash or an underscore becomes an underscore.
func safeName(name string) string {
	return strings.Map(func(r rune) rune {
		if r < 128 && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r)) {
			return r
		}
		return '_'
	}, name)
}
