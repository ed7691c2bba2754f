import FoundationEssentials
import SSTable
import Synchronization
import TestSupport

/// What one scene leaves for another.
final class Captured: Sendable {
    private let state = Mutex<(entries: Set<Entry>, partitions: Int)>(([], 0))

    var entries: Set<Entry> { self.state.withLock { $0.entries } }
    var partitions: Int { self.state.withLock { $0.partitions } }

    func set(_ entries: [Entry], _ partitions: Int) { self.state.withLock { $0 = (Set(entries), partitions) } }
}

/// The text of an error of an SSTable; any other is thrown on.
struct SSTableErrorOf: Error {
    let text: String

    init(_ error: any Error) throws {
        guard let error = error as? SSTableError, error.offset != nil else { throw error }
        self.text = error.description
    }
}

/// A copy of a fixture's folder with a byte in the middle of its data turned.
struct DamagedCopy {
    private let folder: TemporaryFolder
    let data: String

    init(of recorded: Recorded) throws {
        self.folder = try TemporaryFolder()
        let target = self.folder.path + "/\(recorded.table)"
        try FileManager.default.copyItem(atPath: recorded.folder, toPath: target)
        self.data = target + "/" + (recorded.data.split(separator: "/").last ?? "")
        var bytes = try Data(contentsOf: URL(filePath: self.data))
        bytes[bytes.count / 2] ^= 0x40
        try bytes.write(to: URL(filePath: self.data))
    }
}

/// The deletions of the table `deletions` as its dump shows them, for single rows of (int, text).
struct DeletedRanges {
    private struct Bound {
        let values: [JSON]
        let isInclusive: Bool
    }

    private struct Range {
        let lower: Bound
        let upper: Bound
        let timestamp: Int64
    }

    private var ranges: [String: [Range]] = [:]
    private var partitions: [String: Int64] = [:]
    private var rows: [String: [([JSON], Int64)]] = [:]
    private(set) var keys: [String] = []

    init(_ dump: String) throws {
        for partition in try JSON.parse(dump).elements {
            let key = partition["partition"]?["key"]?.elements.first?.string ?? ""
            self.keys.append(key)
            if let time = partition["partition"]?["deletion_info"]?["marked_deleted"] {
                self.partitions[key] = try RecordedEntries.time(time)
            }
            var open: (Bound, Int64)?
            for row in partition["rows"]?.elements ?? [] {
                if let end = row["end"], let (lower, timestamp) = open {
                    self.ranges[key, default: []].append(
                        Range(lower: lower, upper: Self.bound(end), timestamp: timestamp)
                    )
                    open = nil
                }
                if let start = row["start"] {
                    open = (Self.bound(start), try RecordedEntries.time(start["deletion_info"]?["marked_deleted"]))
                }
                guard row["type"]?.string == "row" else { continue }
                let clustering = row["clustering"]?.elements ?? []
                // The value that is looked for may be deleted by itself, too.
                for cell in row["cells"]?.elements ?? []
                where cell["name"] == .text("v") && cell["deletion_info"] != nil {
                    let time = cell["tstamp"] ?? row["liveness_info"]?["tstamp"]
                    self.rows[key, default: []].append((clustering, try RecordedEntries.time(time)))
                }
                if let time = row["deletion_info"]?["marked_deleted"] {
                    self.rows[key, default: []].append((clustering, try RecordedEntries.time(time)))
                }
            }
        }
    }

    private static func bound(_ json: JSON) -> Bound {
        let values = (json["clustering"]?.elements ?? []).filter { $0 != .text("*") }
        return Bound(values: values, isInclusive: json["type"]?.string == "inclusive")
    }

    /// Whether something newer than a time deletes a row.
    func deletes(_ key: String, _ c1: Int, _ c2: String, after timestamp: Int64) -> Bool {
        if let partition = self.partitions[key], partition >= timestamp { return true }
        let clustering: [JSON] = [.integer(Int64(c1)), .text(c2)]
        if (self.rows[key] ?? []).contains(where: { $0.0 == clustering && $0.1 >= timestamp }) { return true }
        return (self.ranges[key] ?? []).contains { range in
            let low = Self.compare(clustering, range.lower.values)
            let high = Self.compare(clustering, range.upper.values)
            return range.timestamp >= timestamp && (low > 0 || low == 0 && range.lower.isInclusive)
                && (high < 0 || high == 0 && range.upper.isInclusive)
        }
    }

    /// A shorter one is equal to all that begin so.
    private static func compare(_ left: [JSON], _ right: [JSON]) -> Int {
        for (left, right) in zip(left, right) where left != right {
            switch (left, right) {
            case (.integer(let left), .integer(let right)): return left < right ? -1 : 1
            case (.text(let left), .text(let right)): return left < right ? -1 : 1
            default: return 0
            }
        }
        return 0
    }
}
