import LiveTables
import Synchronization
public import TokenRanges

/// What was found in one range of a table of which everything is decided.
public struct Finding: Sendable, Hashable {
    /// The table.
    public var table: TableName
    /// The tokens.
    public var range: TokenRange
    /// What was compared and found.
    public var tally: CompareTally
    /// Some of the differences.
    public var samples: [Difference]

    /// A finding.
    public init(table: TableName, range: TokenRange, tally: CompareTally, samples: [Difference]) {
        self.table = table
        self.range = range
        self.tally = tally
        self.samples = samples
    }
}

/// Where workers keep what they have found, so that a job that goes on after a restart still knows it. Asked from any task.
public protocol FindingStore: Sendable {
    /// Keeps a finding; returns when it is durable. One that covers tokens of an earlier one takes its place.
    func add(_ finding: Finding) async throws
    /// All findings of a job in the order in which they were added.
    func findings() async throws -> [Finding]
    /// All findings, as they were a short while ago where reading them costs much: enough to look at the progress.
    func recentFindings() async throws -> [Finding]
    /// Forgets all of them: the job begins anew.
    func clear() async throws
}

extension FindingStore {
    /// What costs nothing is read.
    public func recentFindings() async throws -> [Finding] { try await self.findings() }
}

/// What is remembered: all tallies, and of each table as many samples as one report shows.
struct KnownFindings {
    let samplesPerClassMax: Int
    var findings: [Finding] = []
    var samples: [TableName: ClassCounts] = [:]

    mutating func add(_ finding: Finding) {
        var finding = finding
        var counts = self.samples[finding.table] ?? ClassCounts()
        finding.samples.removeAll { difference in
            counts[difference.kind] += 1
            return counts[difference.kind] > self.samplesPerClassMax
        }
        self.samples[finding.table] = counts
        self.findings.append(finding)
    }
}

/// Findings in a file of one worker, one JSON object a line. Workers that share a job have a file each; the report of one knows
/// the others' progress, but its own findings alone.
public final class FindingFile: FindingStore {
    private struct State: ~Copyable {
        var file: DurableFile
        var known: KnownFindings
    }

    /// The file.
    public let path: String
    private let state: Mutex<State>

    /// Opens or makes a file.
    ///
    /// - Parameter samplesPerClassMax: samples of each class that are remembered of each table; the file has all of them.
    /// - Throws: ``CompareError`` where the system does not allow it.
    public init(path: String, samplesPerClassMax: Int = 20) throws {
        self.path = path
        do {
            var known = KnownFindings(samplesPerClassMax: samplesPerClassMax)
            for line in try DurableFile.contents(path).split(separator: "\n") {
                if let finding = Finding(line: String(line)) { known.add(finding) }
            }
            self.state = Mutex(State(file: try DurableFile(path), known: known))
            try DurableFile.syncFolder(of: path)
        } catch { throw CompareError(.folder, "the file of findings cannot be used: \(error)") }
    }

    /// Adds a line and lets the disk have it.
    public func add(_ finding: Finding) throws {
        try self.state.withLock { state in
            do {
                // A line that was cut by a crash is ended, so that it costs no other one.
                try state.file.append([UInt8(ascii: "\n")] + Array(finding.line.utf8) + [UInt8(ascii: "\n")])
                try state.file.sync()
            } catch { throw CompareError(.folder, "the file of findings cannot be written: \(error)") }
            state.known.add(finding)
        }
    }

    /// All of them.
    public func findings() -> [Finding] { self.state.withLock { $0.known.findings } }

    /// Empties the file.
    public func clear() throws {
        try self.state.withLock { state in
            do { try state.file.truncate() } catch {
                throw CompareError(.folder, "the file of findings cannot be written: \(error)")
            }
            state.known = KnownFindings(samplesPerClassMax: state.known.samplesPerClassMax)
        }
    }
}

extension Finding {
    private static var counters: [(String, WritableKeyPath<CompareTally, Int>)] {
        [
            ("rows", \.rows), ("partitions", \.partitions), ("cells", \.cells), ("rows_left_out", \.rowsLeftOut),
            ("source_bytes", \.sourceBytes), ("target_bytes", \.targetBytes), ("rows_different", \.rowsDifferent),
            ("rows_settled", \.rowsSettled), ("rows_undecided", \.rowsUndecided), ("rows_repaired", \.rowsRepaired),
            ("rows_unrepaired", \.rowsUnrepaired), ("peer_bytes", \.peerBytes), ("digested_bytes", \.digestedBytes),
            ("opened_bytes", \.openedBytes), ("ranges_opened", \.rangesOpened),
            ("ranges_without_peer", \.rangesWithoutPeer),
        ]
    }

    var line: String {
        var numbers: [String: String] = [:]
        for (name, path) in Self.counters { numbers[name] = "\(self.tally[keyPath: path])" }
        var kinds: [String: String] = [:]
        for kind in Difference.Class.allCases { kinds[kind.rawValue] = "\(self.tally.differences[kind])" }
        return JSONLine([
            "keyspace": .text(self.table.keyspace), "table": .text(self.table.table),
            "start": .text("\(self.range.start)"), "end": .text("\(self.range.end)"), "tally": .object(numbers),
            "differences": .object(kinds), "samples": .array(self.samples.map { DifferenceLine.text($0) }),
        ]).text
    }

    init?(line: String) {
        guard let fields = JSONLine(line)?.fields,
            case .text(let keyspace)? = fields["keyspace"], case .text(let table)? = fields["table"],
            case .text(let startText)? = fields["start"], case .text(let endText)? = fields["end"],
            let start = Int64(startText), let end = Int64(endText), let range = TokenRange(after: start, through: end),
            case .object(let numbers)? = fields["tally"], case .object(let kinds)? = fields["differences"],
            case .array(let samples)? = fields["samples"]
        else { return nil }
        var tally = CompareTally()
        for (name, path) in Self.counters { tally[keyPath: path] = numbers[name].flatMap { Int($0) } ?? 0 }
        for kind in Difference.Class.allCases {
            tally.differences[kind] = kinds[kind.rawValue].flatMap { Int($0) } ?? 0
        }
        self.init(
            table: TableName(keyspace: keyspace, table: table),
            range: range,
            tally: tally,
            samples: samples.compactMap { DifferenceLine.difference($0) }
        )
    }
}
