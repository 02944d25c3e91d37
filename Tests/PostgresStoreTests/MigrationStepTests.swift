import Testing

@testable import PostgresStore

@Suite("A migration's file says how its step is run")
struct MigrationStepTests {
    private func step(_ up: String) -> MigrationStep {
        MigrationStep(.up, Migration(version: 1, name: "odd", up: up, down: ""))
    }

    @Test func aFileIsOneTransactionUnlessItsFirstLineSaysOtherwise() {
        #expect(step("create table a ();\n").isTransaction)
        #expect(step("-- A comment.\n-- Without a transaction.\ncreate table a ();\n").isTransaction)
        #expect(!step("-- Without a transaction.\ncreate index concurrently if not exists a on b (c);\n").isTransaction)
    }

    @Test func aStatementEndsWithTheLineThatEndsWithASemicolon() {
        let file = """
            -- Without a transaction.
            -- For those who wait; all of them;
            create index concurrently if not exists a
                on b (c) where d = ';' and e;

            drop index concurrently if exists f;
            drop index concurrently if exists g
            """
        #expect(
            step(file).statements == [
                "create index concurrently if not exists a\n    on b (c) where d = ';' and e;",
                "drop index concurrently if exists f;",
                "drop index concurrently if exists g",
            ])
    }

    @Test func theNameOfABuiltIndexIsFound() {
        let name = MigrationStep.indexBuilt
        #expect(name("create index concurrently if not exists job_ready on job (id);") == "job_ready")
        #expect(name("create unique index concurrently\nif not exists a on b (c);") == "a")
        #expect(name("drop index concurrently if exists a;") == nil)
    }

    /// Only these statements can be run again after they have stopped halfway.
    @Test func stepsWithoutATransactionOnlyBuildAndDropIndexes() {
        for migration in Migration.all {
            for step in [MigrationStep(.up, migration), MigrationStep(.down, migration)] where !step.isTransaction {
                for statement in step.statements {
                    #expect(
                        MigrationStep.indexBuilt(by: statement) != nil
                            || statement.hasPrefix("drop index concurrently if exists "),
                        "\(migration.version) \(migration.name): \(statement)")
                }
            }
        }
    }
}
