-- What several functions share: errors and checks of arguments, who has a job, and the numbers of jobs.
--
-- Errors have SQLSTATEs of their own class: BR001 tube, BR002 priority, BR003 delay, BR004 time to run or lease, BR005
-- body, BR006 unknown job, BR007 NULL, BR008 not reserved here, BR009 tube full, BR010 no answer, BR011 policy, BR012 key,
-- BR013 key taken.
--
-- Functions take locks in this order, so that no two wait for each other: sql_gate, then rows of job by their ids (or with
-- skip locked), then sql_lease, then the rest. Who changes a row of sql_lease has locked the row of its job.

-- MARK: Errors

create function refuse(code text, message text, hint text) returns void
language plpgsql set search_path from current
as $$ begin raise exception using errcode = code, message = message, hint = hint; end $$;

create function refuse_null(what text) returns void
language sql set search_path from current
as $$ select refuse('BR007', what || ' must not be NULL', 'Leave the argument out for its default, if it has one.') $$;

-- MARK: Checks of arguments

create function check_priority(priority bigint) returns void
language plpgsql set search_path from current
as $$
begin
    if priority is null then perform refuse_null('a priority'); end if;
    if priority not between 0 and 4294967295 then
        perform refuse('BR002', format('priority %s is out of range', priority),
            'A priority is a number from 0, the most urgent, to 4294967295.');
    end if;
end $$;

-- Returns whole seconds, rounded up.
create function check_seconds(length interval, what text, code text, at_least integer) returns bigint
language plpgsql set search_path from current
as $$
declare
    seconds bigint;
begin
    if length is null then perform refuse_null(what); end if;
    seconds := ceil(extract(epoch from length));
    if length < '0' or seconds < at_least or seconds > 4294967295 then
        perform refuse(code, format('%s of %s is out of range', what, length),
            format('Give an interval of at least %s and at most 4294967295 seconds, such as ''90 seconds''.', at_least));
    end if;
    return seconds;
end $$;

create function check_body(body bytea) returns void
language plpgsql set search_path from current
as $$
declare
    size bigint := octet_length(body);
    limit_ bigint := coalesce((select max(max_job_size) from broker), 65535);
begin
    if size is null then perform refuse_null('a body'); end if;
    if size > limit_ then
        perform refuse('BR005', format('a body of %s bytes is too big: the limit is %s', size, limit_),
            'Put a reference to the data, or start the brokers with a higher -z.');
    end if;
end $$;

create function check_tube(name text) returns void
language plpgsql set search_path from current
as $$
begin
    if name is null then perform refuse_null('the name of a tube'); end if;
    if not is_name(name) then
        perform refuse('BR001', format('%s is no name for a tube', quote_literal(left(name, 250))),
            'A name has 1 to 200 of the characters A-Z a-z 0-9 - + / ; . $ _ ( ), the first of them no hyphen.');
    end if;
end $$;

-- MARK: Who has a job

-- True if this lease counts. A negative one is a SQL session's, and lasts until somebody ends it. The function is
-- volatile so that it has a snapshot of its own: a statement that waited for a row sees the brokers of its start, and one
-- that has registered since would look dead to it.
create function broker_lives(bigint) returns boolean
language sql volatile set search_path from current
as 'select $1 < 0 or exists (select from broker where epoch = $1)';

-- True if a job with this lease may be claimed: nobody alive has it. `living` is array(select epoch from broker), which
-- each statement computes once; a lease of none of these is asked for again, since its broker may have registered
-- meanwhile. The planner puts the expression in the place of the call, so the function has no settings, and its names are
-- bound when it is made.
create function is_free(lease_epoch bigint, living bigint[]) returns boolean
language sql volatile
return lease_epoch is null or lease_epoch > 0 and lease_epoch <> all (living) and not broker_lives(lease_epoch);

-- MARK: The numbers of jobs

-- The changes of the ledger, a row for each batch and tube.
create view ledger_change as
select change.*
from ledger, unnest(ledger.tube_ids, ledger.urgent, ledger.ready, ledger.delayed, ledger.buried)
    as change (tube_id, urgent, ready, delayed, buried);

comment on view ledger_change is 'What batches have changed that tube_count does not have yet. For functions and brokers.';
comment on column ledger_change.tube_id is 'The tube.';
comment on column ledger_change.urgent is 'How many more jobs are ready with a priority below 1024.';
comment on column ledger_change.ready is 'How many more are ready.';
comment on column ledger_change.delayed is 'How many more are delayed.';
comment on column ledger_change.buried is 'How many more are buried.';

create view uncounted_change as
select tube_id, urgent, ready, delayed, buried from sql_change
union all
select tube_id, urgent, ready, delayed, buried from ledger_change;

comment on view uncounted_change is
    'What has changed and tube_count does not have yet: with it, its sums are exact. For functions and brokers.';
comment on column uncounted_change.tube_id is 'The tube.';
comment on column uncounted_change.urgent is 'How many more jobs are ready with a priority below 1024.';
comment on column uncounted_change.ready is 'How many more are ready.';
comment on column uncounted_change.delayed is 'How many more are delayed.';
comment on column uncounted_change.buried is 'How many more are buried.';

-- Adds changes to tube_count: element by element of the arrays, and several for one tube if need be. Rows are locked in
-- the order of their tubes. For brokers, and for whoever declares one dead.
create function add_to_counts(
    tubes integer[], urgent bigint[], ready bigint[], delayed bigint[], buried bigint[]
) returns void
language sql set search_path from current
as $$
    insert into tube_count (tube_id, urgent, ready, delayed, buried)
    select change.tube_id, sum(change.urgent), sum(change.ready), sum(change.delayed), sum(change.buried)
    from unnest(add_to_counts.tubes, add_to_counts.urgent, add_to_counts.ready, add_to_counts.delayed, add_to_counts.buried)
        as change (tube_id, urgent, ready, delayed, buried)
    group by change.tube_id
    order by change.tube_id
    on conflict (tube_id) do update set
        urgent = tube_count.urgent + excluded.urgent,
        ready = tube_count.ready + excluded.ready,
        delayed = tube_count.delayed + excluded.delayed,
        buried = tube_count.buried + excluded.buried
$$;

select hide_functions();
