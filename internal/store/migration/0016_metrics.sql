-- What WorkSpaces have been, written when they are it no more: the times that they have spent in a state, or
-- with their user connected. What they are now is in their rows.
CREATE TABLE stay (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  workspace_id TEXT NOT NULL,
  until BIGINT NOT NULL,
  state TEXT NOT NULL,
  since BIGINT NOT NULL,
  directory_id TEXT NOT NULL,
  running_mode TEXT NOT NULL,
  protocol TEXT NOT NULL,
  compute_type TEXT NOT NULL,
  bundle_id TEXT NOT NULL,
  user_name TEXT NOT NULL,
  computer_name TEXT NOT NULL,
  PRIMARY KEY (account, region, workspace_id, until, state)
);

CREATE INDEX stay_until ON stay (account, region, until);

-- What has happened to connections to WorkSpaces, summed over five minutes from at on, or, when it is old, over an hour.
CREATE TABLE happening (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  workspace_id TEXT NOT NULL,
  at BIGINT NOT NULL,
  metric TEXT NOT NULL,
  n BIGINT NOT NULL,
  total DOUBLE PRECISION NOT NULL,
  least DOUBLE PRECISION NOT NULL,
  most DOUBLE PRECISION NOT NULL,
  directory_id TEXT NOT NULL,
  running_mode TEXT NOT NULL,
  protocol TEXT NOT NULL,
  compute_type TEXT NOT NULL,
  bundle_id TEXT NOT NULL,
  user_name TEXT NOT NULL,
  computer_name TEXT NOT NULL,
  PRIMARY KEY (account, region, workspace_id, at, metric)
);

CREATE INDEX happening_at ON happening (account, region, at);
