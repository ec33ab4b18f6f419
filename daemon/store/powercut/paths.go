package powercut

import (
	"encoding/hex"
	"path/filepath"
	"strings"
)

// number is the descriptor's of an argument 7<path>.
func number(arg string) string {
	n, _, _ := strings.Cut(arg, "<")
	return n
}

// of is where the file behind a descriptor lies below the folder, "" if elsewhere or nowhere any more.
func (p *parser) of(arg string) string {
	_, rest, ok := strings.Cut(arg, "<")
	quoted, ok2 := strings.CutSuffix(rest, ">")
	if !ok || !ok2 { // or it ends in (deleted)
		return ""
	}
	path, err := unhex(quoted)
	if err != nil {
		return ""
	}
	return p.below(string(path))
}

// under is what a path, as seen from the folder behind a descriptor, is below the folder that is recorded.
func (p *parser) under(at, name string) string {
	path, err := text(name)
	if err != nil {
		return ""
	}
	if _, quoted, ok := strings.Cut(strings.TrimSuffix(at, ">"), "<"); ok && !filepath.IsAbs(string(path)) {
		from, err := unhex(quoted)
		if err != nil {
			return ""
		}
		return p.below(filepath.Join(string(from), string(path)))
	}
	return p.below(string(path))
}

func (p *parser) below(path string) string {
	if path == p.dir {
		return "."
	}
	rest, ok := strings.CutPrefix(path, p.dir+"/")
	if !ok {
		return ""
	}
	return filepath.Clean(rest)
}

// text is a string argument, which -xx writes in hex.
func text(arg string) ([]byte, error) {
	if len(arg) < 2 || arg[0] != '"' || arg[len(arg)-1] != '"' {
		return nil, errForm // also one that was cut short: "..."...
	}
	return unhex(arg[1 : len(arg)-1])
}

func unhex(s string) ([]byte, error) {
	return hex.DecodeString(strings.ReplaceAll(s, `\x`, ""))
}
