/// What the writes of a text say of the life of their data, and the text with other lives in it.
///
/// Parsed once and used as often as wanted; made only for writes that come late, so that an analysis need not carry it.
public struct TimeToLiveText: Sendable {
    /// What one write says.
    public enum Life: Sendable, Hashable {
        /// It has none: a DELETE.
        case none
        /// Nothing, so the table's default counts.
        case unsaid
        /// `USING TTL n`; 0 is no end, whatever the table's default is. What no `Int` holds is `Int.max`.
        case seconds(Int)
        /// `USING TTL ?`, by the marker's index in the whole text.
        case marker(Int)
    }

    /// What is put in the place of a life, or where none was said.
    public enum Replacement: Sendable, Hashable {
        /// A number.
        case seconds(Int)
        /// A marker. Its name is `[ttl]` for the server, as long as the text has no named ones and gets only one.
        case marker
    }

    /// A marker of a changed text.
    public struct Marker: Sendable, Hashable {
        /// Where it comes from.
        public enum Origin: Sendable, Hashable {
            /// It was there already, with this index.
            case kept(Int)
            /// It is the life of the write with this index.
            case life(write: Int)
        }

        /// Where it comes from.
        public let origin: Origin
        /// The name, where it has one.
        public let name: String?
    }

    /// A changed text.
    public struct Changed: Sendable, Hashable {
        /// The text.
        public let text: String
        /// Its markers, in order.
        public let markers: [Marker]
    }

    private struct Write: Sendable {
        let life: Life
        /// What a replacement stands in place of; empty where nothing was said.
        let range: SourceRange
        /// What must stand before it.
        let lead: StaticString
    }

    private let bytes: [UInt8]
    private let markers: [(start: Int, name: String?)]
    private let writes: [Write]

    /// Reads a text; nil where the grammar does not know it, or where it is no INSERT, UPDATE, DELETE or batch of them.
    public init?(_ text: String) {
        guard let parsed = ParsedWrites(text) else { return nil }
        self.bytes = parsed.parser.bytes
        self.markers = parsed.markers
        self.writes = parsed.children.map { Self.write($0, parsed.parser) }
    }

    /// What each write says: one, or one for each child of a batch.
    public var lives: [Life] { self.writes.map(\.life) }

    /// The name of the first marker that is put into a text with named ones; the others count up.
    private static var markerName: String { "cluster_sync_ttl_" }

    /// The text with other lives; everything else stays byte for byte.
    ///
    /// - Parameter replacements: by index of the write. A write without life is left alone.
    public func replacing(_ replacements: [Int: Replacement]) -> Changed {
        let edits = self.writes.indices.filter { self.writes[$0].life != .none && replacements[$0] != nil }
        let added = edits.count { replacements[$0] == .marker }
        let isNamed = added > 1 || self.markers.contains { $0.name != nil }
        var text: [UInt8] = []
        text.reserveCapacity(self.bytes.count + 32)
        var markers: [Marker] = []
        var position = 0
        var next = 0
        func keepMarkers(before end: Int) {
            while next < self.markers.count, self.markers[next].start < end {
                markers.append(Marker(origin: .kept(next), name: self.markers[next].name))
                next += 1
            }
        }
        for index in edits {
            let write = self.writes[index]
            keepMarkers(before: write.range.start)
            text += self.bytes[position..<write.range.start]
            text += Array("\(write.lead)".utf8)
            switch replacements[index] {
            case .seconds(let seconds): text += Array(String(seconds).utf8)
            case .marker:
                let name = isNamed ? "\(Self.markerName)\(index)" : nil
                text += Array((name.map { ":\($0)" } ?? "?").utf8)
                markers.append(Marker(origin: .life(write: index), name: name))
            case nil: break
            }
            position = write.range.end
            if self.needsBlank(at: position) { text.append(UInt8(ascii: " ")) }
            // A marker that was replaced is no more.
            while next < self.markers.count, self.markers[next].start < write.range.end { next += 1 }
        }
        keepMarkers(before: self.bytes.count)
        text += self.bytes[position...]
        return Changed(text: String(decoding: text, as: UTF8.self), markers: markers)
    }

    /// Whether what stands there would run together with a number or a name before it.
    private func needsBlank(at position: Int) -> Bool {
        guard position < self.bytes.count else { return false }
        let byte = self.bytes[position]
        return byte > UInt8(ascii: " ") && byte != UInt8(ascii: ";")
    }

    private static func write(_ child: ParsedWrites.Child, _ parser: Parser) -> Write {
        let using: UsingClause?
        let place: Int
        switch child.statement {
        case .insert(let insert): (using, place) = (insert.using, child.range.end)
        case .update(let update): (using, place) = (update.using, Self.tableEnd(child.range.start, parser))
        default: return Write(life: .none, range: child.range, lead: "")
        }
        guard let using else {
            return Write(life: .unsaid, range: SourceRange(start: place, end: place), lead: " USING TTL ")
        }
        switch using.timeToLive {
        case .literal(let literal):
            return Write(life: .seconds(Int(literal.text) ?? .max), range: literal.range, lead: "")
        case .marker(let marker):
            return Write(life: .marker(marker.index), range: marker.range, lead: "")
        default:
            let end = using.range.end
            return Write(life: .unsaid, range: SourceRange(start: end, end: end), lead: " AND TTL ")
        }
    }

    /// Where the name behind UPDATE ends.
    private static func tableEnd(_ start: Int, _ parser: Parser) -> Int {
        let name = parser.tokenIndex(at: start) + 1
        let isQualified = parser.tokens[name + 1].kind == .dot
        return parser.tokens[isQualified ? name + 2 : name].end
    }
}
