drop table sql_lease, sql_change, sql_gate;
drop sequence recall_number, sql_reserve_number, sql_change_number;
