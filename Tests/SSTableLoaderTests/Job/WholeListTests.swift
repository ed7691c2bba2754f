import Testing

@testable import LiveTables
@testable import SSTableLoader

/// A list that is written as a whole is later with each attempt, never above the ceiling, and never below what deletes it.
struct WholeListTests {
    @Test func `each attempt is later than the one before`() {
        for ceiling: Int64? in [nil, 10_000, 5_000, 5_500] {
            let times = (0..<1_000 as Range<Int64>).map {
                WholeList.timestamp(newest: 5_000, attempt: $0, ceiling: ceiling)
            }
            #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 })
            #expect(times.allSatisfy { $0 <= ceiling ?? .max })
        }
        #expect(WholeList.timestamp(newest: 5_000, attempt: 0, ceiling: 10_000) == 5_000, "there is room enough")
        #expect(WholeList.timestamp(newest: 5_000, attempt: 5_000, ceiling: nil) == 5_999)
    }

    @Test func `a deletion just below the ceiling does not hide it`() {
        let time = WholeList.timestamp(newest: 9_900, attempt: 3, ceiling: 10_000, deletion: 9_890)
        #expect(time > 9_890 && time <= 10_000)
        #expect(WholeList.timestamp(newest: 10_000, attempt: 700, ceiling: 10_000, deletion: 9_999) == 10_000)
    }
}
