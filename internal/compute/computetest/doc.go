// Package computetest is what every compute.Driver must pass. A driver's own tests
// call [Run] with a function that opens its engine:
//
//	func TestSuite(t *testing.T) {
//		computetest.Run(t, func(t *testing.T) computetest.Harness { … })
//	}
//
// The suite is written for engines where making a desktop takes seconds: it makes
// about forty in all, five at once at most, and removes every one of them, also
// after a failure. It follows times returned by a driver on the harness's clock, so
// that a simulated engine under a frozen clock takes no real time.
//
// Start reading at [Harness]; life.go, volumes.go, images.go,
// interrupted.go and several.go are the suite.
package computetest
