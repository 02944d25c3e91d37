import TestKit
import Testing

/// The views on a standby that only reads.
@Suite("A replica", .serialized)
struct ReplicaTests {
    @Test func theViewsTellTheTruth() throws {
        let pair = try ReplicatedPostgres(isSynchronous: false)
        let broker = try BrokerProcess.start(on: pair)
        let client = try broker.connect()
        let held = try client.put(#"{"held": true}"#)
        try client.send("reserve\r\n")
        #expect(try client.expectJob().id == held)
        let ready = try client.put("ready")
        try eventually("the replica knows who has which") {
            (try? pair.standby.psql("select id, state, broker is not null from beanrow.jobs order by id"))
                == "\(held)|reserved|t\n\(ready)|ready|f"
        }
        try eventually("the replica knows how many there are") {
            try pair.standby.psql("select ready, reserved from beanrow.tubes where name = 'default'") == "1|1"
        }
        #expect(try pair.standby.psql("select alive from beanrow.brokers") == "t")
        let bodies = "select beanrow.body_json(body) ->> 'held', beanrow.body_text(body) from beanrow.jobs order by id"
        #expect(try pair.standby.psql(bodies) == "true|{\"held\": true}\n|ready")
        #expect(try pair.standby.psql("select count(*) from beanrow.history") == "0")
        #expect(throws: (any Error).self) { try pair.standby.psql("select beanrow.put('default', 'x')") }
    }

    /// What the replica has is old then, and true for the time that it is of.
    @Test func oneThatIsCutOffGoesOnTellingWhatItKnows() throws {
        let pair = try ReplicatedPostgres(isSynchronous: false)
        let broker = try BrokerProcess.start(on: pair)
        let client = try broker.connect()
        let held = try client.put("held")
        try client.send("reserve\r\n")
        _ = try client.expectJob()
        try eventually("the replica knows") {
            (try? pair.standby.psql("select state from beanrow.jobs")) == "reserved"
        }
        try pair.cutReplication()
        // A broker that was not heard of for so long would be called dead on the primary.
        try eventually("its last news are old") {
            try pair.standby.psql("select max(heartbeat_at) < now() - interval '6 seconds' from beanrow.brokers") == "t"
        }
        #expect(try pair.standby.psql("select alive from beanrow.brokers") == "t")
        #expect(try pair.standby.psql("select id, state from beanrow.jobs") == "\(held)|reserved")
    }
}
