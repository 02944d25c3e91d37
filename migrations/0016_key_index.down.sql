-- Without a transaction.
drop index concurrently if exists job_key;
