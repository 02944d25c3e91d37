/// The texts of the private cluster's configuration files.
enum Configuration {
    /// Who may connect: whoever can open the socket. It is in a directory of mode 0700, so the file system has already
    /// asked for more than a password would, and root, as which the broker may run, needs no role of its own.
    static let access = """
        # Written by Beanrow when it made this cluster. There are no host lines: it listens on a Unix socket only.
        local all all trust
        local replication all trust

        """

    /// Appended to `postgresql.conf`. Optional, because the cluster is first used before the file is there.
    static let include = "\ninclude_if_exists 'beanrow.conf'\n"

    /// What suits the cluster of one broker. All that concerns durability stays as PostgreSQL ships it.
    private static let defaults = [
        // The broker takes a handful; the rest is for people.
        ("max_connections", "50"),
        // Told apart from other clusters in `ps`.
        ("cluster_name", "beanrow"),
        // The broker's statements are short: compiling them takes longer than running them.
        ("jit", "off"),
        // The log is for what went wrong, not for a line every five minutes.
        ("log_checkpoints", "off"),
        // Every job leaves dead rows, and what collects between two rounds is what the tables grow to.
        ("autovacuum_naptime", "10s"),
    ]

    /// The text of `beanrow.conf`. Of two lines with one name PostgreSQL takes the later: `settings` win over the
    /// defaults, and the socket over `settings`.
    static func settings(_ settings: [String: String], socketDirectory: String) -> String {
        let socket = [
            ("listen_addresses", ""),
            ("port", String(Cluster.port)),
            ("unix_socket_directories", socketDirectory),
            ("unix_socket_permissions", "0700"),
        ]
        let all = defaults + settings.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } + socket
        let lines = all.map { name, value in "\(name) = \(quoted(value, escaping: "'"))\n" }
        return "# Written by Beanrow at each start: use ALTER SYSTEM for settings of your own.\n" + lines.joined()
    }

    /// The libpq connection string for the database of a cluster. Complete, so that no `PG*` variable changes it.
    static func connectionString(socketDirectory: String) -> String {
        let host = quoted(socketDirectory, escaping: "\\")
        return "host=\(host) port=\(Cluster.port) user=\(Cluster.role) dbname=\(Cluster.database)"
    }

    /// A value between single quotes; libpq escapes a quote inside by a backslash, PostgreSQL's files by doubling it.
    private static func quoted(_ value: String, escaping: String) -> String {
        let escaped = value.map { character in
            switch character {
            case "'": escaping + "'"
            case "\\": "\\\\"
            case "\n": "\\n"
            default: String(character)
            }
        }
        return "'" + escaped.joined() + "'"
    }
}
