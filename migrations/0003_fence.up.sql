-- A row for each writer of a living broker. Its batches lock it for key share, so that the death of the broker waits for
-- them. Each writer has a row of its own: two that lock the same one at a time would make a multixact of every pair.
create table fence (
    epoch bigint not null,
    writer smallint not null,
    primary key (epoch, writer)
);

insert into fence (epoch, writer) select epoch, writer from broker cross join generate_series(0, 3) as writer;
