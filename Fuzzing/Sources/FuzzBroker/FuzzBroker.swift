@testable import QueueCore

/// One input: bytes below 128 are sent by the current client; each other byte is an event (`Session.events`).
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzBroker(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let session = Session()
    var text: [UInt8] = []
    for byte in UnsafeBufferPointer(start: start, count: count) {
        if byte < 128 {
            text.append(byte)
            continue
        }
        session.send(text)
        text = []
        session.happen(byte)
    }
    session.send(text)
    session.end()
    return 0
}
