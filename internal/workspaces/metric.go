package workspaces

import (
	"cmp"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Metrics are what CloudWatch tells of WorkSpaces, in the namespace AWS/WorkSpaces. Those of
// states are samples, one every five minutes of each WorkSpace that has been made: 1 while it
// is so, 0 while it is not. Those of connections are what happened, summed over five minutes.
// Source: Administration Guide, CloudWatch metrics of WorkSpaces.

// MetricsNamespace is the namespace of the metrics.
const MetricsNamespace = "AWS/WorkSpaces"

// SampleEvery is how far two samples of a WorkSpace's state are apart, and the resolution of
// what is kept of its connections. Samples lie at multiples of it since 1970.
const SampleEvery = 5 * time.Minute

// MetricsKept is how long metrics are kept. Source: the service, for data of an hour.
const MetricsKept = 455 * 24 * time.Hour

// Metric is the name of a metric.
type Metric string

// The metrics, as the API spells them.
const (
	MetricAvailable   Metric = "Available"
	MetricUnhealthy   Metric = "Unhealthy"
	MetricStopped     Metric = "Stopped"
	MetricMaintenance Metric = "Maintenance"
	MetricConnected   Metric = "UserConnected"

	MetricAttempt    Metric = "ConnectionAttempt"
	MetricSuccess    Metric = "ConnectionSuccess"
	MetricFailure    Metric = "ConnectionFailure"
	MetricLaunch     Metric = "SessionLaunchTime" // seconds
	MetricLatency    Metric = "InSessionLatency"  // milliseconds
	MetricDisconnect Metric = "SessionDisconnect"
)

// Metrics returns all metrics, in the order of their names.
func Metrics() []Metric {
	return []Metric{
		MetricAvailable, MetricAttempt, MetricFailure, MetricSuccess, MetricLatency, MetricMaintenance, MetricDisconnect, MetricLaunch,
		MetricStopped, MetricUnhealthy, MetricConnected,
	}
}

// Sampled reports whether the metric is one of samples.
func (m Metric) Sampled() bool {
	return slices.Contains([]Metric{MetricAvailable, MetricUnhealthy, MetricStopped, MetricMaintenance, MetricConnected}, m)
}

// Unit is what the metric is measured in, as CloudWatch spells it.
func (m Metric) Unit() string {
	switch m {
	case MetricLaunch:
		return "Seconds"
	case MetricLatency:
		return "Milliseconds"
	case MetricPoolUtilization:
		return "Percent"
	default:
		return "Count"
	}
}

// metric is the one that a state is a sample of 1 in, "" where it is a 0 in all. What is in
// ERROR does not work, and the guide has no other metric for that.
func (s State) metric() Metric {
	switch s {
	case Available:
		return MetricAvailable
	case Unhealthy, Impaired, Errored:
		return MetricUnhealthy
	case Stopped:
		return MetricStopped
	case Maintenance, AdminMaintenance:
		return MetricMaintenance
	default:
		return ""
	}
}

// Dimension is a name and a value by which metrics are told apart. Every metric has one.
type Dimension struct{ Name, Value string }

// The names of the dimensions, as the API spells them.
const (
	DimensionWorkSpace = "WorkspaceId"
	DimensionDirectory = "DirectoryId"
)

// Traits are what the metrics of a WorkSpace are told apart by.
type Traits struct {
	Scope
	WorkSpaceID  string
	DirectoryID  string
	RunningMode  string
	Protocol     string
	ComputeType  string
	BundleID     string
	UserName     string
	ComputerName string
}

// Traits returns those of the WorkSpace as it is now.
func (w *WorkSpace) Traits() Traits {
	t := Traits{
		Scope: w.Scope, WorkSpaceID: w.ID, DirectoryID: w.DirectoryID, RunningMode: w.Properties.RunningMode,
		ComputeType: w.Properties.ComputeType, BundleID: w.BundleID, UserName: w.UserName, ComputerName: w.ComputerName,
	}
	if len(w.Properties.Protocols) > 0 {
		t.Protocol = w.Properties.Protocols[0]
	}
	return t
}

// Dimensions are those under which the metrics of a WorkSpace with these traits are found.
func (t Traits) Dimensions() [8]Dimension {
	return [8]Dimension{
		{DimensionWorkSpace, t.WorkSpaceID},
		{DimensionDirectory, t.DirectoryID},
		{"RunningMode", t.RunningMode},
		{"Protocol", t.Protocol},
		{"ComputeType", t.ComputeType},
		{"BundleId", t.BundleID},
		{"UserName", t.UserName},
		{"ComputerName", t.ComputerName},
	}
}

// Stay is a time that a WorkSpace has spent in a state, or with its user connected.
type Stay struct {
	Traits          // that it had then
	State     State // Absent where it was the user who stayed
	Connected bool  // it was the user who stayed
	Since     time.Time
	Until     time.Time // exclusive
}

// Of is the metric that the stay's samples are 1 in, "" where they are 0 in all.
func (s Stay) Of() Metric {
	if s.Connected {
		return MetricConnected
	}
	return s.State.metric()
}

// Sampled reports whether the WorkSpace had samples meanwhile.
func (s Stay) Sampled() bool { return !s.Connected && s.State.Sampled() }

// Sampled reports whether a WorkSpace in the state has samples: once it has been made, until
// it is taken away.
func (s State) Sampled() bool {
	return !slices.Contains([]State{Absent, Pending, Terminating, Terminated}, s)
}

// Stay returns how long the WorkSpace has been as it is; false while it has no samples.
func (w *WorkSpace) Stay(now time.Time) (Stay, bool) {
	return Stay{Traits: w.Traits(), State: w.State, Since: w.ChangedAt, Until: now}, w.State.Sampled() && w.ChangedAt.Before(now)
}

// leave notes what the WorkSpace has been until now. What is to come is known from the
// WorkSpace itself, so that making one notes nothing.
func (w *WorkSpace) leave(now time.Time) {
	if stay, is := w.Stay(now); is {
		w.left = append(w.left, stay)
	}
}

// Left returns what the WorkSpace has been since it was read, and is not any more: for whoever
// saves it to keep.
func (w *WorkSpace) Left() []Stay { return w.left }

// Summary is what is known of some samples of a metric.
type Summary struct {
	N             int64
	Sum, Min, Max float64
}

// Add adds what is known of others.
func (s *Summary) Add(o Summary) {
	if o.N == 0 {
		return
	}
	if s.N == 0 {
		*s = o
		return
	}
	s.N, s.Sum, s.Min, s.Max = s.N+o.N, s.Sum+o.Sum, min(s.Min, o.Min), max(s.Max, o.Max)
}

// Happening is what has happened to a WorkSpace's connections within SampleEvery from At on.
type Happening struct {
	Traits
	Metric Metric
	At     time.Time
	Summary
	Measured Measured // of a metric whose values differ; "" else
}

// Measured are values to three significant digits, each with a space behind it. Others join
// them where they are appended, so that a database can add some to those that it has.
type Measured string

// Measure returns a value as Measured.
func Measure(v float64) Measured { return Measured(strconv.FormatFloat(v, 'g', 3, 64) + " ") }

// Values are the values, in the order in which they came.
func (m Measured) Values() iter.Seq[float64] {
	return func(yield func(float64) bool) {
		for text := range strings.FieldsSeq(string(m)) {
			if v, err := strconv.ParseFloat(text, 64); err == nil && !yield(v) {
				return
			}
		}
	}
}

// Measured reports whether the metric's values differ, so that each of them is kept.
func (m Metric) Measured() bool { return m == MetricLaunch || m == MetricLatency }

// SampledAt returns the last time of a sample that is not after t.
func SampledAt(t time.Time) time.Time { return t.Truncate(SampleEvery) }

// CompareDimensions orders dimensions by name and value.
func CompareDimensions(a, b Dimension) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value))
}
