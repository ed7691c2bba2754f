import Testing

@testable import ClusterSync

struct CeilingWaitTests {
    private static let now: Int64 = 1_800_000_000_000_000

    @Test func `reading begins when even a clock that is behind has passed the ceiling`() throws {
        let skew = DualWritingSince.skewSeconds
        let ahead = try CeilingWait.duration(ceiling: Self.now + 3_000_000, now: Self.now)
        #expect(ahead == .seconds(3 + skew))
        #expect(try CeilingWait.duration(ceiling: Self.now, now: Self.now) == .seconds(skew))
        #expect(try CeilingWait.duration(ceiling: Self.now - 1, now: Self.now) == .seconds(skew) - .microseconds(1))
    }

    @Test(arguments: [now - 10_000_000, now - 3_600_000_000, 0, Int64.min])
    func `a ceiling that every clock has passed costs nothing`(ceiling: Int64) throws {
        #expect(try CeilingWait.duration(ceiling: ceiling, now: Self.now) == .zero)
    }

    @Test(arguments: [now + 60_000_001, Int64.max])
    func `a ceiling that is far ahead is refused`(ceiling: Int64) {
        #expect(throws: CeilingWait.TooFarAhead.self) { try CeilingWait.duration(ceiling: ceiling, now: Self.now) }
    }

    @Test func `a ceiling as far ahead as one may be is waited for`() throws {
        let wait = try CeilingWait.duration(ceiling: Self.now + 60_000_000, now: Self.now)
        #expect(wait == .seconds(60 + DualWritingSince.skewSeconds))
    }

    @Test func `dual writing that has just begun is waited for`() throws {
        // The ceiling lies a clock's skew after the switch.
        let ceiling = Self.now + DualWritingSince.skewSeconds * 1_000_000
        let wait = try CeilingWait.duration(ceiling: ceiling, now: Self.now)
        #expect(wait == .seconds(2 * DualWritingSince.skewSeconds))
    }
}
