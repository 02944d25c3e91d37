-- Tubes that nobody needs are removed: those without jobs, policy and pause that no client uses. Else each name that was
-- ever used would stay for ever.
--
-- A broker marks them as about to go (tube.remover). From then on no put finds them: it asks for the row again, which
-- takes the mark away, or makes another row. When all transactions are over that may have found them before, this
-- removes those that are still marked and empty, and leaves word for the other brokers.
create function remove_tubes(own bigint, tubes integer[]) returns table (id integer)
language plpgsql security definer set search_path from current
    set enable_seqscan to off set enable_bitmapscan to off set enable_hashjoin to off set enable_mergejoin to off
    set jit to off
as $$
#variable_conflict use_column
declare
    -- What has been done and not been counted yet.
    uncounted integer[] := array(
        select tube_id from sql_change union select unnest(ledger.tube_ids) from ledger);
    empty integer[];
begin
    empty := array(
        select tube.id from tube
        where tube.id = any (remove_tubes.tubes) and remover = remove_tubes.own and tube.id <> all (uncounted)
            and (paused_until is null or paused_until <= clock_timestamp())
            -- By state: each has an index of its own.
            and not exists (select from job where tube_id = tube.id and state = 0)
            and not exists (select from job where tube_id = tube.id and state = 1)
            and not exists (select from job where tube_id = tube.id and state = 2)
            and not exists (select from tube_policy where tube_id = tube.id)
            and not exists (
                select from tube_count
                where tube_id = tube.id and (ready <> 0 or delayed <> 0 or buried <> 0))
        -- Whoever gives it a policy, or puts with a key, has it locked.
        for update skip locked);
    delete from tube where tube.id = any (empty);
    delete from tube_count where tube_id = any (empty);
    update tube set remover = null where tube.id = any (remove_tubes.tubes) and remover = remove_tubes.own;
    insert into notice (epoch, tube_id)
    select epoch, gone.id from broker cross join unnest(empty) as gone (id) where epoch <> remove_tubes.own;
    return query select unnest(empty);
end $$;

select hide_functions();
