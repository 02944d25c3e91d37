drop table audit;
drop table operation;
