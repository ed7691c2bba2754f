import Testing

@testable import ClusterSync

struct CeilingWaitTests {
    private static let now: Int64 = 1_800_000_000_000_000
    private static let skew = Duration.seconds(10)

    private static func wait(_ ceiling: Int64, skew: Duration = skew) throws -> Duration {
        try CeilingWait.duration(ceiling: ceiling, now: Self.now, skew: skew)
    }

    @Test func `reading begins when even a clock that is behind has passed the ceiling`() throws {
        let ahead = try Self.wait(Self.now + 3_000_000)
        #expect(ahead == .seconds(13))
        #expect(try Self.wait(Self.now) == Self.skew)
        #expect(try Self.wait(Self.now - 1) == Self.skew - .microseconds(1))
    }

    @Test(arguments: [now - 10_000_000, now - 3_600_000_000, 0, Int64.min])
    func `a ceiling that every clock has passed costs nothing`(ceiling: Int64) throws {
        #expect(try Self.wait(ceiling) == .zero)
    }

    @Test(arguments: [now + 60_000_001, Int64.max])
    func `a ceiling that is far ahead is refused`(ceiling: Int64) {
        #expect(throws: CeilingWait.TooFarAhead.self) { try Self.wait(ceiling) }
    }

    @Test func `a ceiling as far ahead as one may be is waited for`() throws {
        let wait = try Self.wait(Self.now + 60_000_000)
        #expect(wait == .seconds(70))
    }

    @Test func `dual writing that has just begun is waited for`() throws {
        // The ceiling lies a clock's skew after the switch.
        let ceiling = Self.now + 10_000_000
        let wait = try Self.wait(ceiling)
        #expect(wait == .seconds(20))
    }

    @Test func `clocks that are as one are not waited for`() throws {
        #expect(try Self.wait(Self.now, skew: .zero) == .zero)
        #expect(try Self.wait(Self.now + 1, skew: .zero) == .microseconds(1))
    }
}
