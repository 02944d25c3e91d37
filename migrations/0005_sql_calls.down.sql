drop function find_tube(text), open_tube(text), merge_changes(),
    record_job_change(integer, bigint, smallint, bigint, smallint, bigint),
    record_change(integer, bigint, bigint, bigint, bigint, bigint, bigint), hold_off_sql(), sql_is_quiet(), begin_call();
