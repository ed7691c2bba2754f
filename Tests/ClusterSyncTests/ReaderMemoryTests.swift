import CQLProtocol
import DualReader
import NIOCore
import Operations
import TestSupport
import Testing
import TokenRanges

@testable import ClusterSync

/// What a reader remembers, and how differences and partitions are named.
struct ReaderMemoryTests {
    private static func difference(
        _ key: [UInt8],
        clustering: [UInt8]? = [1],
        column: String? = "v",
        element: Difference.Element? = nil,
        kind: Difference.Class = .value
    ) -> Difference {
        Difference(
            kind: kind,
            aspect: .value,
            table: TableName(keyspace: "shop", table: "orders"),
            place: RowPlace(
                key: [ByteBuffer(bytes: key)],
                clustering: clustering.map { [ByteBuffer(bytes: $0)] },
                token: 5
            ),
            column: column,
            element: element,
            source: .init(value: ByteBuffer(string: "a"), writetime: 1),
            target: nil
        )
    }

    @Test func `a difference has one id, whatever its values are by then, and others have others`() {
        let one = Self.difference([1])
        var later = one
        later.source = .init(value: ByteBuffer(string: "z"), writetime: 9)
        later.aspect = .writetime
        #expect(one.id == later.id && one.id.count == 16)
        let others = [
            one, Self.difference([2]), Self.difference([1], clustering: [2]), Self.difference([1], clustering: nil),
            Self.difference([1], column: "w"), Self.difference([1], column: nil),
            Self.difference([1], element: .index(0)), Self.difference([1], element: .index(1)),
            Self.difference([1], kind: .counter),
        ]
        #expect(Set(others.map(\.id)).count == others.count)
        // The same on every machine and in every version: operators and tickets name them.
        #expect(Difference(line: one.line)?.id == one.id)
    }

    @Test func `what is remembered survives a restart, and a damaged file is told`() throws {
        let folder = try TemporaryFolder()
        let state = try StateFolder(path: folder.path)
        let file = ReaderMemoryFile(folder: state)
        #expect(try file.load() == nil)
        var memory = ReaderMemory()
        memory.history = [
            ReaderReportDocument(
                job: "j",
                subject: "everything",
                verdict: "in_sync",
                reason: nil,
                beganAt: "a",
                at: "b",
                ended: true,
                tokensCoveredRatio: 1,
                sampledPercentage: 100,
                partial: false,
                counts: .init(),
                tables: []
            ).verdictAlone
        ]
        try file.save(memory)
        #expect(try file.load() == memory)
        try state.replace(ReaderMemoryFile.name, with: Array("{".utf8))
        #expect(throws: StateError.self) { try file.load() }
    }

    @Test func `keys are taken apart by the number of their columns`() {
        func entry(_ key: String?, bytes: Int? = nil) -> DirtyDocument.Partition {
            .init(cluster: "target", table: "a.b", key: key, keyBytes: bytes, reason: "r", since: "s", id: "1")
        }
        #expect(SidecarDirtySet.key(entry("000100"), columns: 1) == [ByteBuffer(bytes: [0, 1, 0])])
        #expect(
            SidecarDirtySet.key(entry("0001ff0000020a0b00"), columns: 2)
                == [ByteBuffer(bytes: [0xFF]), ByteBuffer(bytes: [10, 11])]
        )
        #expect(SidecarDirtySet.key(entry("0001ff00"), columns: 2) == nil, "a column is missing")
        #expect(SidecarDirtySet.key(entry("0001ff0000020a0b0000"), columns: 2) == nil, "something is left")
        #expect(SidecarDirtySet.key(entry("0001ff0100020a0b00"), columns: 2) == nil, "no zero between them")
        #expect(SidecarDirtySet.key(entry(nil), columns: 1) == nil)
        #expect(SidecarDirtySet.key(entry("00", bytes: 2_000), columns: 1) == nil, "it is cut")
    }
}
