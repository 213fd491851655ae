-- Who signs the users of a directory in by SAML 2.0.
CREATE TABLE saml_provider (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  directory_id TEXT NOT NULL,
  id TEXT NOT NULL,
  address TEXT NOT NULL,
  metadata TEXT NOT NULL,
  user_attribute TEXT NOT NULL,
  PRIMARY KEY (account, region, directory_id)
);

CREATE UNIQUE INDEX saml_provider_id ON saml_provider (id);

-- Assertions that were taken and must not be again, by a hash of whose and which they are.
CREATE TABLE saml_assertion (
  id TEXT PRIMARY KEY,
  expires_at BIGINT NOT NULL
);

CREATE INDEX saml_assertion_expiry ON saml_assertion (expires_at);

-- Who has come with an assertion and is on the way to a session, by a hash of what their browser was told.
CREATE TABLE saml_arrival (
  id TEXT PRIMARY KEY,
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  directory_id TEXT NOT NULL,
  state TEXT NOT NULL,
  user_name TEXT NOT NULL,
  email TEXT NOT NULL,
  sid TEXT NOT NULL,
  session_ends BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);

CREATE INDEX saml_arrival_expiry ON saml_arrival (expires_at);

ALTER TABLE portal_session ADD COLUMN by_saml BOOLEAN NOT NULL DEFAULT FALSE;
