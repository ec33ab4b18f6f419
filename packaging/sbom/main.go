// Command sbom prints what the programs of a package are made of, as a CycloneDX document: each Go module that is linked into one of
// them, with its version and the checksum that the Go tool verified.
//
// It exists because a static program hides its parts from whoever scans the machine it is installed on. It reads nothing but the programs
// themselves, so it can't list what isn't in them, and the same programs give the same bytes.
package main

import (
	"cmp"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: sbom VERSION PROGRAM...")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func run(version string, programs []string) error {
	doc, err := describe(version, programs)
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", " ")
	out.SetEscapeHTML(false)
	return out.Encode(doc)
}

// document is as much of CycloneDX 1.6 as is said here (https://cyclonedx.org/docs/1.6/json/).
type document struct {
	Format     string      `json:"bomFormat"`
	Spec       string      `json:"specVersion"`
	Version    int         `json:"version"`
	Metadata   metadata    `json:"metadata"`
	Components []component `json:"components"`
}

type metadata struct {
	Component component `json:"component"`
}

type component struct {
	Type    string `json:"type"`
	Ref     string `json:"bom-ref"`
	Name    string `json:"name"`
	Version string `json:"version"`
	PURL    string `json:"purl,omitempty"`
	Hashes  []hash `json:"hashes,omitempty"`
}

type hash struct {
	Alg     string `json:"alg"`
	Content string `json:"content"`
}

// describe reads the programs. Each module is listed once, whichever of them it is in.
func describe(version string, programs []string) (*document, error) {
	doc := &document{Format: "CycloneDX", Spec: "1.6", Version: 1, Metadata: metadata{component{Type: "application", Ref: "flattone", Name: "flattone", Version: version}}}
	found := map[string]component{}
	for _, program := range programs {
		info, err := buildinfo.ReadFile(program)
		if err != nil {
			return nil, err
		}
		std := "pkg:golang/std@" + strings.TrimPrefix(info.GoVersion, "go")
		found[std] = component{Type: "library", Ref: std, Name: "std", Version: info.GoVersion, PURL: std}
		for _, m := range info.Deps {
			c, err := library(m)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", program, err)
			}
			found[c.Ref] = c
		}
	}
	for _, c := range found {
		doc.Components = append(doc.Components, c)
	}
	slices.SortFunc(doc.Components, func(a, b component) int { return cmp.Compare(a.Ref, b.Ref) })
	return doc, nil
}

func library(m *debug.Module) (component, error) {
	if m.Replace != nil {
		m = m.Replace
	}
	ref := "pkg:golang/" + m.Path + "@" + m.Version
	sum, hashed := strings.CutPrefix(m.Sum, "h1:")
	bytes, err := base64.StdEncoding.DecodeString(sum)
	if !hashed || err != nil || len(bytes) != 32 {
		return component{}, fmt.Errorf("module %s has no checksum: build from modules, not from a folder", m.Path)
	}
	return component{Type: "library", Ref: ref, Name: m.Path, Version: m.Version, PURL: ref,
		Hashes: []hash{{"SHA-256", hex.EncodeToString(bytes)}}}, nil
}
