import CQLProtocol
import DualWriteCore
import NIOCore
import ShadowJournal
import SystemPackage
import Testing

@testable import DualWriter

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Records in words, from a journal on the disk.
struct RecordDescriptionTests {
    private static let prepared = StatementID(keyspace: "shop", text: "INSERT INTO orders (id, v) VALUES (?, ?)")
    private static let identity = StatementID(user: "app", keyspace: "one")

    /// An entry as `JournalEntry` lays it out.
    private static func entry(_ request: Request, _ kind: RequestKind, bits: JournalEntry.Bits = .hasIdentity) throws
        -> [UInt8]
    {
        let opcode: Opcode =
            switch request {
            case .query: .query
            case .execute: .execute
            default: .batch
            }
        var bytes: [UInt8] = [1, opcode.rawValue, 0, kind.rawValue, bits.rawValue, 4, 0, 0]
        for half in [Self.identity.high, Self.identity.low] { withUnsafeBytes(of: half.bigEndian) { bytes += $0 } }
        return bytes + [UInt8](repeating: 0, count: 8) + (try RequestRewriter.encode(request)).readableBytesView
    }

    /// What an inspector describes of a log to which `fill` has appended, one state after the other.
    private func described(
        _ entries: [[UInt8]],
        states: [JournalState] = [JournalState(.owed)],
        defining definitions: [StatementID: JournalDefinition] = [:]
    ) throws -> [RecordDescription] {
        var template = Array("/tmp/cluster-sync-records-XXXXXX".utf8CString)
        let folder = try #require(mkdtemp(&template).map { String(cString: $0) })
        defer { _ = system("rm -rf '\(folder)'") }
        let store = try ShadowStore(FilePath(folder))
        let log = try store.openLog(of: .target, loop: 0)
        for (index, entry) in entries.enumerated() {
            guard case .success = log.reserve(1 << 16, now: 0) else { throw JournalRefusal.closed }
            for (key, definition) in definitions {
                definition.encoded.withUnsafeReadableBytes { log.define(JournalKey(key), $0, time: 0) }
            }
            entry.withUnsafeBytes { bytes in
                _ = log.append(kind: 0, state: states[index % states.count], time: Int64(index), bytes)
            }
        }
        var records: [RecordDescription] = []
        try JournalInspector(FilePath(folder)).forEachRecord(in: "target-0") { record, definition in
            records.append(RecordDescription(record, ofLog: "target-0", definition))
            return true
        }
        log.close()
        store.close()
        return records
    }

    @Test func `a record says whose it is, what it runs and how far it has come`() throws {
        let values = QueryValues.positional([.init(bytes: [1, 2, 3]), .null, .unset])
        let query = Request.query(Query("INSERT INTO t (p) VALUES (?)", parameters: .init(values: values)))
        let named = QueryValues.named([.init(name: "id", value: .init(bytes: []))])
        let execute = Request.execute(Execute(id: Self.prepared.buffer, parameters: .init(values: named)))
        let batch = Request.batch(
            Batch(children: [
                .init(.text("DELETE FROM t WHERE p = 'x'")),
                .init(.prepared(id: Self.prepared.buffer), values: [.null]),
            ])
        )
        let records = try self.described(
            [
                try Self.entry(query, .plainWrite, bits: [.hasIdentity, .isRepeatable]),
                try Self.entry(execute, .counterWrite), try Self.entry(batch, .nonIdempotentWrite),
                try Self.entry(query, .notUnderstood, bits: []), try Self.entry(query, .truncate),
            ],
            states: [
                JournalState(.intent), JournalState(.sentOnce), JournalState(.held), .finished,
                JournalState(rawValue: 9),
            ],
            defining: [
                Self.identity: JournalDefinition(qualifier: "app", text: "one"),
                Self.prepared: JournalDefinition(
                    qualifier: "shop",
                    text: "INSERT INTO orders (id, v) VALUES (?, ?)"
                ),
            ]
        )
        #expect(records.map(\.state) == ["intent", "sent_once", "held", "finished", "9"])
        #expect(records.map(\.kind) == ["write", "counter", "ordered_write", "not_understood", "truncate"])
        #expect(records.map(\.user) == ["app", "app", "app", nil, "app"])
        #expect(records.map(\.keyspace) == ["one", "shop", "shop", nil, "one"])
        #expect(records.map(\.isRepeatable) == [true, false, false, false, false])
        #expect(records.map(\.writtenAt) == [0, 1, 2, 3, 4])
        #expect(records[0].statements.map(\.text) == ["INSERT INTO t (p) VALUES (?)"])
        #expect(records[0].statements[0].values.map(\.bytes) == [[1, 2, 3], nil, nil])
        #expect(records[0].statements[0].values.map(\.isUnset) == [false, false, true])
        #expect(records[1].statements.map(\.text) == ["INSERT INTO orders (id, v) VALUES (?, ?)"])
        #expect(records[1].statements[0].values.map(\.name) == ["id"])
        #expect(
            records[2].statements.map(\.text)
                == ["DELETE FROM t WHERE p = 'x'", "INSERT INTO orders (id, v) VALUES (?, ?)"]
        )
    }

    @Test func `what cannot be read is said, and what a record refers to may be lost`() throws {
        let execute = Request.execute(Execute(id: Self.prepared.buffer, parameters: .init()))
        let whole = try Self.entry(execute, .plainWrite)
        let records = try self.described([[], [7, 7, 7], Array(whole.dropLast(1)), whole])
        #expect(records.map(\.kind) == ["unreadable", "unreadable", "write", "write"])
        #expect(records[2].statements.isEmpty)
        #expect(records[3].statements.map(\.text) == [nil])
        #expect(records[3].user == nil && records[3].keyspace == nil)
    }
}
