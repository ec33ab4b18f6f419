package config

import (
	"errors"
	"fmt"
	"os/user"
	"strings"
	"unicode"
)

// Self is no user's name in a list of [Roles], but stands for whomever flattoned runs as: for a box that a person starts by hand.
const Self = "self"

// Roles say who may do what at the admin socket: each is a list of users, and of groups with an @ before their names. What each role may is in
// daemon/control's table. A list that is written takes the default's place, whole.
type Roles struct{ Viewer, Technician, Custodian, Auditor, Installer, Desk []string }

// DeskUser is the user that flattone-desk runs as, and the desk unless the config says otherwise. A machine without the package has none.
const DeskUser = "flattone-desk"

// byKey are the lists with their keys, in the order of the matrix.
func (r *Roles) byKey() []struct {
	key  string
	list *[]string
} {
	return []struct {
		key  string
		list *[]string
	}{{"viewer", &r.Viewer}, {"technician", &r.Technician}, {"custodian", &r.Custodian}, {"auditor", &r.Auditor}, {"installer", &r.Installer}, {"desk", &r.Desk}}
}

func (t *table) roles(r *Roles) {
	for _, role := range r.byKey() {
		t.people(role.key, role.list)
	}
}

// people reads a list of users and groups. An empty one is meant: nobody.
func (t *table) people(key string, to *[]string) {
	list, ok := value[[]any](t, key, aList)
	if !ok {
		return
	}
	names := []string{}
	seen := map[string]bool{}
	for _, v := range list {
		name, isText := v.(string)
		switch {
		case !isText:
			t.fault(key, "has "+typeName(v)+" in it", aList.remedy)
			return
		case !canBeName(strings.TrimPrefix(name, "@")):
			t.fault(key, "has a name in it that no user or group can have", `write users by their names ("anna"), and groups with an @ before them ("@flattone-admin")`)
			return
		case seen[name]:
			t.fault(key, "has a name twice", "write it once")
			return
		}
		seen[name] = true
		names = append(names, name)
	}
	*to = names
}

// canBeName takes what any directory service may call somebody, but nothing that /etc/passwd couldn't hold.
func canBeName(name string) bool {
	return name != "" && len(name) <= 256 && !strings.ContainsFunc(name, func(c rune) bool {
		return unicode.IsSpace(c) || !unicode.IsPrint(c) || strings.ContainsRune(":,/@", c)
	})
}

// unknownHere says whom [roles] names that this machine doesn't know. The defaults are left in peace, and so is what can't be looked up.
func (c *Config) unknownHere() (list []string) {
	for _, role := range c.Roles.byKey() {
		path := join("roles", role.key)
		if c.at[path] == 0 {
			continue
		}
		for _, name := range *role.list {
			group, isGroup := strings.CutPrefix(name, "@")
			kind := "user"
			var err error
			if name == Self {
				continue
			}
			if isGroup {
				kind = "group"
				_, err = user.LookupGroup(group)
			} else {
				_, err = user.Lookup(name)
			}
			_, noUser := errors.AsType[user.UnknownUserError](err)
			_, noGroup := errors.AsType[user.UnknownGroupError](err)
			if noUser || noGroup {
				list = append(list, fmt.Sprintf("%s: this machine has no %s %s. Until it has, and flattoned was started anew, the name grants nobody anything.", path, kind, strings.TrimPrefix(name, "@")))
			}
		}
	}
	return list
}
