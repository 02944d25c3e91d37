import TestKit
import Testing

@Suite("The views work on a replica, which is read-only", .serialized)
struct ReplicaTests {
    @Test func theViewsShowTheTruth() throws {
        let pair = try ReplicatedPostgres(isSynchronous: false)
        let broker = try BrokerProcess.start(on: pair)
        let client = try broker.connect()
        let held = try client.put(#"{"held": true}"#)
        try client.send("reserve\r\n")
        #expect(try client.expectJob().id == held)
        let ready = try client.put("ready")
        try eventually("the replica shows who holds which job") {
            (try? pair.standby.psql("select id, state, broker is not null from beanrow.jobs order by id"))
                == "\(held)|reserved|t\n\(ready)|ready|f"
        }
        try eventually("the replica shows how many jobs there are") {
            try pair.standby.psql("select ready, reserved from beanrow.tubes where name = 'default'") == "1|1"
        }
        #expect(try pair.standby.psql("select alive from beanrow.brokers") == "t")
        let bodies = "select beanrow.body_json(body) ->> 'held', beanrow.body_text(body) from beanrow.jobs order by id"
        #expect(try pair.standby.psql(bodies) == "true|{\"held\": true}\n|ready")
        #expect(try pair.standby.psql("select count(*) from beanrow.history") == "0")
        #expect(throws: (any Error).self) { try pair.standby.psql("select beanrow.put('default', 'x')") }
    }

    /// The views of a replica that lags behind are consistent for an earlier time.
    @Test func aReplicaThatIsCutOffShowsItsLastState() throws {
        let pair = try ReplicatedPostgres(isSynchronous: false)
        let broker = try BrokerProcess.start(on: pair)
        let client = try broker.connect()
        let held = try client.put("held")
        try client.send("reserve\r\n")
        _ = try client.expectJob()
        try eventually("the replica shows the reservation") {
            (try? pair.standby.psql("select state from beanrow.jobs")) == "reserved"
        }
        try pair.cutReplication()
        // On the primary a broker without a heartbeat for so long would be shown as dead.
        try eventually("its last heartbeat is old") {
            try pair.standby.psql("select max(heartbeat_at) < now() - interval '6 seconds' from beanrow.brokers") == "t"
        }
        #expect(try pair.standby.psql("select alive from beanrow.brokers") == "t")
        #expect(try pair.standby.psql("select id, state from beanrow.jobs") == "\(held)|reserved")
    }
}
