drop view warnings;
alter table ledger reset (vacuum_truncate);
alter table job reset (vacuum_truncate, toast.vacuum_truncate);
