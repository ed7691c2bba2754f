#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The folder of a log within the journal's.
enum LogFolder {
    /// The logs in a journal, sorted: folders with the name of a log that are empty or hold files of a log.
    static func names(in folder: String) throws(JournalError) -> [String] {
        let (names, number) = SystemCalls.names(in: folder)
        guard number == 0 else { throw .failed("reading", folder, number) }
        return names.filter { name in
            guard self.isName(name), let status = SystemCalls.status(of: "\(folder)/\(name)").status,
                SystemCalls.isFolder(status)
            else { return false }
            let (files, number) = SystemCalls.names(in: "\(folder)/\(name)")
            return number == 0 && (files.isEmpty || files.contains { SegmentName($0) != nil })
        }
    }

    static func check(_ name: String, _ path: String) throws(JournalError) {
        guard !self.isName(name) else { return }
        throw JournalError(
            .name,
            path,
            "'\(name)' cannot be the name of a log; use 1 to \(JournalLimits.logNameCharactersMax) of a–z, 0–9 and -"
        )
    }

    static func check(_ configuration: JournalConfiguration, _ path: String) throws(JournalError) {
        let lengths = JournalLimits.segmentBytesMin...JournalLimits.segmentBytesMax
        guard lengths.contains(configuration.segmentBytes) else {
            throw JournalError(
                .configuration,
                path,
                "a segment of \(configuration.segmentBytes) bytes; use \(lengths.lowerBound) to \(lengths.upperBound)"
            )
        }
        guard configuration.bytesMax >= configuration.segmentBytes else {
            throw JournalError(
                .configuration,
                path,
                "a limit of \(configuration.bytesMax) bytes for the log '\(path)'; use at least the length of one segment, "
                    + "\(configuration.segmentBytes)"
            )
        }
    }

    static func checkFolder(_ status: stat, _ path: String) throws(JournalError) {
        if SystemCalls.isLink(status) {
            throw JournalError(
                .symbolicLink,
                path,
                "'\(path)' is a symbolic link, which could point elsewhere tomorrow; name the folder itself"
            )
        }
        guard SystemCalls.isFolder(status) else {
            throw JournalError(.notAFolder, path, "'\(path)' is no folder; name one, or remove it")
        }
    }

    static func make(_ path: String) throws(JournalError) {
        if mkdir(path, 0o700) == 0 { return }
        guard errno == EEXIST else { throw .failed("mkdir", path, errno) }
        let (status, number) = SystemCalls.status(of: path)
        guard let status else { throw .failed("looking up", path, number) }
        try self.checkFolder(status, path)
    }

    private static func isName(_ name: String) -> Bool {
        (1...JournalLimits.logNameCharactersMax).contains(name.utf8.count)
            && name.utf8.allSatisfy { $0 >= 0x61 && $0 <= 0x7A || $0 >= 0x30 && $0 <= 0x39 || $0 == 0x2D }
    }
}
