#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The file that says which format a journal has, and whether and on which boot of which machine it is open.
struct DirectoryState: Equatable {
    enum Reading: Equatable {
        case missing
        case damaged
        /// The first line is a journal's, of a version that this program does not know.
        case version(String)
        /// The file is of something else.
        case foreign
        case state(DirectoryState)
    }

    static let name = "JOURNAL"
    private static let title = "cluster-sync journal "
    private static let version = "1"
    private static let bytesMax = 4 << 10

    var bootID: String
    var isOpen: Bool
    /// Whether the machine stopped while the journal was open, and a log may not have been recovered since.
    var machineStopped: Bool

    static func read(in folder: String) throws(JournalError) -> Reading {
        let path = "\(folder)/\(self.name)"
        let (bytes, number) = SystemCalls.content(of: path, bytesMax: self.bytesMax)
        guard let bytes else {
            if number == ENOENT { return .missing }
            throw .failed("reading", path, number)
        }
        return Self.parse(bytes)
    }

    static func parse(_ bytes: [UInt8]) -> Reading {
        // A machine that stopped can leave the file empty or full of zeros.
        guard bytes.contains(where: { $0 != 0 }) else { return .damaged }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        guard let first = lines.first, first.hasPrefix(self.title) else { return .foreign }
        let version = String(first.dropFirst(self.title.count))
        guard version == self.version else { return .version(version) }
        var bootID: String?
        var isOpen: Bool?
        var machineStopped = false
        for line in lines.dropFirst() {
            let words = line.split(separator: " ")
            guard words.count == 2 else { continue }
            switch (words[0], words[1]) {
            case ("boot", let id): bootID = String(id)
            case ("end", "open"): isOpen = true
            case ("end", "clean"): isOpen = false
            case ("machine", "stopped"): machineStopped = true
            default: continue
            }
        }
        guard let bootID, let isOpen else { return .damaged }
        return .state(Self(bootID: bootID, isOpen: isOpen, machineStopped: machineStopped))
    }

    /// Replaces the file as a whole; returns when the disk has it.
    func write(in folder: String, _ descriptor: SyncedDescriptor) throws(JournalError) {
        let path = "\(folder)/\(Self.name)"
        let temporary = path + ".new"
        let text =
            "\(Self.title)\(Self.version)\nboot \(self.bootID)\nend \(self.isOpen ? "open" : "clean")\n"
            + (self.machineStopped ? "machine stopped\n" : "")
        let (file, number) = SystemCalls.open(temporary, O_WRONLY | O_CREAT | O_TRUNC)
        guard file >= 0 else { throw .failed("open", temporary, number) }
        defer { close(file) }
        guard SystemCalls.write(file, Array(text.utf8)), fsync(file) == 0 else {
            throw .failed("write", temporary, errno)
        }
        guard rename(temporary, path) == 0 else { throw .failed("rename", temporary, errno) }
        descriptor.markDirty()
        let synced = descriptor.sync()
        guard synced == 0 else { throw .failed("fsync", folder, synced) }
    }

    /// The id of this boot of this machine; nil where the system does not tell.
    static func currentBootID() -> String? {
        guard let bytes = SystemCalls.content(of: "/proc/sys/kernel/random/boot_id", bytesMax: 64).bytes else {
            return nil
        }
        let id = bytes.prefix { $0 > 0x20 && $0 < 0x7F }
        return id.isEmpty ? nil : String(decoding: id, as: UTF8.self)
    }
}
