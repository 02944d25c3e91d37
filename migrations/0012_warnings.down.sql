drop view warnings;
