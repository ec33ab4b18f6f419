package control

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"

	"github.com/flattone/flattone/daemon/config"
)

// Role is a part that a person has at the box. Who has several may what each of them may; who has any is a [Viewer] too.
type Role string

// The roles, as the config names them. The table of routes says what each may.
const (
	Viewer     Role = "viewer"     // sees how the lines are
	Technician Role = "technician" // readies lines for cards, takes calls, gives up, releases
	Custodian  Role = "custodian"  // has the keys in his care
	Auditor    Role = "auditor"    // reads the audit log
	Installer  Role = "installer"  // tunes lines
	Desk       Role = "desk"       // asks for agents, each on his own line: see [AgentHeader]
)

// Roles are all of them, in the order of the matrix.
func Roles() []Role { return []Role{Viewer, Technician, Custodian, Auditor, Installer, Desk} }

// policy says who has which roles, in the numbers by which the kernel knows people.
type policy struct {
	users, groups map[uint32][]Role
	// named are the names as they were granted, to tell people how they may be granted more.
	named map[Role][]string
}

// newPolicy looks the names up. Those that the system doesn't know grant nobody anything, and are returned.
func newPolicy(c config.Roles) (p policy, unknown []string, err error) {
	p = policy{users: map[uint32][]Role{}, groups: map[uint32][]Role{}, named: map[Role][]string{
		Viewer: c.Viewer, Technician: c.Technician, Custodian: c.Custodian, Auditor: c.Auditor, Installer: c.Installer, Desk: c.Desk,
	}}
	for _, role := range Roles() {
		for _, name := range p.named[role] {
			group, isGroup := strings.CutPrefix(name, "@")
			number, found := strconv.Itoa(os.Geteuid()), error(nil)
			to := p.users
			switch {
			case isGroup:
				to = p.groups
				var g *user.Group
				if g, found = user.LookupGroup(group); found == nil {
					number = g.Gid
				}
			case name != config.Self:
				var u *user.User
				if u, found = user.Lookup(name); found == nil {
					number = u.Uid
				}
			}
			_, noUser := errors.AsType[user.UnknownUserError](found)
			_, noGroup := errors.AsType[user.UnknownGroupError](found)
			if noUser || noGroup {
				if role != Desk || name != config.DeskUser { // whom a box without agents' desks needs not have
					unknown = append(unknown, name)
				}
				continue
			}
			id, wrong := strconv.ParseUint(number, 10, 32)
			if err := errors.Join(found, wrong); err != nil {
				return p, nil, fmt.Errorf("looking up %s, who is to be %s: %w", name, role, err)
			}
			to[uint32(id)] = append(to[uint32(id)], role)
		}
	}
	return p, unknown, nil
}

// roles are a's, in the order of [Roles]; none if nothing was granted.
func (p policy) roles(a Actor) []Role {
	granted := slices.Clone(p.users[a.UID])
	for _, g := range append([]uint32{a.GID}, a.groups...) {
		granted = append(granted, p.groups[g]...)
	}
	if len(granted) > 0 {
		granted = append(granted, Viewer)
	}
	return slices.DeleteFunc(Roles(), func(r Role) bool { return !slices.Contains(granted, r) })
}

// denied says to somebody what he would have to be, and who may make him that.
func (p policy) denied(by Actor, may []Role) *Error {
	e := &Error{Code: CodeDenied, Text: "the kernel does not say who you are, so you may not command this box", Remedy: "ask by a socket on the box itself"}
	if by.Name == "" {
		return e
	}
	is := "has no role at this box"
	if len(by.roles) > 0 {
		is = "is " + words(by.roles, " and ")
	}
	e.Text = fmt.Sprintf("user %s may not: this is for %s, and %s %s", by.Name, words(may, " or "), by.Name, is)
	e.Remedy = fmt.Sprintf("have root grant it to you: your name under %s in [roles] of the box's configuration, and flattoned started anew", may[0])
	for _, role := range may {
		i := slices.IndexFunc(p.named[role], func(name string) bool { return strings.HasPrefix(name, "@") })
		if i >= 0 {
			e.Remedy = fmt.Sprintf("have root grant it to you: by the group %s, once you have logged in again, or by your name under %s in [roles] of the box's configuration",
				p.named[role][i][1:], role)
			break
		}
	}
	return e
}

// words lists roles as a person would.
func words(roles []Role, last string) string {
	var text string
	for i, r := range roles {
		switch {
		case i == 0:
		case i == len(roles)-1:
			text += last
		default:
			text += ", "
		}
		text += string(r)
	}
	return text
}
