-- Whether the row is only the claim of a look-up: its batch has not happened, and never will.
alter table ledger add column is_claim boolean not null default false;
