import ArgumentParser
import Operations

/// What is known by table.
struct TablesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tables",
        abstract:
            "Show what is known by table: what is owed and in doubt, comparisons, and how far load and reader are.",
        discussion: """
            Several sidecars are added up. OWED are writes that wait for the source or the target, COMPARED and MISMATCHES live \
            reads since the start, LOADED and VERDICT what loader and reader have reported. Writes and reads of clients are \
            counted by cluster alone: cluster-sync status.

            Exit codes: 0 shown, 1 something differs or may lack a write, 64 wrong command line, 69 something does not answer.
            """
    )

    @Option(help: "Only tables whose name begins so.")
    var prefix: String?

    @OptionGroup var admin: AdminOptions

    func run() async throws {
        try await self.admin.replicas().show(
            "/v1/tables",
            as: TablesDocument.self,
            one: { self.text([$0], $1) },
            several: { answers, style in self.text(answers.compactMap(\.document), style) },
            holds: { document in !self.chosen(document).contains(where: \.needsCare) }
        )
    }

    private func chosen(_ document: TablesDocument) -> [TablesDocument.Table] {
        document.tables.filter { $0.table.hasPrefix(self.prefix ?? "") }
    }

    private func text(_ documents: [TablesDocument], _ style: Style) -> String {
        let tables = Self.sum(documents.map(self.chosen))
        guard !tables.isEmpty else { return "nothing is known of any table yet" }
        var lines = [Self.table(tables, style).render(style)]
        let left = documents.map(\.tablesLeftOut).max() ?? 0
        if left > 0 { lines.append(style.dim("  and \(Human.many(left, "other table"))")) }
        if !documents.allSatisfy(\.owedComplete) {
            lines.append(style.dim("  more is owed than was looked at: OWED counts the oldest of it"))
        }
        return lines.joined(separator: "\n")
    }

    static func table(_ tables: [TablesDocument.Table], _ style: Style) -> TextTable {
        var text = TextTable([
            .init("TABLE"), .init("SHADOW"), .init("OWED", .right), .init("OLDEST", .right), .init("DOUBT", .right),
            .init("COMPARED", .right), .init("MISMATCHES", .right), .init("LOADED", .right), .init("VERDICT"),
        ])
        for table in tables {
            let owed = table.owedSource + table.owedTarget
            let doubt = TextTable.Cell(Human.count(table.dirtyPartitions)) {
                table.dirtyWithLoss > 0 ? style.red($0) : table.dirtyPartitions > 0 ? style.yellow($0) : $0
            }
            let shadow = TextTable.Cell(table.shadow) { table.shadow == "filtered" ? style.dim($0) : $0 }
            text.add([
                .init(Human.line(table.table), style.bold), shadow, .init(Human.count(owed)),
                .init(owed > 0 ? Human.duration(seconds: Double(table.oldestOwedMs) / 1_000) : "-"), doubt,
                .init(Human.count(table.compared)), StatusCommand.alarming(table.mismatches, style),
                .init(table.loadedRatio.map { Human.percent($0) } ?? "-"), self.verdict(table, style),
            ])
        }
        return text
    }

    private static func verdict(_ table: TablesDocument.Table, _ style: Style) -> TextTable.Cell {
        guard let verdict = table.verdict else { return "-" }
        let differences = (table.differences ?? 0) > 0 ? ", \(Human.many(table.differences ?? 0, "difference"))" : ""
        return .init(verdict + differences) { verdict == "in_sync" ? style.green($0) : style.red($0) }
    }

    /// What several sidecars count by table, added up; what they were told by loader and reader is taken from the one that was
    /// told most.
    static func sum(_ documents: [[TablesDocument.Table]]) -> [TablesDocument.Table] {
        var sums: [String: TablesDocument.Table] = [:]
        for table in documents.joined() {
            guard var sum = sums[table.table] else {
                sums[table.table] = table
                continue
            }
            if sum.shadow != table.shadow { sum.shadow = "differs" }
            sum.owedSource += table.owedSource
            sum.owedTarget += table.owedTarget
            sum.oldestOwedMs = max(sum.oldestOwedMs, table.oldestOwedMs)
            sum.dirtyPartitions += table.dirtyPartitions
            sum.dirtyWithLoss += table.dirtyWithLoss
            sum.compared += table.compared
            sum.mismatches += table.mismatches
            if let ratio = table.loadedRatio { sum.loadedRatio = max(sum.loadedRatio ?? 0, ratio) }
            if (table.differences ?? -1) > (sum.differences ?? -1) {
                sum.verdict = table.verdict
                sum.differences = table.differences
            }
            sums[table.table] = sum
        }
        return sums.values.sorted { $0.table < $1.table }
    }
}
