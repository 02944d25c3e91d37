-- Epochs are numbered by the time of their registration: after the failover to an asynchronous standby a sequence may
-- give a number a second time, and its first owner may be alive.
drop sequence broker_epoch;
