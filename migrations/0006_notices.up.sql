-- The tubes that clients of each broker wait for: the others notify it of jobs that they make ready there.
create table tube_awaited (
    tube text collate "C" not null,
    epoch bigint not null,
    primary key (tube, epoch)
);
