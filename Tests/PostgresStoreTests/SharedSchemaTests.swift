import TestKit
import Testing

@testable import PostgresStore

/// A schema may hold objects of others. A role that may create objects there could take the rights of Beanrow's owner.
@Suite("A schema may hold objects of others, but no other role may create objects in it")
struct SharedSchemaTests {
    let db: Database
    private let stranger: String
    private let owner: String

    init() throws {
        db = try Database(isMigrated: false)
        stranger = "\(db.sessions)_stranger"
        owner = "\(db.sessions)_owner"
        try db.run("create role \(stranger) login; create role \(owner) login; create schema \(db.schema)")
    }

    private func migrator(as user: String = "beanrow") throws -> Migrator {
        try Migrator(
            database: db.server.connectionString.replacing("user=beanrow", with: "user=\(user)"), schema: db.schema)
    }

    /// Why the migrator, and a broker that only checks the schema, do not use it.
    private func refusals() throws -> [String] {
        [Migrator.up, Migrator.check].compactMap { attempt in
            do { _ = try attempt(migrator())() } catch { return "\(error)" }
            return nil
        }
    }

    // MARK: Roles that may create objects

    @Test func aSchemaInWhichAnotherRoleMayCreateIsRefused() throws {
        try migrator().up()
        try db.run("grant create, usage on schema \(db.schema) to \(stranger)")
        #expect(try refusals().count == 2)
        #expect(try refusals().allSatisfy { $0.contains("revoke create on schema \"\(db.schema)\" from \(stranger)`") })
        try db.run("revoke create on schema \(db.schema) from \(stranger)")
        #expect(try refusals() == [])
    }

    @Test func aSchemaInWhichPublicMayCreateIsRefused() throws {
        try db.run("grant create, usage on schema \(db.schema) to public")
        #expect(throws: StoreError.self) { try migrator().up() }
        #expect(try !db.holds("exists (select from pg_class where relname = 'job' and relnamespace = \(namespace))"))
        try db.run("revoke create on schema \(db.schema) from public")
        try migrator().up()
    }

    @Test func onlyTheOwnerOfTheSchemaMayMigrateIt() throws {
        try db.run("alter schema \(db.schema) owner to \(owner)")
        #expect {
            try migrator().up()
        } throws: { error in
            "\(error)".contains("\(owner) owns the schema, so migrate as \(owner)")
        }
        try migrator(as: owner).up()
        #expect(try refusals() == [])
    }

    /// Such a role could create a function that fits better than PostgreSQL's, which puts with a key call.
    @Test func aStrangersObjectsThatHidePostgreSQLsAreFound() throws {
        try migrator().up()
        try db.run(
            """
            grant create, usage on schema \(db.schema) to \(stranger);
            set role \(stranger);
            create function \(db.schema).hashtextextended(text, integer) returns bigint language plpgsql as
                'begin raise exception ''I am %'', current_user; end';
            create function \(db.schema).harmless() returns bigint language sql as 'select 1';
            reset role;
            revoke create on schema \(db.schema) from \(stranger)
            """)
        let said = try refusals()
        #expect(said.count == 2)
        #expect(said.allSatisfy { $0.contains("hashtextextended(text,integer)") && !$0.contains("harmless") })
        try db.run("drop function \(db.schema).hashtextextended(text, integer)")
        #expect(try refusals() == [])
        try db.run(
            """
            create operator \(db.schema).= (leftarg = text, rightarg = text, function = pg_catalog.starts_with)
            """)
        #expect(try refusals() == [], "the owner may have such objects")
        try db.run("alter operator \(db.schema).= (text, text) owner to \(owner)")
        #expect(try refusals().count == 2)
    }

    private var namespace: String { "\(literal(db.schema))::regnamespace" }

    // MARK: Objects of others

    /// Creates objects as in `public`: names like Beanrow's, defaults that call functions, tables of the same owner.
    private func fill() throws {
        try db.run(
            """
            set search_path to \(db.schema);
            create function uuid() returns uuid language sql as 'select gen_random_uuid()';
            create function touch() returns trigger language plpgsql as 'begin return new; end';
            create function put(box) returns text language sql set search_path from current as 'select ''theirs''';
            create function clear(box) returns text language sql as 'select ''theirs''';
            create table document (id uuid primary key default uuid(), said text default clear(null::box));
            create sequence numbers;
            create view documents as select * from document;
            grant select, insert on document to \(stranger);
            grant usage on schema \(db.schema) to \(stranger);
            alter table document set (autovacuum_enabled = off)
            """)
    }

    private func theirs() throws -> String {
        try db.rows(
            """
            select oid::regprocedure::text as name, proacl::text, proconfig::text from pg_proc
            where pronamespace = \(namespace) and proname in ('uuid', 'touch', 'put', 'clear')
                and oidvectortypes(proargtypes) in ('', 'box')
            union all
            select relname, relacl::text, null from pg_class
            where relnamespace = \(namespace) and relname in ('document', 'numbers', 'documents')
            order by 1
            """)
    }

    @Test func objectsOfOthersStayAsTheyAre() throws {
        try fill()
        let before = try theirs()
        #expect(before.contains("document") && before.contains("touch()"))
        try migrator().up()
        _ = try RoleMaker(db.connection, schema: db.schema).makeAll()
        #expect(try theirs() == before)
        let user = try Connection(db.server.connectionString.replacing("user=beanrow", with: "user=\(stranger)"))
        #expect(throws: Never.self) { try user.run("insert into \(db.schema).document default values") }
        #expect(
            try db.holds(
                "not has_function_privilege('public', 'put_job(text,bytea,bigint,interval,interval,text)', 'execute')"))
        #expect(
            try db.rows("select object from warnings where object = 'document'") == "", "tables of others are left out")
        for _ in Migration.all { try migrator().down() }
        #expect(try theirs() == before)
        #expect(
            try db.rows("select relname from pg_class where relnamespace = \(namespace) and relkind = 'r' order by 1")
                == "(document) (migration)")
        #expect(throws: Never.self) { try user.run("insert into \(db.schema).document default values") }
    }

    /// A role gets rights on Beanrow's objects, and keeps those that it has on others.
    @Test func rightsOnObjectsOfOthersStayAsTheyAre() throws {
        try fill()
        try migrator().up()
        try db.run(
            """
            revoke execute on function put(box) from public;
            grant execute on function clear(box), put(box) to \(stranger);
            alter function put(box) owner to \(owner); grant select on documents to \(stranger)
            """)
        let before = try theirs()
        try RoleMaker(db.connection, schema: db.schema).makeBroker(stranger)
        _ = try RoleMaker(db.connection, schema: db.schema).makeAll()
        #expect(try theirs() == before)
        #expect(try db.holds("has_table_privilege(\(literal(stranger)), 'job', 'delete')"))
    }

    /// An owner of Beanrow's tables may not be a broker.
    @Test func anOwnerOfOtherTablesMayBeABroker() throws {
        try fill()
        try migrator().up()
        try db.run("alter table document owner to \(stranger)")
        #expect(throws: Never.self) { try RoleMaker(db.connection, schema: db.schema).makeBroker(stranger) }
        try db.run("alter table tube owner to \(stranger)")
        #expect(throws: RoleError.self) { try RoleMaker(db.connection, schema: db.schema).makeBroker(stranger) }
    }

    @Test func theViewWarningsCoversAllOfBeanrowsTables() throws {
        try migrator().up()
        try db.run("set search_path to \(db.schema)")
        #expect(
            try db.rows(
                """
                select relname from pg_class
                where relnamespace = \(namespace) and relkind = 'r'
                    and pg_get_viewdef('warnings'::regclass) !~ format('''%s''', relname)
                    and relname !~ '^(job_history|tube_sample)_'
                """) == "")
        #expect(Migration.names.contains("job") && Migration.names.contains("put") && Migration.names.contains("tubes"))
    }

    // MARK: Locks of others

    /// Any role may take the advisory lock of migrations.
    @Test func aRoleThatMayNotMigrateIsNotWaitedFor() throws {
        let other = try Connection(db.server.connectionString.replacing("user=beanrow", with: "user=\(stranger)"))
        try other.run("select pg_advisory_lock(hashtextextended('beanrow migrate \(db.schema)', 0))")
        try migrator().up()
        #expect(try migrator().check() == Migration.all.count)
        // `keep_history` does not wait for it either.
        try other.run("select pg_advisory_lock(hashtextextended('beanrow history \(db.schema)', 0))")
        let day = try db.value(
            "select min(relname) from pg_class where relname ~ '^job_history_2' and relnamespace = \(namespace)")
        try db.run("set search_path to \(db.schema); drop table \(day); select keep_history()")
        #expect(try db.holds("to_regclass('\(day)') is not null"))
    }

    // MARK: A renamed schema

    @Test func aRenamedSchemaIsRepairedByTheMigrator() throws {
        try migrator().up()
        let renamed = "\(db.schema) now"
        try db.run(
            """
            create function \(db.schema).theirs() returns text language sql set search_path to elsewhere as 'select ''x''';
            alter schema \(db.schema) rename to \(identifier(renamed))
            """)
        let migrator = try Migrator(database: db.server.connectionString, schema: renamed)
        #expect {
            _ = try migrator.check()
        } throws: { error in
            "\(error)".contains("has been renamed") && "\(error)".contains("beanrow migrate up")
        }
        #expect(try migrator.upScript().text.contains("alter routine"))
        try migrator.up()
        #expect(try migrator.check() == Migration.all.count)
        #expect(try migrator.upScript().text == "-- Nothing is to be done.\n")
        try db.run("set search_path to \(identifier(renamed))")
        #expect(try db.number("select put('t', 'a', key => 'k')") == 1)
        #expect(try db.number("select count(*) from put_many('t', '{b,c}')") == 2)
        #expect(try db.rows("select id from reserve('{t}')") == "(1)")
        #expect(try db.rows("select finish('{1}'), kick_job(2), delete_job(3), clear('t')") == "(1,f,t,1)")
        #expect(try db.rows("select proconfig from pg_proc where proname = 'theirs'") == "({search_path=elsewhere})")
    }
}
