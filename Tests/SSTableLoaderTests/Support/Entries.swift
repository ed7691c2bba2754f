import FoundationEssentials

/// A value of JSON, to compare what `sstabledump` printed with what a store holds.
enum JSON: Hashable, Sendable, Decodable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case text(String)
    case array([JSON])
    case object([String: JSON])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if let value = try? container.decode([JSON].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSON].self))
        }
    }

    static func parse(_ text: String) throws -> JSON { try JSONDecoder().decode(JSON.self, from: Data(text.utf8)) }

    subscript(name: String) -> JSON? {
        if case .object(let members) = self { return members[name] }
        return nil
    }

    var elements: [JSON] {
        if case .array(let elements) = self { return elements }
        return []
    }

    var string: String? {
        if case .text(let text) = self { return text }
        return nil
    }
}

/// One thing that a table holds: a value, a marker or a deletion, with its time.
struct Entry: Hashable, Sendable, CustomStringConvertible {
    enum Kind: Hashable, Sendable {
        case partitionDeletion, rowDeletion, rowMarker
        case columnDeletion(String)
        case cell(String, path: String?)
    }

    struct Place: Hashable, Sendable {
        let key: [String]
        let clustering: [JSON]
        let kind: Kind
    }

    struct Content: Hashable, Sendable {
        /// Nil for a deletion.
        let value: JSON?
        let timestamp: Int64
        /// Zero for ever.
        let expiresAt: Int64
    }

    let place: Place
    let content: Content

    var description: String { "\(self.place) \(self.content)" }
}

/// What `sstabledump` printed, as entries.
struct RecordedEntries: Sendable {
    struct Strange: Error { let what: String }

    private(set) var entries: [Entry] = []
    /// Timestamps of deleted ranges.
    private(set) var rangeTimestamps: Set<Int64> = []

    init(_ text: String) throws {
        for partition in try JSON.parse(text).elements {
            let key = partition["partition"]?["key"]?.elements.compactMap(\.string) ?? []
            if let deletion = partition["partition"]?["deletion_info"] {
                let content = Entry.Content(value: nil, timestamp: try Self.deleted(deletion), expiresAt: 0)
                self.add(key, [], .partitionDeletion, content)
            }
            for row in partition["rows"]?.elements ?? [] { try self.add(row, key) }
        }
    }

    private mutating func add(_ key: [String], _ clustering: [JSON], _ kind: Entry.Kind, _ content: Entry.Content) {
        self.entries.append(Entry(place: .init(key: key, clustering: clustering, kind: kind), content: content))
    }

    private mutating func add(_ row: JSON, _ key: [String]) throws {
        for end in ["start", "end"] {
            if let deletion = row[end]?["deletion_info"] { self.rangeTimestamps.insert(try Self.deleted(deletion)) }
        }
        guard row["type"]?.string == "row" || row["type"]?.string == "static_block" else { return }
        let clustering = row["clustering"]?.elements ?? []
        let live = row["liveness_info"]
        if let live {
            let content = Entry.Content(
                value: .text(""),
                timestamp: try Self.time(live["tstamp"]),
                expiresAt: try Self.end(live)
            )
            self.add(key, clustering, .rowMarker, content)
        }
        if let deletion = row["deletion_info"] {
            let content = Entry.Content(value: nil, timestamp: try Self.deleted(deletion), expiresAt: 0)
            self.add(key, clustering, .rowDeletion, content)
        }
        for cell in row["cells"]?.elements ?? [] {
            guard let shown = cell["name"]?.string else { throw Strange(what: "\(cell)") }
            let name = shown.hasPrefix("\"") ? String(shown.dropFirst().dropLast()) : shown
            if let deletion = cell["deletion_info"], deletion["marked_deleted"] != nil {
                let content = Entry.Content(value: nil, timestamp: try Self.deleted(deletion), expiresAt: 0)
                self.add(key, clustering, .columnDeletion(name), content)
                continue
            }
            let isGone = cell["deletion_info"] != nil
            let content = Entry.Content(
                value: isGone ? nil : cell["value"],
                timestamp: try Self.time(cell["tstamp"] ?? live?["tstamp"]),
                // What is not said of a cell is said of its row.
                expiresAt: isGone ? 0 : try Self.end(cell["expires_at"] == nil ? (live ?? cell) : cell)
            )
            self.add(key, clustering, .cell(name, path: cell["path"]?.elements.first?.string), content)
        }
    }

    private static func deleted(_ info: JSON) throws -> Int64 { try self.time(info["marked_deleted"]) }

    private static func end(_ info: JSON) throws -> Int64 {
        try info["expires_at"].map { try self.time($0) / 1_000_000 } ?? 0
    }

    /// Microseconds of `2023-11-14T22:13:20.000001Z`.
    static func time(_ json: JSON?) throws -> Int64 {
        guard let text = json?.string, text.hasSuffix("Z") else {
            throw Strange(what: "time \(String(describing: json))")
        }
        let parts = text.dropLast().split(whereSeparator: { "-T:.".contains($0) })
        let numbers = parts.prefix(6).compactMap { Int($0) }
        guard numbers.count == 6 else { throw Strange(what: text) }
        // Days from civil, by the method of Howard Hinnant.
        let year = numbers[1] <= 2 ? numbers[0] - 1 : numbers[0]
        let era = year / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (numbers[1] + (numbers[1] > 2 ? -3 : 9)) + 2) / 5 + numbers[2] - 1
        let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        let seconds = Int64(days) * 86_400 + Int64(numbers[3] * 3_600 + numbers[4] * 60 + numbers[5])
        let fraction = parts.count > 6 ? String(parts[6]) : ""
        return seconds * 1_000_000 + (Int64(fraction.padding6) ?? 0)
    }
}

extension String {
    fileprivate var padding6: String { String((self + "000000").prefix(6)) }
}
