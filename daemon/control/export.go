package control

import (
	"context"
	"net/http"
	"time"
)

// PurposeExport is the purpose of a ceremony in which custodians agree to an export.
const PurposeExport = "export cards"

// Export is one that custodians have agreed to. It has no card.
type Export struct {
	ID string `json:"id"`
	// By is who asked for it, To the recipient's name, Key the fingerprint of his key, Tenant whose cards; absent: all.
	By     string `json:"by"`
	To     string `json:"to"`
	Key    string `json:"key"`
	Tenant string `json:"tenant,omitempty"`
	// Ended is absent while it runs; then either there is File, on the box, and its SHA256, or Failed says why there is none.
	Began time.Time `json:"began"`
	Ended time.Time `json:"ended,omitzero"`
	// Of is how many cards there were when it was asked for, Cards how many are in the file by now.
	Of     int64  `json:"of"`
	Cards  int64  `json:"cards"`
	File   string `json:"file,omitempty"`
	SHA256 string `json:"sha256,omitempty"`
	Failed string `json:"failed,omitempty"`
}

// Exporting is the part of a [Backend] that is about cards that leave for another provider. None leaves by this.
type Exporting interface {
	// AskExport begins the ceremony in which custodians agree to an export of a tenant's cards, or of all if that is empty, to a recipient whom the configuration names. It answers with
	// the ceremony's name. The export begins with the last share that it takes.
	AskExport(ctx context.Context, by Actor, to, tenant string) (ceremony string, err error)
	// Exports are those that custodians agreed to since flattoned started, newest first.
	Exports(context.Context) ([]Export, error)
}

type exportRequest struct {
	To     string `json:"to"`
	Tenant string `json:"tenant,omitempty"`
}

// exportRoutes are the table's lines about exports.
func (s *Server) exportRoutes() []route {
	b := s.backend
	return []route{
		{pattern: "GET /v1/vault/exports", may: overseeing, call: func(ctx context.Context, _ Actor, _ *http.Request) (any, error) {
			return orEmpty(b.Exports(ctx))
		}},
		{pattern: "POST /v1/vault/exports", may: keeping, call: func(ctx context.Context, by Actor, r *http.Request) (any, error) {
			var ask exportRequest
			if err := decode(r.Body, &ask); err != nil {
				return nil, err
			}
			id, err := b.AskExport(ctx, by, ask.To, ask.Tenant)
			return ceremonyAnswer{id}, err
		}},
	}
}

// AskExport begins the ceremony in which custodians agree to an export, and answers with its name.
func (c *Client) AskExport(ctx context.Context, to, tenant string) (ceremony string, err error) {
	a, err := ask[ceremonyAnswer](ctx, c, "asking for an export", http.MethodPost, "vault/exports", exportRequest{to, tenant})
	return a.Ceremony, err
}

// Exports are those that custodians agreed to since flattoned started, newest first.
func (c *Client) Exports(ctx context.Context) ([]Export, error) {
	return ask[[]Export](ctx, c, "asking for the exports", http.MethodGet, "vault/exports", nil)
}
