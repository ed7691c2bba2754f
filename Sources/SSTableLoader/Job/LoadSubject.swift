import CQLClient
import LiveTables
import TokenRanges

/// What a job is about, as text: what all of its workers must mean alike, and when it began.
///
/// The first worker's beginning counts for all, whenever they come: what a live source tells no time of, and no ceiling is known
/// for, has the time of the job's beginning.
struct LoadSubject: Sendable, Hashable {
    private static var beganMark: String { "\nbegan " }

    /// What is compared.
    let meaning: String
    /// In microseconds since 1970.
    let began: Int64

    init(_ settings: LoadSettings, began: Int64) {
        var lines: [String] = []
        switch settings.source {
        case .files(let paths, let places):
            lines.append("files \(paths.sorted()) \(places.map { "\($0)" }.sorted())")
        case .cluster(let cluster): lines.append("cluster \(Self.points(cluster))")
        }
        lines.append("target \(Self.points(settings.target))")
        lines.append("include \(settings.tables.include.sorted()) exclude \(settings.tables.exclude.sorted())")
        if let only = settings.tables.only { lines.append("only \(only.map { "\($0)" }.sorted())") }
        for (table, columns) in settings.leavingOut.sorted(by: { $0.key < $1.key }) {
            lines.append("without \(table) \(columns.sorted())")
        }
        lines.append("ceiling \(settings.ceiling.map { "\($0)" } ?? "none")")
        if case .cluster = settings.source {
            lines.append("untold \(settings.untoldTime.rawValue) markers \(settings.markers.rawValue)")
            lines.append("counters \(settings.copiesCounters)")
        }
        self.meaning = lines.joined(separator: "\n")
        self.began = began
    }

    /// The subject of a job that is there already; nil where it is that of something else than a load.
    init?(_ text: String) {
        guard let mark = text.firstRange(of: Self.beganMark), let began = Int64(text[mark.upperBound...]) else {
            return nil
        }
        self.meaning = String(text[..<mark.lowerBound])
        self.began = began
    }

    /// The text for the store.
    var text: String { "\(self.meaning)\(Self.beganMark)\(self.began)" }

    private static func points(_ cluster: ClusterConfiguration) -> [String] {
        cluster.contactPoints.map { "\($0.host):\($0.port ?? cluster.port)" }.sorted()
    }
}
