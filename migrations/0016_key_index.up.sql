-- Without a transaction.
create unique index concurrently if not exists job_key on job (tube_id, key) where key is not null;
