import ArgumentParser
import FoundationEssentials
import Operations

/// `replicas`: who changes the write mode together.
struct ReplicasCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replicas",
        abstract: "Show the replicas that have one write mode, and whether all act in it.",
        discussion:
            "Exit codes: 0 all that live do, 1 one does not, or the one that is asked refuses requests, 69 nothing answers."
    )

    @OptionGroup var admin: AdminOptions

    func run() async throws {
        let (replicas, data) = try await self.admin.client().get("/v1/replicas", as: ReplicasDocument.self)
        if self.admin.json {
            Output.text(String(decoding: data, as: UTF8.self))
        } else {
            Output.line(Self.text(replicas, Style.standardOutput()))
        }
        if !replicas.isWhole { throw Exit.negative }
    }

    static func text(_ document: ReplicasDocument, _ style: Style) -> String {
        guard document.control == "cluster" else {
            return
                "this sidecar has a write mode of its own (control: file): \(document.stage), epoch \(document.epoch)"
        }
        let preparing = document.preparing.map { ", preparing \(style.bold($0))" } ?? ""
        var lines = ["\(style.bold(document.stage)), epoch \(document.epoch)\(preparing)"]
        lines += self.table(document.replicas, style)
        lines += document.replicas.compactMap { replica in
            replica.fault.map { style.yellow("  \(replica.id): \(Human.line($0))") }
        }
        lines += document.unreadable.map {
            style.yellow("  the control state of the \($0.cluster) cannot be read: \(Human.line($0.reason))")
        }
        if let lapse = document.lapse {
            lines.append(style.red("  this replica refuses requests: \(Human.line(lapse))"))
        }
        return lines.joined(separator: "\n")
    }

    /// A line for each, the one that answers marked.
    static func table(_ replicas: [ReplicasDocument.Replica], _ style: Style) -> [String] {
        guard !replicas.isEmpty else { return [] }
        var table = TextTable([
            .init("REPLICA"), .init("ADMIN PORT"), .init("STATE"), .init("EPOCH", .right), .init("OWES SOURCE", .right),
            .init("OWES TARGET", .right),
        ])
        for replica in replicas {
            let state = TextTable.Cell(replica.state) { text in
                replica.state == "live"
                    ? style.green(text) : replica.state == "behind" ? style.yellow(text) : style.red(text)
            }
            table.add([
                .init(replica.id + (replica.isThisOne ? " *" : ""), style.bold), .init(replica.address), state,
                .init(replica.appliedEpoch.map { "\($0)" } ?? "-"), .init(Human.count(replica.owedSource)),
                .init(Human.count(replica.owedTarget)),
            ])
        }
        return ["", table.render(style)]
    }
}
