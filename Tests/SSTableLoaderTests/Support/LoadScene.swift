import CQLClient
import CQLProtocol
import EmbeddedNode
import FoundationEssentials
import Logging
import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import LiveTables
@testable import SSTable
@testable import SSTableLoader

/// A recorded SSTable, and the table that it is loaded into.
struct Recorded: Sendable, CustomTestStringConvertible {
    let data: String
    let json: String?

    /// The folder: `CLUSTER_SYNC_FIXTURES`, else `../shared/fixtures` beside the package.
    static let root: String = {
        if let value = ProcessInfo.processInfo.environment["CLUSTER_SYNC_FIXTURES"] { return "\(value)/sstables" }
        return Repository.root + "/../shared/fixtures/sstables"
    }()

    static let all: [Recorded] = {
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: Self.root)) ?? []
        return names.filter { $0.hasSuffix("-Data.db") }.sorted().map { name in
            let data = "\(Self.root)/\(name)"
            let candidates = [
                Self.folder(of: data) + "/sstabledump.json", "\(data.dropLast("-Data.db".count)).sstabledump.json",
            ]
            return Recorded(data: data, json: candidates.first { FileManager.default.fileExists(atPath: $0) })
        }
    }()

    static let areThere = !all.isEmpty

    static func named(_ part: String) throws -> Recorded {
        struct Missing: Error { let part: String }
        guard let found = Self.all.first(where: { $0.data.contains(part) }) else { throw Missing(part: part) }
        return found
    }

    private static func folder(of path: String) -> String {
        path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    }

    var folder: String { Self.folder(of: self.data) }
    var testDescription: String { String(self.data.dropFirst(Self.root.count + 1)) }
    var table: String { String(self.folder.split(separator: "/").last ?? "") }

    /// The schema in the fixture's own words, in keyspace `ks`; where it has none, one that its header asks for.
    func schema(_ columns: TableColumns) throws -> [String] {
        let file = Self.folder(of: self.folder) + "/schema.cql"
        guard FileManager.default.fileExists(atPath: file) else { return [self.made(columns)] }
        let text = try String(contentsOfFile: file, encoding: .utf8)
        return text.split(separator: ";").map { $0.split(whereSeparator: \.isNewline).joined(separator: " ") }
            .filter { $0.contains("CREATE ") && !$0.contains("CREATE KEYSPACE") }
            .map { statement in
                var words = statement.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
                if let index = words.firstIndex(where: { $0.hasPrefix("fixture_") }) {
                    words[index] = "ks." + (words[index].split(separator: ".", maxSplits: 1).last ?? "")
                }
                return words.joined(separator: " ")
            }
    }

    private func made(_ columns: TableColumns) -> String {
        let keys = columns.partitionKey.enumerated().map { ("k\($0.offset)", "\($0.element.dataType)") }
        let clustering = columns.clustering.enumerated().map { ("c\($0.offset)", "\($0.element.dataType)") }
        let cells =
            columns.statics.map { "\"\($0.name)\" \($0.type.dataType) static" }
            + columns.regulars.map { "\"\($0.name)\" \($0.type.dataType)" }
        let all = (keys + clustering).map { "\($0.0) \($0.1)" } + cells
        let primary = "((\(keys.map(\.0).joined(separator: ", ")))\(clustering.map { ", \($0.0)" }.joined()))"
        return "CREATE TABLE ks.\"\(self.table)\" (\(all.joined(separator: ", ")), PRIMARY KEY \(primary))"
    }
}

/// The loads run one after the other: each of them fills the machine.
@Suite(.serialized) enum Loads {}

/// A node with the schema of a fixture, and a session with it.
struct LoadScene: Sendable {
    let node: EmbeddedNode
    let session: CQLSession
    let letters: DeadLetters
    let folder: TemporaryFolder
    let source: SSTableSource
    let table: TargetTable

    static let silent = Logger(label: "loader") { _ in SwiftLogNoOpLogHandler() }

    @Sendable static func now() -> Int64 { Int64(Date().timeIntervalSince1970) }

    static func run(
        _ recorded: Recorded,
        data: String? = nil,
        requestMilliseconds: Int = 30_000,
        retries: Int = 1,
        schema: [String]? = nil,
        _ body: @Sendable @escaping (LoadScene) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let node = try await EmbeddedNode.start(on: group)
        let folder = try TemporaryFolder()
        let source = try SSTableSource([try SSTableName(dataFile: data ?? recorded.data)])
        var cluster = ClusterConfiguration(
            name: "target",
            contactPoints: [ContactPoint(host: "127.0.0.1", port: node.port)]
        )
        cluster.reconnectMillisecondsMax = 100
        let schema = try schema ?? recorded.schema(source.columns)
        // The schema has its time, whatever time requests have afterwards.
        var limits = CQLSession.Limits()
        limits.requestMilliseconds = 120_000
        let table = try await CQLSession.withSession(
            cluster,
            limits: limits,
            on: group.next(),
            logger: Self.silent
        ) { session in
            try await session.query(
                "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
            )
            for text in schema { try await session.query(text) }
            return try await TargetTable.read(
                keyspace: "ks",
                name: recorded.table,
                for: source.columns,
                leavingOut: ["gone"],
                from: session
            )
        }
        limits.requestMilliseconds = requestMilliseconds
        limits.retriesMax = retries
        try await CQLSession.withSession(cluster, limits: limits, on: group.next(), logger: Self.silent) { session in
            let letters = try DeadLetters(path: "\(folder.path)/dead-letters.jsonl")
            try await body(
                LoadScene(
                    node: node,
                    session: session,
                    letters: letters,
                    folder: folder,
                    source: source,
                    table: table
                )
            )
        }
        await node.stop()
    }

    var target: TargetWriter.Target { .init(session: self.session, deadLetters: self.letters, now: Self.now) }

    /// Loads a range, and tells what came of it.
    @discardableResult
    func load(
        after start: Int64 = .min,
        through end: Int64 = .max,
        limits: TargetWriter.Limits = .init(),
        partLimits: FilePart.Limits = .init(),
        pace: any WritePace = UnlimitedPace(),
        checkpoint: (Int64) async throws -> Void = { _ in }
    ) async throws -> (part: FilePart.Counts, writer: WriteCounts) {
        let part = FilePart(self.source, to: self.table, limits: partLimits, now: Self.now)
        var target = self.target
        target.pace = pace
        return try await TargetWriter.withWriter(for: self.table, self.source.columns, to: target, limits: limits) {
            writer in
            let counts = try await part.run(after: start, through: end, into: writer) { token, _ in
                try await checkpoint(token)
            }
            return (counts, writer.counts)
        }
    }

    var deadLines: [JSON] {
        get throws {
            let text = try String(contentsOfFile: self.letters.path, encoding: .utf8)
            return try text.split(separator: "\n").map { try JSON.parse(String($0)) }
        }
    }

    private static func json(_ value: [UInt8], _ form: ValueForm) -> String {
        let bytes = ByteBuffer(bytes: value)
        return TextBuffer.text { form.json(ByteRange(start: 0, count: value.count), in: bytes, to: &$0) }
    }

    private static func json(_ value: [UInt8], _ form: ColumnForm, path: [UInt8]) -> String {
        let bytes = ByteBuffer(bytes: value + path)
        let ranges = (
            ByteRange(start: 0, count: value.count), ByteRange(start: value.count, count: path.count)
        )
        return TextBuffer.text { form.value(ranges.0, path: ranges.1, in: bytes, to: &$0) }
    }

    /// What the node's store holds.
    func entries() throws -> [Entry] {
        let columns = self.source.columns
        return try self.node.store.cells(keyspace: "ks", table: self.table.name).map { cell in
            let key = columns.texts(ofKey: ByteBuffer(bytes: cell.partition))
            let clustering = try zip(cell.clustering, columns.clustering).map {
                try JSON.parse(Self.json($0, ValueForm($1)))
            }
            var value: JSON? = cell.value == nil ? nil : .text("")
            let kind: Entry.Kind
            switch cell.kind {
            case .partitionDeletion: kind = .partitionDeletion
            case .rowDeletion: kind = .rowDeletion
            case .rowMarker: kind = .rowMarker
            case .columnDeletion(let name): kind = .columnDeletion(name)
            case .cell(let name):
                let type = (columns.statics + columns.regulars).first { $0.name == name }?.type
                guard let type else { throw RecordedEntries.Strange(what: name) }
                let form = ColumnForm(type)
                if let bytes = cell.value { value = try JSON.parse(Self.json(bytes, form, path: cell.path)) }
                let path = TextBuffer.text { form.path(ByteBuffer(bytes: cell.path), to: &$0) }
                kind = .cell(name, path: form.hasPaths ? path : nil)
            }
            return Entry(
                place: .init(key: key, clustering: clustering, kind: kind),
                content: .init(value: value, timestamp: cell.timestamp, expiresAt: cell.expiresAt)
            )
        }
    }

    /// Columns that are lists of single cells: without ScyllaDB's function their places are new.
    var lists: Set<String> {
        Set(
            (self.source.columns.statics + self.source.columns.regulars).compactMap { column in
                guard column.type.isMultiCell, case .list = column.type.dataType else { return nil }
                return column.name
            }
        )
    }

    /// The columns that are counters.
    var counters: Set<String> {
        Set(
            (self.source.columns.statics + self.source.columns.regulars).filter { $0.type.dataType == .counter }
                .map(\.name)
        )
    }
}
