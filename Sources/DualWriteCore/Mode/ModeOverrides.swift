/// The tables that have a mode of their own: held back while the rest goes on, or ahead of it. The first override that names a
/// table decides.
public struct ModeOverrides: Sendable, Hashable {
    /// Overrides that there may be.
    public static var countMax: Int { 1_000 }
    /// Of these the ones that name more than one table: each is tried on each statement that is judged.
    public static var broadMax: Int { 100 }

    /// The overrides, in the order in which they are asked.
    public let list: [ModeOverride]
    /// The places of those that name one table, by keyspace and table.
    private let exact: [String: [String: Int]]
    /// The places of the others, in order.
    private let broad: [Int]

    /// All tables have the sidecar's mode.
    public static var none: ModeOverrides { ModeOverrides(list: [], exact: [:], broad: []) }

    private init(list: [ModeOverride], exact: [String: [String: Int]], broad: [Int]) {
        self.list = list
        self.exact = exact
        self.broad = broad
    }

    /// Overrides in order.
    ///
    /// - Throws: ``ModeOverridesError`` where there are too many, where one can never decide, or where one names the server's own
    ///   tables alone, which have no mode.
    public init(_ list: [ModeOverride]) throws(ModeOverridesError) {
        guard list.count <= Self.countMax else {
            throw ModeOverridesError("\(list.count) overrides are more than \(Self.countMax)")
        }
        var exact: [String: [String: Int]] = [:]
        var broad: [Int] = []
        for (place, override) in list.enumerated() {
            if let keyspace = override.tables.keyspace.exactName, RequestKind.isSystem(keyspace) {
                throw ModeOverridesError(
                    "\(override.tables) names tables of the server itself, which have no write mode"
                )
            }
            var hider = broad.first { list[$0].tables.covers(override.tables) }
            if let (keyspace, table) = override.tables.exactTable {
                hider = hider ?? exact[keyspace]?[table]
                exact[keyspace, default: [:]][table] = place
            } else {
                broad.append(place)
            }
            if let hider {
                throw ModeOverridesError(
                    "\(override.tables) never decides: \(list[hider].tables) stands before it and names all of its tables"
                )
            }
        }
        guard broad.count <= Self.broadMax else {
            throw ModeOverridesError(
                "\(broad.count) overrides with more than one table each are more than \(Self.broadMax)"
            )
        }
        self.init(list: list, exact: exact, broad: broad)
    }

    /// Whether there are none.
    public var isEmpty: Bool { self.list.isEmpty }

    /// The mode of a table; nil where it is the sidecar's.
    ///
    /// - Parameter keyspace: nil where nobody knows it.
    public func stage(keyspace: String?, table: String?) -> ModeStage? {
        guard let keyspace, let table else { return nil }
        return self.place(of: keyspace, table).map { self.list[$0].stage }
    }

    func place(of keyspace: String, _ table: String) -> Int? {
        let exact = self.exact[keyspace]?[table]
        let broad = self.broad.first { self.list[$0].tables.matches(keyspace, table) }
        guard let exact, let broad else { return exact ?? broad }
        return min(exact, broad)
    }

    /// The places of those that name more than one table, in order.
    var broadPlaces: [Int] { self.broad }

    /// The same with one more, or with another mode for the same tables. A new one stands in front of the first one that would
    /// hide it, else at the end.
    ///
    /// - Throws: ``ModeOverridesError`` where there are too many then, or one is hidden.
    public func setting(_ override: ModeOverride) throws(ModeOverridesError) -> ModeOverrides {
        var list = self.list
        if let place = list.firstIndex(where: { $0.tables == override.tables }) {
            list[place] = override
        } else {
            list.insert(override, at: list.firstIndex { $0.tables.covers(override.tables) } ?? list.endIndex)
        }
        return try ModeOverrides(list)
    }

    /// The same without those of these tables; nil where there is none.
    public func removing(_ tables: TableFilter.Pattern) -> ModeOverrides? {
        let list = self.list.filter { $0.tables != tables }
        // What is not hidden in a list is not hidden in a part of it.
        return list.count == self.list.count ? nil : try? ModeOverrides(list)
    }

    /// By their list: the rest follows from it.
    public static func == (left: Self, right: Self) -> Bool { left.list == right.list }

    /// By their list.
    public func hash(into hasher: inout Hasher) { hasher.combine(self.list) }
}
