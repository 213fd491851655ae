package main

import (
	"context"

	"carrel/internal/forward"
	"carrel/internal/forward/ec2"
	"carrel/internal/operation"
	"carrel/internal/store"
)

// networks is where a test suite makes its networks, nil where it makes none or nobody knows.
func (s *server) networks(ctx context.Context) (*operation.Networks, error) {
	to, err := s.config.ForwardTo()
	if err != nil || to == nil || !s.config.CI {
		return nil, err
	}
	n := &operation.Networks{EC2: ec2.New(to, forward.Transport(), forward.PassedHeader), Log: s.log}
	return n, s.store.View(func(tx *store.Tx) error {
		own, err := tx.Subnets(ctx)
		for _, subnet := range own {
			n.Own = append(n.Own, subnet.VPCID)
		}
		return err
	})
}
