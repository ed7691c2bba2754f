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
            abstract: "Give tables a write mode of their own, or another one.",
            discussion: """
                TABLES is keyspace.table, or names several with * and ?; a name that is not of small letters stands in double \
                quotes. Modes are those of `phase set`, and ReadsFirst: written as in DualWriteSync, read from the target. Each \
                table goes one step where the gates hold; anything else needs --force. A new override stands in front of the \
                first one that names all of its tables.

                Several sidecars with control: cluster change together, whichever is asked. Those that keep a mode each are \
                changed one after the other; at the first that fails it stops, and says which one has what, how to go on and \
                how to go back.

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
            try await self.change.send(.set(override))
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
            try await self.change.send(.remove(tables))
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

/// One change of the list of overrides, as an operator asks for it.
enum OverrideWish: Sendable {
    case set(ModeOverride)
    case remove(TableFilter.Pattern)

    /// What the list is to become.
    ///
    /// - Throws: ``ModeOverridesError`` where there is nothing to remove, or where the new list cannot be.
    func list(after overrides: ModeOverrides) throws(ModeOverridesError) -> ModeOverrides {
        switch self {
        case .set(let override): return try overrides.setting(override)
        case .remove(let tables):
            guard let rest = overrides.removing(tables) else {
                throw ModeOverridesError(
                    "\(tables) has no override; `phase override list` shows those that there are"
                )
            }
            return rest
        }
    }

    /// The tables that it is about.
    var tables: TableFilter.Pattern {
        switch self {
        case .set(let override): override.tables
        case .remove(let tables): tables
        }
    }

    /// What stands behind `cluster-sync phase override`.
    var words: [String] {
        switch self {
        case .set(let override): ["set", override.tables.description, override.stage.name]
        case .remove(let tables): ["remove", tables.description]
        }
    }

    /// What undoes it where a list was in force.
    func undoing(_ before: ModeOverrides) -> OverrideWish {
        before.list.first { $0.tables == self.tables }.map { .set($0) } ?? .remove(self.tables)
    }
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
                list.append(try ModeOverride(tables: override.tables, mode: override.mode))
            }
            return try ModeOverrides(list)
        }
    }
}
