package api

import (
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// maxItems bounds the list of a form: what no index of a good request comes near. Without it, one parameter could ask for
// a list of any length.
const maxItems = 1000

// decodeForm reads the parameters of the Query protocol into a generated input type:
//
//	MetricDataQueries.member.1.MetricStat.Period=300
//
// Unknown parameters are ignored, as unknown members of JSON are. An empty list (Name=) is a list without elements.
func decodeForm(form url.Values, into any) error {
	tree := new(branch)
	for _, name := range slices.Sorted(maps.Keys(form)) {
		if len(form[name]) > 1 {
			return serializationException("The parameter " + Clip(name) + " is given twice.")
		}
		if err := tree.put(strings.Split(name, "."), form.Get(name)); err != nil {
			return err
		}
	}
	return tree.structure("", reflect.ValueOf(into).Elem())
}

// branch is a parameter and those that its name leads.
type branch struct {
	value *string
	below map[string]*branch
}

func (b *branch) put(path []string, value string) error {
	if len(path) > maxDepth {
		return serializationException(fmt.Sprintf("The request nests deeper than %d levels.", maxDepth))
	}
	for _, name := range path {
		if b.below == nil {
			b.below = make(map[string]*branch)
		}
		if b.below[name] == nil {
			b.below[name] = new(branch)
		}
		b = b.below[name]
	}
	b.value = &value
	return nil
}

// structure fills a structure of generated type, whose members are pointers and slices.
func (b *branch) structure(path string, into reflect.Value) error {
	for i := range into.NumField() {
		name := memberName(into.Type().Field(i))
		if below := b.below[name]; below != nil {
			if err := below.member(path+name, into.Field(i)); err != nil {
				return err
			}
		}
	}
	return nil
}

// memberName is what the model calls the member that a field holds.
func memberName(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return name
}

func (b *branch) member(path string, into reflect.Value) error {
	switch into.Kind() {
	case reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		return b.one(path, into.Elem())
	case reflect.Slice:
		return b.list(path, into)
	default: // apigen makes no others of inputs in this protocol
		return unreadableParameter(path)
	}
}

// list reads NAME.member.1, NAME.member.2 and so on.
func (b *branch) list(path string, into reflect.Value) error {
	into.Set(reflect.MakeSlice(into.Type(), 0, 0))
	members := b.below["member"]
	if members == nil {
		return nil
	}
	n := len(members.below)
	if n > maxItems {
		return serializationException(fmt.Sprintf("The list %s is longer than %d.", Clip(path), maxItems))
	}
	into.Set(reflect.MakeSlice(into.Type(), n, n))
	for i := range n {
		name := strconv.Itoa(i + 1)
		item := members.below[name]
		if item == nil {
			return serializationException("The list " + Clip(path) + " must have its elements numbered from 1, without a gap.")
		}
		if err := item.one(path+".member."+name, into.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

// one reads a value that is no list.
func (b *branch) one(path string, into reflect.Value) error {
	timestamp, isTime := reflect.TypeAssert[*Timestamp](into.Addr())
	switch {
	case into.Kind() == reflect.Struct && !isTime:
		return b.structure(path+".", into)
	case b.value == nil:
		return unreadableParameter(path)
	case isTime:
		if timestamp.UnmarshalText([]byte(*b.value)) != nil {
			return unreadableParameter(path)
		}
		return nil
	}
	switch into.Kind() {
	case reflect.String:
		into.SetString(*b.value)
		return nil
	case reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(*b.value, 10, into.Type().Bits())
		if err != nil {
			return unreadableParameter(path)
		}
		into.SetInt(n)
		return nil
	case reflect.Bool:
		if *b.value != "true" && *b.value != "false" {
			return unreadableParameter(path)
		}
		into.SetBool(*b.value == "true")
		return nil
	default:
		return unreadableParameter(path)
	}
}

// unreadableParameter names the parameter and not its value: it may be a secret.
func unreadableParameter(path string) *Exception {
	return serializationException("The value of the parameter " + Clip(path) + " cannot be read.")
}
