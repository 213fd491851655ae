-- What Carrel signs with and reads by, for a directory's identity provider. '': the server makes it when it starts.
ALTER TABLE saml_provider ADD COLUMN key_pair TEXT NOT NULL DEFAULT '';

ALTER TABLE saml_provider ADD COLUMN next_key_pair TEXT NOT NULL DEFAULT '';

-- Whom the identity provider has signed in, in its words.
ALTER TABLE saml_arrival ADD COLUMN name_id TEXT NOT NULL DEFAULT '';

ALTER TABLE saml_arrival ADD COLUMN name_format TEXT NOT NULL DEFAULT '';

ALTER TABLE saml_arrival ADD COLUMN name_qualifier TEXT NOT NULL DEFAULT '';

ALTER TABLE saml_arrival ADD COLUMN sp_name_qualifier TEXT NOT NULL DEFAULT '';

ALTER TABLE saml_arrival ADD COLUMN session_index TEXT NOT NULL DEFAULT '';

ALTER TABLE portal_session ADD COLUMN name_id TEXT NOT NULL DEFAULT '';

ALTER TABLE portal_session ADD COLUMN name_format TEXT NOT NULL DEFAULT '';

ALTER TABLE portal_session ADD COLUMN name_qualifier TEXT NOT NULL DEFAULT '';

ALTER TABLE portal_session ADD COLUMN sp_name_qualifier TEXT NOT NULL DEFAULT '';

ALTER TABLE portal_session ADD COLUMN session_index TEXT NOT NULL DEFAULT '';

CREATE INDEX portal_session_name ON portal_session (account, region, directory_id, name_id);
