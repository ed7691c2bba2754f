import Testing

@testable import DualWriter

struct RequestLogTests {
    @Test func `one of so many requests is chosen, and none where nothing is asked for`() {
        var log = RequestLog(RequestLogSettings(oneIn: 3))
        let chosen = (0..<9).count { _ in log.chooses(nil) }
        #expect(chosen == 3)
        var all = RequestLog(RequestLogSettings(oneIn: 1), loops: 4, index: 3)
        let areAllChosen = (0..<5).allSatisfy { _ in all.chooses(nil) }
        #expect(areAllChosen)
        var none = RequestLog(RequestLogSettings())
        let isChosen = none.chooses(nil)
        #expect(!none.isOn && !isChosen)
    }

    @Test func `requests of recorded traces are chosen where they are asked for`() {
        let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0"
        let (recorded, quiet) = (
            TraceContext(traceparent: traceparent + "1"), TraceContext(traceparent: traceparent + "0")
        )
        var log = RequestLog(RequestLogSettings(traced: true))
        let chosen = [recorded, quiet, nil].map { log.chooses($0) }
        #expect(chosen == [true, false, false])
        log.settings = RequestLogSettings(slowerThanMilliseconds: 5)
        let isStillChosen = log.chooses(recorded)
        #expect(!isStillChosen)
    }

    @Test func `slow is what takes so long or longer`() {
        let log = RequestLog(RequestLogSettings(slowerThanMilliseconds: 5))
        #expect(!log.isSlow(nanoseconds: 4_999_999))
        #expect(log.isSlow(nanoseconds: 5_000_000))
        #expect(!RequestLog(RequestLogSettings(oneIn: 1)).isSlow(nanoseconds: .max))
    }

    @Test func `loops share the lines of a second, and the next line says how many were held back`() {
        var log = RequestLog(RequestLogSettings(oneIn: 1, linesPerSecond: 10), loops: 5)
        let first = (0..<5).map { log.takeLine(now: 1_000 + Int64($0)) }
        #expect(first == [0, 0, nil, nil, nil])
        let next = log.takeLine(now: 1_000_001_000)
        let after = log.takeLine(now: 1_000_001_001)
        #expect(next == 3 && after == 0)
        var scarce = RequestLog(RequestLogSettings(oneIn: 1, linesPerSecond: 1), loops: 64)
        let only = scarce.takeLine(now: 0)
        #expect(only == 0, "each loop has a line")
    }

    @Test func `numbers go on when the settings change`() {
        var log = RequestLog(RequestLogSettings(oneIn: 1))
        let first = log.nextID()
        log.settings = RequestLogSettings(oneIn: 2)
        let second = log.nextID()
        #expect((first, second) == (1, 2))
    }
}
