package api

import (
	"encoding"
	"encoding/xml"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
)

// EncodeXML writes a value of a generated type as an element of the Query protocol: the elements of a list are called
// member, the entries of a map entry. What is absent is left out; an empty list is an empty element.
func EncodeXML(e *xml.Encoder, name string, output any) error {
	return encodeXML(e, name, reflect.ValueOf(output))
}

func encodeXML(e *xml.Encoder, name string, v reflect.Value) error {
	start := xml.StartElement{Name: xml.Name{Local: name}}
	if v.Kind() == reflect.Pointer && v.IsNil() {
		return nil
	}
	if text, ok := textOf(v); ok {
		return e.EncodeElement(text, start)
	}
	v = reflect.Indirect(v)
	if err := e.EncodeToken(start); err != nil {
		return err
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Field(i); !field.IsZero() {
				if err := encodeXML(e, memberName(v.Type().Field(i)), field); err != nil {
					return err
				}
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			if err := encodeXML(e, "member", v.Index(i).Addr()); err != nil {
				return err
			}
		}
	case reflect.Map:
		if err := encodeEntries(e, v); err != nil {
			return err
		}
	default:
		return fmt.Errorf("api: XML cannot hold a %s", v.Type())
	}
	return e.EncodeToken(start.End())
}

// encodeEntries writes a map of numbers or texts, in the order of its keys.
func encodeEntries(e *xml.Encoder, v reflect.Value) error {
	entries := make(map[string]string, v.Len())
	for key, value := range v.Seq2() {
		entries[key.String()], _ = textOf(value)
	}
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		entry := struct {
			Key   string `xml:"key"`
			Value string `xml:"value"`
		}{key, entries[key]}
		if err := e.EncodeElement(entry, xml.StartElement{Name: xml.Name{Local: "entry"}}); err != nil {
			return err
		}
	}
	return nil
}

// textOf returns the text of a value that is no structure, list or map.
func textOf(v reflect.Value) (text string, ok bool) {
	if m, ok := reflect.TypeAssert[encoding.TextMarshaler](v); ok {
		written, err := m.MarshalText()
		return string(written), err == nil
	}
	switch v = reflect.Indirect(v); v.Kind() {
	case reflect.String:
		return v.String(), true
	case reflect.Int32, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10), true
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64), true
	case reflect.Bool:
		return strconv.FormatBool(v.Bool()), true
	default:
		return "", false
	}
}
