/// The tables that have a mode of their own: held back while the rest goes on, or ahead of it. The first override that names a
/// table decides. Beside them the tenants whose reads go ahead, of which each counts wherever it stands.
public struct ModeOverrides: Sendable, Hashable {
    /// Overrides that there may be.
    public static var countMax: Int { 1_000 }
    /// Of these the ones that name more than one table: each is tried on each statement that is judged.
    public static var broadMax: Int { 100 }

    /// Overrides that name tenants: each is tried on each SELECT that is judged.
    public static var canariesMax: Int { 100 }
    /// Values by which they name them, all together.
    public static var canaryValuesMax: Int { 1_000 }

    /// The overrides, in the order in which they are asked, those of tenants among them.
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
        try Self.check(canaries: list.filter { $0.tenants != nil })
        for (place, override) in list.enumerated() {
            if let keyspace = override.tables.keyspace.exactName, RequestKind.isSystem(keyspace) {
                throw ModeOverridesError(
                    "\(override.tables) names tables of the server itself, which have no write mode"
                )
            }
            if override.tenants != nil { continue }
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

    private static func check(canaries: [ModeOverride]) throws(ModeOverridesError) {
        guard canaries.count <= Self.canariesMax else {
            throw ModeOverridesError("\(canaries.count) overrides of tenants are more than \(Self.canariesMax)")
        }
        let values = canaries.reduce(0) { $0 + ($1.tenants?.values.count ?? 0) }
        guard values <= Self.canaryValuesMax else {
            throw ModeOverridesError(
                "\(values) values of tenants are more than \(Self.canaryValuesMax) in all overrides"
            )
        }
        for (place, override) in canaries.enumerated() {
            if let other = canaries[..<place].first(where: { $0.isOfSameTenants(as: override) }) {
                throw ModeOverridesError(
                    "\(override.tables) has two overrides by \(other.tenants?.column ?? ""): name all values in one"
                )
            }
        }
    }

    /// Those that are about whole tables.
    public var ofTables: [ModeOverride] { self.list.filter { $0.tenants == nil } }

    /// Those that name tenants whose reads go ahead.
    public var canaries: [ModeOverride] { self.list.filter { $0.tenants != nil } }

    /// Whether some tables have a mode of their own.
    public var hasTables: Bool { !self.exact.isEmpty || !self.broad.isEmpty }

    /// Whether some tenants go ahead.
    public var hasCanaries: Bool { self.list.contains { $0.tenants != nil } }

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

    /// The same with one more, with another mode for the same tables, or with more tenants by the same column. A new one of
    /// tables stands in front of the first one that would hide it, others at the end.
    ///
    /// - Throws: ``ModeOverridesError`` where there are too many then, or one is hidden.
    public func setting(_ override: ModeOverride) throws(ModeOverridesError) -> ModeOverrides {
        var list = self.list
        if let tenants = override.tenants {
            if let place = list.firstIndex(where: { $0.isOfSameTenants(as: override) }) {
                list[place] = ModeOverride(override.tables, ahead: list[place].tenants?.adding(tenants) ?? tenants)
            } else {
                list.append(override)
            }
        } else if let place = list.firstIndex(where: { $0.tenants == nil && $0.tables == override.tables }) {
            list[place] = override
        } else {
            let hider = list.firstIndex { $0.tenants == nil && $0.tables.covers(override.tables) }
            list.insert(override, at: hider ?? list.endIndex)
        }
        return try ModeOverrides(list)
    }

    /// The same without that of these tables; nil where there is none. Their tenants that go ahead stay.
    public func removing(_ tables: TableFilter.Pattern) -> ModeOverrides? {
        let list = self.list.filter { $0.tenants != nil || $0.tables != tables }
        // What is not hidden in a list is not hidden in a part of it.
        return list.count == self.list.count ? nil : try? ModeOverrides(list)
    }

    /// The same without some tenants of these tables.
    ///
    /// - Parameter values: nil for all by this column.
    /// - Throws: ``ModeOverridesError`` where one of them does not go ahead.
    public func removing(
        _ values: [String]?,
        by column: String,
        of tables: TableFilter.Pattern
    ) throws(ModeOverridesError) -> ModeOverrides {
        guard let place = self.list.firstIndex(where: { $0.tables == tables && $0.tenants?.column == column }),
            let tenants = self.list[place].tenants
        else { throw ModeOverridesError("no tenant of \(tables) goes ahead by \(column)") }
        if let stranger = values?.first(where: { !tenants.values.contains($0) }) {
            throw ModeOverridesError("\(column)=\(stranger) of \(tables) does not go ahead")
        }
        var list = self.list
        if let rest = tenants.without(values ?? tenants.values) {
            list[place] = ModeOverride(tables, ahead: rest)
        } else {
            list.remove(at: place)
        }
        return try ModeOverrides(list)
    }

    /// By their list: the rest follows from it.
    public static func == (left: Self, right: Self) -> Bool { left.list == right.list }

    /// By their list.
    public func hash(into hasher: inout Hasher) { hasher.combine(self.list) }
}

extension ModeOverride {
    /// Whether both name tenants of the same tables by the same column.
    fileprivate func isOfSameTenants(as other: ModeOverride) -> Bool {
        self.tenants != nil && self.tables == other.tables && self.tenants?.column == other.tenants?.column
    }
}
