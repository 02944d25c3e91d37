import Testing

@testable import Terminal

/// Text in cells.
@Suite("Terminal: cells") struct CellsTests {
    @Test(arguments: [
        ("mail", 4), ("", 0), ("ü", 1), ("u\u{308}", 1), ("日本", 4), ("한국", 4), ("ｆ", 2), ("😀", 2), ("→", 1), ("×", 1),
    ])
    func width(text: String, cells: Int) { #expect(Cells.width(text) == cells) }

    @Test(arguments: [
        ("mail", 6, "mail  "), ("mail", 4, "mail"), ("mailing", 4, "mai…"), ("日本語", 4, "日… "), ("日本語", 5, "日本…"),
        ("日本語", 6, "日本語"), ("ab", 1, "…"), ("ab", 0, ""),
    ])
    func fit(text: String, cells: Int, fitted: String) {
        #expect(Cells.fit(text, cells) == fitted)
        #expect(Cells.width(Cells.fit(text, cells)) == cells)
    }

    @Test(arguments: [
        ("orders.eu.0001", 10, "orde….0001"), ("orders.eu.0001", 14, "orders.eu.0001"), ("日本語日本語", 7, "日…本語"),
        ("orders", 4, "ord…"),
    ])
    func middle(text: String, cells: Int, cut: String) {
        #expect(Cells.truncateMiddle(text, cells) == cut)
        #expect(Cells.width(cut) <= cells)
    }

    @Test func whatATerminalActsOnIsEscaped() {
        #expect(Cells.clean("a\u{1b}[2J\u{7}\n\u{202e}b") == #"a\u{1b}[2J\u{7}\n\u{202e}b"#)
    }

    @Test(arguments: [
        (0, "0"), (999, "999"), (1000, "1,000"), (999_999, "999,999"), (1_234_567, "1.23M"), (12_345_678, "12.3M"),
        (123_456_789, "123M"), (9_999_999, "10.0M"), (1_500_000_000, "1.50G"), (-1234, "-1,234"),
    ])
    func counts(number: Int, text: String) { #expect(Figures.count(number) == text) }

    @Test(arguments: [
        (-1.0, "0s"), (59.9, "59s"), (245, "4m05s"), (7500, "2h05m"), (273_600, "3d04h"), (.nan, "-"),
    ])
    func ages(seconds: Double, text: String) { #expect(Figures.age(seconds) == text) }

    @Test(arguments: [(0.0, "0"), (0.04, "0"), (0.06, "0.1"), (99.9, "99.9"), (99.96, "100"), (1234.4, "1,234")])
    func rates(rate: Double, text: String) { #expect(Figures.rate(rate) == text) }
}
