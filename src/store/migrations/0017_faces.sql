-- What the console asks with many conversations stored.
CREATE INDEX hold_waiting ON hold (practice, conversation) WHERE settled IS NULL;
CREATE INDEX alarm_waiting ON alarm (practice, conversation) WHERE due IS NOT NULL;
CREATE INDEX audit_entry_subject ON audit_entry (practice, subject, seq) WHERE seq IS NOT NULL;
CREATE INDEX audit_entry_actor ON audit_entry (practice, actor, seq) WHERE seq IS NOT NULL;
CREATE INDEX audit_entry_action ON audit_entry (practice, action, seq) WHERE seq IS NOT NULL;

-- What an owner has answered in the set-up so far, sealed; `target` is the id that the new practice gets.
CREATE TABLE setup_answer (
  practice TEXT NOT NULL PRIMARY KEY,
  target TEXT NOT NULL,
  at BIGINT NOT NULL,
  sealed BYTEA NOT NULL
);
CREATE INDEX setup_answer_target ON setup_answer (target);
