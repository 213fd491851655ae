-- Images of WorkSpaces. What an image is made from is one of workspace_id, from_image and root_fs.
CREATE TABLE image (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  state TEXT NOT NULL,
  generation BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  deadline BIGINT NOT NULL,
  wake_at BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  error_code TEXT NOT NULL,
  error_message TEXT NOT NULL,
  engine TEXT NOT NULL,
  workspace_id TEXT NOT NULL,
  from_image TEXT NOT NULL,
  root_fs TEXT NOT NULL,
  update_packages BOOLEAN NOT NULL,
  os_type TEXT NOT NULL,
  os_name TEXT NOT NULL,
  protocol TEXT NOT NULL,
  tenancy TEXT NOT NULL,
  root_gib BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  packages_at BIGINT NOT NULL,
  import TEXT NOT NULL,
  PRIMARY KEY (account, region, id)
);

CREATE UNIQUE INDEX image_page ON image (account, region, seq);

CREATE UNIQUE INDEX image_name ON image (account, region, name);

CREATE UNIQUE INDEX image_engine ON image (engine);

CREATE INDEX image_source ON image (from_image) WHERE from_image <> '';

CREATE INDEX image_capture ON image (account, region, workspace_id) WHERE workspace_id <> '';

CREATE INDEX image_wake ON image (wake_at) WHERE wake_at > 0;

-- Which accounts may see and copy an image beside its owner.
CREATE TABLE image_permission (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  image_id TEXT NOT NULL,
  shared_with TEXT NOT NULL,
  seq BIGINT NOT NULL,
  PRIMARY KEY (account, region, image_id, shared_with)
);

CREATE INDEX image_shared ON image_permission (shared_with, region, image_id);

-- Custom bundles. The image is one of the account's own, or a public one, which has no row.
CREATE TABLE bundle (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  image_id TEXT NOT NULL,
  compute_type TEXT NOT NULL,
  root_gib BIGINT NOT NULL,
  user_gib BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (account, region, id)
);

CREATE UNIQUE INDEX bundle_page ON bundle (account, region, seq);

CREATE UNIQUE INDEX bundle_name ON bundle (account, region, name);

CREATE INDEX bundle_image ON bundle (account, region, image_id);
