/// Tables with a write mode of their own.
public struct TableOverride: Codable, Sendable, Equatable {
    /// The tables as `keyspace`, `keyspace.*` or `keyspace.table`, with `*` and `?`.
    public var tables: String
    /// The name of their mode.
    public var mode: String

    /// Creates an override.
    public init(tables: String, mode: String) {
        self.tables = tables
        self.mode = mode
    }
}

/// One change of the mode of some tables, as the state folder keeps it.
public struct TableModeRecord: Codable, Sendable, Equatable {
    /// When, as an RFC 3339 timestamp in UTC.
    public var at: String
    /// The tables.
    public var tables: String
    /// Their mode before.
    public var from: String
    /// Their mode after.
    public var to: String
    /// The epoch that the change began.
    public var epoch: Int
    /// Who asked, as far as it is known: the interface and the peer's address.
    public var by: String
    /// The reason that was given.
    public var reason: String

    /// Creates a record.
    public init(at: String, tables: String, from: String, to: String, epoch: Int, by: String, reason: String) {
        self.at = at
        self.tables = tables
        self.from = from
        self.to = to
        self.epoch = epoch
        self.by = by
        self.reason = reason
    }
}

/// What `GET /v1/overrides` and a successful `PUT /v1/overrides` answer.
public struct OverridesDocument: Codable, Sendable, Equatable {
    /// The sidecar's mode, which all other tables have.
    public var mode: String
    /// How often a mode, the sidecar's or a table's, has been changed since the state folder was made.
    public var epoch: Int
    /// The overrides in their order: the first one that names a table decides.
    public var overrides: [TableOverride]
    /// The latest changes, newest first.
    public var history: [TableModeRecord]

    /// Changes that are told.
    public static var historyMax: Int { 20 }

    /// Creates a document.
    public init(mode: String, epoch: Int, overrides: [TableOverride], history: [TableModeRecord]) {
        self.mode = mode
        self.epoch = epoch
        self.overrides = overrides
        self.history = history
    }
}

/// What somebody asks for with `PUT /v1/overrides`: the whole list.
public struct OverridesChange: Sendable, Equatable {
    /// The overrides in their order.
    public var overrides: [TableOverride]
    /// The epoch of the list from which this one was made; where another one is in force by now, nothing is changed. Nil:
    /// whatever is in force.
    public var epoch: Int?
    /// Why.
    public var reason: String
    /// Whether to overrule the rules of transition and the gates.
    public var force: Bool
    /// Who asks: the interface and the peer's address.
    public var by: String

    static var keys: [String] { ["overrides", "epoch", "reason", "force"] }
    static var overrideKeys: [String] { ["tables", "mode"] }
    /// Keys by which somebody would name tenants.
    static var tenantKeys: [String] { ["tenant", "tenants", "tenant_id", "tenant_columns"] }
    /// Overrides that are read; how many there may be says the service.
    static var overridesMax: Int { 10_000 }
    static var nameBytesMax: Int { 256 }
    static var bodyBytesMax: Int { 512 << 10 }

    /// Creates a change.
    public init(overrides: [TableOverride], epoch: Int? = nil, reason: String, force: Bool = false, by: String) {
        self.overrides = overrides
        self.epoch = epoch
        self.reason = reason
        self.force = force
        self.by = by
    }

    /// Reads the document of `PUT /v1/overrides`.
    init(_ object: [String: JSONValue], by: String) throws(AdminError) {
        guard Self.tenantKeys.allSatisfy({ object[$0] == nil }) else { throw Self.noTenants }
        var reader = DocumentReader(object, keys: Self.keys)
        let overrides = try reader.overrides()
        let epoch = reader.number("epoch", in: 0...Int.max)
        let force = reader.flag("force") ?? false
        let reason = reader.reason(isNeeded: true)
        try reader.finish()
        self.init(overrides: overrides, epoch: epoch, reason: reason ?? "", force: force, by: by)
    }

    static var noTenants: AdminError {
        AdminError(
            .invalidDocument,
            "A tenant cannot have a write mode of its own: an override names tables.",
            hint:
                "Tenants can be left out of the copies, or taken into them: PUT /v1/filters with tenant_columns and tenants. "
                + "Nothing was changed."
        )
    }
}

extension DocumentReader {
    fileprivate mutating func overrides() throws(AdminError) -> [TableOverride] {
        guard case .array(let values)? = self.value("overrides"), values.count <= OverridesChange.overridesMax else {
            self.fault(
                "overrides: must be a list of at most \(OverridesChange.overridesMax) objects with tables and mode"
            )
            return []
        }
        var overrides: [TableOverride] = []
        for (index, value) in values.enumerated() {
            guard case .object(let object) = value else {
                self.fault("overrides[\(index)]: must be an object with tables and mode")
                continue
            }
            guard OverridesChange.tenantKeys.allSatisfy({ object[$0] == nil }) else { throw OverridesChange.noTenants }
            var inner = DocumentReader(object, keys: OverridesChange.overrideKeys)
            if let override = inner.override() { overrides.append(override) }
            self.take(inner, of: "overrides[\(index)]")
        }
        return overrides
    }

    private mutating func override() -> TableOverride? {
        let tables = self.text("tables", bytesMax: OverridesChange.nameBytesMax)
        if tables == nil, !self.has("tables") { self.fault("the key 'tables' is missing") }
        switch self.value("mode") {
        case .string(let mode): return tables.map { TableOverride(tables: $0, mode: mode) }
        case .integer(let number): return tables.map { TableOverride(tables: $0, mode: String(number)) }
        case nil, .null: self.fault("the key 'mode' is missing")
        default: self.fault("mode: must be the name of a write mode or its number")
        }
        return nil
    }
}
