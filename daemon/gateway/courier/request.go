package courier

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Request is one request. Only its body may hold what is secret to the card's holder.
type Request struct {
	Method string
	Path   string // below the base's: /v1/refunds, with its query if it has one, percent-encoded
	Header map[string]string
	Body   *Page // nil: none
}

// own are the headers that say where a request ends and where it goes. They are the courier's.
var own = []string{"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "te", "trailer", "upgrade", "expect"}

// head is the request up to its body. What could end a line, and so begin another request, is refused.
func (r Request) head(base *url.URL) (string, error) {
	if r.Method == "" || strings.ContainsFunc(r.Method, func(c rune) bool { return c < 'A' || c > 'Z' }) {
		return "", errors.New("the method is not of capital letters")
	}
	if err := checkPath(r.Path); err != nil {
		return "", err
	}
	if err := r.Body.fault(); err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nAccept-Encoding: identity\r\n", r.Method, strings.TrimSuffix(base.EscapedPath(), "/"), r.Path, base.Host)
	if r.Body != nil {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", r.Body.Len())
	}
	for name, value := range r.Header {
		switch {
		case name == "" || strings.ContainsFunc(name, notToken):
			return "", errors.New("a header's name has what no name may have")
		case strings.ContainsFunc(value, notField):
			return "", fmt.Errorf("the header %s has a control character in it", name)
		}
		for _, o := range own {
			if strings.EqualFold(name, o) {
				return "", fmt.Errorf("the header %s is not the request's to set", name)
			}
		}
		fmt.Fprintf(&b, "%s: %s\r\n", name, value)
	}
	b.WriteString("\r\n")
	return b.String(), nil
}

// checkPath lets an origin-form pass (RFC 9112, 3.2.1).
func checkPath(path string) error {
	if !strings.HasPrefix(path, "/") || strings.ContainsFunc(path, func(c rune) bool { return c <= ' ' || c >= 0x7f || c == '#' }) {
		return errors.New("the path doesn't begin with a slash, or has what must be percent-encoded")
	}
	return nil
}

// notToken tells what may be in no header's name (RFC 9110, 5.6.2).
func notToken(c rune) bool {
	return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", c))
}

// notField tells what may be in no header's value.
func notField(c rune) bool { return c < ' ' && c != '\t' || c >= 0x7f }
