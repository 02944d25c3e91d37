-- Drops all jobs.
drop table import_file, import, job_history, policy_version, tube_policy, job, tube;
drop sequence job_bury_order, job_id;
drop function policy_changed(), is_name(text), stamp(), hide_functions();
