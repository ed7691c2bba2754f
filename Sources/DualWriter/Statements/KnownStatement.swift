import CQLSyntax
import Synchronization

/// What all loops share of a prepared statement. Thread-safe.
final class KnownStatement: Sendable {
    let text: String
    /// The keyspace in which it was prepared.
    let keyspace: String?
    /// What clusters are asked to prepare: ``text``, unless it has calls that the proxy evaluates.
    let sentText: String
    /// Of ``sentText``, with what stands in the place of calls that the proxy evaluates.
    let analysis: StatementAnalysis
    /// How these calls get their values; nil for nearly all statements.
    let evaluation: StatementEvaluation?
    /// In units of about a millisecond, so that loops which use one statement seldom write here.
    private let used = Atomic<Int64>(0)
    /// A ``MetadataPrint``, 0 before the first PREPARE was answered.
    private let metadata: Atomic<UInt64>

    init(text: String, keyspace: String?, analysis: StatementAnalysis, metadata: MetadataPrint = .none) {
        self.text = text
        self.keyspace = keyspace
        self.metadata = Atomic(metadata.rawValue)
        guard let values = analysis.serverValues else {
            self.sentText = text
            self.analysis = analysis
            self.evaluation = nil
            return
        }
        let bindable = StatementRewriter.bindable(text, values)
        self.sentText = bindable?.text ?? text
        self.analysis = bindable.map { StatementAnalysis.analyze($0.text) } ?? values.analysis
        self.evaluation = StatementEvaluation(
            values: values,
            isBound: bindable != nil,
            markerNames: bindable?.markerNames ?? []
        )
    }

    /// Bytes of text that it holds.
    var textBytes: Int { self.text.utf8.count + (self.evaluation == nil ? 0 : self.sentText.utf8.count) }

    /// What all answers to PREPARE so far have said of the statement's columns.
    var metadataPrint: MetadataPrint { MetadataPrint(rawValue: self.metadata.load(ordering: .relaxed)) }

    /// Notes what an answer to PREPARE says of the statement's columns.
    ///
    /// Drivers keep it and ask for rows without it (skip_metadata), and protocol v4 has no way to tell them that the table was
    /// altered, or that rows come from the other cluster, whose table has other columns: they would read cells as columns that
    /// they are not. From the first difference on, rows are sent with their metadata, which every driver goes by.
    func noteMetadata(_ print: MetadataPrint) {
        let (exchanged, former) = self.metadata.compareExchange(
            expected: MetadataPrint.none.rawValue,
            desired: print.rawValue,
            ordering: .relaxed
        )
        if !exchanged, former != print.rawValue {
            self.metadata.store(MetadataPrint.several.rawValue, ordering: .relaxed)
        }
    }

    /// Whether rows must carry their metadata, whatever the client asks for.
    var mustDescribeRows: Bool { self.metadataPrint == .several }

    /// Notes a use at a moment in nanoseconds.
    @inline(__always)
    func use(at now: Int64) {
        let tick = now >> 20
        if self.used.load(ordering: .relaxed) != tick { self.used.store(tick, ordering: .relaxed) }
    }

    /// When it was used last, in no particular unit.
    var lastUse: Int64 { self.used.load(ordering: .relaxed) }
}

/// How the calls of a prepared statement that the proxy evaluates get their values at each execution.
struct StatementEvaluation: Sendable {
    /// The calls in the client's text.
    let values: ServerValues
    /// Whether markers stand in their place in what was prepared. Where no marker may stand, the text is sent with the values in
    /// it, instead of the prepared statement.
    let isBound: Bool
    /// The names of these markers, in order; empty where they have none.
    let markerNames: [String]

    /// In front of which of the client's values each value is added.
    ///
    /// - Parameter count: the number of the client's values, or of the markers that it knows of.
    /// - Returns: nil where the client's statement has not that many markers.
    func positions(among count: Int) -> [Int]? {
        if count == self.values.markerCount { return self.values.calls.map(\.markersBefore) }
        // ScyllaDB takes all markers of one name for one.
        if count == self.values.distinctMarkerCount { return self.values.calls.map(\.distinctMarkersBefore) }
        return nil
    }

    /// Which markers of a prepared statement the client does not know of, in order.
    ///
    /// - Parameter count: the number of all its markers.
    func addedMarkers(among count: Int) -> [Int]? {
        self.positions(among: count - self.values.calls.count)?.enumerated().map { $0.element + $0.offset }
    }
}

/// A digest of what PREPARE says of a statement's markers and columns.
struct MetadataPrint: RawRepresentable, Hashable, Sendable {
    let rawValue: UInt64

    init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The digest of these bytes: FNV-1a, which is the same on every start.
    init(_ bytes: UnsafeRawBufferPointer) {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        self.rawValue = max(hash, Self.several.rawValue + 1)
    }

    /// Nothing was said yet.
    static let none = MetadataPrint(rawValue: 0)
    /// Different things were said.
    static let several = MetadataPrint(rawValue: 1)
}

/// A prepared statement as it can be kept beyond the life of the process.
public struct PreparedText: Sendable, Hashable {
    /// The keyspace in which it was prepared, for names without one.
    public let keyspace: String?
    /// Its text.
    public let text: String
    /// A digest of what drivers were told of its columns; 0 where they were told nothing, 1 where they were told several things.
    public let metadata: UInt64

    /// A statement of known parts.
    public init(keyspace: String?, text: String, metadata: UInt64) {
        self.keyspace = keyspace
        self.text = text
        self.metadata = metadata
    }
}
