//go:build wireahead

package wire

// ahead makes a build of the next version, which tests of upgrades have: .ci/box builds one, and no package that is shipped is of it.
const ahead = 1
