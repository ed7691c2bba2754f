import DualWriter
import NIOPosix
import Operations
import ShadowJournal
import SystemPackage

extension SidecarControl {
    func verifyJournal() async throws(AdminError) -> JournalVerificationDocument {
        guard await self.proxy.currentStatus().hasJournal else {
            throw AdminError(
                .journalDisabled,
                "This sidecar has no journal, so there is nothing to verify.",
                hint: "journal.enabled in its configuration turns it on, with the next start."
            )
        }
        // All files are read: the disk that takes the journal has something better to do than that twice at a time.
        guard !self.isVerifying else {
            throw AdminError(.busy, "The journal is being verified.", hint: "Ask again when that has ended.")
        }
        self.isVerifying = true
        defer { self.isVerifying = false }
        let folder = FilePath(self.journalFolder)
        do {
            // Neither an event loop nor a thread of the tasks waits for a disk.
            return try await NIOThreadPool.singleton.runIfActive {
                try JournalVerificationDocument(JournalInspector(folder))
            }
        } catch {
            throw AdminError(.changeFailed, "The journal cannot be read: \(error)", hint: "Nothing was changed.")
        }
    }
}

extension JournalVerificationDocument {
    /// Reads all files of a journal.
    init(_ inspector: JournalInspector) throws(JournalError) {
        let logs = try inspector.summaries().map { summary in
            Log(
                name: summary.name,
                isWhole: summary.content.isComplete,
                records: summary.content.records,
                definitions: summary.content.definitions,
                damage: Self.damage(summary)
            )
        }
        let isStateKnown = inspector.owner.isOwned || inspector.wasClosed != nil
        let damage = isStateKnown ? [] : ["the file that says how the last owner ended cannot be read"]
        self.init(
            folder: inspector.folderName,
            isWhole: damage.isEmpty && logs.allSatisfy(\.isWhole),
            logs: logs,
            damage: damage
        )
    }

    private static func damage(_ summary: LogSummary) -> [String] {
        let content = summary.content
        var all = content.damaged.map {
            "file \($0.segment): \(Human.bytes($0.bytes)) from byte \(Human.count($0.offset)) on"
        }
        if content.damagedCount > content.damaged.count {
            all.append("\(Human.many(content.damagedCount - content.damaged.count, "more damaged range"))")
        }
        all += content.damagedHeaders.map { "file \($0): its header; the records behind it were looked for" }
        all += content.unreadable.map { "file \(Human.line($0.name)): \($0.reason)" }
        return all
    }
}
