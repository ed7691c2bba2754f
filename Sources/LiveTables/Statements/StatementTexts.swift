package import NIOCore

/// The texts of statements for one table. Each shape is made once.
package struct StatementTexts {
    /// One assignment or one thing to delete.
    package enum Target: Hashable {
        /// A column as a whole.
        case column(String)
        /// Elements that are added to a set or map.
        case added(String)
        /// One element of a set or map.
        case element(String)
        /// One element of a list by its place.
        case listElement(String)
        /// A field of a user-defined type.
        case field(String, String)

        var text: String {
            switch self {
            case .column(let name), .added(let name): Self.quoted(name)
            case .element(let name): "\(Self.quoted(name))[?]"
            case .listElement(let name): "\(Self.quoted(name))[SCYLLA_TIMEUUID_LIST_INDEX(?)]"
            case .field(let name, let field): "\(Self.quoted(name)).\(Self.quoted(field))"
            }
        }

        var assignment: String {
            if case .added(let name) = self { return "\(Self.quoted(name)) = \(Self.quoted(name)) + ?" }
            return "\(self.text) = ?"
        }

        package static func quoted(_ name: String) -> String {
            "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
        }
    }

    package enum Shape: Hashable {
        case insert([String])
        case update([Target], isStatic: Bool)
        case delete([Target], isStatic: Bool)
        /// Numbers that are added to counters.
        case count([String], isStatic: Bool)
        case deleteRow
        case deletePartition
        /// Equal values of so many clustering columns, then comparisons of the next one.
        case deleteRange(equal: Int, comparisons: [String])
    }

    private let table: TargetTable
    private var texts: [Shape: String] = [:]

    package init(_ table: TargetTable) { self.table = table }

    package mutating func text(_ shape: Shape) -> String {
        if let text = self.texts[shape] { return text }
        let text = self.make(shape)
        // The shapes of one table are few; whoever writes each row in another one gains nothing from keeping them.
        if self.texts.count >= Self.kept { self.texts.removeAll() }
        self.texts[shape] = text
        return text
    }

    private static var kept: Int { 4_096 }

    /// The statement that writes a group of assignments to one row, or to the statics of one partition.
    package mutating func statement(
        _ group: RowGroups.Write,
        _ key: [ByteBuffer],
        _ clustering: [ByteBuffer?],
        isStatic: Bool
    ) -> TargetStatement {
        let using: [ByteBuffer?] = [ByteBuffer(integer: group.timestamp), ByteBuffer(integer: group.timeToLive)]
        if group.isInsert {
            let names = group.targets.compactMap { if case .column(let name) = $0 { name } else { nil } }
            let text = self.text(.insert(names))
            return TargetStatement(text, key + clustering + group.values + using, timestamp: group.timestamp)
        }
        return TargetStatement(
            self.text(.update(group.targets, isStatic: isStatic)),
            using + group.values + key + (isStatic ? [] : clustering),
            timestamp: group.timestamp,
            isIdempotent: group.isIdempotent
        )
    }

    private func make(_ shape: Shape) -> String {
        let name = "\(Target.quoted(self.table.keyspace)).\(Target.quoted(self.table.name))"
        let delete = "DELETE FROM \(name) USING TIMESTAMP ? WHERE "
        switch shape {
        case .insert(let columns):
            let all = self.table.partitionKey + self.table.clustering.map(\.name) + columns
            let markers = all.map { _ in "?" }.joined(separator: ", ")
            return "INSERT INTO \(name) (\(all.map(Target.quoted).joined(separator: ", "))) VALUES (\(markers))"
                + Self.using
        case .update(let targets, let isStatic):
            let assignments = targets.map(\.assignment).joined(separator: ", ")
            return "UPDATE \(name)\(Self.using) SET \(assignments) WHERE \(self.key(isStatic))"
        case .delete(let targets, let isStatic):
            let selected = targets.map(\.text).joined(separator: ", ")
            return "DELETE \(selected) FROM \(name) USING TIMESTAMP ? WHERE \(self.key(isStatic))"
        case .count(let columns, let isStatic):
            let assignments = columns.map { Target.added($0).assignment }.joined(separator: ", ")
            return "UPDATE \(name) SET \(assignments) WHERE \(self.key(isStatic))"
        case .deleteRow: return delete + self.key(false)
        case .deletePartition: return delete + self.key(true)
        case .deleteRange(let equal, let comparisons):
            let prefix = self.table.clustering.prefix(equal).map { "\(Target.quoted($0.name)) = ?" }
            let rest = comparisons.map { "\(Target.quoted(self.table.clustering[equal].name)) \($0) ?" }
            return delete + ([self.key(true)] + prefix + rest).joined(separator: " AND ")
        }
    }

    /// The time to live is always there: without it the table's own default would apply, and zero is for ever.
    private static var using: String { " USING TIMESTAMP ? AND TTL ?" }

    private func key(_ isPartition: Bool) -> String {
        let names = self.table.partitionKey + (isPartition ? [] : self.table.clustering.map(\.name))
        return names.map { "\(Target.quoted($0)) = ?" }.joined(separator: " AND ")
    }
}
