drop function keep_history(), history_of(job, boolean), set_policy(text, integer, integer, bigint, interval, boolean);
