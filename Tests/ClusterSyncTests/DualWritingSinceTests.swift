import Operations
import Testing

@testable import ClusterSync

struct DualWritingSinceTests {
    private static func step(_ from: String, _ to: String, _ at: String) -> PhaseRecord {
        PhaseRecord(at: at, from: from, to: to, epoch: 0, by: "test", reason: nil, forced: false)
    }

    private static let trail = [
        Self.step("DualWriteAsync", "DualWriteSync", "2026-01-05T00:00:00.000Z"),
        Self.step("PrimaryOnly", "DualWriteAsync", "2026-01-04T00:00:01.500Z"),
        Self.step("DualWriteAsync", "PrimaryOnly", "2026-01-03T00:00:00.000Z"),
        Self.step("PrimaryOnly", "DualWriteAsync", "2026-01-02T00:00:00.000Z"),
    ]

    @Test func `it counts from where dual writing went on without a break, and a clock's skew later`() throws {
        let moment = try DualWritingSince.microseconds(
            "x",
            mode: "DualWriteSync",
            newestFirst: Self.trail,
            skew: .seconds(10)
        )
        // 2026-01-04T00:00:01.5Z is 1,767,484,801.5 seconds after 1970.
        #expect(moment == 1_767_484_801_500_000 + 10_000_000)
    }

    @Test func `tables whose own copies began later move it`() throws {
        func moment(_ tablesSince: String) throws -> Int64 {
            try DualWritingSince.microseconds(
                "x",
                mode: "DualWriteSync",
                newestFirst: Self.trail,
                tablesSince: tablesSince,
                skew: .zero
            )
        }
        #expect(try moment("2026-01-04T00:00:03.500Z") == 1_767_484_803_500_000)
        #expect(try moment("2026-01-02T00:00:00.000Z") == 1_767_484_801_500_000)
        #expect(throws: DualWritingSince.Unknown.self) { try moment("yesterday") }
    }

    @Test func `a dual writer that writes to one cluster has no such moment`() {
        for mode in ["PrimaryOnly", "TargetOnly"] {
            #expect(throws: DualWritingSince.Unknown.self) {
                try DualWritingSince.microseconds("x", mode: mode, newestFirst: Self.trail, skew: .seconds(10))
            }
        }
    }

    @Test func `a trail that does not go back so far is no answer`() {
        #expect(throws: DualWritingSince.Unknown.self) {
            try DualWritingSince.microseconds(
                "x",
                mode: "DualWriteSync",
                newestFirst: Array(Self.trail.prefix(1)),
                skew: .seconds(10)
            )
        }
        #expect(throws: DualWritingSince.Unknown.self) {
            try DualWritingSince.microseconds(
                "x",
                mode: "DualWriteAsync",
                newestFirst: [Self.step("PrimaryOnly", "DualWriteAsync", "yesterday")],
                skew: .seconds(10)
            )
        }
    }
}
