/// What `GET /v1/filters` and a successful `PUT /v1/filters` answer: what the shadow gets copies of.
public struct FiltersDocument: Codable, Sendable, Equatable {
    /// Two lists: what is named by the first one is taken, all where it is empty, without what the second one names.
    public struct Lists: Codable, Sendable, Equatable {
        /// What is taken.
        public var include: [String]
        /// What of it is not.
        public var exclude: [String]

        /// Creates a pair of lists.
        public init(include: [String] = [], exclude: [String] = []) {
            self.include = include
            self.exclude = exclude
        }
    }

    /// Writes since the start of the process, in modes with a shadow.
    public struct Counts: Codable, Sendable, Equatable {
        /// Kept from the shadow because of their table.
        public var byTable: UInt64
        /// Kept from the shadow because of their tenant.
        public var byTenant: UInt64
        /// Copied because they do not say whose rows they write.
        public var untold: UInt64

        /// Creates counts.
        public init(byTable: UInt64, byTenant: UInt64, untold: UInt64) {
            self.byTable = byTable
            self.byTenant = byTenant
            self.untold = untold
        }
    }

    /// Where the filter comes from: `configuration`, the path of a file, or `admin port`.
    public var origin: String
    /// Tables as `keyspace`, `keyspace.*` or `keyspace.table`, with `*` and `?`.
    public var tables: Lists
    /// The columns that say whose a row is.
    public var tenantColumns: [String]
    /// Tenants, the first ``tenantsMax`` of each list.
    public var tenants: Lists
    /// Tenants that are left out of the lists.
    public var tenantsLeftOut: Int
    /// What has come of it.
    public var writes: Counts

    /// Tenants that are told of each list.
    public static var tenantsMax: Int { 1_000 }

    /// Creates a document.
    public init(
        origin: String,
        tables: Lists,
        tenantColumns: [String],
        tenants: Lists,
        tenantsLeftOut: Int,
        writes: Counts
    ) {
        self.origin = origin
        self.tables = tables
        self.tenantColumns = tenantColumns
        self.tenants = tenants
        self.tenantsLeftOut = tenantsLeftOut
        self.writes = writes
    }
}

/// What somebody asks for with `PUT /v1/filters`: the whole filter, until the next start.
public struct FiltersChange: Sendable, Equatable {
    /// Tables.
    public var tables: FiltersDocument.Lists
    /// The columns that say whose a row is.
    public var tenantColumns: [String]
    /// Tenants.
    public var tenants: FiltersDocument.Lists
    /// Why.
    public var reason: String
    /// Who asks: the interface and the peer's address.
    public var by: String

    static var namesMax: Int { 10_000 }
    static var nameBytesMax: Int { 256 }

    /// Creates a change.
    public init(
        tables: FiltersDocument.Lists,
        tenantColumns: [String],
        tenants: FiltersDocument.Lists,
        reason: String,
        by: String
    ) {
        self.tables = tables
        self.tenantColumns = tenantColumns
        self.tenants = tenants
        self.reason = reason
        self.by = by
    }

    /// Reads the document of `PUT /v1/filters`.
    init(_ object: [String: JSONValue], by: String) throws(AdminError) {
        var reader = DocumentReader(object, keys: ["tables", "tenant_columns", "tenants", "reason"])
        let tables = reader.lists("tables")
        let columns = reader.texts("tenant_columns", max: 16, bytesMax: Self.nameBytesMax) ?? []
        let tenants = reader.lists("tenants")
        let reason = reader.reason(isNeeded: true)
        try reader.finish()
        self.init(tables: tables, tenantColumns: columns, tenants: tenants, reason: reason ?? "", by: by)
    }
}

extension DocumentReader {
    /// An object with `include` and `exclude`; nothing where the key is not there.
    fileprivate mutating func lists(_ key: String) -> FiltersDocument.Lists {
        switch self.value(key) {
        case nil, .null: return .init()
        case .object(let object):
            var inner = DocumentReader(object, keys: ["include", "exclude"])
            let lists = FiltersDocument.Lists(
                include: inner.texts("include", max: FiltersChange.namesMax, bytesMax: FiltersChange.nameBytesMax)
                    ?? [],
                exclude: inner.texts("exclude", max: FiltersChange.namesMax, bytesMax: FiltersChange.nameBytesMax) ?? []
            )
            self.take(inner, of: key)
            return lists
        default:
            self.fault("\(key): must be an object with include and exclude")
            return .init()
        }
    }
}
