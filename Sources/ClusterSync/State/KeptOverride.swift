import DualWriteCore
import Operations

/// An override as the state folder keeps it.
struct KeptOverride: Sendable, Equatable {
    let override: ModeOverride
    /// The epoch in which its tables got a mode of their own: from then on the sidecar's is nothing to them.
    let since: Int
}

/// An override as it is written down: in `phase.json`, in `control.json` and in the control state of the clusters.
struct OverrideEntry: Codable {
    var tables: String
    var mode: String
    var tenants: OverrideTenants?
    /// See ``KeptOverride/since``; only where each replica needs its own.
    var since: Int?

    init(_ override: ModeOverride, since: Int? = nil) {
        self.tables = override.tables.description
        self.mode = override.stage.name
        self.tenants = override.tenants.map { OverrideTenants($0) }
        self.since = since
    }

    /// - Throws: ``ModeOverridesError`` where it names no tables or no mode.
    func override() throws(ModeOverridesError) -> ModeOverride {
        try ModeOverride(tables: self.tables, mode: self.mode, tenants: try CanaryTenants(self.tenants))
    }

    /// The formats of documents that have such entries.
    ///
    /// A program that knows nothing of modes of tables, or of tenants that go ahead, must not go by a document that has some: it
    /// would send their reads to the wrong cluster.
    enum Format {
        static let plain = 1
        static let withOverrides = 2
        static let withTenants = 3

        /// The lowest one in which overrides can be written.
        static func of(_ overrides: [ModeOverride]) -> Int {
            if overrides.isEmpty { return self.plain }
            return overrides.contains { $0.tenants != nil } ? self.withTenants : self.withOverrides
        }

        static func isKnown(_ format: Int) -> Bool { (self.plain...self.withTenants).contains(format) }
    }
}

extension ModeOverrides {
    /// The overrides of a document; none where it has no list.
    ///
    /// - Throws: ``ModeOverridesError``: what was checked when it was set is checked again, a file may have been written by hand.
    init(_ entries: [OverrideEntry]?) throws(ModeOverridesError) {
        var list: [ModeOverride] = []
        for entry in entries ?? [] { list.append(try entry.override()) }
        try self.init(list)
    }

    /// For a document; nil where there are none.
    var entries: [OverrideEntry]? { self.isEmpty ? nil : self.list.map { OverrideEntry($0) } }
}
