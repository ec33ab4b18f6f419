package control

import (
	"context"
	"io"
	"net/http"
	"time"
)

// exportPattern is the call that answers with a file.
const exportPattern = "GET /v1/audit/export"

// export is GET /v1/audit/export: the whole audit log, as package daemon/audit/export has it. Its length isn't known when it begins, and what fails once it has
// begun cuts the connection off, so that nobody takes a part for the whole.
func (s *Server) export(w http.ResponseWriter, r *http.Request, by Actor) {
	w.Header().Set("Content-Type", "application/jsonl")
	w.Header().Set("Cache-Control", "no-store")
	to := &patient{ResponseWriter: w, deadline: http.NewResponseController(w).SetWriteDeadline}
	err := s.backend.ExportAudit(r.Context(), by, to)
	switch {
	case err == nil:
	case !to.began:
		s.refuse(w, r, by, err)
	default:
		s.log.Warn("admin socket: an export of the audit log broke off", "err", err)
		panic(http.ErrAbortHandler)
	}
}

// patient gives each write the time that the server has for a whole answer.
type patient struct {
	http.ResponseWriter
	deadline func(time.Time) error
	began    bool
}

func (p *patient) Write(b []byte) (int, error) {
	if err := p.deadline(time.Now().Add(writeTime)); err != nil {
		return 0, err
	}
	p.began = true
	return p.ResponseWriter.Write(b)
}

// auditKey is the answer to GET /v1/audit/key.
type auditKey struct {
	Key string `json:"key"`
}

// AuditKey is the audit log's public key, by which an export is checked.
func (c *Client) AuditKey(ctx context.Context) (string, error) {
	a, err := ask[auditKey](ctx, c, "asking for the audit log's key", http.MethodGet, "audit/key", nil)
	return a.Key, err
}

// ExportAudit writes the whole audit log to to. It fails if what came isn't all.
func (c *Client) ExportAudit(ctx context.Context, to io.Writer) error {
	resp, err := c.send(ctx, http.MethodGet, "audit/export", nil, "")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(to, resp.Body); err != nil {
		return c.lost(err)
	}
	return nil
}
