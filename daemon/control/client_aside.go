package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Custody tells how custodians and their ceremony are.
func (c *Client) Custody(ctx context.Context) (Custody, error) {
	return ask[Custody](ctx, c, "asking for the custodians", http.MethodGet, "custody", nil)
}

// EnrolCustodians begins an enrolment, or the agreement to one.
func (c *Client) EnrolCustodians(ctx context.Context, p CustodyPlan) error {
	_, err := ask[struct{}](ctx, c, "enrolling custodians", http.MethodPost, "custody/enrolment", p)
	return err
}

// TakeShare has the share of who asks written into page, once; it is known that he acknowledges his duty.
func (c *Client) TakeShare(ctx context.Context, page []byte) (n int, err error) {
	err = c.coded(ctx, "taking a share", func(ctx context.Context, code string) error {
		n, err = c.apart(ctx, "custody/enrolment/take", code, []byte(`{"acknowledged":true}`), nil, page)
		return err
	})
	return n, err
}

// ConfirmShare is that share typed back, which stays the caller's to wipe; it answers with how many have yet to do so.
func (c *Client) ConfirmShare(ctx context.Context, text []byte) (missing int, err error) {
	return c.say(ctx, "typing a share back", "custody/enrolment/confirm", text)
}

// UnlockVault begins the ceremony that opens the vault, or joins it, and answers with its name.
func (c *Client) UnlockVault(ctx context.Context) (ceremony string, err error) {
	a, err := ask[ceremonyAnswer](ctx, c, "unlocking the vault", http.MethodPost, "custody/unlock", nil)
	return a.Ceremony, err
}

// GiveShare is an agreement to a ceremony, by a share, which stays the caller's to wipe; it answers with how many are missing yet.
func (c *Client) GiveShare(ctx context.Context, ceremony string, text []byte) (missing int, err error) {
	return c.say(ctx, "giving a share", "custody/"+url.PathEscape(ceremony)+"/give", text)
}

// AbortCeremony ends the ceremony that is under way.
func (c *Client) AbortCeremony(ctx context.Context) error {
	_, err := ask[struct{}](ctx, c, "ending the ceremony", http.MethodDelete, "custody/ceremony", nil)
	return err
}

// say makes a call whose body is a secret.
func (c *Client) say(ctx context.Context, doing, path string, text []byte) (missing int, err error) {
	var a missingAnswer
	err = c.coded(ctx, doing, func(ctx context.Context, code string) error {
		into := make([]byte, maxSecret)
		n, err := c.apart(ctx, path, code, nil, text, into)
		if err == nil {
			err = json.Unmarshal(into[:n], &a)
		}
		return err
	})
	return a.Missing, err
}

// apart makes a call past net/http's buffers (see the server's [apart]): on a connection of its own. secret is a body that is sent once the box is ready for it, open one that may lie
// anywhere; into takes the answer.
func (c *Client) apart(ctx context.Context, path, code string, open, secret, into []byte) (n int, err error) {
	conn, err := (&net.Dialer{Timeout: dialTime}).DialContext(ctx, "unix", c.socket)
	if err != nil {
		return 0, c.unreachable(err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	conn.SetDeadline(time.Now().Add(askTime))
	head := fmt.Sprintf("POST /v1/%s HTTP/1.1\r\nHost: flattone\r\nConnection: close\r\nContent-Length: %d\r\n", path, len(open)+len(secret))
	if code != "" {
		head += CodeHeader + ": " + code + "\r\n"
	}
	if secret != nil {
		head += "Expect: 100-continue\r\n"
	}
	if _, err := conn.Write(append([]byte(head+"\r\n"), open...)); err != nil {
		return 0, c.lost(err)
	}
	resp, err := readHead(conn)
	if err == nil && resp.StatusCode == http.StatusContinue {
		if _, err = conn.Write(secret); err == nil {
			resp, err = readHead(conn)
		}
	}
	switch {
	case err != nil:
		return 0, c.lost(err)
	case resp.StatusCode != http.StatusOK:
		return 0, c.failed(resp.Status, conn)
	case resp.ContentLength < 0 || resp.ContentLength > int64(len(into)):
		return 0, c.lost(fmt.Errorf("an answer of %d bytes", resp.ContentLength))
	}
	if n, err = io.ReadFull(conn, into[:resp.ContentLength]); err != nil {
		return 0, c.lost(err)
	}
	return n, nil
}

// readHead reads an answer up to its body, and no byte of that.
func readHead(conn net.Conn) (*http.Response, error) {
	var head []byte
	for one := make([]byte, 1); !bytes.HasSuffix(head, []byte("\r\n\r\n")); {
		if len(head) > maxHeader {
			return nil, errors.New("an answer that doesn't end")
		}
		if _, err := conn.Read(one); err != nil {
			return nil, err
		}
		head = append(head, one[0])
	}
	return http.ReadResponse(bufio.NewReader(bytes.NewReader(head)), nil)
}
