import DualWriteCore
import Operations

/// One change of the list of overrides, as an operator asks for it.
enum OverrideWish: Sendable {
    /// Tenants as a command line names them.
    struct Tenants: Sendable {
        let column: String
        /// Nil for all of the column.
        let values: [String]?

        init(column: String, values: [String]?) {
            self.column = column
            self.values = values
        }

        /// Reads `column=value,value`, or a column alone. A value with a comma in it can be named by `PUT /v1/overrides`.
        init(parsing text: String) {
            guard let sign = text.firstIndex(of: "=") else {
                self.init(column: text, values: nil)
                return
            }
            let values = text[text.index(after: sign)...].split(separator: ",", omittingEmptySubsequences: false)
            self.init(column: String(text[..<sign]), values: values.map { String($0) })
        }

        /// These as an override has them.
        ///
        /// - Throws: ``ModeOverridesError`` where no value is named, or a wrong one.
        var canaries: CanaryTenants {
            get throws(ModeOverridesError) { try CanaryTenants(column: self.column, values: self.values ?? []) }
        }

        var words: String { self.values.map { "\(self.column)=\($0.joined(separator: ","))" } ?? self.column }
    }

    /// Tenants are added to those that there are.
    case set(ModeOverride)
    case remove(TableFilter.Pattern, Tenants?)

    /// What the list is to become.
    ///
    /// - Throws: ``ModeOverridesError`` where there is nothing to remove, or where the new list cannot be.
    func list(after overrides: ModeOverrides) throws(ModeOverridesError) -> ModeOverrides {
        switch self {
        case .set(let override): return try overrides.setting(override)
        case .remove(let tables, let tenants?):
            return try overrides.removing(tenants.values, by: tenants.column, of: tables)
        case .remove(let tables, nil):
            guard let rest = overrides.removing(tables) else {
                throw ModeOverridesError(
                    "\(tables) has no override; `phase override list` shows those that there are"
                )
            }
            return rest
        }
    }

    /// What stands behind `cluster-sync phase override`.
    var words: [String] {
        switch self {
        case .set(let override):
            ["set", override.tables.description, override.stage.name]
                + Self.option(override.tenants.map { Tenants($0) })
        case .remove(let tables, let tenants): ["remove", tables.description] + Self.option(tenants)
        }
    }

    private static func option(_ tenants: Tenants?) -> [String] { tenants.map { ["--tenant", $0.words] } ?? [] }

    /// What undoes it where a list was in force.
    func undoing(_ before: ModeOverrides) -> OverrideWish {
        switch self {
        case .set(let override):
            let former = before.list.first { $0.isOfSamePlace(as: override) }
            guard let tenants = override.tenants else {
                return former.map { .set($0) } ?? .remove(override.tables, nil)
            }
            let added = tenants.values.filter { former?.tenants?.values.contains($0) != true }
            return .remove(override.tables, Tenants(column: tenants.column, values: added))
        case .remove(let tables, let tenants):
            let former = before.list.first { $0.tables == tables && $0.tenants?.column == tenants?.column }
            return former.map { .set($0) } ?? self
        }
    }
}

extension OverrideWish.Tenants {
    fileprivate init(_ tenants: CanaryTenants) { self.init(column: tenants.column, values: tenants.values) }
}

/// What `PUT /v1/overrides` takes.
struct OverridesBody: Encodable, Sendable {
    let overrides: [TableOverride]
    let epoch: Int
    let reason: String
    let force: Bool

    /// - Parameter document: what the list was made of.
    init(_ overrides: ModeOverrides, of document: OverridesDocument, reason: String, force: Bool) {
        self.overrides = overrides.list.map { TableOverride($0) }
        (self.epoch, self.reason, self.force) = (document.epoch, reason, force)
    }
}

extension OverridesDocument {
    /// The overrides.
    var list: ModeOverrides {
        get throws(ModeOverridesError) {
            var list: [ModeOverride] = []
            for override in self.overrides {
                list.append(try ModeOverride(override))
            }
            return try ModeOverrides(list)
        }
    }
}
