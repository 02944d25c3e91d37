drop view tube_policies;
drop function set_policy(text, integer, integer, bigint, interval, boolean);
drop table tube_policy;
drop function policy_changed();
drop table policy_version;
alter table job drop column key;
