-- Jobs put by SQL.
select plan(25);

select beanrow.put('mail', 'hello') as id \gset first_
select results_eq(
    $$ select tube collate "default", state, priority, beanrow.body_text(body), ttr, delay, reserves, timeouts, releases, buries, kicks
        from beanrow.jobs $$,
    $$ values ('mail', 'ready', 1024::bigint, 'hello', '60 seconds'::interval, '0'::interval, 0, 0, 0, 0, 0) $$,
    'a tube and a body are enough');
select is(:first_id::bigint, (select id from beanrow.jobs), 'a put returns the id');
select ok((select ready_at = created_at and created_at between now() - interval '1 minute' and clock_timestamp()
    from beanrow.jobs), 'it is ready when it is put');
select results_eq(
    'select name collate "default", ready, delayed, reserved, buried from beanrow.tubes',
    $$ values ('mail', 1::bigint, 0::bigint, 0::bigint, 0::bigint) $$,
    'its tube is there, and counts it');

select lives_ok($$ select beanrow.put('mail', 'later', priority => 7, delay => '1 hour', ttr => '90 seconds') $$,
    'everything else has a name');
select results_eq(
    $$ select state, priority, ttr, delay, ready_at - created_at between '3599 s' and '3601 s'
        from beanrow.jobs where beanrow.body_text(body) = 'later' $$,
    $$ values ('delayed', 7::bigint, '90 seconds'::interval, '1 hour'::interval, true) $$,
    'and is kept');

-- What a body may be.
select beanrow.put('text', 'grün'::text) as id \gset text_
select is((select body from beanrow.jobs where id = :text_id), '\x6772c3bc6e'::bytea, 'text is put as UTF-8');
select beanrow.put('bytes', '\x00ff0d0a'::bytea) as id \gset bytes_
select is((select body from beanrow.jobs where id = :bytes_id), '\x00ff0d0a'::bytea, 'bytea is put as it is');
select beanrow.put('json', '{"b": 1, "a": [true, null]}'::jsonb) as id \gset json_
select is((select beanrow.body_json(body) from beanrow.jobs where id = :json_id), '{"a": [true, null], "b": 1}'::jsonb,
    'jsonb comes back as what it was');
select is(
    (select beanrow.body_json(body) from beanrow.jobs where id = :bytes_id), null::jsonb,
    'what is no JSON is none, and no error');
select is(
    (select beanrow.body_text(body) from beanrow.jobs where id = :bytes_id), null::text,
    'what is no text is none either');
select beanrow.put('empty', '') as id \gset empty_
select is((select octet_length(body) from beanrow.jobs where id = :empty_id), 0, 'a body may be empty');

-- Seconds are whole, as in the protocol.
select beanrow.put('time', 'x', delay => '1.2 seconds', ttr => '0') as id \gset time_
select results_eq(
    format('select delay, ttr from beanrow.jobs where id = %s', :time_id),
    $$ values ('2 seconds'::interval, '1 second'::interval) $$,
    'fractions are rounded up, and a time to run of 0 is 1 second');
select lives_ok(
    $$ select beanrow.put('limits', 'x', 4294967295, '4294967295 seconds', '4294967295 seconds'), beanrow.put('limits', 'x', 0) $$,
    'the limits of priority and times may be reached');
select lives_ok(
    format('select beanrow.put(%L, %L)', 'Aa0+/;.$_()-' || repeat('x', 188), repeat('x', 65535)),
    'so may those of a name and a body');

-- The caller's transaction.
begin;
select beanrow.put('undone', 'x') as id \gset
rollback;
select is((select count(*) from beanrow.jobs where tube = 'undone'), 0::bigint, 'a put that is rolled back was none');
select is((select count(*) from beanrow.tubes where name = 'undone'), 0::bigint, 'and has made no tube');
begin;
savepoint before;
select beanrow.put('savepoint', 'dropped') as id \gset
rollback to before;
select beanrow.put('savepoint', 'kept') as id \gset
commit;
select results_eq(
    $$ select beanrow.body_text(body) from beanrow.jobs where tube = 'savepoint' $$, $$ values ('kept') $$,
    'a savepoint counts');
select is((select ready from beanrow.tubes where name = 'savepoint'), 1::bigint, 'the tube counts the same');
prepare transaction_put as select beanrow.put('prepared', $1::text);
execute transaction_put('one') \gset one_
execute transaction_put('two') \gset two_
select ok(:two_put > :one_put, 'a prepared put is a new job each time');

-- Many at once.
create temporary table made (place bigint, id bigint);
insert into made
select place, id from beanrow.put_many('many', array['a', 'b', 'c'], 3, '0', '5 seconds') with ordinality as new (id, place);
select results_eq(
    $$ select beanrow.body_text(body), priority, ttr from made join beanrow.jobs using (id) order by place $$,
    $$ values ('a', 3::bigint, '5 s'::interval), ('b', 3, '5 s'), ('c', 3, '5 s') $$,
    'put_many returns the ids in the order of the bodies');
select results_eq(
    $$ select beanrow.body_text(body) from beanrow.reserve('{many}', count => 10) $$, $$ values ('a'), ('b'), ('c') $$,
    'which is the order in which they are taken');
select results_eq(
    $$ with put as (
            select beanrow.put_many('many2', array['\x00', '\xff']::bytea[])
            union all select beanrow.put_many('many2', array['1', '{}']::jsonb[], delay => '1 day')
        ) select count(*) from put $$,
    $$ values (4::bigint) $$, 'bytea and jsonb too');
select results_eq(
    $$ select ready, delayed from beanrow.tubes where name = 'many2' $$, $$ values (2::bigint, 2::bigint) $$,
    'and the tube counts them');
select is_empty($$ select beanrow.put_many('many', '{}'::text[]) $$, 'none is none');

select * from finish();
