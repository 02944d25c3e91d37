-- A function does what it says with any arguments, or refuses them by a code of its own. No error of PostgreSQL's gets out.
select plan(3);

-- Values for each argument, by its type: ordinary ones first, then the ends of the range, then wrong ones.
create temporary table example (type text, value text);
insert into example values
    ('text', '''t'''), ('text', '''nowhere'''), ('text', ''''''), ('text', '''-'''), ('text', 'null'),
    ('text', 'repeat(''x'', 100000)'), ('text', '''a'' || chr(10)'), ('text', '''%s %I $$ \'''), ('text', '''ready'''),
    ('bigint', '1'), ('bigint', '2'), ('bigint', '3'), ('bigint', '0'), ('bigint', '-1'), ('bigint', '4294967295'),
    ('bigint', '4294967296'), ('bigint', '9223372036854775807'), ('bigint', '-9223372036854775808'), ('bigint', 'null'),
    ('integer', '1'), ('integer', '0'), ('integer', '-1'), ('integer', '2147483647'), ('integer', '-2147483648'),
    ('integer', 'null'),
    ('interval', '''1 minute'''), ('interval', '''0'''), ('interval', '''0.0000001 s'''), ('interval', '''-1 s'''),
    ('interval', '''4294967295 s'''), ('interval', '''4294967295.5 s'''), ('interval', '''178000000 years'''),
    ('interval', '''-178000000 years'''), ('interval', '''1 month -30 days'''), ('interval', '''-1 month 31 days'''),
    ('interval', 'null'),
    ('boolean', 'true'), ('boolean', 'false'), ('boolean', 'null'),
    ('bytea', '''\x41'''), ('bytea', '''\x'''), ('bytea', 'null'), ('bytea', 'convert_to(repeat(''x'', 65536), ''UTF8'')'),
    ('json', '''{}'''), ('json', 'null'), ('jsonb', '''"\u20ac"'''), ('jsonb', 'null'),
    ('text[]', '''{t}'''), ('text[]', '''{}'''), ('text[]', '''{null}'''), ('text[]', '''{{t,t},{u,null}}'''),
    ('text[]', '''[5:6]={t,u}'''), ('text[]', 'array_fill(''t''::text, array[3, 100])'), ('text[]', 'null'),
    ('bigint[]', '''{1}'''), ('bigint[]', '''{2,2,3}'''), ('bigint[]', '''{}'''), ('bigint[]', '''{null}'''),
    ('bigint[]', '''{{1,2},{3,4}}'''), ('bigint[]', '''{{2,3}}'''), ('bigint[]', '''[5:6]={2,3}'''),
    ('bigint[]', '''{9223372036854775807,-9223372036854775808}'''), ('bigint[]', 'null'),
    ('anycompatiblearray', '''{a}'''), ('anycompatiblearray', 'array[1]'), ('anycompatiblearray', 'array[[''a'', ''b'']]'),
    ('anycompatiblearray', 'array[null::bytea]'), ('anycompatiblearray', 'array[''1''::jsonb, null]'),
    ('anycompatiblearray', 'array[now()]'), ('anycompatiblearray', '''{}'''),
    ('anycompatiblearray', 'null'), ('anycompatiblearray', 'null::bytea[]');

create temporary table callable as
select oid, proname, string_to_array(oidvectortypes(proargtypes), ', ') as types, pronargs - pronargdefaults as needed
from pg_proc
where pronamespace = 'beanrow'::regnamespace
    and proname in ('put', 'put_many', 'kick', 'kick_job', 'delete_job', 'bury_job', 'move_job', 'set_priority', 'set_delay',
        'pause', 'unpause', 'clear', 'set_policy', 'reserve', 'finish', 'release', 'bury', 'touch', 'body_text', 'body_json');
select is_empty(
    $$ select distinct type from callable, unnest(types) as type where type not in (select type from example) $$,
    'there are examples of every type');

create temporary table surprise (call text, state text, message text);
create temporary table tried (calls bigint);
do $$
declare
    callee record;
    arguments text[];
    call text;
    calls bigint := 0;
begin
    perform setseed(0.13);
    for callee in select * from callable loop
        -- Each argument with each value, the others with ordinary ones; then any with any.
        for round in 1..(case when array_length(callee.types, 1) > 1 then 40 else 15 end) loop
            arguments := array(
                select coalesce((
                    select value from example
                    where example.type = wanted.type
                    order by random() * (case when random() < 0.5 then 1 else 0 end), example.ctid
                    limit 1), 'null')
                from unnest(callee.types) with ordinality as wanted (type, place)
                order by place);
            call := format('select beanrow.%I(%s)', callee.proname, (
                select string_agg(
                    case when type = 'anycompatiblearray' then value else format('(%s)::%s', value, type) end, ', ' order by place)
                from unnest(arguments, callee.types) with ordinality as argument (value, type, place)));
            calls := calls + 1;
            begin
                -- What it may find: jobs in all states, one that is reserved, and one with a key in each of two tubes.
                perform beanrow.put('t', 'one', key => 'k'), beanrow.put('t', 'two'), beanrow.put('nowhere', 'three', key => 'k');
                execute call;
                raise exception using errcode = 'BR000', message = 'it is done, and undone';
            exception when others then
                if sqlstate !~ '^BR0[01][0-9]$' then
                    insert into surprise values (left(call, 200), sqlstate, sqlerrm);
                end if;
            end;
        end loop;
    end loop;
    insert into tried values (calls);
end $$;
select ok(calls > 500, 'many calls have been tried') from tried;
select is_empty('select * from surprise', 'none has let out an error of PostgreSQL''s own');
select * from finish();
