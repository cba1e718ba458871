package slacktest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// A File is what the app uploaded.
type File struct {
	ID       string
	Name     string
	Title    string
	Alt      string
	Data     []byte
	Channels []string // where it was shared

	uploaded bool
	complete bool
	asked    int // how often somebody wanted to show it
}

// Files returns the uploaded files, in the order of their ids.
func (s *Server) Files() []File {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []File
	for _, f := range s.files {
		if f.complete {
			c := *f
			c.Data, c.Channels = slices.Clone(f.Data), slices.Clone(f.Channels)
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b File) int { return bytes.Compare([]byte(a.ID), []byte(b.ID)) })
	return all
}

// fileReady reports whether a file can be shown. An upload takes a while to be
// processed: [Options.FileReadyAfter] calls. s.mu is held.
func (s *Server) fileReady(id string) bool {
	f := s.files[id]
	if f == nil || !f.complete {
		return false
	}
	f.asked++
	return f.asked > s.o.FileReadyAfter
}

// filesGetURL is files.getUploadURLExternal.
func (s *Server) filesGetURL(a args) (obj, *failure) {
	if n, err := strconv.Atoi(a.str("length")); a.str("filename") == "" || err != nil || n <= 0 {
		return nil, fail("invalid_arguments")
	}
	if len(a.str("alt_txt")) > 1000 {
		return nil, fail("alt_text_too_long")
	}
	f := &File{ID: s.id("F"), Name: a.str("filename"), Alt: a.str("alt_txt")}
	s.files[f.ID] = f
	return obj{"upload_url": "http://" + s.host + "/upload/" + f.ID, "file_id": f.ID}, nil
}

// serveUpload takes the bytes of a file, raw or as a form.
func (s *Server) serveUpload(w http.ResponseWriter, r *http.Request) {
	c := Call{Method: "upload", At: time.Now(), Args: map[string]string{}, Token: bearer(r), Status: http.StatusOK}
	fault := s.takeFault(c.Method, "")
	if !fault.wait(r.Context()) {
		return
	}
	data, err := readUpload(w, r)
	if err != nil {
		c.Status, c.Error = http.StatusBadRequest, "bad_upload"
	}
	if fault.instead() {
		f := fault.failure()
		c.Status, c.Error = f.status, f.code
	} else if c.Status == http.StatusOK && !s.keep(r.PathValue("id"), data) {
		c.Status, c.Error = http.StatusNotFound, "file_not_found"
	}
	s.record(c)
	if c.Status != http.StatusOK {
		http.Error(w, c.Error, c.Status)
		return
	}
	io.WriteString(w, "OK - "+strconv.Itoa(len(data))) // a caller that hung up is its own fault
}

func readUpload(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	parts, err := r.MultipartReader()
	if err != nil {
		return io.ReadAll(r.Body)
	}
	for {
		p, err := parts.NextPart()
		if err != nil {
			return nil, err
		}
		if p.FileName() != "" {
			return io.ReadAll(p)
		}
	}
}

func (s *Server) keep(id string, data []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.files[id]
	if f != nil {
		f.Data, f.uploaded = data, true
	}
	return f != nil
}

// filesComplete is files.completeUploadExternal. Without a channel only the app
// sees the files.
func (s *Server) filesComplete(a args) (obj, *failure) {
	var list []struct{ ID, Title string }
	if !a.decode("files", &list) || len(list) == 0 {
		return nil, fail("invalid_arguments")
	}
	var channel *Channel
	if id := a.str("channel_id"); id != "" {
		var f *failure
		if channel, f = s.destination(id, false); f != nil {
			return nil, f
		}
	}
	var done []File
	var shown []any
	for _, one := range list {
		f := s.files[one.ID]
		if f == nil || !f.uploaded {
			return nil, fail("file_not_found")
		}
		f.complete, f.Title = true, one.Title
		if channel != nil {
			f.Channels = append(f.Channels, channel.ID)
		}
		done = append(done, *f)
		shown = append(shown, obj{"id": f.ID, "title": f.Title})
	}
	if channel != nil {
		c := content{text: a.str("initial_comment")}
		if c.text == "" && !a.decode("blocks", &c.blocks) {
			return nil, fail("invalid_blocks_format")
		}
		s.post(channel, "", a.str("thread_ts"), c).Files = done
	}
	return obj{"files": shown}, nil
}

// filesInfo is files.info. A file that is still being processed has no mimetype.
func (s *Server) filesInfo(a args) (obj, *failure) {
	f := s.files[a.str("file")]
	if f == nil || !f.complete {
		return nil, fail("file_not_found")
	}
	o := obj{"id": f.ID, "name": f.Name, "title": f.Title, "size": len(f.Data), "channels": f.Channels, "mimetype": "", "filetype": ""}
	if s.fileReady(f.ID) {
		o["mimetype"], o["filetype"] = http.DetectContentType(f.Data), "binary"
	}
	return obj{"file": o, "comments": json.RawMessage("[]")}, nil
}
