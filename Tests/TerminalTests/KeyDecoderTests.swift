import Testing

@testable import Terminal

/// Keys out of bytes.
@Suite("Terminal: keys") struct KeyDecoderTests {
    @Test(arguments: [
        ("a", [Key.character("a")]), ("ü日", [.character("ü"), .character("日")]), ("\r", [.enter]),
        ("\u{7f}", [.backspace]),
        ("\u{3}", [.control("c")]), ("\u{1b}[A\u{1b}OB", [.up, .down]), ("\u{1b}[5~\u{1b}[6~", [.pageUp, .pageDown]),
        ("\u{1b}[1;5C", [.right]), ("\u{1b}[H\u{1b}[F\u{1b}[1~\u{1b}[4~", [.home, .end, .home, .end]),
        ("\u{1b}[200~x", [.character("x")]), ("\u{1b}x", [.escape, .character("x")]),
    ])
    func sequences(bytes: String, keys: [Key]) {
        var decoder = KeyDecoder()
        #expect(decoder.take(bytes.utf8) == keys)
        // In single bytes too, as a slow line brings them.
        var slow = KeyDecoder()
        #expect(bytes.utf8.flatMap { slow.take([$0]) } == keys)
        #expect(!slow.isWaiting)
    }

    @Test func aLoneEscape() {
        var decoder = KeyDecoder()
        #expect(decoder.take([0x1B]) == [])
        #expect(decoder.isWaiting)
        #expect(decoder.pause() == [.escape])
        #expect(decoder.take("q".utf8) == [.character("q")])
    }

    @Test func bytesThatAreNoText() {
        var decoder = KeyDecoder()
        #expect(decoder.take([0xFF, 0xC3, 0x28, UInt8(ascii: "q")]).last == .character("q"))
        _ = decoder.take([0xE6, 0x97])
        #expect(decoder.pause() == [])
        #expect(decoder.take("q".utf8) == [.character("q")])
    }

    @Test func anEndlessSequence() {
        var decoder = KeyDecoder()
        _ = decoder.take([0x1B, UInt8(ascii: "[")] + [UInt8](repeating: UInt8(ascii: "1"), count: 1000))
        _ = decoder.pause()
        #expect(decoder.take("q".utf8) == [.character("q")])
    }
}
