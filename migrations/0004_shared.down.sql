drop view uncounted_change, ledger_change;
drop function add_to_counts(integer[], bigint[], bigint[], bigint[], bigint[]), is_free(bigint, bigint[]),
    broker_lives(bigint), check_tube(text), check_body(bytea), check_seconds(interval, text, text, integer),
    check_priority(bigint), refuse_null(text), refuse(text, text, text);
