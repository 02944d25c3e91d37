import Testing

/// A call of a function, after which the transaction stays open.
///
/// All of them may be open at once: each has jobs of its own, and a tube of its own if it changes one.
struct OpenCall: Sendable, CustomTestStringConvertible {
    /// The name under which roles are granted it.
    let function: String
    /// Runs before the transaction; its result takes the place of `$` in the call.
    let setup: String
    let call: String

    init(_ function: String, _ call: String, after setup: String = "select 0") {
        self.function = function
        self.setup = setup
        self.call = call
    }

    var testDescription: String { call }

    /// Prepares the jobs that the call is about.
    func prepare(_ session: SQLSession) throws -> String {
        call.replacing("$", with: try session.value(setup))
    }

    private static let ready = "select beanrow.put('t', 'mine', 9)"
    private static let delayed = "select beanrow.put('t', 'mine', 9, '1 hour')"
    private static func reserved(_ holder: Int) -> String {
        "select min(id) from beanrow.reserve('{taken}', '1 hour', 1, holder => \(holder))"
    }

    /// Every function that a role other than a broker's may call and that changes something.
    static let all = [
        OpenCall("put", "select beanrow.put('t', 'text', 9)"),
        OpenCall("put", "select beanrow.put('t', '\\x00'::bytea, 9)"),
        OpenCall("put", "select beanrow.put('t', '{}'::jsonb, 9)"),
        OpenCall("put", "select beanrow.put('t', 'with a key', 9, key => 'k')"),
        OpenCall("put", "select beanrow.put('new', 'a tube is made', 9)"),
        OpenCall("put_job", "select beanrow.put_job('t', 'x', 9, '1 hour', '60 s', null)"),
        OpenCall("put_many", "select count(*) from beanrow.put_many('t', array['a', 'b'], 9)"),
        OpenCall("put_many", "select count(*) from beanrow.put_many('t', array['a'::bytea], 9)"),
        OpenCall("put_many", "select count(*) from beanrow.put_many('t', array['{}'::jsonb], 9)"),
        OpenCall("kick", "select beanrow.kick('kicked', 2)", after: "select beanrow.put('kicked', 'x', 9, '1 hour')"),
        OpenCall("kick_job", "select beanrow.kick_job($)", after: delayed),
        OpenCall("delete_job", "select beanrow.delete_job($)", after: ready),
        OpenCall("bury_job", "select beanrow.bury_job($)", after: ready),
        OpenCall("move_job", "select beanrow.move_job($, 'taken')", after: delayed),
        OpenCall("move_job", "select beanrow.move_job($, 'made')", after: ready),
        OpenCall("set_priority", "select beanrow.set_priority($, 8)", after: ready),
        OpenCall("set_delay", "select beanrow.set_delay($, '2 hours')", after: delayed),
        OpenCall("pause", "select beanrow.pause('paused', '1 hour')", after: "select beanrow.put('paused', 'x', 9)"),
        OpenCall("unpause", "select beanrow.unpause('unpaused')", after: "select beanrow.put('unpaused', 'x', 9)"),
        OpenCall("clear", "select beanrow.clear('cleared')", after: "select beanrow.put('cleared', 'x', 9)"),
        OpenCall("recount", "select count(*) from beanrow.recount()"),
        OpenCall("set_policy", "select beanrow.set_policy('t', max_ready => 1000, history => '1 day')"),
        OpenCall(
            "reserve", "select min(id) from beanrow.reserve('{reserved}')",
            after: "select beanrow.put('reserved', 'x', 9)"),
        OpenCall("finish", "select beanrow.finish(array[$], 1)", after: reserved(1)),
        OpenCall("release", "select beanrow.release(array[$], holder => 2)", after: reserved(2)),
        OpenCall("bury", "select beanrow.bury(array[$], holder => 3)", after: reserved(3)),
        OpenCall("touch", "select beanrow.touch(array[$], holder => 4)", after: reserved(4)),
        OpenCall("end_lease", "select beanrow.end_lease($)", after: reserved(5)),
        OpenCall("end_leases_of", "select beanrow.end_leases_of(holder => 6)", after: reserved(6)),
    ]
}
