drop function put_many(text, anycompatiblearray, bigint, interval, interval),
    put_jobs(text, bytea[], bigint, interval, interval), put(text, text, bigint, interval, interval, text),
    put(text, bytea, bigint, interval, interval, text), put(text, json, bigint, interval, interval, text),
    put(text, jsonb, bigint, interval, interval, text), put_job(text, bytea, bigint, interval, interval, text),
    check_room(text, bigint, integer), check_key(text);
