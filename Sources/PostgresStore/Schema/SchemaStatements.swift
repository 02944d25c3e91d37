/// Which objects of a schema are ours, and whether those of others in it could do harm.
extension Statement {
    /// The objects of a schema that migrations have made: those with the names that migrations use, and the partitions
    /// and sequences of these tables. A function with such a name is ours if it also has our owner, and PUBLIC may not
    /// call it: somebody else's may have the same name.
    ///
    /// `schema` and `names` are parameters of the statement that this is a part of.
    static func ownObjects(schema: String, names: String) -> String {
        """
        (
            select
                case relation.relkind when 'S' then 'sequence' else 'table' end as kind, relation.oid,
                relation.relname as name, relation.relowner as owner,
                format('%I.%I', namespace.nspname, relation.relname) as object
            from pg_class as relation
            join pg_namespace as namespace on namespace.oid = relation.relnamespace
            where namespace.nspname = \(schema)::text and relation.relkind in ('r', 'p', 'v', 'S')
                and (relation.relname = any (\(names)::text[]) or exists (
                    select from pg_depend
                    join pg_class as parent on parent.oid = pg_depend.refobjid
                    where pg_depend.classid = 'pg_class'::regclass and pg_depend.objid = relation.oid
                        and pg_depend.refclassid = 'pg_class'::regclass and pg_depend.deptype in ('a', 'i')
                        and parent.relnamespace = namespace.oid and parent.relname = any (\(names)::text[])))
            union all
            select
                'function', pg_proc.oid, pg_proc.proname, pg_proc.proowner,
                format('%I.%I(%s)', namespace.nspname, proname, pg_get_function_identity_arguments(pg_proc.oid))
            from pg_proc
            join pg_namespace as namespace on namespace.oid = pronamespace
            join pg_class as record on record.relnamespace = namespace.oid and record.relname = 'migration'
            where namespace.nspname = \(schema)::text and proname = any (\(names)::text[])
                and proowner = record.relowner and not has_function_privilege('public', pg_proc.oid, 'execute'))
        """
    }

    /// The other roles that may create in the schema ($1): with overloads of functions that ours call, they could get the
    /// rights of our owner. The second column is true for the owner of the schema, from whom that right cannot be taken.
    static let othersWhoCreate = Statement(
        name: "",
        sql: """
            with place as (
                select
                    oid, nspowner,
                    coalesce(
                        (select relowner from pg_class where relnamespace = pg_namespace.oid and relname = 'migration'),
                        quote_ident(current_user)::regrole) as owner
                from pg_namespace where nspname = $1::text
            )
            select 'public', false from place where has_schema_privilege('public', oid, 'create')
            union all
            select quote_ident(rolname), role.oid = place.nspowner
            from place
            join pg_roles as role
                on not rolsuper and rolname !~ '^pg_' and has_schema_privilege(role.oid, place.oid, 'create')
                    and not pg_has_role(role.oid, place.owner, 'member')
            where not has_schema_privilege('public', place.oid, 'create')
            """)

    /// Functions and operators of others in the schema ($1) that could be called in place of PostgreSQL's or of ours
    /// ($2): PostgreSQL takes one that fits the arguments better, in whatever schema.
    static let othersOverloads = Statement(
        name: "",
        sql: """
            with place as (
                select
                    oid,
                    coalesce(
                        (select relowner from pg_class where relnamespace = pg_namespace.oid and relname = 'migration'),
                        quote_ident(current_user)::regrole) as owner
                from pg_namespace where nspname = $1::text
            ), made as (
                select pg_proc.oid::regprocedure::text as name, proowner as maker, place.owner
                from place
                join pg_proc on pronamespace = place.oid
                where proname = any ($2::text[])
                    or exists (
                        select from pg_proc as builtin
                        where builtin.proname = pg_proc.proname and builtin.pronamespace = 'pg_catalog'::regnamespace)
                union all
                select pg_operator.oid::regoperator::text, oprowner, place.owner
                from place
                join pg_operator on oprnamespace = place.oid
            )
            select made.name from made
            join pg_roles as role on role.oid = made.maker
            where not rolsuper and not pg_has_role(role.oid, made.owner, 'member')
            order by 1
            limit 5
            """)

    /// Our functions whose search path names another schema, since this one ($1) has been renamed: a statement that
    /// repairs each, and whether this role may run it.
    static let misplacedFunctions = Statement(
        name: "",
        sql: """
            select
                format('alter routine %s set search_path to %I, pg_temp', own.object, $1::text),
                pg_has_role(own.owner, 'usage')
            from \(ownObjects(schema: "$1", names: "$2")) as own
            join pg_proc on pg_proc.oid = own.oid
            where own.kind = 'function'
                and exists (
                    select from unnest(proconfig) as setting
                    where left(setting, 12) = 'search_path='
                        and setting <> format('search_path=%s, pg_temp', quote_ident($1::text)))
            """)
}

extension Migration {
    /// The names of the tables, views, sequences and functions that migrations make.
    static func names(in migrations: [Migration]) -> [String] {
        let creating =
            /(?m)^\s*create\s+(?:or\s+replace\s+)?(?:unlogged\s+)?(?:table|view|sequence|function|procedure)\s+(\w+)/
        return Set(migrations.flatMap { $0.up.matches(of: creating).map { String($0.1) } } + ["migration"]).sorted()
    }

    static let names = names(in: all)
}
