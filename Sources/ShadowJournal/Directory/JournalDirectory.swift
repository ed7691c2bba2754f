import Synchronization
public import SystemPackage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A folder of logs that one process owns at a time.
///
/// Any thread may call any method. The folder belongs to this object until ``close()``, or until it and its logs are gone.
public final class JournalDirectory: Sendable {
    private struct State {
        var openLogs: Set<String> = []
        /// The logs that were recovered in this life.
        var recoveredLogs: Set<String> = []
        /// Whether every log that has ended was closed.
        var isClean = true
        var lock: DirectoryLock?
    }

    /// The folder.
    public let path: FilePath
    /// How the last process that had the folder came to its end.
    public let previousEnd: PreviousEnd
    /// What brings the logs to the disk.
    public let sync: JournalSync
    private let folder: SyncedDescriptor
    private let bootID: String
    private let state: Mutex<State>

    /// Takes possession of a folder, which is made where only its last part is missing.
    ///
    /// - Parameters:
    ///   - onSyncFailure: told the first time that the disk does not take bytes, on whichever thread that was found.
    public init(
        _ path: FilePath,
        sync policy: JournalSyncPolicy = .interval(milliseconds: 10),
        onSyncFailure: (@Sendable (JournalError) -> Void)? = nil
    ) throws(JournalError) {
        let folder = path.string
        try Self.make(folder)
        let (descriptor, number) = SystemCalls.open(folder, O_RDONLY | O_DIRECTORY)
        guard descriptor >= 0 else { throw .failed("open", folder, number) }
        self.folder = SyncedDescriptor(taking: descriptor, path: folder, isFolder: true)
        self.path = path
        try Self.checkContent(of: folder)
        let lock = try DirectoryLock(in: folder)

        let bootID = DirectoryState.currentBootID()
        self.previousEnd = try Self.previousEnd(in: folder, bootID: bootID)
        self.bootID = bootID ?? "unknown"
        try DirectoryState(
            bootID: self.bootID,
            isOpen: true,
            machineStopped: self.previousEnd == .machineStopped
        ).write(in: folder, self.folder)
        self.sync = JournalSync(policy: policy, onFailure: onSyncFailure)
        self.state = Mutex(State(lock: lock))
        try self.sync.start()
    }

    deinit { self.sync.stop() }

    /// The logs that are in the folder, open or not, sorted.
    public var logNames: [String] { get throws(JournalError) { try LogFolder.names(in: self.path.string) } }

    /// Opens a log, which is made where it does not exist. It may be used on any one thread at a time.
    public func openLog(
        named name: String,
        configuration: JournalConfiguration = JournalConfiguration()
    ) throws(JournalError) -> sending JournalLog {
        let path = "\(self.path.string)/\(name)"
        try LogFolder.check(name, path)
        try LogFolder.check(configuration, path)
        let isFirst = self.state.withLock { $0.lock != nil && $0.openLogs.insert(name).inserted }
        guard isFirst else {
            throw JournalError(.alreadyOpen, path, "the log '\(path)' is open already, or its journal is closed")
        }
        do {
            try LogFolder.make(path)
            self.folder.markDirty()
            _ = self.sync.sync(self.folder)
            let recovery = try LogRecovery(
                path: path,
                machineStopped: self.previousEnd == .machineStopped,
                configuration: configuration
            )
            self.state.withLock { _ = $0.recoveredLogs.insert(name) }
            return JournalLog(name: name, configuration: configuration, directory: self, recovered: recovery)
        } catch {
            self.state.withLock { _ = $0.openLogs.remove(name) }
            throw error
        }
    }

    /// Ends the sync thread, marks the journal as cleanly closed, and gives the folder free. Close the logs before.
    ///
    /// - Returns: false, and the mark is not made, where a log is still open, was not closed, or did not reach the disk. The
    ///   folder stays owned as long as a log is open.
    @discardableResult
    public func close() throws(JournalError) -> Bool {
        let (lock, isClean, recovered) = self.state.withLock { state -> (DirectoryLock?, Bool, Set<String>) in
            guard state.openLogs.isEmpty else { return (nil, false, []) }
            defer { state.lock = nil }
            return (state.lock, state.isClean, state.recoveredLogs)
        }
        guard let lock else { return false }
        defer { withExtendedLifetime(lock) {} }
        self.sync.stop()
        guard isClean else { return false }
        // A log that nobody opened since the machine stopped is still as the machine left it.
        let names = try self.logNames
        let isDoubtful = self.previousEnd == .machineStopped && !recovered.isSuperset(of: names)
        try DirectoryState(bootID: self.bootID, isOpen: false, machineStopped: isDoubtful)
            .write(in: self.path.string, self.folder)
        return true
    }

    func logEnded(_ name: String, isClean: Bool) {
        self.state.withLock {
            $0.openLogs.remove(name)
            if !isClean { $0.isClean = false }
        }
    }

    private static func make(_ folder: String) throws(JournalError) {
        let (status, number) = SystemCalls.status(of: folder)
        if let status { return try LogFolder.checkFolder(status, folder) }
        guard number == ENOENT else { throw .failed("looking up", folder, number) }
        guard mkdir(folder, 0o700) == 0 else {
            guard errno != ENOENT else {
                throw JournalError(
                    .missing,
                    folder,
                    "the journal '\(folder)' cannot be made: the folder above it does not exist; make it, or mount the volume"
                )
            }
            throw .failed("mkdir", folder, errno)
        }
    }

    /// Refuses a folder that is somebody else's.
    private static func checkContent(of folder: String) throws(JournalError) {
        let (names, number) = SystemCalls.names(in: folder)
        guard number == 0 else { throw .failed("reading", folder, number) }
        guard !names.contains(DirectoryState.name) else { return }
        let own: Set = [DirectoryLock.name, DirectoryState.name + ".new", HighestNumbers.name, "lost+found"]
        let logs = try LogFolder.names(in: folder)
        let foreign = names.filter { !own.contains($0) && !logs.contains($0) }
        guard foreign.isEmpty else {
            throw JournalError(
                .foreign,
                folder,
                "'\(folder)' is no journal and holds other files (\(foreign.prefix(3).joined(separator: ", "))"
                    + "\(foreign.count > 3 ? ", …" : "")); give the journal a folder of its own"
            )
        }
    }

    private static func previousEnd(in folder: String, bootID: String?) throws(JournalError) -> PreviousEnd {
        switch try DirectoryState.read(in: folder) {
        case .missing: return try LogFolder.names(in: folder).isEmpty ? .none : .machineStopped
        case .damaged: return .machineStopped
        case .state(let state):
            if state.machineStopped { return .machineStopped }
            guard state.isOpen else { return .clean }
            return state.bootID == bootID ? .killed : .machineStopped
        case .version(let version):
            throw JournalError(
                .version,
                folder,
                "the journal '\(folder)' has format \(version), which this program does not know; run the program that wrote it "
                    + "until the journal is empty"
            )
        case .foreign:
            throw JournalError(
                .foreign,
                folder,
                "'\(folder)/\(DirectoryState.name)' is not of a journal; give the journal a folder of its own"
            )
        }
    }
}
