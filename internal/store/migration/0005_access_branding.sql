-- Who may reach a directory's WorkSpaces, and what their way in looks like.

-- Rules are JSON.
CREATE TABLE ip_group (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  rules TEXT NOT NULL,
  PRIMARY KEY (account, region, id)
);

CREATE UNIQUE INDEX ip_group_name ON ip_group (account, region, name);

CREATE UNIQUE INDEX ip_group_page ON ip_group (account, region, seq);

CREATE TABLE ip_group_association (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  directory_id TEXT NOT NULL,
  group_id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  PRIMARY KEY (account, region, directory_id, group_id)
);

CREATE INDEX ip_group_directories ON ip_group_association (account, region, group_id);

-- Messages are JSON, by locale.
CREATE TABLE client_branding (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  directory_id TEXT NOT NULL,
  platform TEXT NOT NULL,
  support_email TEXT NOT NULL,
  support_link TEXT NOT NULL,
  forgot_password_link TEXT NOT NULL,
  login_messages TEXT NOT NULL,
  PRIMARY KEY (account, region, directory_id, platform)
);

-- The size is 1, 2 or 3: the pixels to a point.
CREATE TABLE client_logo (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  directory_id TEXT NOT NULL,
  platform TEXT NOT NULL,
  size BIGINT NOT NULL,
  hash TEXT NOT NULL,
  png BLOB NOT NULL,
  PRIMARY KEY (account, region, directory_id, platform, size)
);

-- Whoever asks for a logo knows no account.
CREATE INDEX client_logo_hash ON client_logo (directory_id, hash);

CREATE TABLE client_add_in (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  directory_id TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  url TEXT NOT NULL,
  PRIMARY KEY (account, region, directory_id)
);
