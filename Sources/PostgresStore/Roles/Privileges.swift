/// What a role may do in a schema: all that its task needs, and nothing else.
struct Privileges: Sendable {
    enum Kind: String, Sendable { case table, sequence, function }

    /// Rights on an object by its name; on all functions and procedures that have the name, whatever their parameters.
    struct Grant: Sendable {
        let kind: Kind
        let name: String
        let privileges: String
    }

    /// The end of the role's standard name, after the schema and an underscore.
    let task: String
    let grants: [Grant]

    /// The roles that `beanrow migrate roles` makes.
    static let standard = [reader, producer, worker, steering, broker]

    /// Reads the views, and changes nothing.
    static let reader = Privileges(task: "reader", grants: reading)

    /// Puts jobs from SQL.
    static let producer = Privileges(task: "producer", grants: functions("put", "put_job", "put_many"))

    /// Reserves jobs by SQL.
    static let worker = Privileges(
        task: "worker",
        grants: functions(
            "reserve", "finish", "release", "bury", "touch", "declare_dead", "declare_silent_brokers_dead"))

    /// Reads the views, and steers jobs and tubes.
    static let steering = Privileges(
        task: "operator",
        grants: reading
            + functions(
                "kick", "kick_job", "delete_job", "bury_job", "move_job", "set_priority", "set_delay", "pause",
                "unpause", "clear", "recount", "set_policy", "end_lease", "end_leases_of", "declare_dead",
                "declare_silent_brokers_dead"
            ))

    /// Serves the schema. It is the only role with rights on tables: the others have views and functions, which read and
    /// write tables with the rights of their owner.
    static let broker = Privileges(
        task: "broker",
        grants: [
            table("migration", "select"),
            table("tube", "select, insert, update"),
            table("job", "select, insert, update, delete"),
            table("broker", "select, insert, update, delete"),
            // To lock a row for key share needs update.
            table("fence", "select, insert, update, delete"),
            table("ledger", "select, insert, update, delete"),
            table("tube_count", "select, insert, update"),
            table("tube_held", "select, insert, update, delete"),
            table("tube_awaited", "select, insert, delete"),
            table("notice", "select, insert, delete"),
            // To skip rows that are locked needs update.
            table("sql_change", "select, update, delete"),
            table("sql_lease", "select"),
            table("uncounted_change", "select"),
            table("tube_policy", "select"),
            table("policy_version", "select"),
            table("job_history", "select, insert"),
            table("tube_sample", "select, insert, update"),
            table("tube_sample_5min", "select, insert, update"),
            table("tube_level", "select, insert, update, delete"),
            // Warnings go to the log and to the page.
            table("warnings", "select"),
            table("operation", "select, insert, update, delete"),
            table("audit", "select, insert, update, delete"),
            Grant(kind: .sequence, name: "job_id", privileges: "usage"),
            Grant(kind: .sequence, name: "job_bury_order", privileges: "usage"),
            Grant(kind: .sequence, name: "sql_change_number", privileges: "select"),
            Grant(kind: .sequence, name: "recall_number", privileges: "select"),
            Grant(kind: .sequence, name: "sql_reserve_number", privileges: "select"),
        ]
            + functions(
                "broker_lives", "is_free", "add_to_counts", "clean_up_after", "hold_off_sql", "sql_is_quiet",
                "make_tube", "count_new_tube", "pause_tube",
                "put_unique",
                "end_leases", "keep_history", "keep_samples", "history_of", "remove_tubes")
            // The actions of the page.
            + functions(
                "put", "put_job", "kick", "kick_job", "delete_job", "bury_job", "move_job", "set_priority", "set_delay",
                "pause", "unpause", "clear", "set_policy")
            // Its actions on all jobs that match a filter.
            + functions(
                "open_batch", "delete_jobs", "kick_jobs", "bury_jobs", "move_jobs", "set_priorities", "set_delays"))

    private static let reading =
        [
            "jobs", "tubes", "brokers", "history", "tube_policies", "warnings", "samples", "samples_5min", "actions",
        ].map { table($0, "select") }
        // A view calls `seen_at` with the rights of its reader.
        + functions("body_text", "body_json", "seen_at")

    /// A table or a view.
    private static func table(_ name: String, _ privileges: String) -> Grant {
        Grant(kind: .table, name: name, privileges: privileges)
    }

    private static func functions(_ names: String...) -> [Grant] {
        names.map { Grant(kind: .function, name: $0, privileges: "execute") }
    }
}
