drop view history, tube_policies, tubes, jobs, brokers;
drop function seen_at(), body_json(bytea), body_text(bytea);
