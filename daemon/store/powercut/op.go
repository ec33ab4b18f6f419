package powercut

// kind is what an op does.
type kind int

const (
	write    kind = iota // data at an offset of path
	truncate             // path to size
	flush                // path, a file or a folder
	create               // a new file at path
	mkdir                // a folder at path
	link                 // path is also to
	rename               // path is to from now on
	remove               // path is no more
	say                  // data to standard output
)

// op is one change. It began before the line numbered begun and was done before the one numbered ended.
type op struct {
	kind         kind
	path, to     string
	data         []byte
	offset       int64
	begun, ended int
}

// on is a file's content after a write or a truncation.
func (o op) on(content []byte) []byte {
	if o.kind == truncate {
		return resize(content, o.offset)
	}
	end := o.offset + int64(len(o.data))
	content = resize(content, max(end, int64(len(content))))
	copy(content[o.offset:], o.data)
	return content
}

func resize(content []byte, size int64) []byte {
	if more := size - int64(len(content)); more > 0 {
		return append(content, make([]byte, more)...)
	}
	return content[:size]
}
