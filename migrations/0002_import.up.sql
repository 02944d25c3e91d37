-- What has been taken over from folders of beanstalkd, so that no job of theirs comes a second time.

create table import (
    id integer generated always as identity primary key,
    -- Absolute, without symbolic links.
    folder text not null,
    jobs bigint not null,
    imported_at timestamptz not null default clock_timestamp(),
    -- What could not be read, a line for each place; empty when all could.
    remarks text not null
);

-- The files of each. The signature is a hash of the first record, by which a file is known again under any name.
create table import_file (
    import_id integer not null references import (id) on delete cascade,
    number bigint not null,
    signature bigint not null primary key
);
