-- Who is signed in to the portal, by a hash of what their browser holds.
CREATE TABLE portal_session (
  id TEXT PRIMARY KEY,
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  directory_id TEXT NOT NULL,
  registration_code TEXT NOT NULL,
  user_name TEXT NOT NULL,
  credential TEXT NOT NULL,
  staying BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);

CREATE INDEX portal_session_expiry ON portal_session (expires_at);

-- Each opens one connection to a desktop, once.
CREATE TABLE portal_ticket (
  id TEXT PRIMARY KEY,
  session_id TEXT NOT NULL,
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  workspace_id TEXT NOT NULL,
  address TEXT NOT NULL,
  share BOOLEAN NOT NULL,
  expires_at BIGINT NOT NULL
);

CREATE INDEX portal_ticket_expiry ON portal_ticket (expires_at);
