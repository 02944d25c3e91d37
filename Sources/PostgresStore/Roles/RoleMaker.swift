/// Makes the roles that use a schema: each may do its task there, and nothing else.
public struct RoleMaker {
    private let connection: Connection
    private let schema: String

    /// `database` leads to a role that owns the schema or is a superuser; the schema has been migrated. Throws a
    /// `StoreError`.
    public init(database: String, schema: String) throws {
        let migrator = try Migrator(database: database, schema: schema)
        // A role that may create in the schema may be about to lose that right here.
        _ = try migrator.checkVersion()
        self.init(try Connection(database), schema: schema)
    }

    init(_ connection: Connection, schema: String) {
        self.connection = connection
        self.schema = schema
    }

    /// Makes the privileges of the role in the schema those of a broker, no fewer and no more. A role that is missing is
    /// created without a login. What the role may do elsewhere stays.
    /// - Throws: `RoleError` or `StoreError`; then nothing has been changed.
    public func makeBroker(_ role: String) throws {
        try connection.inTransaction { try make(role, Privileges.broker) }
    }

    /// The same for the roles of all tasks, under their standard names.
    /// - Returns: their names.
    /// - Throws: `RoleError` or `StoreError`; then nothing has been changed.
    public func makeAll() throws -> [String] {
        let all = Privileges.standard.map { (role: standardName($0), privileges: $0) }
        // PostgreSQL would shorten all of them to the same name.
        if let long = all.first(where: { $0.role.utf8.count > 63 }) { throw RoleError.nameTooLong(long.role) }
        try connection.inTransaction {
            for (role, privileges) in all { try make(role, privileges) }
        }
        return all.map(\.role)
    }

    /// Gives the roles with standard names that exist the privileges on what has been added to the schema. Does nothing
    /// if this connection may not grant them.
    func renew() throws {
        guard try ask(.mayGrant, [schema]).bool(0, 0) else { return }
        try connection.inTransaction {
            for privileges in Privileges.standard {
                let role = standardName(privileges)
                guard let facts = try facts(of: role), !facts.isSuperuser, !facts.isOwner else { continue }
                try grant(privileges, to: role)
            }
        }
    }

    /// Objects that the privileges name and the schema does not have.
    func missingObjects() throws -> [String] {
        try Privileges.standard.flatMap { privileges in
            let rows = try ask(.missingObjects, ["", schema], privileges)
            return (0..<rows.count).map { rows.string($0, 0) }
        }
    }

    private func standardName(_ privileges: Privileges) -> String { "\(schema)_\(privileges.task)" }

    private func make(_ role: String, _ privileges: Privileges) throws {
        if let facts = try facts(of: role) {
            guard !facts.isSuperuser else { throw RoleError.isSuperuser(role) }
            guard !facts.isOwner else { throw RoleError.isOwner(role, schema: schema) }
        } else {
            try connection.run(Statement.createRole(role))
        }
        try grant(privileges, to: role)
        guard try ask(.isGranted, [role, schema], privileges).bool(0, 0) else {
            throw RoleError.notGranted(role, schema: schema)
        }
    }

    private func grant(_ privileges: Privileges, to role: String) throws {
        let revocations = try askOfOurs(.revocations, role)
        for row in 0..<revocations.count { try connection.run(revocations.string(row, 0)) }
        try connection.run(Statement.grantUsage(to: role, of: schema))
        let grants = try ask(.grants, [role, schema], privileges)
        for row in 0..<grants.count { try connection.run(grants.string(row, 0)) }
    }

    private func facts(of role: String) throws -> (isSuperuser: Bool, isOwner: Bool)? {
        let rows = try askOfOurs(.roleFacts, role)
        return rows.count == 0 ? nil : (rows.bool(0, 0), rows.bool(0, 1))
    }

    /// Runs a statement about a role and all our objects in the schema.
    private func askOfOurs(_ statement: Statement, _ role: String) throws -> Rows {
        var parameters = Parameters()
        parameters.add(role)
        parameters.add(schema)
        parameters.add(texts: Migration.names)
        return try connection.ask(statement, parameters)
    }

    private func ask(_ statement: Statement, _ texts: [String], _ privileges: Privileges? = nil) throws -> Rows {
        var parameters = Parameters()
        for text in texts { parameters.add(text) }
        if let grants = privileges?.grants {
            parameters.add(texts: grants.map(\.kind.rawValue))
            parameters.add(texts: grants.map(\.name))
            parameters.add(texts: grants.map(\.privileges))
        }
        return try connection.ask(statement, parameters)
    }
}

/// Why a role was not made what it should be.
public enum RoleError: Error, CustomStringConvertible, Sendable {
    case isSuperuser(String)
    case isOwner(String, schema: String)
    case notGranted(String, schema: String)
    case nameTooLong(String)

    public var description: String {
        switch self {
        case .isSuperuser(let role): "\(role) is a superuser, whose rights cannot be limited: name another role"
        case .isOwner(let role, let schema):
            "\(role) owns the schema \(schema) or a part of it, and may change it: name another role"
        case .notGranted(let role, let schema):
            "\(role) did not get its privileges: connect as the owner of the schema \(schema), or as a superuser"
        case .nameTooLong(let role):
            "\(role) is longer than the 63 bytes that PostgreSQL keeps of a name: use a shorter name for the schema"
        }
    }
}
