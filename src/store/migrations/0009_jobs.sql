-- Jobs are claimed by priority, then by how long they are due; leases are looked through by their end; a job's earlier
-- lives are counted by its key; history is cleaned by its age.
DROP INDEX job_ready;
CREATE INDEX job_claim ON job (account_id, priority DESC, run_after, job_id) WHERE state = 'ready';
CREATE INDEX job_leased ON job (account_id, lease_until) WHERE state = 'leased';
CREATE INDEX job_ended ON job (account_id, updated_at, job_id) WHERE state IN ('done', 'dropped');
CREATE INDEX job_occurrence ON job (account_id, schedule, civil_date);

-- One token bucket per operation of a source, shared by every process: `next_us` is when it would be full again but
-- for one token, in Unix microseconds (a rate of 300 a second is no whole number of milliseconds).
CREATE TABLE bucket (
    account_id TEXT NOT NULL,
    source TEXT NOT NULL,
    operation TEXT NOT NULL,
    next_us BIGINT NOT NULL,
    taken_us BIGINT NOT NULL,
    PRIMARY KEY (account_id, source, operation)
);

-- So many at a time at one source, whoever they are: a numbered place is held under a lease. `fence` counts its holders.
CREATE TABLE slot (
    account_id TEXT NOT NULL,
    source TEXT NOT NULL,
    place BIGINT NOT NULL,
    fence BIGINT NOT NULL,
    owner TEXT,
    lease_until BIGINT,
    PRIMARY KEY (account_id, source, place)
);
