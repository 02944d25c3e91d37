drop procedure declare_dead;
drop function clear, delete_locked, unpause, pause, set_pause, kick, set_delay, set_priority, move_job, bury_job, delete_job,
    kick_job, take_job, leased_by, bury_silent, summon_brokers, broker_name;
