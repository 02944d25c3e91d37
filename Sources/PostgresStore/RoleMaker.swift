/// Makes the role that a broker runs as: one that can serve a schema and do nothing else.
public struct RoleMaker {
    private let connection: Connection
    private let schema: String

    /// `database` leads to a role that owns the schema or is a superuser; the schema has been migrated. Throws a
    /// `StoreError`.
    public init(database: String, schema: String) throws {
        let migrator = try Migrator(database: database, schema: schema)
        _ = try migrator.check()
        connection = try Connection(database)
        self.schema = schema
    }

    /// Creates the role, without a login, unless it is there, and makes its privileges in the schema those of a broker:
    /// no fewer, no more. What it may do elsewhere stays.
    /// - Throws: `RoleError` or `StoreError`; then nothing has been changed.
    public func makeBroker(_ role: String) throws {
        try connection.run("begin")
        do {
            if let facts = try facts(of: role) {
                guard !facts.isSuperuser else { throw RoleError.isSuperuser(role) }
                guard !facts.isOwner else { throw RoleError.isOwner(role, schema: schema) }
            } else {
                try connection.run(Statement.createRole(role))
            }
            try connection.run(Statement.grant(Privileges.broker, to: role, in: schema))
            guard try mayServe(role) else { throw RoleError.notGranted(role, schema: schema) }
            try connection.run("commit")
        } catch {
            try? connection.run("rollback")
            throw error
        }
    }

    private func facts(of role: String) throws -> (isSuperuser: Bool, isOwner: Bool)? {
        var parameters = Parameters()
        parameters.add(role)
        parameters.add(schema)
        let rows = try connection.ask(.roleFacts, parameters)
        return rows.count == 0 ? nil : (rows.bool(0, 0), rows.bool(0, 1))
    }

    private func mayServe(_ role: String) throws -> Bool {
        let tables = Privileges.broker.compactMap { granted in
            granted.object.hasPrefix("table ") ? String(granted.object.dropFirst("table ".count)) : nil
        }
        var parameters = Parameters()
        parameters.add(role)
        parameters.add(schema)
        parameters.add(tables.joined(separator: " "))
        let rows = try connection.ask(.mayServe, parameters)
        return rows.count == 1 && rows.bool(0, 0)
    }
}

/// Why a role was not made what it should be.
public enum RoleError: Error, CustomStringConvertible, Sendable {
    case isSuperuser(String)
    case isOwner(String, schema: String)
    case notGranted(String, schema: String)

    public var description: String {
        switch self {
        case .isSuperuser(let role): "\(role) is a superuser, whose rights cannot be limited: name another role"
        case .isOwner(let role, let schema):
            "\(role) owns the schema \(schema) or a part of it, and may change it: name another role"
        case .notGranted(let role, let schema):
            "\(role) did not get its privileges: connect as the owner of the schema \(schema), or as a superuser"
        }
    }
}
