import Foundation
import TestKit
import Testing

/// Pages name all views, columns, functions, rights and errors of the schema, and no others.
@Suite("Docs: the schema") struct SchemaTests {
    private let schema: SchemaFacts

    init() throws {
        schema = try SchemaFacts.shared.get()
    }

    /// Names behind `beanrow.`, in pages and in hints of functions.
    @Test func namesOfTheSchema() {
        let messages = files(in: "migrations").filter { $0.hasSuffix(".up.sql") } + files(in: "Sources/PostgresStore")
        let settings = messages.flatMap { text(of: $0).matches(of: /['"]beanrow\.([a-z_]+)/) }.map { String($0.1) }
        for path in Page.all.map(\.path) + messages {
            for (number, line) in text(of: path).split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
                // Not in a name that goes on, such as that of a host or a file.
                for found in line.matches(of: /(?:^|[^\w.\/@-])beanrow\.([a-z_]+)(?![\w-])(?!\.[a-z])/) {
                    let name = String(found.1)
                    if !schema.relations.contains(name), schema.arguments[name] == nil, !settings.contains(name) {
                        fail("\(path):\(number + 1)", "the schema has no \(name)")
                    }
                }
            }
        }
    }

    /// The table of a view has all of its columns, and no others.
    @Test func columnsOfViews() {
        let page = Page.named("docs/sql.md")
        var described: Set<String> = []
        for (header, rows) in Dictionary(grouping: page.rows, by: { $0.header[0] }) {
            let views = Page.code(in: header).filter { $0.hasPrefix("beanrow.") }.map { String($0.dropFirst(8)) }
            guard !views.isEmpty else { continue }
            described.formUnion(views)
            let names = rows.flatMap { row in row.code(0).map { (row.place, $0) } }
            let columns = views.reduce(into: Set<String>()) { $0.formUnion(schema.columns[$1] ?? []) }
            // `the arguments of` a function stand for them.
            let given = Set(names.flatMap { schema.arguments[$0.1].map(Array.init) ?? [$0.1] })
            for name in given.subtracting(columns) {
                let place = names.first { $0.1 == name }?.0 ?? rows[0].place
                fail(place, "\(views.joined(separator: " and ")) has no column \(name)")
            }
            for name in columns.subtracting(given) { fail(rows[0].place, "\(header) lacks the column \(name)") }
        }
        for view in schema.mayRead["reader"]!.subtracting(described) {
            fail(page.path, "there is no table of the view \(view)")
        }
    }

    /// Each function that a role may call is described with its arguments.
    @Test func functions() {
        let page = Page.named("docs/sql.md")
        var described: [String: Set<String>] = [:]
        for row in page.rows {
            for call in row.code(0) {
                guard let found = call.wholeMatch(of: /([a-z_]+)\(([a-z_, ]*)\)/) else { continue }
                let arguments = found.2.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
                described[String(found.1), default: []].formUnion(arguments)
                check(arguments, of: String(found.1), row)
            }
        }
        let puts = page.rows.filter { $0.header == ["Argument", "Default", ""] }
        check(puts.flatMap { $0.code(0) }, of: "put", puts[0])
        let policy = page.rows.filter { $0.header.first == "Argument" && $0.header.count == 2 }
        // Those of a row are told about in the next cell.
        check(
            ["tube"] + policy.flatMap { $0.code(0) + $0.code(1).filter { $0 == "history_body" } }, of: "set_policy",
            policy[0])
        for role in Self.tasks {
            for name in schema.mayCall[role, default: []].subtracting(described.keys).subtracting(schema.inner)
            where !page.text.contains("`\(name)`") && !page.text.contains("beanrow.\(name)(") {
                fail(page.path, "it lacks the function \(name), which a \(role) may call")
            }
        }
        let callable = Self.tasks.reduce(into: Set<String>()) { $0.formUnion(schema.mayCall[$1, default: []]) }
        for name in described.keys where !callable.contains(name) { fail(page.path, "no role may call \(name)") }
    }

    private func check(_ arguments: [String], of function: String, _ row: Page.Row) {
        guard let real = schema.arguments[function] else { return fail(row.place, "there is no function \(function)") }
        for name in Set(arguments).subtracting(real) { fail(row.place, "\(function) has no argument \(name)") }
        for name in real.subtracting(arguments) { fail(row.place, "\(function) also has an argument \(name)") }
        guard row.cells.count > 1, let list = row.cells[1].firstMatch(of: /Columns: (.*)/) else { return }
        let columns = Set(Page.code(in: String(list.1)))
        let results = schema.results[function, default: []]
        for name in columns.symmetricDifference(results) {
            fail(row.place, "\(function) \(results.contains(name) ? "also returns" : "does not return") \(name)")
        }
    }

    private static let tasks = ["reader", "producer", "worker", "operator"]

    @Test func rightsOfRoles() {
        let rows = Page.named("docs/operations.md").rows.filter { $0.header.first == "Role" }
        var said: [String: Set<String>] = [:]
        for row in rows {
            let role = row.code(0)[0].replacing("beanrow_", with: "")
            said[role] = Set(row.code(2))
            if row.cells[2].contains("what a reader may") { said[role]!.formUnion(said["reader"] ?? []) }
            guard Self.tasks.contains(role) else { continue }
            let real = schema.mayRead[role, default: []].union(schema.mayCall[role, default: []]).subtracting(
                schema.inner)
            for name in said[role]!.subtracting(real) { fail(row.place, "a \(role) has no right to \(name)") }
            for name in real.subtracting(said[role]!) { fail(row.place, "a \(role) also has a right to \(name)") }
        }
        let roles = Set(schema.mayRead.keys).union(schema.mayCall.keys)
        for role in roles.symmetricDifference(said.keys) {
            fail("docs/operations.md", "\(role) is only in one of the two")
        }
    }

    @Test func warnings() {
        let rows = Page.named("docs/operations.md").rows.filter { $0.header.first == "Warning" }
        let said = Set(rows.flatMap { $0.code(0) })
        for name in said.subtracting(schema.warnings) {
            fail("docs/operations.md", "the view warnings never says \(name)")
        }
        for name in schema.warnings.subtracting(said) { fail("docs/operations.md", "it lacks the warning \(name)") }
    }

    @Test func errorCodes() {
        let raised = Set(files(in: "migrations").filter { $0.hasSuffix(".up.sql") }.flatMap { codes(text(of: $0)) })
        let listed = Set(
            Page.named("docs/sql.md").rows.filter { $0.header.first == "SQLSTATE" }.flatMap { codes($0.cells[0]) })
        #expect(raised.count >= 12)
        for code in raised.subtracting(listed) { fail("docs/sql.md", "it lacks \(code)") }
        for code in listed.subtracting(raised) { fail("docs/sql.md", "nothing raises \(code)") }
        for path in Page.all.map(\.path) + files(in: "Sources/PostgresStore") {
            for code in codes(text(of: path)) where !raised.contains(code) { fail(path, "nothing raises \(code)") }
        }
    }

    private func codes(_ text: String) -> [String] { text.matches(of: /\bBR\d{3}\b/).map { String($0.0) } }
}
