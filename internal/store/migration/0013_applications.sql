-- The applications of the catalogue that are in WorkSpaces, on their way in or out, or were there, and
-- those in images that were made of such WorkSpaces. The resource is a WorkSpace's or an image's id.
CREATE TABLE application_association (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  resource_id TEXT NOT NULL,
  application_id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  in_image BOOLEAN NOT NULL,
  state TEXT NOT NULL,
  removing BOOLEAN NOT NULL,
  error_code TEXT NOT NULL,
  error_message TEXT NOT NULL,
  runs BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (account, region, resource_id, application_id)
);

CREATE INDEX application_association_order ON application_association (account, region, application_id, seq);

-- The work on the applications of a WorkSpace, whose id it has.
CREATE TABLE deployment (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  id TEXT NOT NULL,
  since BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  generation BIGINT NOT NULL,
  deadline BIGINT NOT NULL,
  wake_at BIGINT NOT NULL,
  PRIMARY KEY (account, region, id)
);

CREATE INDEX deployment_wake ON deployment (wake_at) WHERE wake_at > 0;
