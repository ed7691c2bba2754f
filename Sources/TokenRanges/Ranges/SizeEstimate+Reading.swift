public import CQLClient
import CQLProtocol
import NIOCore

extension SizeEstimate {
    /// How many nodes are asked at most.
    static var readsMax: Int { 32 }

    static let query = """
        SELECT range_start, range_end, mean_partition_size, partitions_count FROM system.size_estimates \
        WHERE keyspace_name = ? AND table_name = ?
        """

    /// Asks a cluster how large a table is.
    ///
    /// A node knows of its own ranges alone, and a session asks whichever node's turn it is: so many times as there are nodes. A
    /// node that was not met leaves a gap, which ``RangePlan`` fills with the mean of the others.
    ///
    /// - Returns: Nothing where the cluster refuses to tell, or has not estimated yet (Cassandra does every five minutes, of what
    ///   is in SSTables).
    /// - Throws: ``CQLSessionError`` where the cluster does not answer.
    public static func read(_ table: TableName, of ring: Ring, _ session: CQLSession) async throws -> [SizeEstimate] {
        var estimates: [String: SizeEstimate] = [:]
        let names = [table.keyspace, table.table].map { BoundValue.value(ByteBuffer(string: $0)) }
        for _ in 0..<min(ring.nodeCount, Self.readsMax) {
            do {
                let result = try await session.query(Self.query, names, consistency: .one, isIdempotent: true)
                for row in result.rows?.rows ?? [] {
                    guard let (key, estimate) = Self.estimate(row) else { continue }
                    estimates[key] = estimate
                }
            } catch let error as CQLSessionError where error.code == .refused && !error.isTransient {
                return []
            }
        }
        return Array(estimates.values)
    }

    /// The estimate of a row, and the text of its range; nil where it is unreadable.
    static func estimate(_ row: Row) -> (range: String, estimate: SizeEstimate)? {
        guard case .text(let start)? = try? row.value("range_start"),
            case .text(let end)? = try? row.value("range_end"),
            case .bigint(let size)? = try? row.value("mean_partition_size"),
            case .bigint(let count)? = try? row.value("partitions_count"),
            let first = Int64(start), let last = Int64(end)
        else { return nil }
        let estimate = SizeEstimate(start: first, end: last, meanPartitionBytes: size, partitionCount: count)
        return ("\(start) \(end)", estimate)
    }
}
