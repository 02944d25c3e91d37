drop function remove_tubes(bigint, integer[]);
