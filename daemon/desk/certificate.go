package desk

import (
	"crypto/tls"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/flattone/flattone/daemon/config"
)

// lookEvery is how often files are looked at, at the most: whoever renews a certificate needs no restart, which would sign everybody out.
const lookEvery = 10 * time.Second

// certificate is the desk's own, read anew when its files have changed. One that can't be read leaves the old one in its place.
type certificate struct {
	cfg *config.Desk
	log *slog.Logger

	mu     sync.Mutex
	pair   *tls.Certificate
	looked time.Time
	files  [2]stamp
}

// stamp tells one state of a file from another.
type stamp struct {
	size    int64
	changed time.Time
}

func newCertificate(cfg *config.Desk, log *slog.Logger) (*certificate, error) {
	c := &certificate{cfg: cfg, log: log, looked: time.Now()}
	c.files = c.stamps() // before it is read: a change in between is seen the next time
	pair, err := cfg.Certificate()
	if err != nil {
		return nil, err
	}
	c.pair = &pair
	return c, nil
}

// get is [tls.Config.GetCertificate].
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.looked) < lookEvery {
		return c.pair, nil
	}
	c.looked = time.Now()
	files := c.stamps()
	if files == c.files {
		return c.pair, nil
	}
	pair, err := c.cfg.Certificate()
	if err != nil { // perhaps only one of the two files is new yet: it is looked at again
		c.log.Error("the desk's new certificate can't be used: the old one stays", "error", err)
		return c.pair, nil
	}
	c.pair, c.files = &pair, files
	c.log.Info("the desk has a new certificate", "until", pair.Leaf.NotAfter)
	return c.pair, nil
}

func (c *certificate) stamps() (files [2]stamp) {
	for i, path := range []string{c.cfg.CertFile, c.cfg.KeyFile} {
		if info, err := os.Stat(path); err == nil {
			files[i] = stamp{info.Size(), info.ModTime()}
		}
	}
	return files
}
