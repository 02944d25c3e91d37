drop function keep_samples(), drop_sample_partitions(text, text, timestamptz), make_sample_partitions(text, text);
drop view samples_5min, samples;
drop table tube_level, tube_sample_5min, tube_sample;
