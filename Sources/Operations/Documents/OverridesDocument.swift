/// Tables with a write mode of their own, or tenants of tables whose reads go ahead.
public struct TableOverride: Codable, Sendable, Equatable {
    /// The tables as `keyspace`, `keyspace.*` or `keyspace.table`, with `*` and `?`.
    public var tables: String
    /// The name of their mode; of tenants `ReadsFirst`.
    public var mode: String
    /// Whose rows of these tables it is about; nil where it is about whole tables.
    public var tenants: OverrideTenants?
    /// What tenants have of it now: `ahead`, `waiting` for their tables, or `passed` by them. It is told, and not read.
    public var state: String?

    /// Creates an override.
    public init(tables: String, mode: String, tenants: OverrideTenants? = nil, state: String? = nil) {
        self.tables = tables
        self.mode = mode
        self.tenants = tenants
        self.state = state
    }
}

/// Tenants by the value of a column, as documents and the state folder write them.
public struct OverrideTenants: Codable, Sendable, Equatable {
    /// The column that says whose a row is, as in the schema.
    public var column: String
    /// The values as texts, whatever the column's type is.
    public var values: [String]
    /// Values that are not told here.
    public var leftOut: Int?

    /// Creates tenants.
    public init(column: String, values: [String]) {
        self.column = column
        self.values = values
    }

    /// The same with no more values than a document about something else names.
    public var shortened: OverrideTenants {
        guard self.values.count > Self.shownMax else { return self }
        var short = OverrideTenants(column: self.column, values: Array(self.values.prefix(Self.shownMax)))
        short.leftOut = self.values.count - Self.shownMax
        return short
    }

    private static var shownMax: Int { 10 }
}

/// One change of the mode of some tables, as the state folder keeps it.
public struct TableModeRecord: Codable, Sendable, Equatable {
    /// When, as an RFC 3339 timestamp in UTC.
    public var at: String
    /// The tables.
    public var tables: String
    /// Of these the tenants whose reads went ahead, or do no more, as `column=value,…`; nil where it was about whole tables.
    public var tenants: String?
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
    public init(
        at: String,
        tables: String,
        tenants: String? = nil,
        from: String,
        to: String,
        epoch: Int,
        by: String,
        reason: String
    ) {
        self.at = at
        self.tables = tables
        self.tenants = tenants
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
    static var overrideKeys: [String] { ["tables", "mode", "tenants", "state"] }
    static var tenantsKeys: [String] { ["column", "values"] }
    /// Keys by which somebody would give tenants a mode.
    static var tenantKeys: [String] { ["tenant", "tenant_id", "tenant_columns"] }
    /// Overrides, and values of tenants, that are read; how many there may be says the service.
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
        guard (Self.tenantKeys + ["tenants"]).allSatisfy({ object[$0] == nil }) else { throw Self.noTenants }
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
            "A tenant cannot have a write mode of its own: an override names tables. Its reads can go ahead of theirs.",
            hint:
                #"That is an override with "mode": "ReadsFirst" and "tenants": {"column": …, "values": […]}. Tenants "#
                + "can be left out of the copies, or taken into them: PUT /v1/filters with tenant_columns and tenants. "
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
        let tenants = self.tenants()
        switch self.value("mode") {
        case .string(let mode): return tables.map { TableOverride(tables: $0, mode: mode, tenants: tenants) }
        case .integer(let number):
            return tables.map { TableOverride(tables: $0, mode: String(number), tenants: tenants) }
        case nil, .null: self.fault("the key 'mode' is missing")
        default: self.fault("mode: must be the name of a write mode or its number")
        }
        return nil
    }

    private mutating func tenants() -> OverrideTenants? {
        guard self.has("tenants") else { return nil }
        guard case .object(let object)? = self.value("tenants") else {
            self.fault("tenants: must be an object with column and values")
            return nil
        }
        var inner = DocumentReader(object, keys: OverridesChange.tenantsKeys)
        let column = inner.text("column", bytesMax: OverridesChange.nameBytesMax)
        if column == nil, !inner.has("column") { inner.fault("the key 'column' is missing") }
        let values = inner.texts("values", max: OverridesChange.overridesMax, bytesMax: OverridesChange.nameBytesMax)
        if values == nil, !inner.has("values") { inner.fault("the key 'values' is missing") }
        self.take(inner, of: "tenants")
        guard let column, let values else { return nil }
        return OverrideTenants(column: column, values: values)
    }
}
