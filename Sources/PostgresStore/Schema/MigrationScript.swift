/// Migrations as a script for psql, for operators whose schema changes go through review.
public struct MigrationScript: Sendable {
    private let schema: String
    private let steps: [MigrationStep]
    private let preparesSchema: Bool
    private let repairs: [String]

    /// `preparesSchema`: the schema, or its table of migrations, is missing. `repairs`: the statements that a renamed
    /// schema needs.
    init(schema: String, steps: [MigrationStep], preparesSchema: Bool = false, repairs: [String] = []) {
        self.repairs = repairs
        self.schema = schema
        self.steps = steps
        self.preparesSchema = preparesSchema
    }

    /// All migrations, for a database without any of them.
    public static func upFromNothing(schema: String) -> MigrationScript {
        MigrationScript(schema: schema, steps: Migration.all.map { MigrationStep(.up, $0) }, preparesSchema: true)
    }

    /// Takes the latest migration back, for a schema that is at this program's version.
    public static func downFromLatest(schema: String) -> MigrationScript {
        MigrationScript(schema: schema, steps: Migration.all.suffix(1).map { MigrationStep(.down, $0) })
    }

    /// The script ends at the first error. Each step is done whole or not at all, so that the steps that are missing
    /// can be printed and run again.
    public var text: String {
        guard !steps.isEmpty || !repairs.isEmpty else { return "-- Nothing is to be done.\n" }
        return ([opening] + steps.map(text) + [Statement.unlockInScript]).joined(separator: "\n")
    }

    private var opening: String {
        var text = """
            -- Steps of Beanrow's schema, for psql, to be run by the schema's owner. Brokers may go on meanwhile.
            -- A step that does not get its locks soon gives way, and the script ends: print it anew then, and run that.
            \\set ON_ERROR_STOP on

            """
        text += Statement.configureMigrations + ";\n" + Statement.lockInScript(schema)
        if preparesSchema { text += Statement.createSchema(schema) + ";\n" }
        text += Statement.useSchemaInScript(schema)
        if preparesSchema { text += Statement.createMigrations + ";\n" }
        return repairs.isEmpty ? text : text + "begin;\n" + repairs.map { $0 + ";\n" }.joined() + "commit;\n"
    }

    private func text(of step: MigrationStep) -> String {
        let migration = step.migration
        let title = "-- \(migration.version) \(migration.name)\(step.direction == .up ? "" : ", taken back")\n"
        let record = Statement.recordInScript(step)
        guard step.isTransaction else { return title + step.statements.map(text).joined() + record }
        return title + "begin;\n" + Statement.limitWaitsInScript + "\n" + step.sql + "\n" + record + "commit;\n"
    }

    /// Of a statement that is run without a transaction.
    private func text(of statement: String) -> String {
        let healing = MigrationStep.indexBuilt(by: statement).map(Statement.dropInvalidIndexInScript)
        return (healing ?? "") + statement + "\n"
    }
}
