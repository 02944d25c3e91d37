-- Whether this broker is the only one: then it has the lease of every job that none is written on, and brokers that come
-- wait until it has given that up (docs/ARCHITECTURE.md, leases).
alter table broker add column is_sole boolean not null default false;
