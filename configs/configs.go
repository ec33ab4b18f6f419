// Package configs holds the files that come with flattone: the example to start from, and in modems how each make of modem is spoken to.
//
// The profiles of modems are compiled in, so that a box knows them without being told where they lie. What is beside a box's own configuration,
// in a folder of the same name, comes first: see daemon/config, which alone gives these files a meaning. No code belongs here.
package configs

import "embed"

// Modems are the profiles that come with flattone, as modems/NAME.toml.
//
//go:embed modems/*.toml
var Modems embed.FS
