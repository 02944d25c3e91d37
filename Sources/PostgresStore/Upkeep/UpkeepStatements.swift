/// The statements of the upkeep that are neither about counts (`KeeperStatements`) nor about tubes (`TubeStatements`).
extension Statement {
    /// A day of history that somebody has locked is tried again a minute later.
    static let limitHistory = "set local statement_timeout to '1s'"

    /// Not prepared: once a minute a new plan costs nothing.
    static let warnings = Statement(
        name: "", sql: "select warning, object, amount, unit, hint from warnings order by warning, object")
}
