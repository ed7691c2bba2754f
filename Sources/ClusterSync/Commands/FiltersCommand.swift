import ArgumentParser
import Operations

/// What the shadow gets copies of.
struct FiltersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "filters",
        abstract: "Show which tables and tenants the shadow gets copies of, and what was kept from it.",
        discussion: "Exit codes: 0 shown, 64 wrong command line, 69 nothing answers."
    )

    @OptionGroup var admin: AdminOptions

    func run() async throws {
        let (document, data) = try await self.admin.client().get("/v1/filters", as: FiltersDocument.self)
        if self.admin.json {
            Output.text(String(decoding: data, as: UTF8.self))
        } else {
            Output.line(Self.text(document, Style.standardOutput()))
        }
    }

    static func text(_ document: FiltersDocument, _ style: Style) -> String {
        func list(_ names: [String], _ others: String) -> String {
            names.isEmpty ? others : names.map { Human.line($0) }.joined(separator: ", ")
        }
        var lines = ["\(style.bold("filters")) from \(Human.line(document.origin))"]
        lines.append("tables: \(list(document.tables.include, "all"))")
        if !document.tables.exclude.isEmpty { lines.append("  without \(list(document.tables.exclude, ""))") }
        if document.tenantColumns.isEmpty {
            lines.append("tenants: all")
        } else {
            lines.append("tenants by \(list(document.tenantColumns, "")): \(list(document.tenants.include, "all"))")
            if !document.tenants.exclude.isEmpty { lines.append("  without \(list(document.tenants.exclude, ""))") }
            if document.tenantsLeftOut > 0 {
                lines.append(style.dim("  and \(Human.many(document.tenantsLeftOut, "other"))"))
            }
        }
        let writes = document.writes
        lines.append(
            "kept from the shadow: \(Human.many(writes.byTable, "write")) by table, \(Human.count(writes.byTenant)) by tenant"
        )
        if writes.untold > 0 {
            lines.append(
                style.yellow("copied because they do not say whose rows they write: \(Human.count(writes.untold))")
            )
        }
        return lines.joined(separator: "\n")
    }
}
