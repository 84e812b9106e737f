-- Tenants, their price books and keys: small, and read-only on the hot path.

-- Names and ids. A domain is checked when a value is given; a CHECK of the table would match the
-- pattern again at every update of a row.
CREATE DOMAIN tollgate_data.identifier AS text COLLATE "C"
  CHECK (VALUE ~ '^[A-Za-z0-9_.:-]{1,128}$');

CREATE TABLE tollgate_data.tenants (
  tenant_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name tollgate_data.identifier NOT NULL UNIQUE,
  -- Credits a new account starts with.
  initial_allowance bigint NOT NULL CHECK (initial_allowance BETWEEN 0 AND 1000000000000000),
  -- How long after its deadline an expired hold may still be captured.
  grace_seconds integer NOT NULL DEFAULT 300 CHECK (grace_seconds BETWEEN 0 AND 86400),
  -- Where an account holder buys credits; shown in the 402.
  top_up_url text CHECK (length(top_up_url) <= 2048),
  -- The public keys of the tenant's dashboard, a JWK set: they prove its account holders' sessions.
  session_keys json,
  active_price_book integer,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE tollgate_data.price_books (
  tenant_id integer NOT NULL REFERENCES tollgate_data.tenants,
  version integer NOT NULL CHECK (version > 0),
  -- json, not jsonb: the text is kept as it was loaded.
  book json NOT NULL,
  loaded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, version)
);

ALTER TABLE tollgate_data.tenants
  ADD FOREIGN KEY (tenant_id, active_price_book)
  REFERENCES tollgate_data.price_books (tenant_id, version);

CREATE TYPE tollgate_data.key_role AS ENUM ('admin', 'service', 'account');

CREATE TABLE tollgate_data.api_keys (
  key_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id integer NOT NULL REFERENCES tollgate_data.tenants,
  role tollgate_data.key_role NOT NULL,
  -- Who acts with the key; every reservation and entry it causes carries it.
  name tollgate_data.identifier NOT NULL,
  -- The account of an account key, by the tenant's own id.
  external_id tollgate_data.identifier,
  -- SHA-256 of the key; the key itself has 192 random bits and is kept nowhere.
  hash bytea NOT NULL UNIQUE CHECK (length(hash) = 32),
  created_at timestamptz NOT NULL DEFAULT now(),
  revoked_at timestamptz,
  CHECK ((role = 'account') = (external_id IS NOT NULL))
);
