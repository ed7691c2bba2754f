import ArgumentParser
import FoundationEssentials
import Operations

struct PhaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "phase",
        abstract: "Show or change the write mode of a running sidecar, ask whether a step is safe, or undo it.",
        subcommands: [Show.self, Set.self, VerdictCommand.self, RollbackCommand.self],
        defaultSubcommand: Show.self
    )

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show the write mode and its latest changes.")

        @OptionGroup var admin: AdminOptions

        func run() async throws {
            let (phase, data) = try await self.admin.client().get("/v1/phase", as: PhaseDocument.self)
            PhaseCommand.show(phase, data, json: self.admin.json)
        }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change the write mode.",
            discussion: """
                Modes, in the order of a migration: PrimaryOnly (0), DualWriteAsync (1), DualWriteSync (2), ShadowPrimary (3), \
                TargetOnly (4). One step is taken where its gates hold (`phase verdict`); anything else needs --force and \
                --reason.

                Exit codes: 0 changed (or already so), 1 refused by the rules or a gate, 64 wrong mode, 69 nothing answers, \
                77 token.
                """
        )

        private struct Body: Encodable {
            let mode: String
            let reason: String?
            let force: Bool
        }

        @Argument(help: "The mode's name or number.")
        var mode: String

        @Option(help: "Why; it is kept in the history.")
        var reason: String?

        @Flag(help: "Overrule the rules of transition and the gates. Needs --reason.")
        var force = false

        @OptionGroup var admin: AdminOptions

        func run() async throws {
            let body = Body(mode: self.mode, reason: self.reason, force: self.force)
            let (phase, data) = try await self.admin.client().put("/v1/phase", body, as: PhaseDocument.self)
            PhaseCommand.show(phase, data, json: self.admin.json)
        }
    }

    static func show(_ phase: PhaseDocument, _ data: Data, json: Bool) {
        if json {
            Output.text(String(decoding: data, as: UTF8.self))
            return
        }
        let style = Style.standardOutput()
        let shadow = phase.shadow.map { ", copies to \($0)" } ?? ""
        Output.line("\(style.bold(phase.mode)) (\(phase.number)), epoch \(phase.epoch)")
        Output.line("answers come from \(phase.primary)\(shadow); next: \(phase.next.joined(separator: " or "))")
        guard !phase.history.isEmpty else { return }
        var table = TextTable([.init("WHEN"), .init("FROM"), .init("TO"), .init("BY"), .init("REASON")])
        for record in phase.history {
            let reason = (record.reason ?? "") + (record.forced ? Self.forced(record) : "")
            table.add([.init(record.at), .init(record.from), .init(record.to), .init(record.by), .init(reason)])
        }
        Output.line()
        Output.line(table.render(style))
    }

    private static func forced(_ record: PhaseRecord) -> String {
        let gates = record.overruled ?? []
        return gates.isEmpty ? " (forced)" : " (forced, overruled \(gates.joined(separator: ", ")))"
    }
}
