drop table fence;
