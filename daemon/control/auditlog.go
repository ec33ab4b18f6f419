package control

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// file is a call that answers with one.
type file func(ctx context.Context, by Actor, to io.Writer) error

// sendFile answers with a file. Its length isn't known when it begins, and what fails once it has begun cuts the connection off, so that nobody takes a part
// for the whole.
func (s *Server) sendFile(w http.ResponseWriter, r *http.Request, by Actor, write file) {
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", "no-store")
	to := &patient{ResponseWriter: w, deadline: http.NewResponseController(w).SetWriteDeadline}
	err := write(r.Context(), by, to)
	switch {
	case err == nil:
	case !to.began:
		s.refuse(w, r, by, err)
	default:
		s.log.Warn("admin socket: a file broke off", "call", r.Pattern, "err", err)
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
	return c.file(ctx, "audit/export", to)
}

// file writes what a call answers with to to.
func (c *Client) file(ctx context.Context, path string, to io.Writer) error {
	resp, err := c.send(ctx, http.MethodGet, path, nil, "")
	if need, ok := errors.AsType[*Error](err); ok && need.Code == CodeFactor && c.Code != nil {
		var code string
		if code, err = c.Code(need); err == nil {
			resp, err = c.send(ctx, http.MethodGet, path, nil, code)
		}
	}
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(to, resp.Body); err != nil {
		return c.lost(err)
	}
	return nil
}
