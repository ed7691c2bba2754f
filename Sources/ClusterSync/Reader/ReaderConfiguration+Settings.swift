import CQLClient
import CQLProtocol
import DualReader
import FoundationEssentials
import LiveTables
import NIOCore
import TokenRanges

/// From what an operator has written to what the engine takes.
extension ReaderConfiguration {
    /// The settings of a comparison.
    ///
    /// - Parameter only: what the command line names; nil for everything that is configured. Each choice is a job of its own: its
    ///   parts are others.
    /// - Throws: ``FileFault`` where certificates or passwords cannot be read.
    func settings(only: Set<TableSelection.Name>?, secrets: SecretReloader) async throws -> CompareSettings {
        var settings = CompareSettings(
            job: self.job.name,
            source: try await self.source.client("source", secrets),
            target: try await self.target.client("target", secrets),
            store: self.store,
            folder: "\(self.stateDirectory)/findings"
        )
        settings.tables = TableSelection(
            include: self.tables.include.map(\.description),
            exclude: self.tables.exclude.map(\.description)
        )
        for column in self.columnsLeftOut {
            let table = TableName(keyspace: column.keyspace, table: column.table)
            settings.leavingOut[table, default: []].insert(column.column)
        }
        if let only {
            settings.tables.only = only
            settings.job += "." + Self.name(of: only)
        }
        settings.sampling = Sampling(percentage: self.sample.percentage, seed: UInt64(self.sample.seed))
        settings.settling.settle = .milliseconds(self.settle.waitMilliseconds)
        settings.settling.pauseMax = .milliseconds(self.settle.pauseMillisecondsMax)
        settings.settling.readsMin = self.settle.reads
        settings.settling.readsMax = self.settle.readsMax
        settings.settling.triesMax = self.settle.tries
        settings.settling.owedMax = .milliseconds(self.settle.owedMillisecondsMax)
        if let column = self.tenants.column, !self.tenants.values.isEmpty {
            settings.tenants = TenantFilter(column: column, values: Set(self.tenants.values))
        }
        settings.writeConsistency = self.repair.consistency
        settings.repairFile = .init(bytesMax: Int64(self.repair.fileBytes), kept: self.repair.files)
        settings.rules.timeToLiveToleranceSeconds = Int64(self.rules.timeToLiveSeconds)
        settings.rules.writetimeToleranceMicroseconds = Int64(self.rules.writetimeMicroseconds)
        settings.rules.comparesWritetimes = self.rules.comparesWritetimes
        settings.rules.comparesTimeToLive = self.rules.comparesTimesToLive
        settings.rules.comparesListTimes = self.rules.comparesListTimes
        settings.samplesPerClassMax = self.samplesPerClass
        self.setReading(of: &settings)
        return settings
    }

    /// A choice of tables in the name of its job: in full, or where that would be too long for a file's name, by a number that
    /// is always the same for it.
    static func name(of only: Set<TableSelection.Name>) -> String {
        let names = only.map(\.text).sorted()
        let all = names.joined(separator: "+")
        guard all.utf8.count > JobReading.nameBytesMax else { return all }
        let number = UInt64(bitPattern: Murmur3Partitioner.token(of: ByteBuffer(string: all)))
        return "\(names.count)-tables-\(String(number, radix: 16))"
    }

    private var store: CompareSettings.Store {
        switch self.job.store {
        case .sqlite(let path): .sqlite(path: path)
        case .cluster: .target()
        }
    }

    /// This worker's name. Where it is the only one, it must find its findings again; where there are others, it is another one
    /// for each process unless it is configured.
    var worker: String {
        if case .sqlite = self.job.store { return "reader" }
        return self.job.worker ?? "\(ProcessInfo.processInfo.hostName)-\(ProcessInfo.processInfo.processIdentifier)"
    }

    private func setReading(of settings: inout CompareSettings) {
        settings.bytesPerPart = Int64(self.reading.rangeBytes)
        settings.rates = self.reading.rates
        self.reading.apply(to: &settings.runner)
        self.reading.apply(to: &settings.reading)
        settings.sourceSession.requestMilliseconds = self.source.requestTimeoutMilliseconds
        settings.targetSession.requestMilliseconds = self.target.requestTimeoutMilliseconds
    }
}

extension TableSelection.Name {
    /// The name as it is written on the command line.
    var text: String {
        switch self {
        case .keyspace(let name): name
        case .table(let name): "\(name.keyspace).\(name.table)"
        }
    }

    /// Whether a table is meant.
    func means(_ table: TableName) -> Bool {
        switch self {
        case .keyspace(let name): table.keyspace == name
        case .table(let name): table == name
        }
    }
}
