import TokenRanges

/// What two readers must mean alike, so that their digests of equal rows are equal and those of others are not. Each line is a
/// word of the configuration or a column, and what it is.
public struct DigestTerms: Sendable, Hashable {
    /// The version of the protocol and of the form of digests; readers of different versions have nothing to say to each other.
    public static var version: Int { 1 }

    /// Words of the configuration that change digests, `compare.writetimes=true`.
    public var settings: [String]
    /// The columns that are compared, `v=text cell`, in order.
    public var columns: [String]
    /// Columns of which times are left out, as one of the clusters does not tell them.
    public var untold: [String]

    /// Terms as they came.
    public init(settings: [String], columns: [String], untold: [String]) {
        self.settings = settings
        self.columns = columns
        self.untold = untold
    }

    init(_ table: ComparedTable, _ settings: CompareSettings, untold: [String]) {
        let rules = settings.rules
        self.settings = [
            "compare.writetimes=\(rules.comparesWritetimes)", "compare.ttls=\(rules.comparesTimeToLive)",
            "compare.list_times=\(rules.comparesListTimes)",
        ]
        if let tenants = settings.tenants {
            self.settings.append("tenants.\(tenants.column)=\(tenants.values.sorted())")
        }
        self.columns = table.partitionKey.map { "\($0.name)=partition key \($0.plainType)" }
        self.columns += table.clustering.map {
            "\($0.name)=clustering \($0.plainType)\($0.isReversed ? " descending" : "")"
        }
        self.columns += table.columns.map {
            "\($0.name)=\($0.isStatic ? "static " : "")\($0.plainType) in \($0.storage)"
        }
        self.untold = untold.sorted()
    }

    /// Refuses what another reader means, by the name of the first thing that is different.
    ///
    /// - Parameter theirs: what it means; which times it leaves out is for it to say.
    func check(_ theirs: DigestTerms, of table: TableName) throws(DigestError) {
        if let odd = Self.odd(self.settings, theirs.settings) {
            throw DigestError(
                .settings,
                "the readers compare otherwise: \(odd.mine ?? "nothing of the kind") there, "
                    + "\(odd.other ?? "nothing of the kind") here. Configure both alike"
            )
        }
        if let odd = Self.odd(self.columns, theirs.columns) {
            throw DigestError(
                .columns,
                "\(table) is another table for the other reader: \(odd.mine ?? "no such column") there, "
                    + "\(odd.other ?? "no such column") here. columns.exclude must be alike"
            )
        }
    }

    /// The first of which the two do not say the same.
    private static func odd(_ mine: [String], _ theirs: [String]) -> (mine: String?, other: String?)? {
        guard mine != theirs else { return nil }
        func name(_ line: String) -> Substring { line.prefix { $0 != "=" } }
        for line in mine where !theirs.contains(line) {
            return (line, theirs.first { name($0) == name(line) })
        }
        for line in theirs where !mine.contains(line) { return (nil, line) }
        // The same ones in another order.
        return (mine.first, theirs.first)
    }
}
