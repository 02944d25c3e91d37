-- The tubes that clients of each broker wait for: the others tell it of jobs that they make ready there.
create table tube_awaited (
    tube text collate "C" not null,
    epoch bigint not null,
    primary key (tube, epoch)
);

-- What a broker (epoch) is told by the others. Anybody may NOTIFY: that only says that it shall look here. A row that a
-- crash forgets costs a second, after which the broker looks by itself. Rows are only inserted and deleted: whoever
-- tells waits for nobody.
create unlogged table notice (
    epoch bigint not null,
    number bigint generated always as identity,
    tube_id integer not null,
    -- A job that has become ready there.
    priority bigint,
    job_id bigint,
    primary key (epoch, number)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 1);
