import ArgumentParser
import DualWriteCore
import FoundationEssentials
import Operations

/// `phase override`: tables with a write mode of their own.
struct OverrideCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "override",
        abstract:
            "Hold tables back while the rest goes on, or let some go ahead, or some tenants: a write mode of their own.",
        subcommands: [List.self, Set.self, Remove.self],
        defaultSubcommand: List.self
    )

    private static let exitCodes =
        "Exit codes: 0 changed (or already so), 1 refused by the rules or a gate, 64 wrong tables or mode, 69 nothing "
        + "answers, 77 token."

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the tables with a write mode of their own, and their latest changes.",
            discussion:
                "Exit codes: 0 shown, 1 several have not the same ones, 64 wrong command line, 69 something does not answer."
        )

        @OptionGroup var admin: AdminOptions

        func run() async throws {
            try await self.admin.replicas().show(
                "/v1/overrides",
                as: OverridesDocument.self,
                one: OverrideCommand.text,
                several: OverrideWalk.text,
                agree: OverrideWalk.agree
            )
        }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give tables a write mode of their own, or another one; or send tenants ahead of their tables.",
            discussion: """
                TABLES is keyspace.table, or names several with * and ?; a name that is not of small letters stands in double \
                quotes. Modes are those of `phase set`, and ReadsFirst: written as in DualWriteSync, read from the target. Each \
                table goes one step where the gates hold; anything else needs --force. A new override stands in front of the \
                first one that names all of its tables.

                Several sidecars with control: cluster change together, whichever is asked. Those that keep a mode each are \
                changed one after the other; at the first that fails it stops, and says which one has what, how to go on and \
                how to go back.

                With --tenant the mode is ReadsFirst: while the tables are in DualWriteSync, SELECTs that fix the column to \
                one of the values are answered by the target, all others by the source. Values are added to those that there \
                are.

                \(OverrideCommand.exitCodes)
                """
        )

        @Argument(help: "The tables.")
        var tables: String

        @Argument(help: "The mode's name or number.")
        var mode: String

        @Option(help: "The tenants that go ahead, by the values of a column, as column=value,value.")
        var tenant: String?

        @OptionGroup var change: ChangeOptions

        func run() async throws {
            let override: ModeOverride
            do throws(ModeOverridesError) {
                override = try ModeOverride(
                    tables: self.tables,
                    mode: self.mode,
                    tenants: try self.tenant.flatMap { text throws(ModeOverridesError) in
                        try OverrideWish.Tenants(parsing: text).canaries
                    }
                )
            } catch {
                throw ValidationError(error.description)
            }
            try await self.change.send(.set(override))
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let tables have the sidecar's write mode again, or tenants that of their tables.",
            discussion: "TABLES is written as in `phase override list`. \(OverrideCommand.exitCodes)"
        )

        @Argument(help: "The tables.")
        var tables: String

        @Option(help: "The tenants that go ahead no more, as column=value,value; all of a column without a value.")
        var tenant: String?

        @OptionGroup var change: ChangeOptions

        func run() async throws {
            let tables: TableFilter.Pattern
            do throws(TableFilterError) {
                tables = try TableFilter.Pattern(parsing: self.tables)
            } catch {
                throw ValidationError(error.description)
            }
            try await self.change.send(.remove(tables, self.tenant.map { OverrideWish.Tenants(parsing: $0) }))
        }
    }

    /// What both changes have.
    struct ChangeOptions: ParsableArguments {
        @Option(help: "Why; it is kept in the audit.")
        var reason: String

        @Flag(help: "Overrule the rules of transition and the gates.")
        var force = false

        @OptionGroup var admin: AdminOptions

        /// Makes the new list of the one in force, and asks for it; where somebody else was faster, nothing is changed.
        func send(_ wish: OverrideWish) async throws {
            let replicas = try await self.admin.replicas()
            guard let only = replicas.only else {
                return try await OverrideWalk(replicas, wish, reason: self.reason, force: self.force).run()
            }
            let (document, _) = try await only.get("/v1/overrides", as: OverridesDocument.self)
            let body: OverridesBody
            do throws(ModeOverridesError) {
                let wanted = try wish.list(after: try document.list)
                body = OverridesBody(wanted, of: document, reason: self.reason, force: self.force)
            } catch {
                throw ValidationError(error.description)
            }
            let (changed, data) = try await only.put("/v1/overrides", body, as: OverridesDocument.self)
            Output.text(
                self.admin.json
                    ? String(decoding: data, as: UTF8.self)
                    : OverrideCommand.text(changed, Style.standardOutput()) + "\n"
            )
        }
    }

    static func text(_ document: OverridesDocument, _ style: Style) -> String {
        var lines: [String] = []
        let (ofTables, ofTenants) = (
            document.overrides.filter { $0.tenants == nil }, document.overrides.filter { $0.tenants != nil }
        )
        if ofTables.isEmpty {
            lines.append("all tables are in \(style.bold(document.mode)), epoch \(document.epoch)")
        } else {
            var table = TextTable([.init("TABLES"), .init("MODE")])
            for override in ofTables {
                table.add([.init(Human.line(override.tables), style.bold), .init(override.mode)])
            }
            lines += [
                table.render(style), "", "all others are in \(style.bold(document.mode)), epoch \(document.epoch)",
            ]
        }
        if !ofTenants.isEmpty { lines += ["", self.tenants(ofTenants, style)] }
        guard !document.history.isEmpty, !document.overrides.isEmpty else { return lines.joined(separator: "\n") }
        lines += ["", self.history(document.history, style)]
        return lines.joined(separator: "\n")
    }

    /// Tenants whose reads go ahead of their tables.
    private static func tenants(_ overrides: [TableOverride], _ style: Style) -> String {
        var table = TextTable([.init("TABLES"), .init("TENANTS"), .init("MODE"), .init("STATE")])
        for override in overrides {
            table.add([
                .init(Human.line(override.tables), style.bold), .init(Human.line(self.words(override.tenants))),
                .init(override.mode), .init(Human.line(override.state ?? "-")),
            ])
        }
        return table.render(style)
    }

    private static func history(_ records: [TableModeRecord], _ style: Style) -> String {
        var history = TextTable([
            .init("WHEN"), .init("TABLES"), .init("FROM"), .init("TO"), .init("BY"), .init("REASON"),
        ])
        for record in records {
            let what = record.tables + (record.tenants.map { " \($0)" } ?? "")
            history.add([
                .init(record.at), .init(Human.line(what)), .init(record.from), .init(record.to),
                .init(Human.line(record.by)), .init(Human.line(record.reason)),
            ])
        }
        return history.render(style)
    }

    private static func words(_ tenants: OverrideTenants?) -> String {
        guard let tenants else { return "-" }
        let rest = tenants.leftOut.map { " and \($0) more" } ?? ""
        return "\(tenants.column)=\(tenants.values.joined(separator: ","))\(rest)"
    }

    /// The overrides in a line, those of tenants in one of their own.
    static func words(_ overrides: [TableOverride], leftOut: Int, _ style: Style) -> String {
        func line(_ what: String, _ words: [String]) -> [String] {
            words.isEmpty ? [] : ["\(what): \(words.joined(separator: ", "))"]
        }
        let tables = overrides.filter { $0.tenants == nil }.map { "\(Human.line($0.tables)) (\($0.mode))" }
        let tenants = overrides.filter { $0.tenants != nil }.map {
            "\(Human.line($0.tables)) \(Human.line(self.words($0.tenants))) (\(Human.line($0.state ?? $0.mode)))"
        }
        let lines = line("tables with a mode of their own", tables) + line("tenants ahead of their tables", tenants)
        return style.yellow(lines.joined(separator: "\n") + (leftOut > 0 ? " and \(leftOut) more" : ""))
    }
}
