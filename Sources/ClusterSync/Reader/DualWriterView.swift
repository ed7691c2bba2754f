import AsyncHTTPClient
import DualReader
import NIOCore
import Operations
import TokenRanges

/// Whom a comparison asks besides the two clusters: the sidecars, where any are configured.
struct DualWriterView: Sendable {
    let debt: any PartitionDebt
    let dirty: any DirtySet
    /// Nil where nobody is asked.
    let entries: SidecarDirtySet?

    /// Asks nobody.
    static let none = DualWriterView(debt: NoDebt(), dirty: NoDirtySet(), entries: nil)

    private init(debt: any PartitionDebt, dirty: any DirtySet, entries: SidecarDirtySet?) {
        (self.debt, self.dirty, self.entries) = (debt, dirty, entries)
    }

    /// Asks the sidecars of a configuration.
    ///
    /// - Throws: ``FileFault`` where the file of the token or one of TLS cannot be used.
    init(_ sidecars: ReaderConfiguration.Sidecars, secrets: SecretReloader) async throws {
        guard !sidecars.addresses.isEmpty else {
            self = .none
            return
        }
        let token = CurrentSecret(sidecars.token)
        if let secret = sidecars.token {
            await secrets.follow("dual writer", "token", secret) { token.replace($0) }
        }
        let isSecured = sidecars.addresses.contains { $0.hasPrefix("https://") }
        let tls = isSecured ? try sidecars.tls.clientConfiguration() : nil
        let links = sidecars.addresses.map { address in
            SidecarLink(
                address,
                token: { token.text },
                timeout: .milliseconds(Int64(sidecars.timeoutMilliseconds)),
                client: .shared,
                tls: tls
            )
        }
        let entries = SidecarDirtySet(sidecars: links)
        self.init(debt: SidecarDebt(links), dirty: entries, entries: entries)
    }

    /// The entries about tables as a whole that are there before a comparison begins.
    ///
    /// - Throws: where a sidecar does not answer.
    func wholeTableMarks(of plan: ComparePlan) async throws -> [TableName: [SidecarDirtySet.Mark]] {
        guard let entries else { return [:] }
        var marks: [TableName: [SidecarDirtySet.Mark]] = [:]
        for table in plan.tables { marks[table.name] = try await entries.wholeTableMarks(of: table.name) }
        return marks
    }
}

extension CompareSettings {
    /// Whether everything of a table is compared, so that a table that is in sync is in doubt no more.
    func comparesAll(of table: TableName) -> Bool {
        self.sampling.isWhole && self.ranges.isEmpty && self.tenants == nil
            && self.leavingOut[table, default: []].isEmpty && self.scope == .everything
    }
}
