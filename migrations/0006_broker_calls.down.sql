drop procedure declare_dead();
drop function declare_silent_brokers_dead(), broker_name(broker), clean_up_after(bigint[]),
    put_unique(integer, text, bigint, bigint, bigint, bigint, bytea), remove_tubes(bigint, integer[]),
    pause_tube(text, bigint), make_tube(text), count_new_tube(integer);
