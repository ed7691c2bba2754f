/// Which tables a job is about: those that a pattern includes, all where there are none, without those that a pattern excludes.
///
/// A pattern is `keyspace` or `keyspace.table`, with `*` for any characters and `?` for one. Names are those of the schema, in
/// their own case and without quotes.
public struct TableSelection: Sendable, Hashable {
    /// What is wanted; everything where it is empty.
    public var include: [String]
    /// What is not, whatever includes it.
    public var exclude: [String]

    /// Of that, the tables whose keyspace or own name is among these, which are no patterns; all where it is nil.
    public var only: Set<Name>?

    /// A name as the schema has it.
    public enum Name: Sendable, Hashable {
        /// All of a keyspace.
        case keyspace(String)
        /// One table.
        case table(TableName)
    }

    /// A selection; of everything where nothing is said.
    public init(include: [String] = [], exclude: [String] = []) {
        self.include = include
        self.exclude = exclude
    }

    /// Whether a table is wanted.
    public func wants(_ table: TableName) -> Bool {
        self.isAmongOnly(table) && (self.include.isEmpty || self.include.contains { Self.matches($0, table) })
            && !self.exclude.contains { Self.matches($0, table) }
    }

    private func isAmongOnly(_ table: TableName) -> Bool {
        guard let only = self.only else { return true }
        return only.contains(.keyspace(table.keyspace)) || only.contains(.table(table))
    }

    private static func matches(_ pattern: String, _ table: TableName) -> Bool {
        let parts = pattern.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        return Self.matches(parts[0].unicodeScalars, table.keyspace.unicodeScalars)
            && (parts.count == 1 || Self.matches(parts[1].unicodeScalars, table.table.unicodeScalars))
    }

    /// Goes back to the last star where it does not go on: no pattern takes longer than its length times the name's.
    private static func matches(_ pattern: Substring.UnicodeScalarView, _ name: String.UnicodeScalarView) -> Bool {
        var (place, at) = (pattern.startIndex, name.startIndex)
        var star: (behind: Substring.UnicodeScalarView.Index, at: String.UnicodeScalarView.Index)?
        while at < name.endIndex {
            let wanted = place < pattern.endIndex ? pattern[place] : nil
            if wanted == "*" {
                place = pattern.index(after: place)
                star = (place, at)
            } else if let wanted, wanted == "?" || wanted == name[at] {
                (place, at) = (pattern.index(after: place), name.index(after: at))
            } else if let last = star {
                at = name.index(after: last.at)
                star = (last.behind, at)
                place = last.behind
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == "*" }
    }
}
