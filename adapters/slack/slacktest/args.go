package slacktest

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strconv"
)

// args are the arguments of a call: strings, or decoded JSON.
type args map[string]any

// maxBody is more than any call of the Web API needs.
const maxBody = 4 << 20

// parseArgs reads the arguments of a call, whichever way they came.
func parseArgs(w http.ResponseWriter, r *http.Request) (args, *failure) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	a := args{}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil && r.Header.Get("Content-Type") != "" {
		return a, fail("invalid_post_type")
	}
	switch kind {
	case "application/json":
		if err := json.NewDecoder(r.Body).Decode(&a); err != nil && err != io.EOF {
			return args{}, fail("invalid_json")
		}
		return a, nil
	case "multipart/form-data":
		err = r.ParseMultipartForm(maxBody)
	default:
		err = r.ParseForm()
	}
	if err != nil {
		return a, fail("invalid_form_data")
	}
	for k, v := range r.Form {
		a[k] = v[0]
	}
	return a, nil
}

// str returns an argument as text, "" if it is absent.
func (a args) str(key string) string {
	switch v := a[key].(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		b, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		return string(b)
	}
}

// flag returns an argument as a boolean and whether it was given as one.
func (a args) flag(key string) (value, given bool) {
	value, err := strconv.ParseBool(a.str(key))
	return value, err == nil
}

// is reports whether an argument is given and true.
func (a args) is(key string) bool {
	value, _ := a.flag(key)
	return value
}

// decode reads an argument that is JSON into v and reports whether it fits. An
// absent argument fits and leaves v alone.
func (a args) decode(key string, v any) bool {
	raw := a.str(key)
	if raw == "" {
		return true
	}
	d := json.NewDecoder(bytes.NewReader([]byte(raw)))
	if d.Decode(v) != nil {
		return false
	}
	_, err := d.Token()
	return err == io.EOF
}

// flat returns the arguments as text, for the record.
func (a args) flat() map[string]string {
	flat := make(map[string]string, len(a))
	for k := range a {
		flat[k] = a.str(k)
	}
	return flat
}
