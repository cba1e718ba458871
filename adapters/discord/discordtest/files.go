package discordtest

import "net/http"

// serveAttachment is the CDN: it answers with an attachment's bytes.
func (s *Server) serveAttachment(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	a := s.files[r.PathValue("id")]
	var kind string
	var data []byte
	if a != nil && a.channel == r.PathValue("channel") && a.Name == r.PathValue("name") {
		kind, data = a.Kind, a.Data
	}
	s.mu.Unlock()
	if data == nil {
		http.Error(w, "This content is no longer available.", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Write(data) // a failed write is the caller's loss
}
