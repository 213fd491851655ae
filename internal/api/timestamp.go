package api

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/fxamacker/cbor/v2"
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

// MarshalText writes the timestamp as the Query protocol has it, such as 2026-01-02T03:04:05Z.
func (t *Timestamp) MarshalText() ([]byte, error) {
	return t.t.UTC().AppendFormat(nil, time.RFC3339Nano), nil
}

// UnmarshalText reads what the Query protocol has for a timestamp: a date and a time, in whatever zone, or epoch seconds.
func (t *Timestamp) UnmarshalText(text []byte) error {
	if at, err := time.Parse(time.RFC3339, string(text)); err == nil {
		t.t = at.Truncate(time.Millisecond).UTC()
		return t.checkRange()
	}
	for _, layout := range []string{"2006-01-02T15:04:05", time.DateOnly} { // of UTC
		if at, err := time.Parse(layout, string(text)); err == nil {
			t.t = at.UTC()
			return t.checkRange()
		}
	}
	seconds, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return errors.New("a timestamp is a date and a time")
	}
	return t.set(seconds)
}

// MarshalCBOR writes epoch seconds with the tag that says so.
func (t *Timestamp) MarshalCBOR() ([]byte, error) {
	if millis := t.t.UnixMilli(); millis%1000 != 0 {
		return cbor.Marshal(cbor.Tag{Number: cborEpoch, Content: float64(millis) / 1000})
	}
	return cbor.Marshal(cbor.Tag{Number: cborEpoch, Content: t.t.Unix()})
}

// cborEpoch is the tag of a time in epoch seconds (RFC 8949, section 3.4.2).
const cborEpoch = 1

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
	if err != nil {
		return fmt.Errorf("timestamp %s is out of range", token)
	}
	return t.set(seconds)
}

func (t *Timestamp) set(seconds float64) error {
	if math.IsNaN(seconds) || seconds < minEpoch || seconds > maxEpoch {
		return fmt.Errorf("timestamp %g is out of range", seconds)
	}
	t.t = time.UnixMilli(int64(math.Round(seconds * 1000))).UTC()
	return nil
}

func (t *Timestamp) checkRange() error {
	if t.t.Unix() < minEpoch || t.t.Unix() > maxEpoch {
		return errors.New("a timestamp is out of range")
	}
	return nil
}
