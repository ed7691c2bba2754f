import DualWriteCore
import DualWriter
import Logging
import Operations

extension SidecarControl: FilterControl {
    func filters() async -> FiltersDocument {
        FiltersDocument(self.proxy.filter, await self.proxy.currentStatus().counters.filtering)
    }

    func change(_ change: FiltersChange) async throws(AdminError) -> FiltersDocument {
        try self.begin()
        defer { self.end() }
        if case .file(let path) = self.proxy.filter.origin {
            throw AdminError(
                .transitionRefused,
                "What the shadow gets stands in \(path), which is followed.",
                hint: "Change the file. Nothing was changed."
            )
        }
        self.proxy.setFilter(CurrentFilter(try ShadowFilter(change), from: .adminPort))
        let document = await self.filters()
        self.audit(.filters, document.words, by: change.by, reason: change.reason)
        self.logger.notice(
            "what the shadow gets was changed until the next start",
            metadata: ["by": "\(change.by)", "reason": "\(change.reason)"]
        )
        return document
    }
}

/// A filter with the place that it comes from.
struct CurrentFilter: Sendable {
    /// Where a filter comes from.
    enum Origin: Sendable, Equatable, CustomStringConvertible {
        case configuration
        case file(String)
        case adminPort

        var description: String {
            switch self {
            case .configuration: "configuration"
            case .file(let path): path
            case .adminPort: "admin port"
            }
        }
    }

    let filter: ShadowFilter
    let origin: Origin

    init(_ filter: ShadowFilter, from origin: Origin) {
        self.filter = filter
        self.origin = origin
    }
}

extension ShadowFilter {
    /// - Throws: an `AdminError` that names everything that is wrong.
    init(_ change: FiltersChange) throws(AdminError) {
        var faults: [String] = []
        func patterns(_ key: String, _ names: [String]) -> [TableFilter.Pattern] {
            names.compactMap { name in
                do throws(TableFilterError) {
                    return try TableFilter.Pattern(parsing: name)
                } catch {
                    faults.append("tables.\(key): \(error)")
                    return nil
                }
            }
        }
        let tables = TableFilter(
            include: patterns("include", change.tables.include),
            exclude: patterns("exclude", change.tables.exclude)
        )
        let tenants = TenantRules(
            columns: change.tenantColumns,
            include: Set(change.tenants.include),
            exclude: Set(change.tenants.exclude)
        )
        if let fault = tenants.fault { faults.append(fault) }
        guard faults.isEmpty else {
            throw AdminError(.invalidDocument, faults.joined(separator: "; "), hint: "Nothing was changed.")
        }
        self.init(tables: tables, tenants: tenants)
    }
}

extension FiltersDocument {
    /// The filter in a line of the audit.
    fileprivate var words: String {
        func words(_ name: String, _ lists: Lists) -> String {
            func list(_ names: [String], _ all: String) -> String {
                let shown = names.prefix(10).joined(separator: ", ")
                return names.isEmpty ? all : names.count > 10 ? "\(shown) and \(names.count - 10) more" : shown
            }
            return "\(name): \(list(lists.include, "all"))"
                + (lists.exclude.isEmpty ? "" : " without \(list(lists.exclude, ""))")
        }
        return words("tables", self.tables) + "; " + words("tenants", self.tenants)
    }

    init(_ current: CurrentFilter, _ counts: DualWriterCounters.Filtering) {
        let (tables, tenants) = (current.filter.tables, current.filter.tenants)
        let lists = [tenants.include, tenants.exclude].map { Array($0.sorted().prefix(Self.tenantsMax)) }
        self.init(
            origin: "\(current.origin)",
            tables: .init(include: tables.include.map(\.description), exclude: tables.exclude.map(\.description)),
            tenantColumns: tenants.columns,
            tenants: .init(include: lists[0], exclude: lists[1]),
            tenantsLeftOut: tenants.include.count + tenants.exclude.count - lists[0].count - lists[1].count,
            writes: .init(byTable: counts.byTable, byTenant: counts.byTenant, untold: counts.untold)
        )
    }
}
