-- An account is here once dedicated tenancy is enabled for it in a region.
CREATE TABLE account (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  management_range TEXT NOT NULL,
  PRIMARY KEY (account, region)
);

CREATE TABLE account_modification (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  management_range TEXT NOT NULL,
  state TEXT NOT NULL,
  started_at BIGINT NOT NULL,
  error_code TEXT NOT NULL,
  error_message TEXT NOT NULL,
  generation BIGINT NOT NULL,
  deadline BIGINT NOT NULL,
  wake_at BIGINT NOT NULL,
  PRIMARY KEY (account, region, id)
);

CREATE INDEX account_modification_wake ON account_modification (wake_at) WHERE wake_at > 0;

CREATE TABLE account_link (
  region TEXT NOT NULL,
  id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  source_account TEXT NOT NULL,
  target_account TEXT NOT NULL,
  status TEXT NOT NULL,
  PRIMARY KEY (region, id)
);

CREATE INDEX account_link_source ON account_link (source_account, region);

CREATE INDEX account_link_target ON account_link (target_account, region);
