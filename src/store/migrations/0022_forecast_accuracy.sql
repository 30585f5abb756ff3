-- What plans expected over review and lead time, and what came: one row a day, warehouse and class of demand.
CREATE TABLE forecast_accuracy (
    account_id TEXT NOT NULL,
    made_on TEXT NOT NULL,
    warehouse TEXT NOT NULL,
    class TEXT NOT NULL,
    plan_id TEXT NOT NULL,
    -- Lines judged, and those left out because a day of theirs had no stock or no data.
    lines BIGINT NOT NULL,
    left_out BIGINT NOT NULL,
    sold BIGINT NOT NULL,
    expected BIGINT NOT NULL,
    error BIGINT NOT NULL,
    -- Pinball loss in thousandths of a unit, and lines covered, at .90, .95 and .98.
    loss_900 BIGINT NOT NULL,
    loss_950 BIGINT NOT NULL,
    loss_980 BIGINT NOT NULL,
    covered_900 BIGINT NOT NULL,
    covered_950 BIGINT NOT NULL,
    covered_980 BIGINT NOT NULL,
    judged_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, made_on, warehouse, class)
);
