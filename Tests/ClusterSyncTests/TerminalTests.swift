import Testing

@testable import ClusterSync

struct TerminalTests {
    @Test func `a table aligns its columns whatever the colours`() {
        var table = TextTable([.init("NAME"), .init("COUNT", .right), .init("NOTE")])
        let style = Style(isColored: false)
        table.add([.init("a") { "<\($0)>" }, .init("1,000"), .init("first")])
        table.add([.init("longer"), .init("7"), .init("")])
        #expect(
            table.render(style) == """
                  NAME    COUNT  NOTE
                  ──────  ─────  ─────
                  <a>       1,000  first
                  longer      7\(" ")\(" ")
                """
        )
    }

    @Test func `colours are only written where they are wanted`() {
        #expect(Style(isColored: true).red("x") == "\u{1B}[31mx\u{1B}[0m")
        #expect(Style(isColored: false).red("x") == "x")
        #expect(!Style.standardOutput(["NO_COLOR": "1"]).isColored)
        #expect(!Style.standardOutput(["TERM": "dumb"]).isColored)
    }

    @Test(arguments: [
        (0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567"), (-1_000, "-1,000"), (-100, "-100"),
    ])
    func `counts are grouped`(number: Int, text: String) {
        #expect(Human.count(number) == text)
    }

    @Test(arguments: [(4.23, "4.2 s"), (200, "3 min 20 s"), (18_720, "5 h 12 min"), (273_600, "3 d 4 h")])
    func `durations are short`(seconds: Double, text: String) {
        #expect(Human.duration(seconds: seconds) == text)
    }
}
