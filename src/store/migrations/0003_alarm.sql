-- Alarms that patients' texts raised. `due` is when one is repeated; none once a person has it.
CREATE TABLE alarm (
  id BIGINT NOT NULL PRIMARY KEY,
  practice TEXT NOT NULL,
  conversation BIGINT NOT NULL REFERENCES conversation (id),
  turn BIGINT NOT NULL REFERENCES turn (id),
  kind TEXT NOT NULL,
  raised BIGINT NOT NULL,
  due BIGINT,
  repeated BIGINT NOT NULL,
  acknowledged_at BIGINT,
  acknowledged_by TEXT NOT NULL
);
CREATE INDEX alarm_due ON alarm (due) WHERE due IS NOT NULL;
CREATE INDEX alarm_open ON alarm (conversation, kind) WHERE due IS NOT NULL;
CREATE INDEX alarm_practice ON alarm (practice, id);
