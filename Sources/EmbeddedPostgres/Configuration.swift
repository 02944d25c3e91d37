/// The configuration files of the private cluster.
enum Configuration {
    /// `pg_hba.conf`: every process that can open the socket may connect. The socket is in a directory of mode 0700,
    /// which protects it better than a password. A broker that is root connects like any other.
    static let access = """
        # Written by Beanrow when it made this cluster. There are no host lines: it listens on a Unix socket only.
        local all all trust
        local replication all trust

        """

    /// Appended to `postgresql.conf`. The file need not exist: single-user mode runs before it is written.
    static let include = "\ninclude_if_exists 'beanrow.conf'\n"

    /// Settings for the cluster of one broker. Those about durability keep PostgreSQL's defaults.
    private static let defaults = [
        // The broker uses fewer than ten; the rest is for people.
        ("max_connections", "50"),
        // Distinguishes the cluster from others in `ps`.
        ("cluster_name", "beanrow"),
        // The broker's statements are short: compiling them would take longer than running them.
        ("jit", "off"),
        // The log is for problems, not for a line every five minutes.
        ("log_checkpoints", "off"),
        // Every job leaves dead rows. The tables grow to what collects between two rounds of vacuum.
        ("autovacuum_naptime", "10s"),
    ]

    /// The text of `beanrow.conf`. PostgreSQL takes the last of several lines with one name: `settings` override the
    /// defaults, and the lines about the socket override `settings`.
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

    /// The libpq connection string of the cluster's database. It is complete, so that no `PG*` variable changes it.
    static func connectionString(socketDirectory: String) -> String {
        let host = quoted(socketDirectory, escaping: "\\")
        return "host=\(host) port=\(Cluster.port) user=\(Cluster.role) dbname=\(Cluster.database)"
    }

    /// A value in single quotes. libpq escapes a quote in it with a backslash, PostgreSQL's files by doubling it.
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
