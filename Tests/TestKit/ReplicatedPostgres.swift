/// A primary and its streaming standby, each a cluster that listens on a port of 127.0.0.1.
public final class ReplicatedPostgres: Sendable {
    public let primary: PostgresServer
    public let standby: PostgresServer

    /// Starts both. `isSynchronous`: commits wait until the standby has them on disk.
    public init(isSynchronous: Bool) throws {
        let primary = try PostgresServer.started()
        let standby = try PostgresServer()
        try standby.copy(primary)
        try standby.start()
        try eventually("the standby streams") {
            try primary.psql("select count(*) from pg_stat_replication where state = 'streaming'") == "1"
        }
        if isSynchronous {
            try primary.set("synchronous_standby_names", to: "standby")
            try eventually("the standby is synchronous") {
                try primary.psql("select sync_state from pg_stat_replication") == "sync"
            }
        }
        self.primary = primary
        self.standby = standby
    }

    /// A connection string that names both servers, the primary first.
    public var connectionString: String {
        "host=127.0.0.1,127.0.0.1 port=\(primary.port),\(standby.port) user=beanrow dbname=postgres"
    }

    /// Ends the streaming: the standby gets no later commits.
    public func cutReplication() throws {
        try standby.set("primary_conninfo", to: "")
        try eventually("the streaming has ended") {
            try primary.psql("select count(*) from pg_stat_replication") == "0"
        }
    }

    /// Promotes the standby.
    public func promote() throws {
        _ = try standby.psql("select pg_promote(true, 60)")
        try eventually("the standby accepts writes") { try standby.psql("select pg_is_in_recovery()") == "f" }
    }
}
