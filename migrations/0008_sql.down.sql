drop function tell_of_job(integer, bigint, smallint, bigint, smallint, bigint),
    tell_brokers(integer, bigint, bigint, bigint, bigint, bigint, bigint), find_tube(text), pause_tube(text, bigint),
    make_tube(text), count_new_tube(integer), open_tube(text), merge_changes(), hold_off_sql(), sql_is_quiet(),
    begin_sql(), check_tube(text), check_body(bytea), check_seconds(interval, text, text, integer),
    check_priority(bigint), refuse_null(text), refuse(text, text, text), is_name(text), inherit(bigint[]), hide_functions();

-- What SQL sessions have changed is counted.
insert into tube_count (tube_id, urgent, ready, delayed, buried)
select tube_id, sum(urgent), sum(ready), sum(delayed), sum(buried) from sql_change group by tube_id
on conflict (tube_id) do update set
    urgent = tube_count.urgent + excluded.urgent,
    ready = tube_count.ready + excluded.ready,
    delayed = tube_count.delayed + excluded.delayed,
    buried = tube_count.buried + excluded.buried;

create or replace function broker_lives(bigint) returns boolean
language sql volatile set search_path from current
as 'select exists (select from broker where epoch = $1)';
grant execute on function broker_lives to public;

alter table broker drop column answered, drop column max_job_size;
drop table sql_change, sql_lease, sql_gate;
drop sequence sql_change_number, summons, sql_reserve_number;
