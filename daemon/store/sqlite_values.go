package store

import (
	"database/sql/driver"
	"fmt"
	"reflect"
	"strconv"
)

// numbered are the values of $1, $2 and so on, as the driver takes them.
func numbered(args []any) ([]driver.NamedValue, error) {
	values := make([]driver.NamedValue, len(args))
	for i, a := range args {
		v, err := driver.DefaultParameterConverter.ConvertValue(a)
		if err != nil {
			return nil, fmt.Errorf("$%d: %w", i+1, err)
		}
		values[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return values, nil
}

// scan puts a row's values into dest.
func scan(dest []any, row []driver.Value) error {
	if len(dest) != len(row) {
		return fmt.Errorf("a row has %d values, and there is room for %d", len(row), len(dest))
	}
	for i, v := range row {
		if !assign(dest[i], v) {
			return fmt.Errorf("value %d of a row is a %T, which doesn't go into a %T", i+1, v, dest[i])
		}
	}
	return nil
}

// assign reports whether v is of a kind that goes into dest: integers and truths, texts, and bytes, of which alone there may be none.
func assign(dest any, v driver.Value) bool {
	switch v := v.(type) {
	case int64:
		switch dest := dest.(type) {
		case *int64:
			*dest = v
			return true
		case *string: // a pragma's number
			*dest = strconv.FormatInt(v, 10)
			return true
		case *bool:
			*dest = v != 0
			return v == 0 || v == 1
		}
		if to := reflect.ValueOf(dest).Elem(); to.CanInt() && !to.OverflowInt(v) {
			to.SetInt(v)
			return true
		}
	case string:
		if dest, ok := dest.(*string); ok {
			*dest = v
			return true
		}
		if to := reflect.ValueOf(dest).Elem(); to.Kind() == reflect.String {
			to.SetString(v)
			return true
		}
	case []byte:
		dest, ok := dest.(*[]byte)
		if ok {
			*dest = v
		}
		return ok
	case nil:
		dest, ok := dest.(*[]byte)
		if ok {
			*dest = nil
		}
		return ok
	}
	return false
}
