package store

import (
	"bufio"
	"bytes"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
)

// Table is one of the schema's, as whoever copies all rows has to know it.
type Table struct {
	Name    string
	Columns []Column
}

// Column is one of a table's. None is ever null.
type Column struct {
	Name string
	Type Type
}

// Type is what a column holds: int64, string or []byte.
type Type string

// The types there are.
const (
	Integer Type = "BIGINT"
	Text    Type = "TEXT"
	Blob    Type = "blob"
)

var (
	tableLine  = regexp.MustCompile(`^CREATE TABLE (\w+) \($`)
	columnLine = regexp.MustCompile(`^  (\w+)\s+(BIGINT|TEXT|blob)\s`)
)

// Tables are all there are, each after those that it refers to. It reads them off the schema's text, which both engines are made by.
func Tables() (all []Table) {
	for _, text := range steps() {
		lines := bufio.NewScanner(bytes.NewReader(text))
		for lines.Scan() {
			if t := tableLine.FindStringSubmatch(lines.Text()); t != nil {
				all = append(all, Table{Name: t[1]})
			}
			if c := columnLine.FindStringSubmatch(lines.Text()); c != nil {
				last := &all[len(all)-1]
				last.Columns = append(last.Columns, Column{c[1], Type(c[2])})
			}
		}
	}
	return all
}

// Schema is the number of the schema that this program's stores have.
func Schema() (newest int64) {
	for name := range steps() {
		number, _, _ := strings.Cut(name, "_")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			panic(err) // it is a constant of the program's, and goose reads it likewise
		}
		newest = max(newest, n)
	}
	return newest
}

// steps are the schema's files, in order.
func steps() func(yield func(name string, text []byte) bool) {
	return func(yield func(string, []byte) bool) {
		names, err := fs.ReadDir(schema, "schema") // sorted
		if err != nil {
			panic(err) // they are in the program
		}
		for _, name := range names {
			text, err := fs.ReadFile(schema, "schema/"+name.Name())
			if err != nil {
				panic(err)
			}
			if !yield(name.Name(), text) {
				return
			}
		}
	}
}
