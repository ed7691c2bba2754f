import DualWriteCore
import Testing

@testable import DualWriter

/// What is said of partitions by what is owed.
struct OwedPartitionsTests {
    private static let question = OwedPartitions(keyspace: "ks", table: "t", keys: [[1], [2]])

    @Test func `a write counts for its own partition, and for all where nobody can tell which`() {
        for (partition, owed) in [
            (WrittenPartition(keyspace: "ks", table: "t", key: [1]), [[1]]),
            (WrittenPartition(keyspace: "ks", table: "t", key: [3]), []),
            (WrittenPartition(keyspace: "ks", table: "u", key: [1]), []),
            (WrittenPartition(keyspace: "other", table: "t", key: [1]), []),
            (WrittenPartition(keyspace: "ks", table: "t", key: nil), [[1], [2]]),
            (WrittenPartition(keyspace: nil, table: "t", key: [1]), [[1], [2]]),
            (WrittenPartition(keyspace: nil, table: "u", key: [1]), []),
            (WrittenPartition(keyspace: "ks", table: nil, key: nil), [[1], [2]]),
            (WrittenPartition(keyspace: nil, table: nil, key: nil), [[1], [2]]),
        ] as [(WrittenPartition, [[UInt8]])] {
            var answer = Self.question
            answer.add([partition])
            #expect(answer.owed == Set(owed), "\(partition)")
        }
    }

    @Test func `of several journals each may owe something, and one that was not looked through makes it incomplete`() {
        var answer = Self.question
        var other = Self.question
        other.add([WrittenPartition(keyspace: "ks", table: "t", key: [2])])
        other.isComplete = false
        answer.add(other)
        #expect(answer.owed == [[2]] && !answer.isComplete && !answer.isSettled)
    }
}
