import DualWriteCore
import Operations

/// What the shadow gets copies of, as a file of its own says it: the same keys as in the configuration, or those of older tools'
/// `filter-rules.yaml`.
struct FilterRules: Sendable, Equatable {
    var filter: ShadowFilter

    /// Reads a file.
    ///
    /// - Throws: ``ConfigurationError`` with everything that is wrong in it; one that cannot be read as well.
    init(path: String) throws(ConfigurationError) {
        try self.init(ConfigurationFile(path: path, schema: .filterRules))
    }

    init(_ file: ConfigurationFile) throws(ConfigurationError) {
        let layers = ConfigurationLayers(schema: .filterRules, options: [], environment: [:], file: file)
        var values = ConfigurationValues(layers: layers) { _ in nil }
        self.filter = values.shadowFilter()
        // How often the file is looked at is said by reload_ms, as for all files; a wish of its own is only checked.
        _ = values.integer("reload_interval_secs")
        guard values.faults.isEmpty else { throw ConfigurationError(faults: values.faults) }
    }
}

extension SecretReloader {
    /// Passes on what a file of rules says whenever it says something else.
    func followFilter(_ path: String, _ filter: ShadowFilter, _ use: @escaping @Sendable (CurrentFilter) -> Void) {
        var current = filter
        self.watch("filter_file", "filter rules") { () throws(FileFault) in
            let rules: FilterRules
            do throws(ConfigurationError) {
                rules = try FilterRules(path: path)
            } catch {
                throw FileFault(path: path, reason: "\(error)")
            }
            guard rules.filter != current else { return false }
            current = rules.filter
            use(CurrentFilter(rules.filter, from: .file(path)))
            return true
        }
    }
}

extension ConfigurationSchema {
    /// A file of filter rules.
    static let filterRules = ConfigurationSchema(
        service: "filter rules",
        keys: ConfigurationKey.shadowFilter + [
            ConfigurationKey(
                path: "reload_interval_secs",
                kind: .integer(0...86_400),
                fallback: "0",
                help: "Has no effect: the file is looked at every reload_ms.",
                aliases: ["filters.reload_interval_secs"]
            )
        ]
    )
}

extension ConfigurationKey {
    /// What the shadow gets copies of.
    static var shadowFilter: [ConfigurationKey] {
        [
            ConfigurationKey(
                path: "tables.include",
                kind: .tables,
                fallback: nil,
                help: "The keyspaces and tables of which the shadow gets copies; without it all."
            ),
            ConfigurationKey(
                path: "tables.exclude",
                kind: .tables,
                fallback: nil,
                help: "Of these the ones of which it gets none.",
                aliases: ["filters.table_blacklist"]
            ),
            ConfigurationKey(
                path: "tenants.columns",
                kind: .texts,
                fallback: nil,
                help: "The columns that say whose a row is; a table's is the first that it has.",
                aliases: ["filters.tenant_id_columns"]
            ),
            ConfigurationKey(
                path: "tenants.include",
                kind: .texts,
                fallback: nil,
                help: "The tenants whose rows the shadow gets; without it all."
            ),
            ConfigurationKey(
                path: "tenants.exclude",
                kind: .texts,
                fallback: nil,
                help: "Of these the ones whose rows it does not get.",
                aliases: ["filters.tenant_blacklist"]
            ),
        ]
    }
}

extension ConfigurationValues {
    /// The filter of these keys, or of a file. Of two places nobody would know which one counts.
    mutating func shadowFilter(orOf file: String?) -> ShadowFilter {
        let filter = self.shadowFilter()
        guard let file else { return filter }
        if !filter.isOpen { self.fault("filter_file", "stands beside tables or tenants; give one of the two") }
        do throws(ConfigurationError) {
            return try FilterRules(path: file).filter
        } catch {
            self.fault("filter_file", "\(error)")
            return filter
        }
    }

    /// The filter of these keys.
    mutating func shadowFilter() -> ShadowFilter {
        let columns = self.texts("tenants.columns")
        let tenants = TenantRules(
            columns: columns,
            include: Set(self.texts("tenants.include")),
            exclude: Set(self.texts("tenants.exclude"))
        )
        if let fault = tenants.fault {
            let path = ["tenants.columns", "tenants.include", "tenants.exclude"].first { self.origin($0) != nil }
            self.fault(path ?? "tenants.columns", fault)
        }
        return ShadowFilter(
            tables: self.tables(include: "tables.include", exclude: "tables.exclude"),
            tenants: tenants
        )
    }
}
