package api

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Timestamp is a point in time as the JSON protocols write it: epoch seconds, with a fraction of at most three digits
// where there is one (1662526214.744).
type Timestamp struct{ t time.Time }

// At returns the timestamp for t, cut to milliseconds; a pointer, because that is what members hold. The zero time gives
// nil, which is left out of replies.
func At(t time.Time) *Timestamp {
	if t.IsZero() {
		return nil
	}
	return &Timestamp{t: t.Truncate(time.Millisecond)}
}

// Time returns the point in time in UTC; the zero time for a nil timestamp.
func (t *Timestamp) Time() time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.t.UTC()
}

// MarshalJSONTo writes epoch seconds.
func (t *Timestamp) MarshalJSONTo(enc *jsontext.Encoder) error {
	buffer := enc.AvailableBuffer()
	millis := t.t.UnixMilli()
	if millis%1000 == 0 {
		buffer = strconv.AppendInt(buffer, millis/1000, 10)
	} else {
		buffer = strconv.AppendFloat(buffer, float64(millis)/1000, 'f', -1, 64)
	}
	return enc.WriteValue(buffer)
}

// The range that JSON timestamps may have: the years 1 to 9999. Beyond it time.Time no longer prints as RFC 3339.
const (
	minEpoch = -62135596800
	maxEpoch = 253402300799
)

// UnmarshalJSONFrom reads epoch seconds. Anything but a number of seconds within the years 1 to 9999 is an error.
func (t *Timestamp) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	token, err := dec.ReadToken()
	if err != nil {
		return err
	}
	if token.Kind() != '0' {
		return fmt.Errorf("a timestamp is a number of seconds, not %s", token.Kind())
	}
	seconds, err := token.Float()
	if err != nil || seconds < minEpoch || seconds > maxEpoch {
		return fmt.Errorf("timestamp %s is out of range", token)
	}
	t.t = time.UnixMilli(int64(math.Round(seconds * 1000))).UTC()
	return nil
}
