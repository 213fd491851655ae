package workspaces

import (
	"slices"
	"time"
)

// Metrics of pools are samples too, one every minute of each pool from when it is created until
// it is forgotten: how many desktops it has in a state. Refused sessions are counted by the minute.
// Source: Administration Guide, WorkSpaces Pools metrics and dimensions.

// PoolMetricsNamespace is MetricsNamespace as that page of the guide spells it.
const PoolMetricsNamespace = "AWS/Workspaces"

// DimensionPool is the name of the one dimension that metrics of pools have.
const DimensionPool = "WorkSpaces pool ID"

// PoolSampleEvery is how far two samples of a pool are apart. They lie at multiples of it since 1970.
const PoolSampleEvery = time.Minute

// The metrics of pools, as the API spells them.
const (
	MetricPoolActive      Metric = "ActiveUserSessionCapacity"
	MetricPoolActual      Metric = "ActualUserSessionCapacity"
	MetricPoolAvailable   Metric = "AvailableUserSessionCapacity"
	MetricPoolDesired     Metric = "DesiredUserSessionCapacity"
	MetricPoolRefused     Metric = "InsufficientCapacityError"
	MetricPoolPending     Metric = "PendingUserSessionCapacity"
	MetricPoolUtilization Metric = "UserSessionsCapacityUtilization" // percent
)

// PoolMetrics returns all metrics of pools, in the order of their names.
func PoolMetrics() []Metric {
	return []Metric{
		MetricPoolActive, MetricPoolActual, MetricPoolAvailable, MetricPoolDesired, MetricPoolRefused, MetricPoolPending, MetricPoolUtilization,
	}
}

// OfPools reports whether the metric is one of pools.
func (m Metric) OfPools() bool { return slices.Contains(PoolMetrics(), m) }

// PoolCapacity is how many desktops a pool has at a time, by what they are at.
type PoolCapacity struct{ Ready, InUse, Making int64 }

// Add counts n more desktops in a state; n may be negative.
func (c *PoolCapacity) Add(s PoolDesktopState, n int64) {
	switch s {
	case PoolDesktopReady:
		c.Ready += n
	case PoolDesktopInUse:
		c.InUse += n
	case PoolDesktopMaking:
		c.Making += n
	case PoolDesktopRemoving:
		// It is nobody's capacity any more.
	}
}

// Of is what a metric of samples tells of a pool with this capacity.
func (c PoolCapacity) Of(m Metric) float64 {
	actual := c.Ready + c.InUse
	switch m {
	case MetricPoolActive:
		return float64(c.InUse)
	case MetricPoolActual:
		return float64(actual)
	case MetricPoolAvailable:
		return float64(c.Ready)
	case MetricPoolPending:
		return float64(c.Making)
	case MetricPoolDesired:
		return float64(actual + c.Making)
	case MetricPoolUtilization:
		return 100 * float64(c.InUse) / float64(max(actual, 1))
	default:
		return 0
	}
}

// PoolStay is a time that a desktop of a pool has spent in a state, or that a pool has been there.
type PoolStay struct {
	Scope
	PoolID    string
	DesktopID string           // "" where it is the pool that was there
	State     PoolDesktopState // likewise
	Since     time.Time
	Until     time.Time // exclusive
}

// Stay returns how long the pool has been there.
func (p *Pool) Stay(now time.Time) PoolStay {
	return PoolStay{Scope: p.Scope, PoolID: p.ID, Since: p.CreatedAt, Until: now}
}

// Stay returns how long the desktop has been as it is; false where that is no capacity of its pool.
func (d *PoolDesktop) Stay(now time.Time) (PoolStay, bool) {
	stay := PoolStay{Scope: d.Scope, PoolID: d.PoolID, DesktopID: d.ID, State: d.State, Since: d.ChangedAt, Until: now}
	return stay, d.State != "" && d.State != PoolDesktopRemoving
}

// Left returns what the desktop has been since it was read, and is not any more: for whoever
// saves it to keep.
func (d *PoolDesktop) Left() []PoolStay { return d.left }

// PoolRefusals is how many sessions a pool had no desktop for within PoolSampleEvery from At on.
type PoolRefusals struct {
	Scope
	PoolID string
	At     time.Time
	N      int64
}
