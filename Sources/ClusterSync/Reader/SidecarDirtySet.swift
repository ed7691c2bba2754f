import AsyncHTTPClient
import CQLProtocol
import DualReader
import DualWriteCore
import NIOCore
import Operations
import TokenRanges

/// The partitions that the sidecars have in doubt. Safe from any task.
struct SidecarDirtySet: DualReader.DirtySet {
    /// Entries of one answer.
    static let pageSize = 500

    private struct Body: Encodable {
        let action = "clear"
        let cluster: String
        let ids: [String]
        let reason = "dual-reader: both clusters agree"
    }

    /// What one sidecar calls an entry.
    struct Mark: Sendable, Hashable {
        var sidecar: Int
        var cluster: String
        var id: String

        var text: String { "\(self.sidecar) \(self.cluster) \(self.id)" }

        init(sidecar: Int, cluster: String, id: String) {
            (self.sidecar, self.cluster, self.id) = (sidecar, cluster, id)
        }

        init?(_ text: String) {
            let parts = text.split(separator: " ").map(String.init)
            guard parts.count == 3, let sidecar = Int(parts[0]) else { return nil }
            self.init(sidecar: sidecar, cluster: parts[1], id: parts[2])
        }
    }

    let sidecars: [SidecarLink]

    func partitions(
        of table: TokenRanges.TableName,
        keyColumns columns: Int,
        max count: Int
    ) async throws -> [DualReader.DirtyPartition] {
        var found: [DualReader.DirtyPartition] = []
        try await self.entries(of: table) { mark, entry in
            guard found.count < count else { return false }
            if let key = Self.key(entry, columns: columns) {
                let routed = try Murmur3Partitioner.partitionKey(key)
                found.append(.init(key: key, token: Murmur3Partitioner.token(of: routed), mark: mark.text))
            }
            return true
        }
        return found
    }

    /// Entries that are about a table as a whole, or about a key that is too long to be told: comparing the whole table is what
    /// takes them out of doubt.
    func wholeTableMarks(of table: TokenRanges.TableName) async throws -> [Mark] {
        var marks: [Mark] = []
        try await self.entries(of: table) { mark, entry in
            if entry.key == nil || Self.isCut(entry) { marks.append(mark) }
            return true
        }
        return marks
    }

    func clear(_ partition: DualReader.DirtyPartition, of table: TokenRanges.TableName) async throws {
        // Without a mark nobody can tell what was put into doubt before it was compared from what came later.
        guard let mark = partition.mark.flatMap(Mark.init) else { return }
        try await self.clear([mark])
    }

    /// Takes entries out of doubt that are still as they were when they were told.
    func clear(_ marks: [Mark]) async throws {
        for (place, marks) in Dictionary(grouping: marks, by: { [String($0.sidecar), $0.cluster] }) {
            guard let index = Int(place[0]), self.sidecars.indices.contains(index) else { continue }
            var rest = marks.map(\.id)[...]
            while !rest.isEmpty {
                let ids = Array(rest.prefix(DirtyClearing.idsMax))
                rest = rest.dropFirst(ids.count)
                let body = Body(cluster: place[1], ids: ids)
                _ = try await self.sidecars[index].post("/v1/dirty", body, as: DirtyClearingDocument.self)
            }
        }
    }

    // MARK: Reading

    private static func isCut(_ entry: DirtyDocument.Partition) -> Bool {
        (entry.keyBytes ?? 0) > DirtyDocument.Partition.keyBytesMax
    }

    /// Asks all sidecars for their entries of a table.
    ///
    /// - Parameter body: given each; false where no more are wanted.
    private func entries(
        of table: TokenRanges.TableName,
        _ body: (Mark, DirtyDocument.Partition) throws -> Bool
    ) async throws {
        let name = DualWriteCore.TableName(keyspace: table.keyspace, table: table.table).description
        for (index, sidecar) in self.sidecars.enumerated() {
            for cluster in ["source", "target"] {
                var after = "0"
                while true {
                    let path =
                        "/v1/dirty?cluster=\(cluster)&table=\(AdminClient.escaped(name))&after=\(after)&limit=\(Self.pageSize)"
                    let document = try await sidecar.get(path, as: DirtyDocument.self)
                    for entry in document.partitions {
                        guard let id = entry.id else {
                            throw SidecarLink.Failure(
                                isSafeToRetry: false,
                                description:
                                    "the sidecar at \(sidecar.base) is of an older version: it names no entries"
                            )
                        }
                        after = id
                        guard try body(Mark(sidecar: index, cluster: cluster, id: id), entry) else { return }
                    }
                    if document.partitions.count < Self.pageSize { break }
                }
            }
        }
    }

    /// The values of the key's columns; nil where it is none of that many.
    static func key(_ entry: DirtyDocument.Partition, columns: Int) -> [ByteBuffer]? {
        guard let text = entry.key, !Self.isCut(entry), let bytes = CQLLiteral.bytes(hexadecimal: text) else {
            return nil
        }
        guard columns > 1 else { return [bytes] }
        var rest = bytes
        var key: [ByteBuffer] = []
        for _ in 0..<columns {
            guard let length = rest.readInteger(as: UInt16.self), let part = rest.readSlice(length: Int(length)),
                rest.readInteger(as: UInt8.self) == 0
            else { return nil }
            key.append(part)
        }
        return rest.readableBytes == 0 ? key : nil
    }
}
