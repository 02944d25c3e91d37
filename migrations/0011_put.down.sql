drop function put_many(text, text[], bigint, interval, interval), put_many(text, bytea[], bigint, interval, interval),
    put_many(text, jsonb[], bigint, interval, interval), put_jobs, put(text, text, bigint, interval, interval, text),
    put(text, bytea, bigint, interval, interval, text), put(text, jsonb, bigint, interval, interval, text), put_job,
    put_unique, check_room, check_key;
