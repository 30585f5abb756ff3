-- What the decisions of a segment attained, and how far the place the demand is read at is moved for it.
CREATE TABLE calibration (
    account_id TEXT NOT NULL,
    warehouse TEXT NOT NULL,
    mode TEXT NOT NULL,
    class TEXT NOT NULL,
    target_permille BIGINT NOT NULL,
    shift_ppm BIGINT NOT NULL,
    outcomes BIGINT NOT NULL,
    days BIGINT NOT NULL,
    read_ppm BIGINT NOT NULL,
    attained_ppm BIGINT NOT NULL,
    PRIMARY KEY (account_id, warehouse, mode, class, target_permille)
);

-- Decisions, judged once their own interval has passed.
CREATE TABLE calibration_decision (
    account_id TEXT NOT NULL,
    as_of TEXT NOT NULL,
    warehouse TEXT NOT NULL,
    sku TEXT NOT NULL,
    mode TEXT NOT NULL,
    class TEXT NOT NULL,
    target_permille BIGINT NOT NULL,
    read_permille BIGINT NOT NULL,
    position BIGINT NOT NULL,
    -- Units expected over the interval.
    mean BIGINT NOT NULL,
    rate_milli BIGINT NOT NULL,
    -- JSON: the lengths of the interval it is judged in.
    days TEXT NOT NULL,
    due TEXT NOT NULL,
    -- The plan of this day judged it.
    judged_on TEXT,
    -- Share covered; NULL when most days had no data.
    covered_ppm BIGINT,
    -- Units wanted in it, with what days out of stock would have sold.
    wanted BIGINT,
    PRIMARY KEY (account_id, as_of, warehouse, sku)
);

CREATE INDEX calibration_decision_due ON calibration_decision (account_id, due);
