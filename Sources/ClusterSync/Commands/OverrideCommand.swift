import ArgumentParser
import DualWriteCore
import FoundationEssentials
import Operations

/// `phase override`: tables with a write mode of their own.
struct OverrideCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "override",
        abstract: "Hold tables back while the rest goes on, or let some go ahead: a write mode of their own.",
        subcommands: [List.self, Set.self, Remove.self],
        defaultSubcommand: List.self
    )

    private static let exitCodes =
        "Exit codes: 0 changed (or already so), 1 refused by the rules or a gate, 64 wrong tables or mode, 69 nothing "
        + "answers, 77 token."

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the tables with a write mode of their own, and their latest changes.",
            discussion: "Exit codes: 0 shown, 64 wrong command line, 69 nothing answers."
        )

        @OptionGroup var admin: AdminOptions

        func run() async throws {
            let (document, data) = try await self.admin.client().get("/v1/overrides", as: OverridesDocument.self)
            OverrideCommand.show(document, data, json: self.admin.json)
        }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give tables a write mode of their own, or another one.",
            discussion: """
                TABLES is keyspace.table, or names several with * and ?; a name that is not of small letters stands in double \
                quotes. Modes are those of `phase set`, and ReadsFirst: written as in DualWriteSync, read from the target. Each \
                table goes one step where the gates hold; anything else needs --force. A new override stands in front of the \
                first one that names all of its tables.

                \(OverrideCommand.exitCodes)
                """
        )

        @Argument(help: "The tables.")
        var tables: String

        @Argument(help: "The mode's name or number.")
        var mode: String

        @OptionGroup var change: ChangeOptions

        func run() async throws {
            let override: ModeOverride
            do throws(ModeOverridesError) {
                override = try ModeOverride(tables: self.tables, mode: self.mode)
            } catch {
                throw ValidationError(error.description)
            }
            try await self.change.send { overrides throws(ModeOverridesError) in try overrides.setting(override) }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let tables have the sidecar's write mode again.",
            discussion: "TABLES is written as in `phase override list`. \(OverrideCommand.exitCodes)"
        )

        @Argument(help: "The tables.")
        var tables: String

        @OptionGroup var change: ChangeOptions

        func run() async throws {
            let tables: TableFilter.Pattern
            do throws(TableFilterError) {
                tables = try TableFilter.Pattern(parsing: self.tables)
            } catch {
                throw ValidationError(error.description)
            }
            try await self.change.send { overrides throws(ModeOverridesError) in
                guard let rest = overrides.removing(tables) else {
                    throw ModeOverridesError(
                        "\(tables) has no override; `phase override list` shows those that there are"
                    )
                }
                return rest
            }
        }
    }

    /// What both changes have.
    struct ChangeOptions: ParsableArguments {
        private struct Body: Encodable {
            let overrides: [TableOverride]
            let epoch: Int
            let reason: String
            let force: Bool
        }

        @Option(help: "Why; it is kept in the audit.")
        var reason: String

        @Flag(help: "Overrule the rules of transition and the gates.")
        var force = false

        @OptionGroup var admin: AdminOptions

        /// Makes the new list of the one in force, and asks for it; where somebody else was faster, nothing is changed.
        func send(_ change: (ModeOverrides) throws(ModeOverridesError) -> ModeOverrides) async throws {
            let client = try self.admin.client()
            let (document, _) = try await client.get("/v1/overrides", as: OverridesDocument.self)
            let wanted: ModeOverrides
            do throws(ModeOverridesError) {
                var list: [ModeOverride] = []
                for override in document.overrides {
                    list.append(try ModeOverride(tables: override.tables, mode: override.mode))
                }
                wanted = try change(try ModeOverrides(list))
            } catch {
                throw ValidationError(error.description)
            }
            let body = Body(
                overrides: wanted.list.map { TableOverride($0) },
                epoch: document.epoch,
                reason: self.reason,
                force: self.force
            )
            let (changed, data) = try await client.put("/v1/overrides", body, as: OverridesDocument.self)
            OverrideCommand.show(changed, data, json: self.admin.json)
        }
    }

    static func show(_ document: OverridesDocument, _ data: Data, json: Bool) {
        Output.text(json ? String(decoding: data, as: UTF8.self) : self.text(document, Style.standardOutput()) + "\n")
    }

    static func text(_ document: OverridesDocument, _ style: Style) -> String {
        guard !document.overrides.isEmpty else {
            return "all tables are in \(style.bold(document.mode)), epoch \(document.epoch)"
        }
        var table = TextTable([.init("TABLES"), .init("MODE")])
        for override in document.overrides {
            table.add([.init(Human.line(override.tables), style.bold), .init(override.mode)])
        }
        var lines = [
            table.render(style), "", "all others are in \(style.bold(document.mode)), epoch \(document.epoch)",
        ]
        guard !document.history.isEmpty else { return lines.joined(separator: "\n") }
        var history = TextTable([
            .init("WHEN"), .init("TABLES"), .init("FROM"), .init("TO"), .init("BY"), .init("REASON"),
        ])
        for record in document.history {
            history.add([
                .init(record.at), .init(Human.line(record.tables)), .init(record.from), .init(record.to),
                .init(Human.line(record.by)), .init(Human.line(record.reason)),
            ])
        }
        lines += ["", history.render(style)]
        return lines.joined(separator: "\n")
    }

    /// The overrides in a line.
    static func words(_ overrides: [TableOverride], leftOut: Int, _ style: Style) -> String {
        let shown = overrides.map { "\(Human.line($0.tables)) (\($0.mode))" }.joined(separator: ", ")
        let rest = leftOut > 0 ? " and \(leftOut) more" : ""
        return style.yellow("tables with a mode of their own: \(shown)\(rest)")
    }
}
