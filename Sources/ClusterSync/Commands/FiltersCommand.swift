import ArgumentParser
import Operations

/// What the shadow gets copies of.
struct FiltersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "filters",
        abstract: "Show which tables and tenants the shadow gets copies of, and what was kept from it.",
        discussion:
            "Exit codes: 0 shown, 1 several do not have the same filter, 64 wrong command line, 69 something does not answer."
    )

    @OptionGroup var admin: AdminOptions

    func run() async throws {
        try await self.admin.replicas().show(
            "/v1/filters",
            as: FiltersDocument.self,
            one: Self.text,
            several: Self.text,
            agree: Self.areAlike
        )
    }

    /// Whether several sidecars copy the same; where they come from and what they have counted is their own.
    static func areAlike(_ documents: [FiltersDocument]) -> Bool {
        Set(
            documents.map { document in
                [
                    document.tables.include, document.tables.exclude, document.tenantColumns, document.tenants.include,
                    document.tenants.exclude, ["\(document.tenantsLeftOut)"],
                ]
            }
        ).count <= 1
    }

    static func text(_ answers: [ReplicaAnswer<FiltersDocument>], _ style: Style) -> String {
        var table = TextTable([
            .init("REPLICA"), .init("FROM"), .init("BY TABLE", .right), .init("BY TENANT", .right),
            .init("UNTOLD", .right),
        ])
        for answer in answers {
            guard let document = answer.document else {
                table.add([.init(answer.replica.name), .init("does not answer", style.red), "-", "-", "-"])
                continue
            }
            table.add([
                .init(answer.replica.name, style.bold), .init(Human.line(document.origin)),
                .init(Human.count(document.writes.byTable)), .init(Human.count(document.writes.byTenant)),
                .init(Human.count(document.writes.untold)) { document.writes.untold > 0 ? style.yellow($0) : $0 },
            ])
        }
        let documents = answers.compactMap(\.document)
        guard let first = documents.first else { return table.render(style) }
        guard self.areAlike(documents) else {
            return table.render(style) + "\n" + style.red("  The replicas do not copy the same:") + "\n\n"
                + ReplicaText.sections(answers, style) { self.rules($0, $1).joined(separator: "\n") }
        }
        return (self.rules(first, style) + ["", table.render(style)]).joined(separator: "\n")
    }

    /// What is copied, without what came of it.
    private static func rules(_ document: FiltersDocument, _ style: Style) -> [String] {
        func list(_ names: [String], _ others: String) -> String {
            names.isEmpty ? others : names.map { Human.line($0) }.joined(separator: ", ")
        }
        var lines = ["tables: \(list(document.tables.include, "all"))"]
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
        return lines
    }

    static func text(_ document: FiltersDocument, _ style: Style) -> String {
        let origin = "\(style.bold("filters")) from \(Human.line(document.origin))"
        var lines = [origin] + self.rules(document, style)
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
