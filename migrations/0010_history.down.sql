drop view history;
drop function keep_history();
drop function history_of(job, boolean);
drop table job_history;
alter table job drop column first_reserved_at, drop column last_reserved_at;
