import ArgumentParser
import FoundationEssentials
import Operations
import ShadowJournal

/// The logs of a journal, each in a line.
struct JournalListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the logs of a journal's folder, or what the clusters of running sidecars are owed.",
        discussion: """
            target-0 is what event loop 0 owes the target cluster, and so on; dirty are the partitions in doubt, dead-letters \
            the writes that a cluster has refused for good. Sidecars that are asked by --endpoint tell it by cluster.

            Exit codes: 0 listed, 64 wrong command line, 69 something does not answer, 73 no journal that can be read.
            """
    )

    /// The answer as JSON.
    struct Document: Encodable {
        struct Log: Encodable {
            let name: String
            let openRecords: Int
            let finishedRecords: Int
            let openBytes: Int
            let diskBytes: Int
            let segments: Int
            let oldestOpen: String?
            let damage: String?

            init(_ summary: LogSummary) {
                self.name = summary.name
                self.openRecords = summary.content.openRecords
                self.finishedRecords = summary.content.records - summary.content.openRecords
                self.openBytes = summary.openBytes
                self.diskBytes = summary.diskBytes
                self.segments = summary.segments
                self.oldestOpen = summary.oldestOpen.map { Timestamp.text(milliseconds: $0) }
                self.damage = summary.damageWords
            }
        }

        let folder: String
        let owner: String
        let logs: [Log]
    }

    @OptionGroup var place: JournalPlaceOptions

    func run() async throws {
        guard let inspector = try self.place.inspector() else {
            return try await self.place.admin.replicas().show(
                "/v1/journal",
                as: JournalDocument.self,
                one: OwedText.list,
                several: OwedText.list
            )
        }
        let summaries = try JournalPlaceOptions.reading { () throws(JournalError) in try inspector.summaries() }
        if self.place.json {
            let document = Document(
                folder: inspector.folderName,
                owner: inspector.ownerWords,
                logs: summaries.map { Document.Log($0) }
            )
            Output.text(String(decoding: try DocumentCoding.encode(document), as: UTF8.self))
            return
        }
        let style = Style.standardOutput()
        Output.line("\(style.bold(inspector.folderName)), \(inspector.ownerWords)")
        guard !summaries.isEmpty else {
            Output.line("no logs")
            return
        }
        Output.line()
        Output.line(Self.table(summaries, now: Timestamp.milliseconds(), style).render(style))
    }

    static func table(_ summaries: [LogSummary], now: Int64, _ style: Style) -> TextTable {
        var table = TextTable([
            .init("LOG"), .init("OPEN", .right), .init("FINISHED", .right), .init("BYTES", .right),
            .init("ON DISK", .right), .init("FILES", .right), .init("OLDEST", .right), .init("DAMAGE"),
        ])
        for summary in summaries {
            let age = summary.oldestOpen.map { Human.duration(seconds: max(0, Double(now - $0)) / 1_000) }
            table.add([
                .init(summary.name, style.bold), .init(Human.count(summary.content.openRecords)),
                .init(Human.count(summary.content.records - summary.content.openRecords)),
                .init(Human.bytes(summary.openBytes)), .init(Human.bytes(summary.diskBytes)),
                .init(Human.count(summary.segments + summary.spares)), .init(age ?? "-"),
                summary.damageWords.map { .init($0, style.red) } ?? .init("none", style.dim),
            ])
        }
        return table
    }
}
