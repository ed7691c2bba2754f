import CQLProtocol
import NIOCore

/// Where the next page of a read begins. Its bytes are this node's own affair.
struct PagingState: Equatable {
    /// The partition of the last row.
    var partition: Bytes
    /// The last row's clustering; empty behind statics.
    var clustering: [Bytes]
    /// Rows that LIMIT still allows; negative without limit.
    var left: Int64
    /// Rows of the partition that were given already.
    var givenOfPartition: Int64

    init(partition: Bytes, clustering: [Bytes], left: Int64, givenOfPartition: Int64) {
        self.partition = partition
        self.clustering = clustering
        self.left = left
        self.givenOfPartition = givenOfPartition
    }

    /// Reads what `encoded` wrote.
    init(_ buffer: ByteBuffer) throws {
        let parts = buffer.bytes.parts(from: 0) ?? []
        guard parts.count >= 3, let left = parts[0], let given = parts[1], let partition = parts[2], left.count == 8,
            given.count == 8
        else { throw NodeError(.protocolError, "Invalid value for the paging state") }
        self.init(
            partition: partition,
            clustering: parts[3...].map { $0 ?? [] },
            left: left.int64,
            givenOfPartition: given.int64
        )
    }

    var encoded: ByteBuffer {
        Bytes.tuple([self.left.bytes, self.givenOfPartition.bytes, self.partition] + self.clustering).buffer
    }
}
