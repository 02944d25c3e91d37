-- What is refused, and how: an SQLSTATE, a sentence, a hint, and nothing changed.
select plan(2 * 63 + 3);

-- Each call has two assertions.
create function refused(call text, code text, message text) returns setof text language plpgsql as $$
declare
    found_code text;
    found_message text;
    found_hint text;
begin
    begin
        execute call;
    exception when others then
        get stacked diagnostics found_code = returned_sqlstate, found_message = message_text, found_hint = pg_exception_hint;
    end;
    return next is(found_code || ': ' || found_message, code || ': ' || message, call);
    return next ok(found_hint ~ '^[A-Z].{10,}\.$', 'its hint: ' || coalesce(found_hint, 'none'));
end $$;

select beanrow.put('work', 'x') as job \gset
select beanrow.put('work', 'taken') as taken \gset
select count(*) from beanrow.reserve('{work}', '1 hour', holder => 1) \gset
create temporary table before as select jobs.* from beanrow.jobs;

-- BR001: the name of a tube.
select refused($$ select beanrow.put('', 'x') $$, 'BR001', ''''' is no name for a tube');
select refused($$ select beanrow.put('-a', 'x') $$, 'BR001', '''-a'' is no name for a tube');
select refused($$ select beanrow.put('a b', 'x') $$, 'BR001', '''a b'' is no name for a tube');
select refused($$ select beanrow.put(E'a\n', 'x') $$, 'BR001', E'''a\n'' is no name for a tube');
select refused($$ select beanrow.put('grün', 'x') $$, 'BR001', '''grün'' is no name for a tube');
select refused(format('select beanrow.put(%L, %L)', repeat('x', 201), 'x'), 'BR001',
    format('%L is no name for a tube', repeat('x', 201)));
select refused($$ select beanrow.put_many('a b', array['x']) $$, 'BR001', '''a b'' is no name for a tube');
select refused($$ select beanrow.put_many('a b', '{}'::text[]) $$, 'BR001', '''a b'' is no name for a tube');
select refused(format('select beanrow.move_job(%s, %L)', :job, 'a b'), 'BR001', '''a b'' is no name for a tube');
select refused(format('select beanrow.move_job(%s, %L)', :taken, 'a b'), 'BR001', '''a b'' is no name for a tube');
select refused($$ select beanrow.reserve(array['work', 'a b']) $$, 'BR001', '''a b'' is no name for a tube');
select refused($$ select beanrow.kick('nowhere') $$, 'BR001', 'there is no tube ''nowhere''');
select refused($$ select beanrow.pause('nowhere', '1 second') $$, 'BR001', 'there is no tube ''nowhere''');
select refused($$ select beanrow.unpause('nowhere') $$, 'BR001', 'there is no tube ''nowhere''');
select refused($$ select beanrow.clear('nowhere') $$, 'BR001', 'there is no tube ''nowhere''');

-- BR002: a priority.
select refused($$ select beanrow.put('work', 'x', -1) $$, 'BR002', 'priority -1 is out of range');
select refused($$ select beanrow.put('work', 'x', 4294967296) $$, 'BR002', 'priority 4294967296 is out of range');
select refused($$ select beanrow.put_many('work', array['x'], -1) $$, 'BR002', 'priority -1 is out of range');
select refused(format('select beanrow.set_priority(%s, -1)', :job), 'BR002', 'priority -1 is out of range');
select refused(format('select beanrow.bury_job(%s, 4294967296)', :job), 'BR002', 'priority 4294967296 is out of range');
select refused(format('select beanrow.release(array[%s], -1, holder => 1)', :taken), 'BR002', 'priority -1 is out of range');
select refused(format('select beanrow.bury(array[%s], -1, holder => 1)', :taken), 'BR002', 'priority -1 is out of range');

-- BR003: a delay.
select refused($$ select beanrow.put('work', 'x', delay => '-1 second') $$, 'BR003', 'a delay of -00:00:01 is out of range');
select refused($$ select beanrow.put('work', 'x', delay => '-0.5 seconds') $$, 'BR003',
    'a delay of -00:00:00.5 is out of range');
select refused($$ select beanrow.put('work', 'x', delay => '137 years') $$, 'BR003', 'a delay of 137 years is out of range');
select refused($$ select beanrow.put_many('work', array['x'], delay => '-0.5 seconds') $$, 'BR003',
    'a delay of -00:00:00.5 is out of range');
select refused(format('select beanrow.set_delay(%s, %L)', :job, '-1 hour'), 'BR003', 'a delay of -01:00:00 is out of range');
select refused(format('select beanrow.release(array[%s], delay => %L, holder => 1)', :taken, '-1 hour'), 'BR003',
    'a delay of -01:00:00 is out of range');
select refused($$ select beanrow.pause('work', '0') $$, 'BR003', 'a pause of 00:00:00 is out of range');
select refused($$ select beanrow.pause('work', '-1 second') $$, 'BR003', 'a pause of -00:00:01 is out of range');

-- BR004: a time to run, and a lease.
select refused($$ select beanrow.put('work', 'x', ttr => '-1 second') $$, 'BR004',
    'a time to run of -00:00:01 is out of range');
select refused($$ select beanrow.reserve('{work}', '0') $$, 'BR004', 'a lease of 00:00:00 is out of range');
select refused(format('select beanrow.touch(array[%s], %L, 1)', :taken, '-1 second'), 'BR004',
    'a lease of -00:00:01 is out of range');
select refused($$ select beanrow.reserve('{work}', '130 years') $$, 'BR004', 'a lease of 130 years is out of range');
select refused($$ select beanrow.reserve('{work}', '7 days 1 second') $$, 'BR004',
    'a lease of 7 days 00:00:01 is out of range');
select refused(format('select beanrow.touch(array[%s], %L, 1)', :taken, '8 days'), 'BR004',
    'a lease of 8 days is out of range');

-- BR005: a body.
select refused(format('select beanrow.put(%L, %L)', 'work', repeat('x', 65536)), 'BR005',
    'a body of 65536 bytes is too big: the limit is 65535');
select refused(format('select beanrow.put_many(%L, array[%L, %L])', 'work', 'x', repeat('x', 65536)), 'BR005',
    'a body of 65536 bytes is too big: the limit is 65535');

select refused($$ select beanrow.put_many('work', array[1, 2]) $$, 'BR005', 'bodies of the type integer[] cannot be put');

-- BR006: an unknown job.
select refused($$ select beanrow.delete_job(999) $$, 'BR006', 'there is no job 999');
select refused($$ select beanrow.kick_job(-1) $$, 'BR006', 'there is no job -1');
select refused($$ select beanrow.end_lease(999) $$, 'BR006', 'there is no job 999');

-- BR007: NULL.
select refused($$ select beanrow.put(null, 'x') $$, 'BR007', 'the name of a tube must not be NULL');
select refused($$ select beanrow.put('work', null::text) $$, 'BR007', 'a body must not be NULL');
select refused($$ select beanrow.put('work', 'x', null) $$, 'BR007', 'a priority must not be NULL');
select refused($$ select beanrow.put_many('work', array['x', null]) $$, 'BR007', 'a body must not be NULL');
select refused($$ select beanrow.put_many('work', null::text[]) $$, 'BR007', 'an array of bodies must not be NULL');
select refused($$ select beanrow.delete_job(null) $$, 'BR007', 'the id of a job must not be NULL');
select refused($$ select beanrow.reserve(null) $$, 'BR007', 'an array of tubes must not be NULL');
select refused($$ select beanrow.reserve('{work}', null) $$, 'BR007', 'a lease must not be NULL');
select refused(format('select beanrow.finish(array[%s, null], 1)', :taken), 'BR007', 'the id of a job must not be NULL');
select refused($$ select beanrow.end_lease(null) $$, 'BR007', 'the id of a job must not be NULL');
select refused($$ select beanrow.end_leases_of() $$, 'BR007', 'whose leases shall end is not said');

-- BR008: a job that the caller does not have, and a holder out of range.
select refused($$ select beanrow.reserve('{work}', holder => 0) $$, 'BR008', 'holder 0 is out of range');
select refused($$ select beanrow.reserve('{work}', holder => -1) $$, 'BR008', 'holder -1 is out of range');
select refused($$ select beanrow.finish('{{1,null},{2,3}}', 1) $$, 'BR007', 'the id of a job must not be NULL');
select refused($$ select beanrow.finish('{}', 4611686018427387904) $$, 'BR008',
    'holder 4611686018427387904 is out of range');
select refused($$ select beanrow.reserve('{work}', holder => -9223372036854775808) $$, 'BR008',
    'holder -9223372036854775808 is out of range');
select refused($$ select beanrow.touch('{}', holder => 9223372036854775807) $$, 'BR008',
    'holder 9223372036854775807 is out of range');
select refused(format('select beanrow.finish(array[%s], 2)', :taken), 'BR008',
    format('job %s is not reserved by this session', :taken));
select refused(format('select beanrow.finish(array[%s, %s], 1)', :job, :taken), 'BR008',
    format('job %s is not reserved by this session', :taken));
select refused($$ select beanrow.touch(array[999], holder => 1) $$, 'BR008', 'job 999 is not reserved by this session');

-- BR013: a key that a job of the other tube has.
select beanrow.put('work', 'mine', key => 'k') as mine \gset
select beanrow.put('elsewhere', 'theirs', key => 'k') as theirs \gset
select refused(format('select beanrow.move_job(%s, %L)', :mine, 'elsewhere'), 'BR013',
    'tube ''elsewhere'' has a job with the key ''k''');
select count(beanrow.delete_job(id)) from unnest(array[:mine, :theirs]) as id \gset

select results_eq('select * from beanrow.jobs order by id', 'select * from before order by id', 'no job has changed');
select results_eq(
    'select name collate "default", paused_until from beanrow.tubes where name <> ''elsewhere''',
    $$ values ('work', null::timestamptz) $$,
    'no tube has come or is paused');
select results_eq(
    'select ready, delayed, reserved, buried from beanrow.tubes where name <> ''elsewhere''', 'values (1::bigint, 0::bigint, 1::bigint, 0::bigint)',
    'and no count has moved');
select * from finish();
