// Package wiping takes what is secret through crypto/tls, so that nothing of it stays in memory.
//
// It exists because crypto/tls works in buffers on the ordinary heap, of which it wipes none.
//
// Reading: it decrypts a record in the buffer it was read into, and lets it lie there until another record happens to be as long. But it asks the connection below it
// to read into that buffer itself. So a connection ([Under]) knows where it is, and, if it gives one record at a time, when it is done with: before the next one.
//
// Writing: it copies what it is given to a buffer, and seals it in place; but where the buffer is too short for the tag it seals into a longer one, and the first
// stays as it was (package courier has the details, and its test). So of a secret each byte is a record of its own ([Write]).
//
// It promises that a record is wiped before the next is waited for: once a reader who empties each record asks for more, nothing is left of what he was given. It must
// never look at what it wipes, and understands of TLS the length of a record (RFC 8446 5.1) and nothing else.
package wiping

import (
	"io"
	"net"
)

// headBytes are those of a record's head: its type, a version, and its length in two bytes.
const headBytes = 5

// conn is read by one goroutine at a time, which crypto/tls sees to.
type conn struct {
	net.Conn
	given [][]byte // where the record that is being read was put
	head  []byte   // of its head, what has come
	rest  int      // of its body, what hasn't
}

// Under makes a connection to give to tls.Client or tls.Server.
func Under(c net.Conn) net.Conn { return &conn{Conn: c} }

// Read implements [net.Conn]. It gives no more than what is missing of a head, or of a body.
func (c *conn) Read(p []byte) (int, error) {
	body := c.rest > 0
	most := c.rest
	if !body {
		most = headBytes - len(c.head)
	}
	if !body && len(c.head) == 0 {
		c.wipe()
	}
	n, err := c.Conn.Read(p[:min(len(p), most)])
	c.given = append(c.given, p[:n])
	if body {
		c.rest -= n
		return n, err
	}
	if c.head = append(c.head, p[:n]...); len(c.head) == headBytes {
		c.rest = int(c.head[3])<<8 | int(c.head[4])
		c.head = c.head[:0]
	}
	return n, err
}

func (c *conn) wipe() {
	for _, g := range c.given {
		clear(g)
	}
	clear(c.given)
	c.given = c.given[:0]
}

// Write writes b, in which secrets begin and end at the places given, in their order: each of their bytes by itself, and the rest in as few pieces as there are.
func Write(to io.Writer, b []byte, secrets [][2]int) error {
	at := 0
	for _, s := range append(secrets[:len(secrets):len(secrets)], [2]int{len(b), len(b)}) {
		if at < s[0] {
			if _, err := to.Write(b[at:s[0]]); err != nil {
				return err
			}
		}
		for at = s[0]; at < s[1]; at++ {
			if _, err := to.Write(b[at : at+1]); err != nil {
				return err
			}
		}
	}
	return nil
}
