import Testing

/// The parser of pages.
@Suite struct PageTests {
    @Test func tablesSpansBlocksAndLinks() {
        let page = Page(
            "a.md",
            text: """
                # A page, and `more`

                Say `-x` or [this](b.md#a-page).

                | Flag | `t.x` |
                |---|---|
                | `-a`, `-b N` | one \\| two |
                | last | |

                ```sh
                beanrow -q # `no span`
                ```
                """)
        #expect(page.spans.map(\.text) == ["more", "-x", "t.x", "-a", "-b N"])
        #expect(page.spans.map(\.place) == ["a.md:1", "a.md:3", "a.md:5", "a.md:7", "a.md:7"])
        #expect(page.commands.map(\.text) == ["beanrow -q # `no span`"])
        #expect(page.links.map(\.text) == ["b.md#a-page"])
        #expect(page.rows.map(\.cells) == [["`-a`, `-b N`", "one | two"], ["last", ""]])
        #expect(page.rows[0].header == ["Flag", "`t.x`"])
        #expect(page.rows[0].code(0) == ["-a", "-b N"])
        #expect(page.anchors == ["a-page-and-more"])
    }
}
