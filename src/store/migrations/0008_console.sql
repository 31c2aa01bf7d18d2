-- Accounts of the console. Names, addresses and secrets are sealed; the address is found by its hash.
CREATE TABLE staff (
  id BIGINT NOT NULL PRIMARY KEY,
  practice TEXT NOT NULL,
  email_hash BYTEA NOT NULL,
  role TEXT NOT NULL,
  active BIGINT NOT NULL CHECK (active IN (0, 1)),
  wrong BIGINT NOT NULL,
  resting_until BIGINT,
  sealed BYTEA NOT NULL
);
CREATE UNIQUE INDEX staff_email ON staff (practice, email_hash);

-- Invitations and forgotten passwords: a link that works once. Only the hash is kept.
CREATE TABLE staff_invitation (
  token_hash BYTEA NOT NULL PRIMARY KEY,
  staff BIGINT NOT NULL REFERENCES staff (id),
  practice TEXT NOT NULL,
  expires BIGINT NOT NULL
);

CREATE TABLE staff_session (
  token_hash BYTEA NOT NULL PRIMARY KEY,
  staff BIGINT NOT NULL REFERENCES staff (id),
  practice TEXT NOT NULL,
  whole BIGINT NOT NULL CHECK (whole IN (0, 1)),
  began BIGINT NOT NULL,
  seen BIGINT NOT NULL
);
CREATE INDEX staff_session_staff ON staff_session (staff);

-- What the inbox is ordered and filtered by.
ALTER TABLE conversation ADD COLUMN last_turn BIGINT NOT NULL DEFAULT 0;
ALTER TABLE conversation ADD COLUMN last_in BIGINT NOT NULL DEFAULT 0;
ALTER TABLE conversation ADD COLUMN seen BIGINT NOT NULL DEFAULT 0;
ALTER TABLE conversation ADD COLUMN taken_by BIGINT;
UPDATE conversation SET
  last_turn = COALESCE((SELECT max(t.id) FROM turn t WHERE t.conversation = conversation.id), 0),
  last_in = COALESCE((SELECT max(t.id) FROM turn t
    WHERE t.conversation = conversation.id AND t.direction = 'inbound'), 0);
CREATE INDEX conversation_inbox ON conversation (practice, last_turn);
CREATE INDEX conversation_unread ON conversation (practice, last_turn) WHERE last_in > seen;
CREATE INDEX conversation_human ON conversation (practice, last_turn) WHERE human = 1;

-- What became of a hold; open ones have no time here.
ALTER TABLE hold ADD COLUMN settled BIGINT;
ALTER TABLE hold ADD COLUMN settled_by BIGINT;
ALTER TABLE hold ADD COLUMN settled_how TEXT;
CREATE INDEX hold_open ON hold (conversation, id) WHERE settled IS NULL;
