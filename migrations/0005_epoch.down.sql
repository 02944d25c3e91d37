create sequence broker_epoch;
