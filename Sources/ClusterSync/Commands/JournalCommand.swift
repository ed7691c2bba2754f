import ArgumentParser
import FoundationEssentials
import ShadowJournal
import SystemPackage

/// `cluster-sync journal`: what the clusters are owed, on the disk and in a running sidecar.
struct JournalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "journal",
        abstract: "Look at what the clusters are owed, at refused writes and at partitions in doubt.",
        discussion: """
            list, show and verify read the journal's folder, with or without a sidecar at work on it, or ask running sidecars, \
            by --endpoint, and change nothing. dead-letters and dirty ask a running sidecar, by its admin port.
            """,
        subcommands: [
            JournalListCommand.self, JournalShowCommand.self, JournalVerifyCommand.self, DeadLettersCommand.self,
            DirtyCommand.self,
        ]
    )
}

/// Which folder a command looks into, or which sidecars it asks.
struct JournalPlaceOptions: ParsableArguments {
    @Option(help: "The state folder of the sidecar; its journal is in there. Environment: CLUSTER_SYNC_STATE_DIR.")
    var stateDir: String?

    @Option(help: "The journal's own folder, where journal.dir names one. Environment: CLUSTER_SYNC_JOURNAL_DIR.")
    var journalDir: String?

    @OptionGroup var admin: AdminOptions

    func validate() throws {
        let places = [self.stateDir != nil, self.journalDir != nil, !self.admin.endpoint.isEmpty]
        guard places.count(where: { $0 }) <= 1 else {
            throw ValidationError("Give --state-dir, --journal-dir or --endpoint, one of them.")
        }
    }

    var json: Bool { self.admin.json }

    /// The folder; nil where sidecars are to be asked. Options go before the environment, and there a folder before an address.
    private func folder() throws -> String? {
        if let journalDir { return journalDir }
        if let stateDir { return "\(stateDir)/journal" }
        guard self.admin.endpoint.isEmpty else { return nil }
        let environment = ProcessInfo.processInfo.environment
        if let folder = environment["CLUSTER_SYNC_JOURNAL_DIR"] { return folder }
        if let folder = environment["CLUSTER_SYNC_STATE_DIR"] { return "\(folder)/journal" }
        if environment["CLUSTER_SYNC_ENDPOINT"]?.isEmpty == false { return nil }
        throw fail(
            Exit.usage,
            "name the folder: --state-dir DIR, or --journal-dir DIR; or a running sidecar: --endpoint URL"
        )
    }

    /// Who reads the folder; nil where sidecars are to be asked.
    func inspector() throws -> JournalInspector? {
        guard let folder = try self.folder() else { return nil }
        return try Self.reading { () throws(JournalError) in try JournalInspector(FilePath(folder)) }
    }

    /// What `body` reads; a failure ends the command in the journal's own words.
    static func reading<Result>(_ body: () throws(JournalError) -> Result) throws -> Result {
        do throws(JournalError) {
            return try body()
        } catch {
            throw fail(error.code == .name ? Exit.usage : Exit.state, error.description)
        }
    }
}

extension JournalInspector {
    var folderName: String { self.path.string }

    /// Who has the journal, in words.
    var ownerWords: String {
        let (isOwned, pid) = self.owner
        if isOwned { return pid.map { "in use by process \($0)" } ?? "in use" }
        return switch self.wasClosed {
        case true: "closed"
        case false: "not closed: its last owner was killed, or the machine stopped"
        case nil: "its state file cannot be read"
        }
    }

    func summaries() throws(JournalError) -> [LogSummary] {
        var summaries: [LogSummary] = []
        for name in try self.logNames { summaries.append(try self.summary(of: name)) }
        return summaries
    }
}

extension LogSummary {
    /// What is wrong with the log, in a few words; nil where everything was read.
    var damageWords: String? {
        guard !self.content.isComplete else { return nil }
        var parts: [String] = []
        if self.content.damagedCount > 0 {
            let ranges = Human.many(self.content.damagedCount, "damaged range")
            parts.append("\(ranges) (\(Human.bytes(self.content.damagedBytes)))")
        }
        if !self.content.damagedHeaders.isEmpty {
            parts.append(Human.many(self.content.damagedHeaders.count, "damaged header"))
        }
        if !self.content.unreadable.isEmpty {
            parts.append(Human.many(self.content.unreadable.count, "unreadable file"))
        }
        return parts.joined(separator: ", ")
    }
}
